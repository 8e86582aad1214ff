//! The living origin: asking it, and saying whose fault it was when it does not answer.

mod body;
mod client;
mod failure;
pub mod headers;
mod limits;

pub use body::{OriginBody, Streaming};
pub use client::{NotAnOrigin, Origin, OriginAnswer};
pub use failure::Failure;
pub use limits::OriginLimits;
