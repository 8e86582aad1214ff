//! From a draft to an answer: rewriting, encoding, entity tag, conditions, ranges, lifetimes.
//!
//! The order matters and is fixed: the page is rewritten first, then coded, then named by the
//! hash of exactly the bytes that would be sent; only then do conditions and ranges compare.

use std::ops::Range;

use http::header::{
    ACCEPT_RANGES, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderName,
    REFERRER_POLICY, TRANSFER_ENCODING, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Response, StatusCode};
use snapshot::Digest;

use super::body::{AnswerBody, from_blob, from_bytes};
use super::cache::CachePolicy;
use super::condition::{none_match_holds, range_allowed};
use super::draft::{Draft, DraftBody};
use super::encoding::{self, Coding};
use super::range::{Wanted, wanted};
use super::reader::Reader;
use super::rewrite;
use super::state::{PageState, Source};

/// RFC 9211.
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// The moment as of which the data is true, RFC 3339 in UTC.
const AS_OF: HeaderName = HeaderName::from_static("holdfast-as-of");
/// The sequence of the release it was made from.
const RELEASE: HeaderName = HeaderName::from_static("holdfast-release");

/// What pages from the snapshot may load: nothing from elsewhere, no inline script.
pub(super) const PAGE_POLICY: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self'; media-src 'self'; script-src 'self'; \
     form-action 'self'; base-uri 'none'";

/// Hex digits of the hash in an entity tag: 128 bits.
const TAG_DIGITS: usize = 32;

/// Makes the answer to `reader`.
///
/// For answers of the edge's own (snapshot, emergency, reserved); the living origin's keep their
/// own tags and lifetimes, see [`rewrite::origin`].
#[must_use]
pub fn finish(
    reader: &Reader,
    mut draft: Draft,
    policy: &CachePolicy,
    state: &PageState,
) -> Response<AnswerBody> {
    for name in [
        CONTENT_LENGTH,
        TRANSFER_ENCODING,
        CONTENT_ENCODING,
        ETAG,
        CACHE_CONTROL,
    ] {
        draft.headers.remove(name);
    }
    let is_page = is_html(&draft.headers);
    if draft.html
        && let DraftBody::Bytes(bytes) = draft.body
    {
        draft.body = DraftBody::Bytes(rewrite::whole(bytes, state, rewrite::Charset::Utf8));
    }
    let coding = encode(reader, &mut draft);
    let tag = entity_tag(&draft.body);
    describe(&mut draft, policy, state, is_page);
    let ok = draft.status == StatusCode::OK;
    if ok {
        set(&mut draft.headers, ETAG, &tag);
    }
    if let Some(name) = coding.name() {
        set(&mut draft.headers, CONTENT_ENCODING, name);
    }
    if ok
        && reader.reads()
        && reader
            .if_none_match
            .as_deref()
            .is_some_and(|field| none_match_holds(field, &tag))
    {
        return not_modified(draft.headers);
    }
    let mut part = 0..draft.body.len();
    if ok && !is_page {
        draft
            .headers
            .insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        match ranged(reader, &tag, draft.body.len()) {
            Wanted::Whole => {}
            Wanted::Part(range) => {
                let (last, len) = (range.end.saturating_sub(1), draft.body.len());
                let value = format!("bytes {}-{last}/{len}", range.start);
                set(&mut draft.headers, CONTENT_RANGE, &value);
                draft.status = StatusCode::PARTIAL_CONTENT;
                part = range;
            }
            Wanted::Nothing => return not_satisfiable(draft),
        }
    }
    draft
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    let body = if reader.is_head() {
        from_bytes("")
    } else {
        body(draft.body, part)
    };
    respond(draft.status, draft.headers, body)
}

/// True when the content type says HTML.
pub(crate) fn is_html(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
}

/// Codes the content where that pays, and says that it depends on the reader.
fn encode(reader: &Reader, draft: &mut Draft) -> Coding {
    let DraftBody::Bytes(bytes) = &draft.body else {
        return Coding::Identity;
    };
    if bytes.len() < encoding::MIN_BYTES || !encoding::is_compressible(&draft.headers) {
        return Coding::Identity;
    }
    vary_on(&mut draft.headers, "Accept-Encoding");
    let (packed, coding) = encoding::encode(bytes.clone(), encoding::choose(&reader.encodings));
    draft.body = DraftBody::Bytes(packed);
    coding
}

/// A strong tag: the hash of exactly these bytes.
fn entity_tag(body: &DraftBody) -> String {
    let digest = match body {
        DraftBody::Bytes(bytes) => Digest::of(bytes),
        DraftBody::Blob(blob) => blob.digest(),
    };
    let digits: String = digest.to_string().chars().take(TAG_DIGITS).collect();
    format!("\"{digits}\"")
}

/// Sets what every answer says of itself.
fn describe(draft: &mut Draft, policy: &CachePolicy, state: &PageState, is_page: bool) {
    let cache_control = policy.lifetime.cache_control(draft.status, is_page);
    let headers = &mut draft.headers;
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(AGE, HeaderValue::from(policy.age.as_secs()));
    set(headers, CACHE_STATUS, &policy.status.to_string());
    // A page that was rewritten speaks to its reader in the banner, whatever its own language is.
    if policy.negotiated || draft.html {
        vary_on(headers, "Accept-Language");
    }
    if is_page {
        headers
            .entry(CONTENT_SECURITY_POLICY)
            .or_insert(HeaderValue::from_static(PAGE_POLICY));
        if !headers.contains_key(CONTENT_LANGUAGE) && policy.negotiated {
            set(headers, CONTENT_LANGUAGE, &state.language);
        }
    }
    if policy.below_capability {
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    }
    if let Source::Snapshot {
        as_of, sequence, ..
    } = state.source
    {
        set(headers, AS_OF, &as_of.floor_minute().rfc3339());
        set(headers, RELEASE, &sequence.to_string());
    }
}

fn ranged(reader: &Reader, tag: &str, len: u64) -> Wanted {
    // Section 14.2: defined for GET alone.
    let Some(field) = reader
        .range
        .as_deref()
        .filter(|_| reader.method == Method::GET)
    else {
        return Wanted::Whole;
    };
    match reader.if_range.as_deref() {
        Some(condition) if !range_allowed(condition, tag) => Wanted::Whole,
        _ => wanted(field, len),
    }
}

fn body(body: DraftBody, part: Range<u64>) -> AnswerBody {
    match body {
        DraftBody::Blob(blob) => from_blob(blob, part),
        DraftBody::Bytes(bytes) => {
            let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            from_bytes(bytes.slice(index(part.start)..index(part.end)))
        }
    }
}

/// RFC 9110 section 15.4.5: what describes the content stays away, what a cache needs stays.
fn not_modified(mut headers: HeaderMap) -> Response<AnswerBody> {
    for name in [
        CONTENT_TYPE,
        CONTENT_ENCODING,
        CONTENT_LANGUAGE,
        ACCEPT_RANGES,
    ] {
        headers.remove(name);
    }
    respond(StatusCode::NOT_MODIFIED, headers, from_bytes(""))
}

/// RFC 9110 section 15.5.17.
fn not_satisfiable(mut draft: Draft) -> Response<AnswerBody> {
    set(
        &mut draft.headers,
        CONTENT_RANGE,
        &format!("bytes */{}", draft.body.len()),
    );
    for name in [CONTENT_TYPE, CONTENT_ENCODING, ETAG] {
        draft.headers.remove(name);
    }
    draft.headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
    respond(
        StatusCode::RANGE_NOT_SATISFIABLE,
        draft.headers,
        from_bytes(""),
    )
}

fn respond(status: StatusCode, headers: HeaderMap, body: AnswerBody) -> Response<AnswerBody> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// Adds `name` to `Vary` unless it stands there.
pub(super) fn vary_on(headers: &mut HeaderMap, name: &str) {
    let listed = headers
        .get_all(VARY)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|member| matches!(member.trim(), m if m == "*" || m.eq_ignore_ascii_case(name)));
    if !listed && let Ok(value) = HeaderValue::from_str(name) {
        headers.append(VARY, value);
    }
}

/// Sets a field whose value was made here; one that no field can hold is left out.
pub(super) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests;
