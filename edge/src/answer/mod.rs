//! A request's answer out of the snapshot alone.

#[cfg(test)]
mod fixture;
pub mod path;
pub mod routes;

pub use path::{BadPath, RequestPath};
pub use routes::{Capability, Matched, RouteProblem, Routes};
