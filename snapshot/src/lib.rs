//! Content-addressed snapshots: the words every room shares.
//!
//! Nodes, segments, stacks, blobs, manifests, releases, orders and the trust that stands
//! behind them, with the object store on disk. `FORMAT.md` beside this crate fixes the bytes.
//!
//! Absent on purpose: sockets, a terminal, the environment and a clock. Time and storage are
//! handed in, so that the same code runs at the origin, on an edge and in a simulation.

pub mod at_rest;
mod blob;
mod bundle;
mod codec;
mod digest;
mod document;
pub mod durable;
mod edge_time;
mod edge_version;
mod entry;
mod envelope;
mod fingerprint;
mod floor;
#[cfg(test)]
mod format_tests;
pub mod limits;
pub mod manifest;
mod name;
mod node;
pub mod order;
pub mod release;
pub mod segment;
mod signer;
mod sshsig;
pub mod stack;
pub mod store;
mod text;
mod timestamp;
pub mod trust;
pub mod words;

pub use blob::{Blob, BlobError, BlobFault};
pub use bundle::{Bundle, Merged, OfferedBundle};
pub use codec::{CodecError, decode, encode};
pub use digest::{Digest, ParseDigestError};
pub use document::DocumentError;
pub use edge_time::EdgeTime;
pub use edge_version::{EdgeVersion, InvalidVersion};
pub use entry::{BlobRef, Entry, Value};
pub use envelope::{Envelope, Namespace};
pub use fingerprint::{Fingerprint, ParseFingerprintError};
pub use floor::{Floor, Mark};
pub use manifest::{Manifest, ManifestError};
pub use name::{
    CauseName, CollectionName, ComponentName, Epoch, InvalidName, Key, Sequence, ServiceName,
    SiteName,
};
pub use order::{Order, Scope};
pub use release::Release;
pub use segment::{BuildError, NodeCache, Segment, SegmentBuilder, SegmentError};
pub use signer::{KeySigner, SignError, Signer};
pub use sshsig::SignatureError;
pub use stack::Stack;
pub use store::{Lies, Marks, Partial, Staged, Store, StoreError};
pub use text::{Language, LocalText};
pub use timestamp::Timestamp;
pub use trust::{
    AcceptedOrder, AcceptedRelease, Alarm, Generation, Novelty, Refusal, Signers, TrustError,
    accept_order, accept_pinned, accept_release,
};
