//! The highest release that was accepted, for each set of keys that signed one.
//!
//! A stolen key can push the floor up so far that the owner's next release lies beneath it. So a
//! mark counts only while its keys would still be enough: throw the key out of the trust files,
//! and the floor falls back to what the remaining keys had reached. Nothing else lowers it.

use serde::{Deserialize, Serialize};

use crate::{
    CodecError, Digest, Fingerprint, Generation, Namespace, Sequence, SiteName, Timestamp, decode,
    encode, limits,
};

/// The highest accepted release of each set of keys; kept on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    marks: Vec<Mark>,
}

/// What one set of keys reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The sequence.
    pub sequence: Sequence,
    /// Its manifest.
    pub manifest: Digest,
    /// Its newest as-of.
    pub as_of: Timestamp,
    /// The keys that signed it, ascending.
    pub keys: Vec<Fingerprint>,
}

impl Mark {
    /// As [`crate::Release::rank`].
    fn rank(&self) -> (Sequence, Digest, Timestamp) {
        (self.sequence, self.manifest, self.as_of)
    }
}

/// Longest encoded floor, bytes: every mark with the most keys an envelope can hold.
const FLOOR_BYTES: usize = limits::FLOOR_MARKS * (limits::SIGNATURES * 34 + 64) + 8;

impl Floor {
    /// The highest mark whose keys would still be enough.
    #[must_use]
    pub fn highest(&self, generation: &Generation, site: &SiteName) -> Option<&Mark> {
        self.marks
            .iter()
            .filter(|mark| generation.still_trusts(&mark.keys, Namespace::Release, site, None))
            .max_by_key(|mark| mark.rank())
    }

    /// Takes note of an accepted release. True if that changed anything: keep it on disk before
    /// the release is served. Do not call it for a pinned one.
    pub fn raise(&mut self, mark: Mark) -> bool {
        match self.marks.iter_mut().find(|old| old.keys == mark.keys) {
            Some(old) if old.rank() >= mark.rank() => return false,
            Some(old) => *old = mark,
            None => self.marks.push(mark),
        }
        // The lowest goes first: it is the least likely to be fallen back to.
        self.marks
            .sort_by_key(|mark| std::cmp::Reverse(mark.rank()));
        self.marks.truncate(limits::FLOOR_MARKS);
        true
    }

    /// For an edge's own disk.
    ///
    /// # Errors
    /// Never in practice.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        encode(self)
    }

    /// From an edge's own disk.
    ///
    /// # Errors
    /// A damaged file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        decode(bytes, FLOOR_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_longer_than_any_is_not_read() {
        let bytes = vec![0x90; FLOOR_BYTES + 1];
        let error = Floor::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains(&FLOOR_BYTES.to_string()), "{error}");
    }
}
