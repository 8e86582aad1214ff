//! Behaves.

use spin_sdk::http::IntoResponse as _;

use super::Outcome;

pub(super) fn run() -> Outcome {
    "fine".into_response()
}
