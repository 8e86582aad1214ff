//! Where a record lies at rest, and how it is opened. *Unlisted* records are named and sealed under
//! their own unguessable key, *sealed* ones under the capability that the link carries.

use std::fmt;

use crate::capability::Capability;

/// Most records of a collection that one page lists.
pub const LISTED_RECORDS: usize = 200;

/// Who can read a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// Anyone.
    Public,
    /// Whoever knows a record's key.
    Unlisted,
    /// Whoever holds a record's capability.
    Sealed,
}

impl Privacy {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "public" => Some(Self::Public),
            "unlisted" => Some(Self::Unlisted),
            "sealed" => Some(Self::Sealed),
            _ => None,
        }
    }
}

/// Where one record lies, and what opens it.
pub struct Place<'a> {
    site: &'a str,
    collection: &'a str,
    name: String,
    secret: Option<&'a str>,
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("collection", &self.collection)
            .finish_non_exhaustive()
    }
}

impl<'a> Place<'a> {
    /// Of the record `key`, or of the record that `capability` opens. `None` for a sealed record
    /// without its capability.
    #[must_use]
    pub fn of(
        site: &'a str,
        collection: &'a str,
        privacy: Privacy,
        key: &'a str,
        capability: Option<&'a Capability>,
    ) -> Option<Self> {
        let secret = match privacy {
            Privacy::Public => None,
            Privacy::Unlisted => Some(key),
            Privacy::Sealed => Some(capability?.secret()),
        };
        let name = secret.map_or_else(
            || key.to_owned(),
            |secret| seal::record_name(site, collection, secret),
        );
        Some(Self {
            site,
            collection,
            name,
            secret,
        })
    }

    /// The record's key at rest.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The record itself, out of what lay there.
    ///
    /// # Errors
    /// What was sealed otherwise than its place demands; see [`seal::OpenError`].
    pub fn open(&self, stored: Vec<u8>) -> Result<Vec<u8>, seal::OpenError> {
        match self.secret {
            None => Ok(stored),
            Some(secret) => seal::open(self.site, self.collection, secret, &stored),
        }
    }
}

/// Of a collection's keys those whose records one page lists: the first [`LISTED_RECORDS`], in
/// their order.
#[must_use]
pub fn listed_of(mut keys: Vec<String>) -> Vec<String> {
    keys.sort_unstable();
    keys.truncate(LISTED_RECORDS);
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_privacy_has_its_name_and_its_seal() {
        let capability = Capability::new("k7Qp".to_owned());
        for (privacy, secret) in [
            (Privacy::Public, None),
            (Privacy::Unlisted, Some("id-1")),
            (Privacy::Sealed, Some("k7Qp")),
        ] {
            let place = Place::of("dasom", "rows", privacy, "id-1", Some(&capability)).unwrap();
            let (name, stored) = match secret {
                None => ("id-1".to_owned(), b"{}".to_vec()),
                Some(secret) => (
                    seal::record_name("dasom", "rows", secret),
                    seal::seal("dasom", "rows", secret, b"{}").unwrap(),
                ),
            };
            assert_eq!(place.name(), name);
            assert_eq!(place.open(stored).unwrap(), b"{}");
            assert!(!format!("{place:?}").contains("k7Qp"));
        }
    }

    #[test]
    fn a_sealed_record_needs_its_capability() {
        assert!(Place::of("s", "c", Privacy::Sealed, "id", None).is_none());
        let other = Capability::new("other".to_owned());
        let place = Place::of("s", "c", Privacy::Sealed, "id", Some(&other)).unwrap();
        let stored = seal::seal("s", "c", "k7Qp", b"{}").unwrap();
        assert!(place.open(stored).is_err());
    }

    #[test]
    fn a_page_lists_the_first_of_very_many() {
        let keys = (0..=LISTED_RECORDS).rev().map(|n| format!("{n:04}"));
        let listed = listed_of(keys.collect());
        assert_eq!(listed.len(), LISTED_RECORDS);
        assert_eq!(listed.first().unwrap(), "0000");
        assert_eq!(listed.last().unwrap(), "0199");
    }
}
