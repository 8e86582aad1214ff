//! The example site: an invented Korean town's invitations, clubs and notices, with the small
//! origin that serves them while it stands.
//!
//! An example: its secrets (ids, capabilities) come from a seed and its sessions from a count, so
//! anyone can guess them.

pub mod db;
pub mod generate;
pub mod model;
pub mod origin;
mod photo;
mod rng;
mod wedding;
mod words;

pub use generate::{SEED, Size, export, generate};
