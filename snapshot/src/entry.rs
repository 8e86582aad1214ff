//! What a key leads to: in one segment an [`Entry`], in a whole stack a [`Value`].

use serde::{Deserialize, Serialize};

use crate::{Digest, limits};

/// What one segment says about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The key is gone, whatever older segments say.
    Tombstone,
    /// A value of at most [`limits::INLINE_VALUE_BYTES`].
    Inline(Vec<u8>),
    /// A longer value, an object of its own.
    Blob(BlobRef),
}

impl Entry {
    /// The entry for `value`: inline if short enough, else a reference to a blob that `keep` must
    /// store before the entry is used. [`crate::Store::entry`] does both.
    ///
    /// # Errors
    /// Whatever `keep` returns.
    pub fn of<E>(
        value: Vec<u8>,
        keep: impl FnOnce(&BlobRef, &[u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        if value.len() <= limits::INLINE_VALUE_BYTES {
            return Ok(Self::Inline(value));
        }
        let blob = BlobRef::of(&value);
        keep(&blob, &value)?;
        Ok(Self::Blob(blob))
    }
}

/// A large value, by its BLAKE3 hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlobRef {
    /// The hash of its bytes.
    pub digest: Digest,
    /// Its length, bytes.
    pub bytes: u64,
}

impl BlobRef {
    /// The reference to a blob of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            digest: Digest::of(bytes),
            bytes: bytes.len() as u64,
        }
    }
}

/// What a look-up in a stack gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The value itself.
    Inline(Vec<u8>),
    /// Where the value is.
    Blob(BlobRef),
}

impl Value {
    /// The value's length, bytes, wherever it is.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Inline(value) => value.len() as u64,
            Self::Blob(blob) => blob.bytes,
        }
    }
}

impl From<Value> for Entry {
    fn from(value: Value) -> Self {
        match value {
            Value::Inline(bytes) => Self::Inline(bytes),
            Value::Blob(blob) => Self::Blob(blob),
        }
    }
}

impl Entry {
    /// The value a reader finds; `None` for a tombstone.
    #[must_use]
    pub fn into_value(self) -> Option<Value> {
        match self {
            Self::Tombstone => None,
            Self::Inline(bytes) => Some(Value::Inline(bytes)),
            Self::Blob(blob) => Some(Value::Blob(blob)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_become_blobs() {
        let short = vec![1; limits::INLINE_VALUE_BYTES];
        let kept = Entry::of::<()>(short.clone(), |_, _| Err(()));
        assert_eq!(kept, Ok(Entry::Inline(short)));
        let long = vec![1; limits::INLINE_VALUE_BYTES + 1];
        let mut stored = Vec::new();
        let entry = Entry::of::<()>(long.clone(), |_, bytes| {
            stored = bytes.to_vec();
            Ok(())
        });
        assert_eq!(entry, Ok(Entry::Blob(BlobRef::of(&long))));
        assert_eq!(stored, long);
    }
}
