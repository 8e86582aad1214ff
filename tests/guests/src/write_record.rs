//! Writes and deletes, and says how that went.

use spin_sdk::http::{Error, IntoResponse as _};
use spin_sdk::key_value::Store;

use super::{Outcome, Request, STORE};

pub(super) async fn run(_: &Request) -> Outcome {
    write().await.into_response()
}

async fn write() -> Result<String, Error> {
    let store = Store::open(STORE)
        .await
        .map_err(|e| Error::other(e.to_string()))?;
    let set = store.set("a", "changed").await;
    let deleted = store.delete("a").await;
    Ok(format!("{set:?}\n{deleted:?}"))
}
