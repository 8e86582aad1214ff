//! Who answers for a service: orders and the breaker.
