//! The door between a guest and the collections: what it may open, and what it read.

use snapshot::Digest;

/// The collections one request may read. Blocking: the host calls it from threads that may wait
/// for a disk, never from those that serve.
pub trait Records: Send + Sync + 'static {
    /// The value under `key`, or none if its absence is proven.
    ///
    /// # Errors
    /// When the copy cannot tell; the whole request then fails as unreadable.
    fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, RecordsError>;

    /// The keys of a collection in order, at most `limit`.
    ///
    /// # Errors
    /// When the copy cannot tell; the whole request then fails as unreadable.
    fn keys(&self, store: &str, limit: usize) -> Result<Vec<String>, RecordsError>;

    /// Whether the route declares this collection. Asked before anything else, must not block.
    fn allows(&self, store: &str) -> bool;
}

/// Why a collection gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// A segment or blob on the way cannot be read; absence is not proven either.
    #[error("unreadable: {0}")]
    Unreadable(String),
}

/// Something that an answer depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// One key of a store, by its hash: keys can be secrets.
    Key {
        /// The store's label.
        store: String,
        /// BLAKE3 of the key.
        key: Digest,
    },
    /// The list of all keys of a store.
    Keys {
        /// The store's label.
        store: String,
    },
}
