//! Claims a length that its body does not have.

use spin_sdk::http::{IntoResponse as _, Response};

use super::{Outcome, Request};

pub(super) async fn run(_: &Request) -> Outcome {
    Response::builder()
        .header("content-length", "7000")
        .body("short".to_owned())
        .map_err(spin_sdk::http::Error::from)
        .into_response()
}
