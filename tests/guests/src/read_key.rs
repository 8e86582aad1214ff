//! Reads the key that its query names, and hides whatever goes wrong.

use spin_sdk::http::{Error, IntoResponse as _};
use spin_sdk::key_value::Store;

use super::{Outcome, Request, STORE};

pub(super) async fn run(request: &Request) -> Outcome {
    read(request.uri().query().unwrap_or_default())
        .await
        .into_response()
}

async fn read(key: &str) -> Result<String, Error> {
    let store = Store::open(STORE)
        .await
        .map_err(|e| Error::other(e.to_string()))?;
    let exists = store.exists(key).await.unwrap_or_default();
    let value = store.get(key).await.ok().flatten();
    let value = value.map(|value| String::from_utf8_lossy(&value).into_owned());
    Ok(format!(
        "{exists} {}",
        value.as_deref().unwrap_or("nothing")
    ))
}
