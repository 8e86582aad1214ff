//! Listeners and the way of a request.
//!
//! [`run`] is a whole edge. A request comes in through [`listen`], finds its site and path
//! ([`way`]), is answered by the origin or the copy ([`visit`]), and leaves one log line
//! ([`access`]) and its counts ([`metrics`]). [`control`] tells how the edge is, and ([`why`]) how
//! a request would be answered; [`rehearsal`] lets the snapshot answer in calm.

pub mod access;
pub mod control;
mod edge;
mod from_origin;
mod given;
mod history;
mod id;
mod limits;
pub mod listen;
pub mod metrics;
mod open;
mod record;
pub mod rehearsal;
mod run;
mod site;
mod stall;
pub mod status;
mod target;
#[cfg(test)]
mod tests;
mod visit;
pub mod way;
pub mod why;

pub use edge::Edge;
pub use id::RequestId;
pub use limits::{ControlLimits, ServeLimits};
pub(crate) use listen::ACCEPT_PAUSE;
pub use listen::Drained;
pub(crate) use run::open_data;
pub use run::{LISTENING, Listening, NODE_CACHE_BYTES, StartError, run};
pub use site::{Site, Sites};
pub(crate) use stall::{Counted, Taking};
pub use status::{ServiceStatus, SiteStatus, Status, status};
pub use target::{BadHost, authority, host_name};
