//! Computes without end.

use std::hint::black_box;

use super::{Outcome, Request};

pub(super) async fn run(_: &Request) -> Outcome {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}
