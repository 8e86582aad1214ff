//! The edge: keeps a verified copy of each site and answers from it when the origin cannot.
//!
//! A library first, so that the publisher can try a release through the very path that will serve
//! it; the binary only wires.

pub mod alarm;
pub mod answer;
pub mod asking;
pub mod cmd;
pub mod config;
pub mod copy;
#[cfg(test)]
pub(crate) mod fixture;
pub mod fleet;
pub mod host;
pub mod log;
pub mod mode;
pub mod on_change;
pub mod orders;
pub mod origin;
pub mod page;
pub mod peer;
pub mod serve;
pub mod settings;
pub mod signing;
pub mod sync;
pub mod trust;
