//! Holds on to everything the host hands out.

use spin_sdk::http::IntoResponse as _;
use spin_sdk::wasip3::http::types::Fields;

use super::{Outcome, Request};

/// More than any host lets a guest hold.
const HANDLES: usize = 100_000;

pub(super) async fn run(_: &Request) -> Outcome {
    let held: Vec<Fields> = (0..HANDLES).map(|_| Fields::new()).collect();
    held.len().to_string().into_response()
}
