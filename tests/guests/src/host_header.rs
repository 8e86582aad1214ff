//! Sets a header that only the host may set.

use spin_sdk::http::{IntoResponse as _, Response};

use super::{Outcome, Request};

pub(super) async fn run(_: &Request) -> Outcome {
    Response::builder()
        .header("holdfast-as-of", "2099-01-01T00:00:00Z")
        .body("fine".to_owned())
        .map_err(spin_sdk::http::Error::from)
        .into_response()
}
