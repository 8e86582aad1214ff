//! One entry of a leaf.

use super::show;
use crate::segment::Fault;
use crate::{BlobRef, Digest, Entry, Key, limits};

/// One entry of a leaf: `[key]`, `[key, value]` or `[key, digest, bytes]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) value: RowValue<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowValue<'a> {
    Tombstone,
    Inline(&'a [u8]),
    Blob(BlobRef),
}

/// The tag of a key. The parent of a leaf tells those of all its entries, so that most look-ups of
/// what is absent end there.
pub(crate) fn tag(key: &[u8]) -> u8 {
    let [tag, ..] = *Digest::of(key).as_bytes();
    tag
}

impl<'a> Row<'a> {
    pub(crate) fn new(key: &'a Key, entry: &'a Entry) -> Self {
        let value = match entry {
            Entry::Tombstone => RowValue::Tombstone,
            Entry::Inline(bytes) => RowValue::Inline(bytes),
            Entry::Blob(blob) => RowValue::Blob(*blob),
        };
        Self {
            key: key.as_bytes(),
            value,
        }
    }

    /// Its key, owned.
    pub(crate) fn to_key(self) -> Result<Key, Fault> {
        Key::new(self.key).map_err(|_| Fault::Value {
            what: "key",
            key: show(self.key),
            got: self.key.len() as u64,
            limit: limits::KEY_BYTES as u64,
        })
    }

    pub(crate) fn to_entry(self) -> Entry {
        match self.value {
            RowValue::Tombstone => Entry::Tombstone,
            RowValue::Inline(bytes) => Entry::Inline(bytes.to_vec()),
            RowValue::Blob(blob) => Entry::Blob(blob),
        }
    }

    /// Its key and value keep their limits.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        // 3.10 Keys of 1 to 1,024 bytes, inline values up to 4 KiB, blobs above that and up to 1 GiB.
        let wrong = match self.value {
            _ if !(1..=limits::KEY_BYTES).contains(&self.key.len()) => {
                Some(("key", self.key.len() as u64, limits::KEY_BYTES as u64))
            }
            RowValue::Inline(value) if value.len() > limits::INLINE_VALUE_BYTES => Some((
                "inline value",
                value.len() as u64,
                limits::INLINE_VALUE_BYTES as u64,
            )),
            RowValue::Blob(blob) if !blob_range().contains(&blob.bytes) => {
                Some(("blob", blob.bytes, limits::BLOB_BYTES))
            }
            _ => None,
        };
        match wrong {
            None => Ok(()),
            Some((what, got, limit)) => Err(Fault::Value {
                what,
                key: show(self.key),
                got,
                limit,
            }),
        }
    }
}

/// The lengths that a blob may have.
pub(crate) fn blob_range() -> std::ops::RangeInclusive<u64> {
    limits::INLINE_VALUE_BYTES as u64 + 1..=limits::BLOB_BYTES
}
