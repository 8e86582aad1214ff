//! The answer to one request of another edge.

use std::error::Error;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, TryStreamExt as _};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    RANGE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Body as HttpBody, Frame};
use snapshot::{Digest, Sequence};
use tokio::task::spawn_blocking;

use super::guard::Turn;
use super::listen::Room;
use super::push;
use super::shelf::{Object, Shelf};
use crate::log::Came;
use crate::page::{Wanted, wanted};
use crate::sync::Brought;

/// Bytes of an object that are read at once.
const PIECE_BYTES: u64 = 64 << 10;

/// What is sent.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Release(Option<Sequence>),
    Brought(Brought),
    Past(Digest),
    Object(Digest),
}

/// Answers one request; `is_known` says that the connection showed a certificate of the fleet.
pub(super) async fn answer<B>(
    room: &Room,
    turn: Turn,
    is_known: bool,
    request: Request<B>,
) -> Response<Body>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let found = find(&room.shelves, request.uri().path());
    let token = room.token.as_ref();
    let has_token = token.is_some_and(|token| token.is_in(request.headers()));
    let is_public = matches!(found, Some((_, Asked::Brought(_) | Asked::Past(_))));
    if let Some((shelf, Asked::Brought(what))) = found
        && *request.method() == Method::PUT
    {
        let showed = match (is_known, has_token) {
            (true, _) => "certificate",
            (false, true) => "token",
            (false, false) => "nothing",
        };
        let showed = showed.to_owned();
        let brought = (what, Came::Pushed { showed });
        return push::take(shelf, brought, &turn, &room.limits, request.into_body()).await;
    }
    if !is_known && !is_public && !has_token {
        let challenge = HeaderValue::from_static("Bearer realm=\"peer\"");
        let words = "show the fleet's token, or a certificate of its authority\n";
        return with(
            said(StatusCode::UNAUTHORIZED, words),
            WWW_AUTHENTICATE,
            challenge,
        );
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return said(StatusCode::METHOD_NOT_ALLOWED, "GET only\n");
    }
    let Some((shelf, asked)) = found else {
        return absent();
    };
    match asked {
        Asked::Release(sequence) => statement(shelf.release(sequence), request.headers()),
        Asked::Brought(what) => statement(shelf.statements(what), request.headers()),
        Asked::Past(order) => statement(shelf.past(order), request.headers()),
        Asked::Object(name) => object(shelf, name, turn, request.headers()).await,
    }
}

fn find<'r>(shelves: &'r [Arc<Shelf>], path: &str) -> Option<(&'r Arc<Shelf>, Asked)> {
    let (site, place) = path.strip_prefix('/')?.split_once('/')?;
    let shelf = shelves.iter().find(|shelf| shelf.site().as_str() == site)?;
    Some((shelf, asked(place)?))
}

/// What is given to everybody, and taken from everybody.
fn brought(place: &str) -> Option<Brought> {
    match place {
        "orders" => Some(Brought::Orders),
        "trust" => Some(Brought::Trust),
        _ => None,
    }
}

/// Each thing has one spelling.
fn asked(place: &str) -> Option<Asked> {
    if place == "release" {
        return Some(Asked::Release(None));
    }
    if let Some(what) = brought(place) {
        return Some(Asked::Brought(what));
    }
    if let Some(name) = place.strip_prefix("past/") {
        return name.parse().ok().map(Asked::Past);
    }
    if let Some(text) = place.strip_prefix("releases/") {
        let sequence: u64 = text.parse().ok()?;
        return (sequence.to_string() == text).then_some(Asked::Release(Some(Sequence(sequence))));
    }
    let (shard, name) = place.strip_prefix("objects/")?.split_once('/')?;
    let digest: Digest = name.parse().ok()?;
    (shard.len() == 2 && name.starts_with(shard)).then_some(Asked::Object(digest))
}

/// A small document, unless it is the one that is known already.
fn statement(bytes: Option<Bytes>, head: &HeaderMap) -> Response<Body> {
    let Some(bytes) = bytes else {
        return absent();
    };
    let Some(tag) = tag(&Digest::of(&bytes)) else {
        return failed();
    };
    let is_known = head
        .get_all(IF_NONE_MATCH)
        .iter()
        .any(|known| *known == tag);
    let mut response = if is_known {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        let length = HeaderValue::from(bytes.len());
        let full = Full::new(bytes).map_err(|never| match never {});
        with(Response::new(full.boxed_unsync()), CONTENT_LENGTH, length)
    };
    let cache = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(CACHE_CONTROL, cache);
    with(response, ETAG, tag)
}

async fn object(shelf: &Arc<Shelf>, name: Digest, turn: Turn, head: &HeaderMap) -> Response<Body> {
    let shelf = Arc::clone(shelf);
    let site = shelf.site().clone();
    let found = spawn_blocking(move || shelf.object(&name)).await;
    let found = match found {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::warn!(%site, "a peer asked for what this disk does not give: {error}");
            return failed();
        }
        Err(_) => return failed(),
    };
    let Some(object) = found else {
        return absent();
    };
    let (all, Some(tag)) = (object.bytes(), tag(&name)) else {
        return failed();
    };
    let range = head.get(RANGE).and_then(|range| range.to_str().ok());
    let range = range.map_or(Wanted::Whole, |range| wanted(range, all));
    let (status, part) = match range {
        Wanted::Whole => (StatusCode::OK, 0..all),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Nothing => {
            let response = empty(StatusCode::RANGE_NOT_SATISFIABLE);
            return field(response, CONTENT_RANGE, format!("bytes */{all}"));
        }
    };
    let length = HeaderValue::from(part.end.saturating_sub(part.start));
    let said = format!("bytes {}-{}/{all}", part.start, part.end.saturating_sub(1));
    let mut response = Response::new(pieces(object, part, turn));
    *response.status_mut() = status;
    if status == StatusCode::PARTIAL_CONTENT {
        response = field(response, CONTENT_RANGE, said);
    }
    let kind = HeaderValue::from_static("application/octet-stream");
    let ranges = HeaderValue::from_static("bytes");
    let response = with(with(response, CONTENT_TYPE, kind), ACCEPT_RANGES, ranges);
    with(with(response, CONTENT_LENGTH, length), ETAG, tag)
}

/// A part of an object, piece by piece, as fast as its receiver may have it.
fn pieces(object: Object, part: Range<u64>, turn: Turn) -> Body {
    let object = Arc::new(object);
    let pieces = stream::try_unfold((part, turn), move |(part, turn)| {
        let object = Arc::clone(&object);
        async move {
            let end = part.start.saturating_add(PIECE_BYTES).min(part.end);
            if part.start >= end {
                return Ok(None);
            }
            turn.pace.take(end.saturating_sub(part.start)).await;
            let piece = part.start..end;
            let read = spawn_blocking(move || object.read(piece)).await;
            let bytes = read.map_err(io::Error::other)??;
            Ok(Some((bytes, (end..part.end, turn))))
        }
    });
    StreamBody::new(pieces.map_ok(Frame::data)).boxed_unsync()
}

fn tag(digest: &Digest) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("\"{digest}\"")).ok()
}

fn absent() -> Response<Body> {
    said(StatusCode::NOT_FOUND, "not given here\n")
}

fn failed() -> Response<Body> {
    let again = HeaderValue::from_static("10");
    let words = "this edge cannot give it now\n";
    with(
        said(StatusCode::SERVICE_UNAVAILABLE, words),
        RETRY_AFTER,
        again,
    )
}

pub(super) fn said(status: StatusCode, words: impl Into<Bytes>) -> Response<Body> {
    let words = Full::new(words.into());
    let mut response = Response::new(words.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    let store = HeaderValue::from_static("no-store");
    with(with(response, CONTENT_TYPE, kind), CACHE_CONTROL, store)
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(
        Full::default()
            .map_err(|never| match never {})
            .boxed_unsync(),
    );
    *response.status_mut() = status;
    response
}

pub(super) fn with(
    mut response: Response<Body>,
    name: HeaderName,
    value: HeaderValue,
) -> Response<Body> {
    response.headers_mut().insert(name, value);
    response
}

fn field(response: Response<Body>, name: HeaderName, value: String) -> Response<Body> {
    match HeaderValue::try_from(value) {
        Ok(value) => with(response, name, value),
        Err(_) => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_has_one_spelling_and_nothing_else_is_there() {
        let digest = Digest::of(b"x");
        let (name, shard) = (digest.to_string(), digest.to_string()[..2].to_owned());
        let upper = name.to_uppercase();
        for (place, expected) in [
            ("release", Some(Asked::Release(None))),
            ("orders", Some(Asked::Brought(Brought::Orders))),
            ("trust", Some(Asked::Brought(Brought::Trust))),
            ("trust/", None),
            ("releases/7", Some(Asked::Release(Some(Sequence(7))))),
            (&format!("past/{name}"), Some(Asked::Past(digest))),
            (&format!("past/{upper}"), None),
            ("past/", None),
            (
                &format!("objects/{shard}/{name}"),
                Some(Asked::Object(digest)),
            ),
            ("releases/07", None),
            ("releases/+7", None),
            ("releases/", None),
            ("releases/7/", None),
            ("release/", None),
            ("", None),
            (&format!("objects/{name}"), None),
            (&format!("objects/00/{name}"), None),
            (&format!("objects//{name}"), None),
            (&format!("objects/{shard}/{upper}"), None),
            (&format!("objects/{shard}/{name}/"), None),
            (&format!("objects/{shard}/../../state/sync"), None),
        ] {
            assert_eq!(asked(place), expected, "{place}");
        }
    }
}
