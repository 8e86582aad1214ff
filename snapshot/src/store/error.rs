//! What can go wrong with a store.

use std::io;
use std::path::PathBuf;

use crate::blob::BlobFault;
use crate::segment::{Fault, SegmentError};
use crate::{BlobError, Digest, limits};

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error(
        "the store at {} is in use by another process: stop that process, or use another directory",
        .0.display()
    )]
    InUse(PathBuf),
    /// No object of that name.
    #[error("object {0} is not in the store")]
    Missing(Digest),
    /// Bytes that are not what their name says. (A segment is named by its root, not by its bytes:
    /// it has its own way in and out.)
    #[error("object {expected}: its bytes hash to {got}")]
    Digest {
        /// The name.
        expected: Digest,
        /// The bytes' hash.
        got: Digest,
    },
    /// More bytes than the caller allows.
    #[error("{object}: more than the {limit} bytes allowed")]
    TooLarge {
        /// The object's or state file's name.
        object: String,
        /// Bytes allowed.
        limit: usize,
    },
    /// A blob or component larger than any may be.
    #[error("object {0}: more than the {limit} bytes a blob may have", limit = limits::BLOB_BYTES)]
    BlobTooLarge(Digest),
    /// A segment that is not what the manifest says.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// A blob that is not what its reference says.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// Whoever waited for it gave up.
    #[error("it was stopped")]
    Stopped,
    /// A name for a state file that could leave its directory.
    #[error(
        "{0:?} is not a name for a state file: expected 1 to 128 of a-z, 0-9, - and inner dots"
    )]
    StateName(String),
    /// An object that cannot be read.
    #[error("object {digest}: {error}")]
    Object {
        /// Its name.
        digest: Digest,
        /// The system's word.
        #[source]
        error: io::Error,
    },
    /// A file or directory that cannot be read or written; the error names it.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl StoreError {
    /// Whether the disk failed, whatever lies on it.
    #[must_use]
    pub const fn is_disk(&self) -> bool {
        match self {
            Self::Io(_) | Self::Object { .. } => true,
            Self::Segment(error) => matches!(error.fault, Fault::Io(_)),
            Self::Blob(error) => matches!(error.fault, BlobFault::Io(_)),
            _ => false,
        }
    }
}
