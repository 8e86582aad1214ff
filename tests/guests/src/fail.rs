//! Reports a failure, in words that no reader may see.

use spin_sdk::wasip3::http::types::ErrorCode;

use super::Outcome;

pub(super) fn run() -> Outcome {
    Err(ErrorCode::InternalError(Some("inside words".to_owned())))
}
