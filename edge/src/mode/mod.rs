//! Who answers for a service: orders and the breaker.
//!
//! [`breaker`] decides from outcomes and time alone; [`gate`] keeps one service's breaker going
//! and publishes its [`effective`] mode; [`gates`] holds those of a site.

pub mod breaker;
mod effective;
mod gate;
mod gates;

pub use effective::{Effective, Ordered, Reason, ServiceMode};
pub use gate::{Admission, Clock, Gate};
pub use gates::Gates;
