//! Who answers for a service: orders and the breaker.
//!
//! [`breaker`] decides from outcomes and time alone; [`gate`] keeps one service's breaker going
//! and publishes its [`effective`] mode on a watch channel, the one truth for requests, status, metrics and
//! pages; [`gates`] holds those of a site. What changes is told as an [`event`]; what a restart may not
//! lose is in [`memory`]; [`fleet`] is many edges in a simulation.

pub mod breaker;
mod effective;
mod event;
pub mod fleet;
mod gate;
mod gates;
pub mod memory;

pub use effective::{Effective, Known, Ordered, Reason, ServiceMode};
pub use event::{Clock, EVENTS, End, Event};
pub use gate::{Admission, Gate};
pub use gates::{Asked, Gates};
pub use memory::ModeMemory;
