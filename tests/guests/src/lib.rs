//! A component that misbehaves on request: `GET /NAME` runs the behaviour of that name, one file
//! each. `behaviours.rs` lists them, and holds each to a test of what the host must make of it.

// Elsewhere there is nothing to link its exports against.
#![cfg(target_arch = "wasm32")]
// A behaviour that is not listed, and so never run, does not compile.
#![deny(dead_code)]

#[macro_use]
mod behaviours;

mod answer_forever;
mod answer_late;
mod break_off;
mod claim_length;
mod connection_header;
mod crash;
mod eat_handles;
mod eat_memory;
mod eat_streams;
mod fail;
mod fine;
mod finish_late;
mod get_keys_bomb;
mod greet;
mod hand_over;
mod host_header;
mod hundred_megabytes;
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

/// Makes `behave` of the list.
macro_rules! dispatch {
    ($($name:ident,)+) => {
        async fn behave(name: &str, request: &Request) -> Outcome {
            match name {
                $(stringify!($name) => $name::run(request).await,)+
                _ => (StatusCode::NOT_FOUND, EmptyBody::new()).into_response(),
            }
        }
    };
}
for_each_behaviour!(dispatch);

#[http_service]
async fn serve(request: Request) -> Outcome {
    let path = request.uri().path().to_owned();
    behave(path.trim_start_matches('/'), &request).await
}
