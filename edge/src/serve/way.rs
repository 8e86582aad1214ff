//! The way of a request: site by host, route, the service's effective mode, an answer.

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use snapshot::Manifest;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::access::{Access, AnsweredBy};
use super::edge::Edge;
use super::id::RequestId;
use super::site::Site;
use super::target::{authority, host_name};
use super::visit::Visit;
use crate::answer::{BadPath, RequestPath};
use crate::page::emergency::Kind;
use crate::page::{
    AnswerBody, CacheOutcome, CachePolicy, Lifetime, PageState, Reader, Source, UtcOffset,
    emergency, finish, reserved,
};

/// Names the request in its answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("holdfast-request-id");

/// What `/` is on a host that is for the status alone.
pub(super) const STATUS_PAGE: &str = "/status.html";

/// Languages of an edge's own pages where no site's are known.
const LANGUAGES: [&str; 2] = ["ko", "en"];

/// Answers one request, counts it and logs it.
pub async fn handle(
    edge: &Arc<Edge>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    let start = Instant::now();
    let mut access = Access::new(RequestId::next());
    let span = tracing::info_span!("request", id = %access.id);
    let mut answer = answer(edge, peer, request, &mut access)
        .instrument(span)
        .await;
    if let Ok(id) = HeaderValue::from_str(&access.id.to_string()) {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    let took = start.elapsed();
    edge.metrics.answered(&access, answer.status(), took);
    if let Some(shown) = access.shown {
        edge.log.shown(&access.site, &access.service, shown);
    }
    access.log(answer.status(), took);
    answer
}

async fn answer(
    edge: &Arc<Edge>,
    peer: SocketAddr,
    request: Request<Incoming>,
    access: &mut Access,
) -> Response<AnswerBody> {
    let (head, body) = request.into_parts();
    let reader = Reader::new(&head.method, &head.headers);
    let refused = |kind| refuse(edge, &reader, None, kind);
    let Ok(authority) = authority(head.version, &head.uri, &head.headers) else {
        return refused(Kind::BadRequest);
    };
    let host = host_name(&authority);
    let Some(site) = edge.sites.find(&host) else {
        return refused(Kind::Misdirected);
    };
    access.site = site.name.to_string();
    let for_status = edge.sites.is_for_status(&host);
    let path = match checked(&head) {
        Ok(path) if for_status => path.or_front(STATUS_PAGE),
        Ok(path) => path,
        Err(kind) => return refuse(edge, &reader, Some(site), kind),
    };
    if path.as_str().starts_with(reserved::PREFIX) {
        access.route = format!("{}*", reserved::PREFIX);
        return own_file(edge, site, &reader, &path);
    }
    let visit = Visit::new(edge, site, head, &reader, &path, authority.as_str(), peer);
    if for_status && !visit.is_status() {
        return visit.elsewhere(access);
    }
    visit.answer(body, access).await
}

pub(super) fn checked(head: &Parts) -> Result<RequestPath, Kind> {
    // A tunnel, or an echo of credentials: neither is for an edge (RFC 9110 sections 9.3.6, 9.3.8).
    if matches!(head.method, Method::CONNECT | Method::TRACE) {
        return Err(Kind::MethodNotAllowed);
    }
    if head.version < Version::HTTP_10 {
        return Err(Kind::BadRequest);
    }
    if !plainly_framed(&head.headers) {
        return Err(Kind::BadRequest);
    }
    let query = head.uri.query().map_or(0, str::len);
    if query > crate::answer::path::QUERY_BYTES {
        return Err(Kind::UriTooLong);
    }
    RequestPath::parse(head.uri.path()).map_err(|bad| match bad {
        BadPath::TooLong => Kind::UriTooLong,
        _ => Kind::BadRequest,
    })
}

/// Whether a body's end is told in one way at most: codings piled up (RFC 9112 section 6.1) are how
/// one request is made to look like two further on.
fn plainly_framed(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let first = codings.next();
    first.is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
        && codings.next().is_none()
}

pub(super) fn own_file(
    edge: &Edge,
    site: &Site,
    reader: &Reader,
    path: &RequestPath,
) -> Response<AnswerBody> {
    let Some(draft) = reserved::reserved(path.as_str()) else {
        return refuse(edge, reader, Some(site), Kind::NotFound);
    };
    let mut policy = CachePolicy::new(Lifetime::Hashed, &edge.name, CacheOutcome::Hit);
    policy.negotiated = false;
    finish(
        reader,
        draft,
        &policy,
        &plain_state(site.name.as_str(), reader),
    )
}

/// The edge's own page of `kind`.
pub(super) fn refuse(
    edge: &Edge,
    reader: &Reader,
    site: Option<&Site>,
    kind: Kind,
) -> Response<AnswerBody> {
    let title = site.map_or(edge.name.as_str(), |site| site.name.as_str());
    let state = plain_state(title, reader);
    let draft = emergency(kind, reader, &state, None);
    own_answer(edge, reader, draft, &state)
}

/// Finishes what the edge made by itself: nobody keeps it, and it came out of no cache.
pub(super) fn own_answer(
    edge: &Edge,
    reader: &Reader,
    draft: crate::page::Draft,
    state: &PageState,
) -> Response<AnswerBody> {
    let policy = CachePolicy::new(Lifetime::NoStore, &edge.name, CacheOutcome::Hit);
    let mut answer = finish(reader, draft, &policy, state);
    answer.headers_mut().remove("cache-status");
    answer
}

/// What a page says where nothing is known of the site but a name.
pub(super) fn plain_state(title: &str, reader: &Reader) -> PageState {
    let languages = LANGUAGES.map(str::to_owned);
    PageState {
        site_title: title.to_owned(),
        language: reader.language(&languages).to_owned(),
        services: Vec::new(),
        notices: Vec::new(),
        source: Source::Origin,
        offset: UtcOffset::default(),
    }
}

/// True for a status that says the origin itself failed: its answer is no answer (RFC 9110 section 15.6).
pub(super) const fn is_failure(status: StatusCode) -> bool {
    status.as_u16() >= 500
}

/// Where the site tells what is down.
pub(super) fn notice_page(manifest: Option<&Manifest>) -> Option<&str> {
    manifest.and_then(crate::answer::notice_page)
}

/// For [`Access`]: the edge itself answered.
pub(super) const fn by_edge(access: &mut Access, reason: &'static str) {
    access.by = AnsweredBy::Edge;
    access.reason = reason;
}
