//! The signed statement "sequence N of this site is manifest H, true as of T".

use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::{Digest, EdgeVersion, Sequence, SiteName, Timestamp};

/// What an envelope in the namespace `release@holdfast` carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Format version: [`Release::VERSION`].
    pub version: u16,
    /// The least edge that reads it, its manifest and all that that names.
    pub least_edge: EdgeVersion,
    /// The site it speaks of.
    pub site: SiteName,
    /// Its place in the site's history.
    pub sequence: Sequence,
    /// The manifest's digest.
    pub manifest: Digest,
    /// The manifest's length, bytes.
    pub manifest_bytes: u64,
    /// When the sources were known to hold this; age is edge time minus this.
    pub as_of: Timestamp,
    /// How far each source was read: name and opaque position.
    pub positions: Vec<(String, String)>,
    /// When it was signed, by the signer's clock.
    pub signed_at: Timestamp,
    /// The newest release that was published to erase something; nothing of those before it is
    /// kept. 0 if nothing was erased.
    pub erased: Sequence,
}

impl Release {
    /// The one version this code reads and writes.
    pub const VERSION: u16 = 1;

    /// What "newer" compares: sequence, then as-of (a heartbeat), then, for two manifests under
    /// one sequence, the greater digest, so that every edge settles alike.
    #[must_use]
    pub fn rank(&self) -> (Sequence, Digest, Timestamp) {
        (self.sequence, self.manifest, self.as_of)
    }
}

/// What stands first in every release, now and later: enough for an edge that is too old for the
/// rest to say which release of which site it cannot read, and what could.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) version: u16,
    pub(crate) least_edge: EdgeVersion,
    pub(crate) site: SiteName,
    pub(crate) sequence: Sequence,
}

impl Head {
    /// The head of `payload`, whatever follows it; `None` if it does not begin like a release.
    pub(crate) fn of(payload: &[u8]) -> Option<Self> {
        let head: Self = rmp_serde::from_slice(payload).ok()?;
        (head.version == Release::VERSION).then_some(head)
    }
}

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct First;

        impl<'de> Visitor<'de> for First {
            type Value = Head;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a release")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<Head, A::Error> {
                let lacks = |at| de::Error::invalid_length(at, &"the head of a release");
                let head = Head {
                    version: fields.next_element()?.ok_or_else(|| lacks(0))?,
                    least_edge: fields.next_element()?.ok_or_else(|| lacks(1))?,
                    site: fields.next_element()?.ok_or_else(|| lacks(2))?,
                    sequence: fields.next_element()?.ok_or_else(|| lacks(3))?,
                };
                while fields.next_element::<IgnoredAny>()?.is_some() {}
                Ok(head)
            }
        }

        deserializer.deserialize_seq(First)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::encode;

    #[test]
    fn the_head_is_read_whatever_follows_it() {
        let site: SiteName = "dasom".parse().unwrap();
        let least_edge = EdgeVersion::new(7, 0, 1);
        let head = (1u16, least_edge, &site, Sequence(9));
        let later = BTreeMap::from([("a map", 1.5f64)]);
        let read = Head {
            version: 1,
            least_edge,
            site: site.clone(),
            sequence: Sequence(9),
        };
        let alone = encode(&head).unwrap();
        assert_eq!(Head::of(&alone).as_ref(), Some(&read));
        let (version, least_edge, site, sequence) = head;
        let followed = encode(&(version, least_edge, site, sequence, later, "more")).unwrap();
        assert_eq!(Head::of(&followed), Some(read));
        for cut in 0..alone.len() {
            assert_eq!(Head::of(&alone[..cut]), None, "{cut}");
        }
        assert_eq!(
            Head::of(&encode(&(2u16, least_edge, site, sequence)).unwrap()),
            None
        );
    }
}
