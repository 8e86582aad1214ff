//! Reading a signed document: its size, then its version, then its one spelling.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{CodecError, decode};

/// How much is shown of what is no document, bytes.
const SHOWN: usize = 32;

/// A document that is not what its name says.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Too large, unreadable or not canonical.
    #[error("{what}: {source}")]
    Codec {
        /// What was expected.
        what: &'static str,
        /// Why it is not.
        source: CodecError,
    },
    /// Something else altogether: an error page, a file of another program.
    #[error("{what}: not a document of this format: it begins with \"{}\"", .begins.escape_ascii())]
    Foreign {
        /// What was expected.
        what: &'static str,
        /// Its first bytes.
        begins: Vec<u8>,
    },
    /// Another format version.
    #[error("{what} of version {got}: expected {expected}")]
    Version {
        /// What was expected.
        what: &'static str,
        /// The version it states.
        got: u64,
        /// The version this code reads.
        expected: u16,
    },
    /// Parts that are not in their order, or one of them twice.
    #[error("{what}: its parts are not in their order, or one is there twice")]
    Unsorted {
        /// What was expected.
        what: &'static str,
    },
    /// More parts than such a document may have.
    #[error("{what} with {got} {parts}: at most {limit} are allowed")]
    TooMany {
        /// What was expected.
        what: &'static str,
        /// What there are too many of.
        parts: &'static str,
        /// How many there are.
        got: usize,
        /// How many are allowed.
        limit: usize,
    },
}

/// Decodes a document whose first element is its version. Any other version is named as such,
/// whatever follows it.
pub(crate) fn read<T: Serialize + DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
    limit: usize,
    expected: u16,
) -> Result<T, DocumentError> {
    // Every document is an array; nothing that people write begins like one.
    let array = matches!(bytes.first(), Some(0x90..=0x9f | 0xdc | 0xdd));
    if bytes.len() <= limit && !array {
        let begins = bytes.iter().copied().take(SHOWN).collect();
        return Err(DocumentError::Foreign { what, begins });
    }
    if bytes.len() <= limit
        && let Some(got) = version(bytes)
        && got != u64::from(expected)
    {
        return Err(DocumentError::Version {
            what,
            got,
            expected,
        });
    }
    decode(bytes, limit).map_err(|source| DocumentError::Codec { what, source })
}

/// The unsigned integer that an array starts with, if `bytes` are such an array.
fn version(bytes: &[u8]) -> Option<u64> {
    let (head, rest) = bytes.split_first()?;
    let rest = match head {
        0x91..=0x9f => rest,
        0xdc => rest.get(2..)?,
        _ => return None,
    };
    let (head, rest) = rest.split_first()?;
    let wide = match head {
        0..=0x7f => return Some(u64::from(*head)),
        0xcc => rest.get(..1)?,
        0xcd => rest.get(..2)?,
        0xce => rest.get(..4)?,
        0xcf => rest.get(..8)?,
        _ => return None,
    };
    Some(wide.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;

    #[test]
    fn another_version_is_named_whatever_follows_it() {
        for got in [0u64, 2, 200, 70_000, u64::MAX] {
            let bytes = encode(&(got, "of another shape", 3u8)).unwrap();
            let refused = read::<(u16, u8)>("order", &bytes, 64, 1).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("order of version {got}: expected 1")
            );
        }
        let bytes = encode(&(1u16, 7u8)).unwrap();
        assert_eq!(read::<(u16, u8)>("order", &bytes, 64, 1).unwrap(), (1, 7));
    }

    #[test]
    fn oversized_is_refused_before_it_is_read() {
        let refused = read::<(u16, u8)>("order", &[0x92, 2, 2], 2, 1).unwrap_err();
        assert!(matches!(
            refused,
            DocumentError::Codec {
                source: CodecError::TooLarge { got: 3, limit: 2 },
                ..
            }
        ));
    }

    #[test]
    fn what_is_no_document_is_shown_by_its_beginning() {
        let page = b"<html>\n<body><h1>503 Service Unavailable</h1></body></html>";
        for (bytes, begins) in [
            (&page[..], "<html>\\n<body><h1>503 Service Una"),
            (&[0xff, 0x92], "\\xff\\x92"),
            (&[], ""),
        ] {
            let refused = read::<(u16, u8)>("order", bytes, 64, 1).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("order: not a document of this format: it begins with \"{begins}\"")
            );
        }
    }

    #[test]
    fn nonsense_has_no_version() {
        for bytes in [
            &[][..],
            &[0x90],
            &[0x91],
            &[0x91, 0xcd, 0],
            &[0xc0],
            b"text",
        ] {
            assert_eq!(version(bytes), None);
        }
    }
}
