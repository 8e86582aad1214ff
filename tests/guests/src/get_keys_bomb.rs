//! Lists all keys again and again before it looks at any of them.

use spin_sdk::http::{Error, IntoResponse as _};
use spin_sdk::key_value::Store;

use super::{Outcome, Request, STORE};

/// Each would hold the whole collection's keys.
const LISTINGS: usize = 100;

pub(super) async fn run(_: &Request) -> Outcome {
    list().await.into_response()
}

async fn list() -> Result<String, Error> {
    let store = Store::open(STORE)
        .await
        .map_err(|e| Error::other(e.to_string()))?;
    let mut listings = Vec::new();
    for _ in 0..LISTINGS {
        listings.push(store.get_keys().await);
    }
    let (mut listed, mut keys) = (0, 0);
    for listing in listings {
        if let Ok(found) = listing.collect().await {
            listed += 1;
            keys += found.len();
        }
    }
    Ok(format!("{listed} of {LISTINGS} listings, {keys} keys"))
}
