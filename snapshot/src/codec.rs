//! The one way to bytes and back: MessagePack, canonical, bounded.

use serde::{Deserialize, Serialize};

/// Bytes that are not the canonical encoding of what was expected.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// More bytes than a document of this kind may have; nothing was parsed.
    #[error("{got} bytes where at most {limit} are allowed")]
    TooLarge {
        /// Bytes offered.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not MessagePack, or not of the expected shape.
    #[error("not readable: {0}")]
    Malformed(#[from] rmp_serde::decode::Error),
    /// Readable, but another spelling of the same value (over-wide integers, maps, trailing bytes).
    #[error("not in canonical form")]
    NotCanonical,
    /// A value that cannot be written.
    #[error("cannot be written: {0}")]
    Unwritable(#[from] rmp_serde::encode::Error),
}

/// Encodes `value` canonically: structs as arrays, shortest integers.
///
/// # Errors
/// [`CodecError::Unwritable`] for a value that MessagePack cannot hold.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    Ok(rmp_serde::to_vec(value)?)
}

/// Decodes at most `limit` bytes, and refuses any but the canonical spelling.
///
/// # Errors
/// See [`CodecError`].
pub fn decode<'a, T: Serialize + Deserialize<'a>>(
    bytes: &'a [u8],
    limit: usize,
) -> Result<T, CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLarge {
            got: bytes.len(),
            limit,
        });
    }
    let value: T = rmp_serde::from_slice(bytes)?;
    // One value has one spelling: a digest names it, and nothing hides in the slack.
    if encode(&value)? != bytes {
        return Err(CodecError::NotCanonical);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_every_other_spelling() {
        let canonical = encode(&(1u64, "a")).unwrap();
        assert_eq!(
            decode::<(u64, String)>(&canonical, 64).unwrap(),
            (1, "a".into())
        );
        let wide = [0x92, 0xcc, 0x01, 0xa1, b'a'];
        assert!(matches!(
            decode::<(u64, String)>(&wide, 64),
            Err(CodecError::NotCanonical)
        ));
        let trailing = [canonical.as_slice(), &[0xc0]].concat();
        assert!(decode::<(u64, String)>(&trailing, 64).is_err());
        assert!(matches!(
            decode::<(u64, String)>(&canonical, 3),
            Err(CodecError::TooLarge { .. })
        ));
        assert!(decode::<(u64, String)>(&canonical[..3], 64).is_err());
    }
}
