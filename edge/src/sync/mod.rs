//! Following the mirrors.
