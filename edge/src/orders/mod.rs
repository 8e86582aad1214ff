//! The newest order of each scope, kept across restarts.
