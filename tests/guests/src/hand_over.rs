//! Hands the host a key that is larger than anything it takes in one call.

use spin_sdk::http::{Error, IntoResponse as _};
use spin_sdk::key_value::Store;

use super::{Outcome, Request, STORE};

/// Beyond what any host takes.
const BYTES: usize = 9 << 20;

pub(super) async fn run(_: &Request) -> Outcome {
    read().await.into_response()
}

async fn read() -> Result<String, Error> {
    let store = Store::open(STORE)
        .await
        .map_err(|e| Error::other(e.to_string()))?;
    let found = store.exists("k".repeat(BYTES)).await;
    Ok(format!("{found:?}"))
}
