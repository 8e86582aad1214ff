//! Answers as it should once a record is read, however long that took.

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
    let found = store.get("a").await;
    found.map_err(|e| Error::other(e.to_string()))?;
    Ok("at last".to_owned())
}
