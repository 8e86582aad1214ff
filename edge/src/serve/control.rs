//! The control listener: how the edge is, for machines and for ops. Loopback unless configured
//! otherwise. What is asked with POST is asked so because a URL in a request's head lands in logs on
//! the way.
//!
//! Nothing here changes anything, but for one thing that changes nothing for good: a rehearsal, which
//! can be begun from this machine alone, and lasts no longer than the connection it was begun on.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::edge::Edge;
use super::given::given;
use super::history::history;
use super::limits::ControlLimits;
use super::listen::ACCEPT_PAUSE;
use super::rehearsal::{Plan, begin};
use super::site::lacking;
use super::stall::{Counted, Taking};
use super::status::status;
use super::why::{Question, why};
use crate::fleet;

/// What is sent.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

const JSON: &str = "application/json";
/// JSON, one value a line.
const LINES: &str = "application/x-ndjson";
const HTML: &str = "text/html; charset=utf-8";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers on `listener` for as long as it is polled. `stopping`: the edge is draining, and so no
/// longer ready.
pub async fn serve(
    edge: Arc<Edge>,
    listener: TcpListener,
    limits: ControlLimits,
    stopping: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, from)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (edge, stopping) = (Arc::clone(&edge), stopping.clone());
        tokio::spawn(async move {
            let local = is_local(&stream, from);
            connection(&edge, stream, limits, &stopping, local).await;
            drop(place);
        });
    }
}

async fn connection(
    edge: &Arc<Edge>,
    stream: TcpStream,
    limits: ControlLimits,
    stopping: &CancellationToken,
    local: bool,
) {
    let service = service_fn(async |request: Request<Incoming>| {
        let answer = if request.uri().path() == "/rehearsals" {
            rehearse(edge, request, limits, stopping, local).await
        } else {
            answer(edge, request, limits, stopping.is_cancelled()).await
        };
        Ok::<_, Infallible>(answer)
    });
    let taking = Arc::new(Taking::default());
    let stream = Counted::new(stream, Arc::clone(&taking));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        ended = serving => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a control connection broke off");
            }
        }
        // Who takes nothing would hold a place that `/livez` needs.
        () = taking.stalls(limits.stall) => {
            tracing::debug!("a control connection takes nothing: it is cut");
        }
    }
}

async fn answer(
    edge: &Arc<Edge>,
    request: Request<Incoming>,
    limits: ControlLimits,
    stopping: bool,
) -> Response<Body> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match (request.uri().path(), reads) {
        ("/why", false) if request.method() == Method::POST => explain(edge, request, limits).await,
        ("/why", true) => {
            let words = "POST a JSON object with the url, as `edge why` does\n".to_owned();
            respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, words)
        }
        (_, false) => {
            let words = "GET only\n".to_owned();
            respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, words)
        }
        ("/livez", _) => respond(StatusCode::OK, TEXT, "alive\n".to_owned()),
        ("/readyz", _) => ready(edge, stopping),
        ("/status", _) => json(&status(edge)),
        ("/log", _) => history(edge, request.uri().query().unwrap_or_default()).await,
        ("/metrics", _) => respond(StatusCode::OK, OPEN_METRICS, edge.metrics.text(&edge.sites)),
        ("/fleet.json", _) => json(&*edge.fleet.look(edge).await),
        ("/fleet", _) => fleet_page(),
        (path, _) => match given(edge, path) {
            Some(document) => respond(StatusCode::OK, "application/octet-stream", document),
            None => respond(
                StatusCode::NOT_FOUND,
                TEXT,
                "here are /livez, /readyz, /status, /metrics, /log, /fleet, /fleet.json and, with \
                 POST, /why and /rehearsals\n",
            ),
        },
    }
}

async fn explain(
    edge: &Arc<Edge>,
    request: Request<Incoming>,
    limits: ControlLimits,
) -> Response<Body> {
    // The parser's own words could repeat the URL.
    let expected = "expected {\"url\": ..., \"method\": ..., \"language\": ...}";
    let question: Question = match asked(request, limits, expected).await {
        Ok(question) => question,
        Err(wrong) => return *wrong,
    };
    match why(edge, &question).await {
        Ok(explanation) => json(&explanation),
        Err(reason) => refuse(StatusCode::BAD_REQUEST, &reason),
    }
}

/// Begins a rehearsal and tells how it goes, a line of JSON at a time, for as long as it lasts.
async fn rehearse(
    edge: &Arc<Edge>,
    request: Request<Incoming>,
    limits: ControlLimits,
    stopping: &CancellationToken,
    local: bool,
) -> Response<Body> {
    if request.method() != Method::POST {
        let how = "POST a JSON object, as `edge rehearse` does";
        return refuse(StatusCode::METHOD_NOT_ALLOWED, how);
    }
    if !local {
        let why = "a rehearsal is begun on the edge's own machine";
        return refuse(StatusCode::FORBIDDEN, why);
    }
    let expected = "expected {\"site\": ..., \"service\": ..., \"share_percent\": ..., \
                    \"lasts_s\": ..., \"budget_ppm\": ...}";
    let plan: Plan = match asked(request, limits, expected).await {
        Ok(plan) => plan,
        Err(wrong) => return *wrong,
    };
    let told = match begin(edge, &plan, stopping.clone()) {
        Ok(told) => told,
        Err(refused) => return refuse(StatusCode::CONFLICT, &refused.to_string()),
    };
    let lines = stream::unfold(told, |mut told| async move {
        let told_now = told.recv().await?;
        // Numbers and names are always written.
        let line = serde_json::to_vec(&told_now).ok()?;
        let line = Frame::data([line, b"\n".to_vec()].concat().into());
        Some((Ok(line), told))
    });
    let mut response = Response::new(StreamBody::new(lines).boxed_unsync());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(LINES));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What stands in the request's body.
async fn asked<T: DeserializeOwned>(
    request: Request<Incoming>,
    limits: ControlLimits,
    expected: &str,
) -> Result<T, Box<Response<Body>>> {
    let wrong = |status, why: &str| Err(Box::new(refuse(status, why)));
    // No page of another site can have a browser send this without asking first.
    let kind = request.headers().get(CONTENT_TYPE);
    if kind.is_none_or(|kind| kind != JSON) {
        let expected = "expected application/json";
        return wrong(StatusCode::UNSUPPORTED_MEDIA_TYPE, expected);
    }
    let body = Limited::new(request.into_body(), limits.body_bytes).collect();
    let body = match timeout(limits.body_time, body).await {
        Err(_) => return wrong(StatusCode::REQUEST_TIMEOUT, "no whole question in time"),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return wrong(StatusCode::PAYLOAD_TOO_LARGE, "a question too long");
        }
        Ok(Err(_)) => return wrong(StatusCode::BAD_REQUEST, "the question broke off"),
        Ok(Ok(body)) => body.to_bytes(),
    };
    match serde_json::from_slice(&body) {
        Ok(asked) => Ok(asked),
        Err(_) => wrong(StatusCode::BAD_REQUEST, expected),
    }
}

/// Whether the other end of a connection is on this machine.
fn is_local(stream: &TcpStream, from: SocketAddr) -> bool {
    stream
        .local_addr()
        .is_ok_and(|own| is_own(own.ip(), from.ip()))
}

fn is_own(own: IpAddr, from: IpAddr) -> bool {
    let (own, from) = (own.to_canonical(), from.to_canonical());
    from.is_loopback() || from == own
}

fn refuse(status: StatusCode, why: &str) -> Response<Body> {
    respond(status, TEXT, format!("{why}\n"))
}

fn json<T: Serialize>(value: &T) -> Response<Body> {
    match serde_json::to_string_pretty(value) {
        Ok(text) => respond(StatusCode::OK, JSON, text + "\n"),
        Err(error) => {
            tracing::error!(%error, "an answer of the control listener cannot be written");
            let words = "the answer cannot be written\n".to_owned();
            respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, words)
        }
    }
}

fn ready(edge: &Edge, stopping: bool) -> Response<Body> {
    if stopping {
        let words = "not ready: stopping\n".to_owned();
        return respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, words);
    }
    let lacking: Vec<String> = lacking(&edge.sites)
        .iter()
        .map(ToString::to_string)
        .collect();
    // Too old for what is published is still better than not there.
    let behind = edge.sites.iter().filter_map(|site| {
        let behind = site.copy.left_behind()?;
        Some(format!("left behind: {}: {behind}\n", site.name))
    });
    let behind: String = behind.collect();
    if lacking.is_empty() {
        return respond(StatusCode::OK, TEXT, format!("ready\n{behind}"));
    }
    let lacking = lacking.join(", ");
    let words = format!("not ready: no release yet of {lacking}\n{behind}");
    respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, words)
}

/// The page of the fleet. It needs nothing from elsewhere, and may get nothing from there.
fn fleet_page() -> Response<Body> {
    let mut response = respond(StatusCode::OK, HTML, fleet::PAGE);
    let policy = HeaderValue::from_static(fleet::POLICY);
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    response
}

pub(super) fn respond(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Full::new(body.into()).boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_from_others() {
        for (own, from, expected) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("::ffff:10.0.0.5", "::ffff:127.0.0.1", true),
            ("10.0.0.5", "10.0.0.5", true),
            ("10.0.0.5", "10.0.0.6", false),
            ("::", "::1", true),
            ("fd00::5", "fd00::6", false),
        ] {
            let found = is_own(own.parse().unwrap(), from.parse().unwrap());
            assert_eq!(found, expected, "{own} {from}");
        }
    }
}
