//! Says what it was told: method, path with query, and the headers by name.

use spin_sdk::http::IntoResponse as _;

use super::{Outcome, Request};

pub(super) async fn run(request: &Request) -> Outcome {
    let mut told = format!("{} {}", request.method(), request.uri());
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        told.push_str(&format!("\n{name}: {value}"));
    }
    told.into_response()
}
