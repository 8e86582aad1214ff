//! What tells of a site's status is for everyone: also for scripts of other sites, which a browser lets
//! read an answer only where its fields say so (CORS, the Fetch standard). Nothing in it depends on who
//! asks, so no credentials are asked for or allowed.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, HeaderName,
};
use http::{HeaderValue, Response, StatusCode};

use crate::page::{AnswerBody, from_bytes};

/// What may be asked of it.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// Lets scripts of other sites read the answer.
pub(super) fn to_all(answer: &mut Response<AnswerBody>) {
    set(answer, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(
        answer,
        ACCESS_CONTROL_EXPOSE_HEADERS,
        "ETag, Holdfast-As-Of, Holdfast-Release",
    );
}

/// The answer to a browser that asks whether a script may ask.
pub(super) fn preflight() -> Response<AnswerBody> {
    let mut answer = Response::new(from_bytes(""));
    *answer.status_mut() = StatusCode::NO_CONTENT;
    to_all(&mut answer);
    let headers = answer.headers_mut();
    headers.insert(ALLOW, METHODS);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    set(&mut answer, ACCESS_CONTROL_ALLOW_HEADERS, "If-None-Match");
    set(&mut answer, ACCESS_CONTROL_MAX_AGE, "86400");
    set(&mut answer, CACHE_CONTROL, "no-store");
    answer
}

/// Says what may be asked, in an answer to anything else.
pub(super) fn allow(answer: &mut Response<AnswerBody>) {
    answer.headers_mut().insert(ALLOW, METHODS);
    to_all(answer);
}

fn set(answer: &mut Response<AnswerBody>, name: HeaderName, value: &'static str) {
    answer
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}
