//! A component that misbehaves on request: `GET /NAME` runs the behaviour of that name, one file
//! each. `tests/host.rs` says for every file what the host must make of it.

// Elsewhere there is nothing to link its exports against.
#![cfg(target_arch = "wasm32")]

mod answer_forever;
mod break_off;
mod claim_length;
mod connection_header;
mod crash;
mod eat_handles;
mod eat_memory;
mod eat_streams;
mod fail;
mod fine;
mod greet;
mod hand_over;
mod host_header;
mod list_keys;
mod many_headers;
mod open_foreign;
mod read_key;
mod read_without_end;
mod recurse;
mod spin;
mod wait_forever;
mod write_record;

use spin_sdk::http::{EmptyBody, IntoResponse, Request, StatusCode};
use spin_sdk::http_service;
use spin_sdk::wasip3::http::types::{ErrorCode, Response};

/// What a behaviour comes back with, if it does.
type Outcome = Result<Response, ErrorCode>;

/// The collection that the behaviours may read.
const STORE: &str = "records";

#[http_service]
async fn serve(request: Request) -> Outcome {
    let path = request.uri().path().to_owned();
    match path.trim_start_matches('/') {
        "answer_forever" => answer_forever::run(),
        "break_off" => break_off::run(),
        "claim_length" => claim_length::run(),
        "connection_header" => connection_header::run(),
        "crash" => crash::run(),
        "eat_handles" => eat_handles::run(),
        "eat_memory" => eat_memory::run(),
        "eat_streams" => eat_streams::run(),
        "fail" => fail::run(),
        "fine" => fine::run(),
        "greet" => greet::run(&request),
        "hand_over" => hand_over::run().await,
        "host_header" => host_header::run(),
        "list_keys" => list_keys::run().await,
        "many_headers" => many_headers::run(),
        "open_foreign" => open_foreign::run().await,
        "read_key" => read_key::run(&request).await,
        "read_without_end" => read_without_end::run().await,
        "recurse" => recurse::run(),
        "spin" => spin::run(),
        "wait_forever" => wait_forever::run().await,
        "write_record" => write_record::run().await,
        _ => (StatusCode::NOT_FOUND, EmptyBody::new()).into_response(),
    }
}
