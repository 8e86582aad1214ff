//! Reports a failure, in words that no reader may see.

use spin_sdk::wasip3::http::types::ErrorCode;

use super::{Outcome, Request};

pub(super) async fn run(_: &Request) -> Outcome {
    Err(ErrorCode::InternalError(Some("inside words".to_owned())))
}
