//! Taking in what mirrors offer and what the files say, and keeping it on disk.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use snapshot::trust::{Advance, Chain, Generation, Lineage, LineageError};
use snapshot::{
    CodecError, Digest, DocumentError, EdgeTime, SiteName, Store, StoreError, Timestamp, decode,
    encode, limits,
};

/// The state file.
const STATE: &str = "trust";
/// Largest state file, bytes: a lineage, and the digest of the files that were seen.
const STATE_BYTES: usize = 8 * limits::TRUST_FILE_BYTES;

/// The generation in force of one site, how it came to be, and where that is kept.
#[derive(Clone, Debug)]
pub struct TrustKeeper {
    site: SiteName,
    /// What the site's own files were when they were last looked at.
    seen: Digest,
    lineage: Lineage,
}

/// What the site's own files are to what is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Local {
    /// As they were.
    Unchanged,
    /// Changed into what is in force, or was.
    Known,
    /// Changed into something else, which is in force now.
    Anew,
}

/// As it lies on this disk.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u16,
    seen: Digest,
    lineage: ByteBuf,
}

/// Why the generation in force could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum TrustStateError {
    /// This disk fails.
    #[error("trust of {site} on this disk: {source}")]
    Disk {
        /// The site.
        site: SiteName,
        /// What is wrong.
        source: Box<StoreError>,
    },
    /// What is on this disk is damaged.
    #[error("trust of {site} on this disk is damaged: {source}")]
    Damaged {
        /// The site.
        site: SiteName,
        /// What is wrong.
        source: LineageError,
    },
}

impl TrustKeeper {
    const VERSION: u16 = 1;

    /// Begins with what the site's own files say.
    #[must_use]
    pub fn new(site: SiteName, files: Arc<Generation>) -> Self {
        Self {
            site,
            seen: files.digest(),
            lineage: Lineage::new(0, files),
        }
    }

    /// What was in force when this edge stopped; `None` if there is nothing on this disk yet. Blocking.
    ///
    /// # Errors
    /// See [`TrustStateError`].
    pub fn open(store: &Store, site: SiteName) -> Result<Option<Self>, TrustStateError> {
        let bytes = match store.read_state(STATE, STATE_BYTES) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            Err(error) => {
                let source = Box::new(error);
                return Err(TrustStateError::Disk { site, source });
            }
        };
        let read = decode::<Kept>(&bytes, STATE_BYTES).map_err(LineageError::from);
        let read = read.and_then(|kept| Ok((kept.seen, Lineage::from_bytes(&kept.lineage)?)));
        match read {
            Ok((seen, lineage)) => Ok(Some(Self {
                site,
                seen,
                lineage,
            })),
            Err(source) => Err(TrustStateError::Damaged { site, source }),
        }
    }

    /// The generation in force.
    #[must_use]
    pub fn generation(&self) -> &Arc<Generation> {
        self.lineage.generation()
    }

    /// How it came to be.
    #[must_use]
    pub const fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// What the site's own files were when they were last looked at.
    #[must_use]
    pub const fn seen(&self) -> Digest {
        self.seen
    }

    /// Takes in what the site's own files say now. Nothing is written yet: call [`TrustKeeper::keep`]
    /// unless they are unchanged.
    pub fn look(&mut self, files: Arc<Generation>) -> Local {
        let digest = files.digest();
        if digest == self.seen {
            return Local::Unchanged;
        }
        self.seen = digest;
        if self.lineage.holds(digest) {
            return Local::Known;
        }
        let number = self.lineage.number().saturating_add(1);
        self.lineage = Lineage::new(number, files);
        Local::Anew
    }

    /// Takes in what a mirror or a peer offers. What was accepted also moves `time`. Nothing is written
    /// yet: call [`TrustKeeper::keep`] if anything was accepted.
    ///
    /// # Errors
    /// The chain itself cannot be read.
    pub fn take(
        &mut self,
        bytes: &[u8],
        time: &mut EdgeTime,
        wall: Timestamp,
    ) -> Result<Advance, DocumentError> {
        let offered = Chain::from_bytes(bytes)?;
        let advance = self.lineage.merge(&offered, &self.site, time.at(wall));
        for accepted in &advance.accepted {
            time.order(accepted.time(), wall);
        }
        Ok(advance)
    }

    /// Writes down what is in force. Blocking.
    ///
    /// # Errors
    /// This disk fails.
    pub fn keep(&self, store: &Store) -> Result<(), TrustStateError> {
        let written = store.write_state(
            STATE,
            &self.to_bytes().map_err(|source| {
                let source = source.into();
                let site = self.site.clone();
                TrustStateError::Damaged { site, source }
            })?,
        );
        written.map_err(|error| TrustStateError::Disk {
            site: self.site.clone(),
            source: Box::new(error),
        })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        encode(&Kept {
            version: Self::VERSION,
            seen: self.seen,
            lineage: ByteBuf::from(self.lineage.to_bytes()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{chain, generation, site, trust_files_after};

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        (dir, store)
    }

    fn after(n: u64) -> Arc<Generation> {
        let files = trust_files_after(n);
        Arc::new(Generation::parse(&files.allowed_signers, &files.trust_toml).unwrap())
    }

    /// On the second generation after that of its files.
    fn grown() -> TrustKeeper {
        let mut keeper = TrustKeeper::new(site(), generation());
        let mut time = EdgeTime::default();
        let wall = crate::sync::wall_clock();
        let advance = keeper.take(&chain(2), &mut time, wall).unwrap();
        assert_eq!(advance.accepted.len(), 2);
        assert!(time.at(Timestamp(0)) > Timestamp(0));
        keeper
    }

    #[test]
    fn what_travelled_stands_after_a_restart() {
        let (_dir, store) = store();
        assert!(TrustKeeper::open(&store, site()).unwrap().is_none());
        grown().keep(&store).unwrap();
        let mut kept = TrustKeeper::open(&store, site()).unwrap().unwrap();
        assert_eq!(kept.generation().digest(), after(2).digest());
        assert_eq!(kept.look(generation()), Local::Unchanged);
        assert_eq!(kept.lineage().number(), 2);
    }

    #[test]
    fn files_that_are_brought_up_to_date_in_steps_change_nothing() {
        let mut keeper = grown();
        for n in [1, 2, 0] {
            assert_eq!(keeper.look(after(n)), Local::Known, "{n}");
            assert_eq!(keeper.look(after(n)), Local::Unchanged, "{n}");
            assert_eq!(keeper.generation().digest(), after(2).digest());
        }
    }

    #[test]
    fn files_that_were_changed_into_anything_else_win() {
        let mut keeper = grown();
        assert_eq!(keeper.look(after(40)), Local::Anew);
        assert_eq!(keeper.generation().digest(), after(40).digest());
        assert_eq!(keeper.lineage().number(), 3);
        assert!(keeper.lineage().offer().is_none());
        // What travelled before is old now.
        let mut time = EdgeTime::default();
        let wall = crate::sync::wall_clock();
        let advance = keeper.take(&chain(2), &mut time, wall).unwrap();
        assert_eq!(advance.refused.unwrap().name(), "old-generation");
        assert_eq!(keeper.generation().digest(), after(40).digest());
    }

    #[test]
    fn a_state_file_longer_than_any_or_damaged_is_not_read() {
        let (_dir, store) = store();
        store.write_state(STATE, &vec![0; STATE_BYTES + 1]).unwrap();
        let error = TrustKeeper::open(&store, site()).unwrap_err().to_string();
        let expected = format!(
            "trust of dasom on this disk: state trust: more than the {STATE_BYTES} bytes allowed"
        );
        assert_eq!(error, expected);
        store.write_state(STATE, b"nothing").unwrap();
        let error = TrustKeeper::open(&store, site()).unwrap_err().to_string();
        assert!(
            error.starts_with("trust of dasom on this disk is damaged"),
            "{error}"
        );
    }

    #[test]
    fn a_chain_longer_than_any_is_not_taken() {
        let mut keeper = grown();
        let bytes = vec![0; limits::CHAIN_BYTES + 1];
        let taken = keeper.take(&bytes, &mut EdgeTime::default(), Timestamp(0));
        let error = taken.unwrap_err().to_string();
        assert!(error.contains(&limits::CHAIN_BYTES.to_string()), "{error}");
    }
}
