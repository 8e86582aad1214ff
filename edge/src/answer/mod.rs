//! A request's answer out of the snapshot alone.
