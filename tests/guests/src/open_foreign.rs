//! Opens a collection that its route does not declare, and says how that went.

use spin_sdk::http::IntoResponse as _;
use spin_sdk::key_value::Store;

use super::{Outcome, Request};

pub(super) async fn run(_: &Request) -> Outcome {
    match Store::open("foreign").await {
        Ok(_) => "open".to_owned(),
        Err(error) => format!("{error:?}"),
    }
    .into_response()
}
