//! Listeners and the way of a request.
