//! Sets a header of the connection.

use spin_sdk::http::{IntoResponse as _, Response};

use super::{Outcome, Request};

pub(super) async fn run(_: &Request) -> Outcome {
    Response::builder()
        .header("trailer", "expires")
        .body("fine".to_owned())
        .map_err(spin_sdk::http::Error::from)
        .into_response()
}
