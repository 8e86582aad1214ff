//! Calls itself until the stack is used up.

use std::hint::black_box;

use spin_sdk::http::IntoResponse as _;

use super::{Outcome, Request};

pub(super) async fn run(_: &Request) -> Outcome {
    deeper(1).to_string().into_response()
}

#[expect(unconditional_recursion, reason = "this is what it is for")]
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 32]);
    deeper(depth.wrapping_add(1)).wrapping_add(frame.iter().sum())
}
