//! `edge.toml`: read whole, all mistakes reported together.
