//! What edges give each other: a listener of its own, where an edge shows what it holds as a mirror does.
//!
//! ```text
//! GET /<site>/release               the release in use, as it was signed
//! GET /<site>/releases/<sequence>   the same, of each that is retained
//! GET /<site>/orders                the orders in force, as they were signed; to everybody
//! PUT /<site>/orders                orders, from everybody: who signed them counts
//! GET /<site>/trust                 how the generation in force came to be, as it was signed; to everybody
//! PUT /<site>/trust                 successions, from everybody: who signed them counts
//! GET /<site>/objects/<2>/<hash>    what a retained release names
//! ```
//!
//! There is nothing else on it. Who asks for more than these shows a token that the fleet shares, or a
//! certificate of the fleet's authority. What is given is signed, or named by what is signed: whoever
//! takes it checks it, and so nothing here is hashed once more. One source address gets a bounded share
//! ([`PeerLimits`]), so that a fleet that fills up leaves the readers their line; beyond it requests wait
//! rather than fail.
//!
//! A segment lies on an edge's disk without compression, and is given as frames that are not compressed
//! either ([`snapshot::at_rest::Stored`]): any range of it is a read of the file.

mod answer;
mod guard;
mod limits;
mod listen;
mod push;
mod shelf;
mod tls;
mod token;

pub use limits::PeerLimits;
pub use listen::{Room, serve};
pub use shelf::Shelf;
pub use tls::{Fleet, TLS_FILE_BYTES};
pub use token::{TOKEN_BYTES, TOKEN_LEAST, Token};
