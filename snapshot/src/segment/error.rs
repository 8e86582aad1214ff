//! What can be wrong with a segment: which one, where, and what was expected.

use std::io;

use crate::{CodecError, CollectionName, Digest, SiteName};

/// A segment that cannot be read, or is not what its id says.
#[derive(Debug, thiserror::Error)]
#[error("segment {segment}, node at {at}: {fault}")]
pub struct SegmentError {
    /// Its id in the manifest.
    pub id: Digest,
    /// The name that it was opened under.
    pub segment: String,
    /// Where the node starts, an offset in the uncompressed segment.
    pub at: u64,
    /// What is wrong there.
    #[source]
    pub fault: Fault,
}

/// What is wrong with a node.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file cannot be read there.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file is longer or shorter than the segment.
    #[error("the file has {got} bytes where {expected} are expected")]
    FileLength {
        /// Bytes that the manifest claims.
        expected: u64,
        /// Bytes there are.
        got: u64,
    },
    /// The manifest's claims contradict each other.
    #[error("root of {got} bytes where 1 to {limit} are allowed")]
    RootPlace {
        /// Bytes between the root's place and the segment's end.
        got: u64,
        /// Bytes that a root may have.
        limit: u64,
    },
    /// A segment larger than any may be.
    #[error("{got} bytes where at most {limit} are allowed")]
    Length {
        /// Bytes claimed.
        got: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The file ends inside the node.
    #[error("the file ends inside these {expected} bytes")]
    Short {
        /// The node's length.
        expected: u64,
    },
    /// Other bytes than the ones that were signed.
    #[error("hash {got} where {expected} is expected")]
    Digest {
        /// The node's name.
        expected: Digest,
        /// The hash of what is there.
        got: Digest,
    },
    /// Not the canonical encoding of a node.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A root where none may be, or none where one must be.
    #[error("another kind of node where {expected} is expected")]
    Kind {
        /// What the place asks for.
        expected: &'static str,
    },
    /// A segment of another site.
    #[error("belongs to site {got} where {expected} is expected")]
    Site {
        /// The site asked for.
        expected: SiteName,
        /// The site in the root.
        got: SiteName,
    },
    /// A segment of another collection.
    #[error("belongs to collection {got} where {expected} is expected")]
    Collection {
        /// The collection asked for.
        expected: CollectionName,
        /// The collection in the root.
        got: CollectionName,
    },
    /// A node of another level than its parent's place asks for.
    #[error("level {got} where {expected} is expected")]
    Level {
        /// One below the parent's.
        expected: u8,
        /// The node's own.
        got: u8,
    },
    /// A tree deeper than any may be.
    #[error("{got} levels where at most {limit} are allowed")]
    TooDeep {
        /// Levels that the root claims.
        got: u16,
        /// Levels allowed.
        limit: u8,
    },
    /// A node with too few entries.
    #[error("{got} entries where at least {least} are expected")]
    TooFew {
        /// Entries there are.
        got: usize,
        /// Entries there must be.
        least: usize,
    },
    /// Keys that do not ascend.
    #[error("key {got} after {after}: keys must ascend")]
    Order {
        /// The key before.
        after: String,
        /// The key in question.
        got: String,
    },
    /// Another first key than the parent names.
    #[error("first key {got} where {expected} is expected")]
    FirstKey {
        /// The parent's word.
        expected: String,
        /// The node's own.
        got: String,
    },
    /// Keys that reach into the next sibling.
    #[error("key {got} where only keys below {below} are expected")]
    Above {
        /// The next sibling's first key.
        below: String,
        /// The node's last key.
        got: String,
    },
    /// A key or value of a length that is not allowed.
    #[error("{what} of {got} bytes at key {key}, the limit is {limit}")]
    Value {
        /// Key, inline value or blob.
        what: &'static str,
        /// The key it stands at.
        key: String,
        /// Its length, bytes.
        got: u64,
        /// The longest allowed, bytes. A blob must also be longer than an inline value may be.
        limit: u64,
    },
    /// Children that do not lie one behind the other.
    #[error("a node placed at {got} where {expected} is expected")]
    ChildPlace {
        /// The end of the sibling before it.
        expected: u64,
        /// Where the parent says it is.
        got: u64,
    },
    /// A child that does not end before its parent, or is empty.
    #[error("a child that is empty or ends at {end}, past {limit}")]
    ChildEnd {
        /// Where it ends.
        end: u64,
        /// Where its parent starts.
        limit: u64,
    },
    /// Another number of tags than the node below has entries.
    #[error("tags of {got} entries where those of {expected} are expected")]
    Tags {
        /// Entries there are; 0 for a node that is no leaf.
        expected: usize,
        /// Tags that the parent tells.
        got: usize,
    },
    /// A tag that is not its key's.
    #[error("another tag than that of key {key}")]
    Tag {
        /// The key.
        key: String,
    },
    /// Another number of entries than claimed.
    #[error("{got} entries where {expected} are expected")]
    Records {
        /// The manifest's or the root's claim.
        expected: u64,
        /// The root's claim, or what the leaves hold.
        got: u64,
    },
    /// Two nodes that a builder would not have parted.
    #[error("the node before it had room for its first entry: it was not cut by the rule")]
    Cut,
}
