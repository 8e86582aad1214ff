//! Reading records and blobs of a release: whatever cannot be read is noted as damaged.

use std::ops::Range;
use std::sync::Arc;

use snapshot::{
    Blob, BlobError, BlobFault, BlobRef, CollectionName, Key, SegmentError, StoreError, Value,
};

use super::damage::Damage;
use super::{Far, Kind, LoadedRelease, Want};

/// Why a copy cannot tell.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No such collection.
    #[error("the release does not hold it")]
    NotHeld,
    /// A segment is damaged.
    #[error(transparent)]
    Segment(Box<SegmentError>),
    /// A blob is absent or damaged.
    #[error(transparent)]
    Blob(Box<StoreError>),
}

/// A blob of a release.
#[derive(Debug)]
pub struct HeldBlob {
    blob: Blob,
    entry: BlobRef,
    home: Home,
}

/// Who is told when a blob turns out to be damaged.
#[derive(Debug)]
enum Home {
    /// It is held whole, and is repaired.
    Here(Arc<Damage>),
    /// It is fetched again when it is asked for.
    Far(Arc<dyn Far>),
}

impl LoadedRelease {
    /// The newest value of `key` in `collection`; `None` proves that there is none. Blocks.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn get(&self, collection: &CollectionName, key: &Key) -> Result<Option<Value>, ReadError> {
        let stack = self.stacks.get(collection).ok_or(ReadError::NotHeld)?;
        stack.get(key).map_err(|error| self.torn(collection, error))
    }

    /// The first `limit` keys of `collection`, ascending. Blocks.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn keys(&self, collection: &CollectionName, limit: usize) -> Result<Vec<Key>, ReadError> {
        let stack = self.stacks.get(collection).ok_or(ReadError::NotHeld)?;
        let keys = stack.iter(..).take(limit).map(|record| match record {
            Ok((key, _)) => Ok(key),
            Err(error) => Err(self.torn(collection, error)),
        });
        keys.collect()
    }

    /// Opens a blob that a value of `collection` refers to. Blocks.
    ///
    /// # Errors
    /// [`ReadError::Blob`].
    pub fn blob(
        &self,
        collection: &CollectionName,
        entry: &BlobRef,
    ) -> Result<HeldBlob, ReadError> {
        let (opened, home) = match self.lazy.far(collection) {
            Some(far) => (far.blob(entry), Home::Far(Arc::clone(far))),
            None => {
                let opened = self.store.blob(entry);
                if let Err(error) = &opened {
                    lost(&self.damage, entry, error);
                }
                (opened, Home::Here(Arc::clone(&self.damage)))
            }
        };
        let blob = opened.map_err(|error| ReadError::Blob(Box::new(error)))?;
        Ok(HeldBlob {
            blob,
            entry: *entry,
            home,
        })
    }

    fn torn(&self, collection: &CollectionName, error: SegmentError) -> ReadError {
        // What is not on this disk cannot be damaged on it.
        if self.lazy.far(collection).is_some() {
            return ReadError::Segment(Box::new(error));
        }
        let known = self.manifest.collection(collection);
        let mut entries = known.into_iter().flat_map(|known| &known.segments);
        if let Some(entry) = entries.find(|entry| entry.id == error.id) {
            let kind = Kind::Segment(collection.clone(), Box::new(entry.clone()));
            let digest = entry.id;
            self.damage.note(Want { digest, kind }, error.to_string());
        }
        ReadError::Segment(Box::new(error))
    }
}

impl HeldBlob {
    /// Its name and length.
    #[must_use]
    pub const fn entry(&self) -> &BlobRef {
        &self.entry
    }

    /// The bytes in `range`, verified. Blocks.
    ///
    /// # Errors
    /// A range outside the blob, or bytes that are not what its name says.
    pub fn read(&self, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
        let read = self.blob.read(range);
        if let Err(error) = &read
            && !matches!(error.fault, BlobFault::Range { .. })
        {
            match &self.home {
                Home::Here(damage) => lost(damage, &self.entry, error),
                Home::Far(far) => far.drop_blob(&self.entry),
            }
        }
        read
    }

    /// All its bytes, verified. Blocks.
    ///
    /// # Errors
    /// Bytes that are not what its name says.
    pub fn whole(&self) -> Result<Vec<u8>, BlobError> {
        self.read(0..self.entry.bytes)
    }
}

fn lost(damage: &Damage, entry: &BlobRef, error: &dyn std::error::Error) {
    let (digest, kind) = (entry.digest, Kind::Blob(entry.bytes));
    damage.note(Want { digest, kind }, error.to_string());
}
