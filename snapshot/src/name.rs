//! The newtypes that keep one kind of name from being handed in for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits;

/// A name that breaks its rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a {what}: expected {rule}")]
pub struct InvalidName {
    what: &'static str,
    given: String,
    rule: &'static str,
}

impl InvalidName {
    pub(crate) fn scope(given: &str) -> Self {
        Self {
            what: "scope",
            given: given.chars().take(80).collect(),
            rule: "site or service:NAME",
        }
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        ///
        /// 1 to 63 of `a-z`, `0-9` and `-`, starting with a letter: safe in a path, a host name, a
        /// header and a metric's label.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if is_label(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(InvalidName {
                    what: $what,
                    given: text.chars().take(80).collect(),
                    rule: "1 to 63 of a-z, 0-9 and -, starting with a letter",
                })
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// One publisher's namespace.
    SiteName,
    "site name"
);
name!(
    /// A part of a site that can fail or be switched on its own.
    ServiceName,
    "service name"
);
name!(
    /// What a preset of a notice is for: `fire`, `network`.
    CauseName,
    "cause"
);
name!(
    /// A named set of records in a site.
    CollectionName,
    "collection name"
);
name!(
    /// A guest's name within a manifest.
    ComponentName,
    "component name"
);

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A record's key: 1 to [`limits::KEY_BYTES`] bytes, ordered as bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "serde_bytes::ByteBuf", into = "serde_bytes::ByteBuf")]
pub struct Key(Vec<u8>);

impl Key {
    /// Takes `bytes` as a key.
    ///
    /// # Errors
    /// Empty, or longer than [`limits::KEY_BYTES`].
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, InvalidName> {
        let bytes = bytes.into();
        if (1..=limits::KEY_BYTES).contains(&bytes.len()) {
            return Ok(Self(bytes));
        }
        Err(InvalidName {
            what: "key",
            given: String::from_utf8_lossy(&bytes).chars().take(80).collect(),
            rule: "1 to 1024 bytes",
        })
    }

    /// The key's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

impl TryFrom<serde_bytes::ByteBuf> for Key {
    type Error = InvalidName;

    fn try_from(bytes: serde_bytes::ByteBuf) -> Result<Self, Self::Error> {
        Self::new(bytes.into_vec())
    }
}

impl From<Key> for serde_bytes::ByteBuf {
    fn from(key: Key) -> Self {
        Self::from(key.0)
    }
}

macro_rules! counter {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(pub u64);

        impl $type {
            /// The next one. Saturates, so that no input can make it wrap below a floor.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter!(
    /// A release's place in its site's history; once signed it is burnt.
    Sequence
);
counter!(
    /// An order's place in its scope's history.
    Epoch
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_their_rule() {
        for good in ["a", "pay", "club-2", &"a".repeat(63)] {
            assert!(good.parse::<SiteName>().is_ok(), "{good}");
        }
        for bad in ["", "2a", "A", "a_b", "../x", "a b", "é", &"a".repeat(64)] {
            assert!(bad.parse::<SiteName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_have_a_length_limit() {
        assert!(Key::new("").is_err());
        assert!(Key::new(vec![0; limits::KEY_BYTES]).is_ok());
        assert!(Key::new(vec![0; limits::KEY_BYTES + 1]).is_err());
    }

    #[test]
    fn counters_do_not_wrap() {
        assert_eq!(Sequence(u64::MAX).next(), Sequence(u64::MAX));
    }
}
