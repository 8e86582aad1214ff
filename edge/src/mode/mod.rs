//! Who answers for a service: orders and the breaker.

pub mod breaker;
