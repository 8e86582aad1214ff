//! Takes memory until there is no more.

use std::hint::black_box;

use spin_sdk::http::IntoResponse as _;

use super::{Outcome, Request};

/// More than any host gives a guest.
const MEBIBYTES: usize = 1_024;

pub(super) async fn run(_: &Request) -> Outcome {
    let mut taken = Vec::new();
    for _ in 0..MEBIBYTES {
        taken.push(black_box(vec![1_u8; 1 << 20]));
    }
    taken.len().to_string().into_response()
}
