//! An immutable, sorted, bulk-built Merkle B-tree of records and tombstones.
//!
//! Its id is the hash of its root node, so whoever knows the id can check every byte that a
//! look-up touches, and nothing else needs to be read. `FORMAT.md` section 4 fixes the bytes; the
//! numbers at the comments are its steps.

mod build;
mod cache;
mod error;
#[cfg(test)]
mod hostile;
mod iter;
#[cfg(test)]
mod proptests;
mod read;
mod source;
#[cfg(test)]
pub(crate) mod tests;
mod verify;

pub use build::{BuildError, SegmentBuilder};
pub use cache::NodeCache;
pub use error::{Fault, SegmentError};
pub use iter::SegmentIter;
pub use read::Segment;
pub use source::{Nodes, node_name};
