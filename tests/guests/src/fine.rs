//! Behaves.

use spin_sdk::http::IntoResponse as _;

use super::{Outcome, Request};

pub(super) async fn run(_: &Request) -> Outcome {
    "fine".into_response()
}
