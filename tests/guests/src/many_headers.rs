//! Sets more headers than an answer may have.

use spin_sdk::http::{IntoResponse as _, Response};

use super::{Outcome, Request};

const HEADERS: usize = 100;

pub(super) async fn run(_: &Request) -> Outcome {
    let mut response = Response::builder();
    for number in 0..HEADERS {
        response = response.header(format!("x-{number}"), "v");
    }
    response
        .body("fine".to_owned())
        .map_err(spin_sdk::http::Error::from)
        .into_response()
}
