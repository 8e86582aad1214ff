//! Reads the same record for as long as it is let.

use spin_sdk::http::{Error, IntoResponse as _};
use spin_sdk::key_value::Store;

use super::{Outcome, Request, STORE};

pub(super) async fn run(_: &Request) -> Outcome {
    read().await.into_response()
}

async fn read() -> Result<String, Error> {
    let store = Store::open(STORE)
        .await
        .map_err(|e| Error::other(e.to_string()))?;
    while store.get("a").await.is_ok() {}
    Ok("the host had enough".to_owned())
}
