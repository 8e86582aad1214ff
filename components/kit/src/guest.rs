//! The host's side of a guest: its request, its collections, its answer. The only part of the kit
//! that needs a host, and so the only part that native tests do not reach.

use spin_sdk::http::{Error, Method, Request, Response, Result, StatusCode};
use spin_sdk::key_value::Store;

use crate::answer::Answer;
use crate::context::{Context, ContextError};
use crate::records::{Place, listed_of};

/// The context of a request, or the answer to a request that cannot have one.
///
/// # Errors
/// The answer to give instead.
pub fn context(request: &Request) -> Result<Context, Answer> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(Answer::bad_method());
    }
    let headers = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    Context::read(request.uri().path(), headers).map_err(Answer::failed)
}

/// The whole way of a page about one record: the one of the route's first collection that the path
/// names.
///
/// # Errors
/// A store that cannot be read.
pub async fn of_one_record(
    request: &Request,
    answer: fn(&Context, &[u8]) -> Answer,
) -> Result<Response<String>> {
    let context = match context(request) {
        Ok(context) => context,
        Err(answer) => return respond(answer),
    };
    let Some(key) = context.key() else {
        return respond(Answer::not_found());
    };
    respond(match record(&context, 0, key).await? {
        Ok(record) => answer(&context, &record),
        Err(answer) => answer,
    })
}

/// The record `key` of the route's collection number `at`, opened. `Ok(Err(_))` is an answer about
/// the record; an error is the host's, and no answer.
///
/// # Errors
/// A store that cannot be read.
pub async fn record(context: &Context, at: usize, key: &str) -> Result<Result<Vec<u8>, Answer>> {
    match (context.collection(at), context.place(at, key)) {
        (Ok((collection, _)), Ok(Some(place))) => at_place(collection, &place).await,
        (Ok(_), Ok(None)) => Ok(Err(Answer::not_found())),
        (Err(error), _) | (_, Err(error)) => Ok(Err(Answer::failed(error))),
    }
}

/// The records of the route's collection number `at` in key order, at most
/// [`LISTED_RECORDS`](crate::records::LISTED_RECORDS).
///
/// # Errors
/// A store that cannot be read.
pub async fn list(context: &Context, at: usize) -> Result<Result<Vec<Vec<u8>>, ContextError>> {
    let collection = match context.collection(at) {
        Ok((collection, _)) => collection,
        Err(error) => return Ok(Err(error)),
    };
    let store = open(collection).await?;
    let mut listed = store.get_keys().await;
    let mut keys = Vec::new();
    while let Some(key) = listed.next().await {
        keys.push(key);
    }
    listed.result().await.map_err(|e| outside(collection, &e))?;
    let keys = listed_of(keys);
    let mut records = Vec::with_capacity(keys.len());
    for key in keys {
        let found = store.get(&key).await.map_err(|e| outside(collection, &e))?;
        records.extend(found);
    }
    Ok(Ok(records))
}

/// An answer as the host takes it.
///
/// # Errors
/// None that an [`Answer`] can cause.
pub fn respond(answer: Answer) -> Result<Response<String>> {
    let status = StatusCode::from_u16(answer.status).map_err(|e| Error::other(e.to_string()))?;
    let mut response = Response::builder()
        .status(status)
        .header("content-type", answer.content_type);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response = response.header("allow", "GET, HEAD");
    }
    response
        .body(answer.body)
        .map_err(|e| Error::other(e.to_string()))
}

async fn at_place(collection: &str, place: &Place<'_>) -> Result<Result<Vec<u8>, Answer>> {
    let store = open(collection).await?;
    let found = store.get(place.name()).await;
    let Some(stored) = found.map_err(|e| outside(collection, &e))? else {
        return Ok(Err(Answer::not_found()));
    };
    Ok(place
        .open(stored)
        .map_err(|error| Answer::failed(format_args!("collection {collection}: {error}"))))
}

async fn open(collection: &str) -> Result<Store> {
    Store::open(collection)
        .await
        .map_err(|e| outside(collection, &e))
}

/// The store's own error, as one the host can log.
fn outside(collection: &str, error: &spin_sdk::key_value::Error) -> Error {
    Error::other(format!("collection {collection}: {error}"))
}
