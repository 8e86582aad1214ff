//! Content-addressed snapshots: the words every room shares.
//!
//! Nodes, segments, stacks, blobs, manifests, releases, orders and the trust that stands
//! behind them, with the object store on disk. `FORMAT.md` beside this crate fixes the bytes.
//!
//! Absent on purpose: sockets, a terminal, the environment and a clock. Time and storage are
//! handed in, so that the same code runs at the origin, on an edge and in a simulation.

mod bundle;
mod codec;
mod digest;
mod document;
mod edge_time;
mod envelope;
mod fingerprint;
mod floor;
pub mod limits;
pub mod manifest;
mod name;
pub mod order;
pub mod release;
mod signer;
mod sshsig;
mod text;
mod timestamp;
pub mod trust;

pub use bundle::{Bundle, Merged, OfferedBundle};
pub use codec::{CodecError, decode, encode};
pub use digest::{Digest, ParseDigestError};
pub use document::DocumentError;
pub use edge_time::EdgeTime;
pub use envelope::{Envelope, Namespace};
pub use fingerprint::{Fingerprint, ParseFingerprintError};
pub use floor::{Floor, Mark};
pub use manifest::Manifest;
pub use name::{
    CollectionName, ComponentName, Epoch, InvalidName, Key, Sequence, ServiceName, SiteName,
};
pub use order::{Order, Scope};
pub use release::Release;
pub use signer::{KeySigner, SignError, Signer};
pub use sshsig::{SignatureError, accepts_algorithm};
pub use text::{Language, LocalText};
pub use timestamp::Timestamp;
pub use trust::{
    AcceptedOrder, AcceptedRelease, Alarm, Generation, Novelty, Refusal, Signers, TrustError,
    accept_order, accept_pinned, accept_release,
};
