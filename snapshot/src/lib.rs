//! Content-addressed snapshots: the words every room shares.
//!
//! Nodes, segments, stacks, blobs, manifests, releases, orders and the trust that stands
//! behind them, with the object store on disk. `FORMAT.md` beside this crate fixes the bytes.
//!
//! Absent on purpose: sockets, a terminal, the environment and a clock. Time and storage are
//! handed in, so that the same code runs at the origin, on an edge and in a simulation.

mod codec;
mod digest;
pub mod limits;
pub mod manifest;
mod name;
pub mod order;
pub mod release;
mod text;
mod timestamp;

pub use codec::{CodecError, decode, encode};
pub use digest::{Digest, ParseDigestError};
pub use manifest::Manifest;
pub use name::{
    CollectionName, ComponentName, Epoch, InvalidName, Key, Sequence, ServiceName, SiteName,
};
pub use order::Order;
pub use release::Release;
pub use text::{Language, LocalText};
pub use timestamp::Timestamp;
