//! The publisher: sources -> build -> checks -> mirrors.
//!
//! A library first, so that tests and the stage can publish without a process; the binary only
//! wires. Reads a `site.toml`, turns rows and files into segments and blobs, tries the result
//! through the edge's own serving path, and commits it to mirrors that it does not trust.

pub mod build;
pub mod cli;
pub mod config;
pub mod erased;
pub mod exit;
pub mod export;
mod hashed;
pub mod init;
pub mod inspect;
pub mod mirror;
pub mod publish;
pub mod source;
pub mod sweep;
pub mod template;
