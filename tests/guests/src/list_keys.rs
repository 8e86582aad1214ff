//! Lists all keys.

use spin_sdk::http::{Error, IntoResponse as _};
use spin_sdk::key_value::Store;

use super::{Outcome, Request, STORE};

pub(super) async fn run(_: &Request) -> Outcome {
    list().await.into_response()
}

async fn list() -> Result<String, Error> {
    let store = Store::open(STORE)
        .await
        .map_err(|e| Error::other(e.to_string()))?;
    Ok(match store.get_keys().await.collect().await {
        Ok(keys) => keys.join(","),
        Err(error) => format!("{error:?}"),
    })
}
