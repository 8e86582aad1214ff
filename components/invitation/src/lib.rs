//! The invitation page, out of the snapshot's `invitations`. For now the smallest guest that
//! reads a record and answers with it: it proves the way from source to component.

use spin_sdk::http::{Request, Response, Result, StatusCode};
use spin_sdk::http_service;
use spin_sdk::key_value::Store;

/// The collection this component reads; a store's label is a collection's name.
const COLLECTION: &str = "invitations";

#[http_service]
async fn serve(request: Request) -> Result<Response<String>> {
    let key = request.uri().path().trim_matches('/');
    let store = Store::open(COLLECTION).await.map_err(outside)?;
    let found = store.get(key).await.map_err(outside)?;
    let status = if found.is_some() {
        StatusCode::OK
    } else {
        StatusCode::NOT_FOUND
    };
    let mut response = Response::new(String::from_utf8_lossy(&found.unwrap_or_default()).into_owned());
    *response.status_mut() = status;
    Ok(response)
}

/// The store's own error, as one the host can log.
fn outside(error: spin_sdk::key_value::Error) -> spin_sdk::http::Error {
    spin_sdk::http::Error::other(format!("{COLLECTION}: {error}"))
}
