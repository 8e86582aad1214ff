//! Answers in a few shapes.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;

/// What the origin answers with.
pub(crate) type Answer = Response<Full<Bytes>>;

/// A page made for this reader.
pub(crate) fn page(html: String) -> Answer {
    let mut answer = body("text/html; charset=utf-8", html.into_bytes());
    answer
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}

/// Bytes of a kind.
pub(crate) fn body(kind: &str, bytes: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(bytes)));
    if let Ok(kind) = HeaderValue::from_str(kind) {
        answer.headers_mut().insert(CONTENT_TYPE, kind);
    }
    answer
}

/// A status with a sentence.
pub(crate) fn status(status: StatusCode, words: &str) -> Answer {
    let mut answer = body("text/plain; charset=utf-8", words.as_bytes().to_vec());
    *answer.status_mut() = status;
    answer
}

/// On to another page after a form (303), with a cookie if there is one to set.
pub(crate) fn see_other(to: &str, cookie: Option<&str>) -> Answer {
    let mut answer = status(StatusCode::SEE_OTHER, "");
    if let Ok(to) = HeaderValue::from_str(to) {
        answer.headers_mut().insert(LOCATION, to);
    }
    if let Some(cookie) = cookie.and_then(|c| HeaderValue::from_str(c).ok()) {
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    answer
}
