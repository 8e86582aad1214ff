//! The control listener: how the edge is, for machines and for ops. Loopback unless configured
//! otherwise; nothing here changes anything. What is asked with POST is asked so because a URL in a
//! request's head lands in logs on the way.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::edge::Edge;
use super::given::given;
use super::history::history;
use super::limits::ControlLimits;
use super::listen::ACCEPT_PAUSE;
use super::site::lacking;
use super::status::status;
use super::why::{Question, why};

/// What is sent.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

const JSON: &str = "application/json";
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
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (edge, stopping) = (Arc::clone(&edge), stopping.clone());
        tokio::spawn(async move {
            connection(&edge, stream, limits, &stopping).await;
            drop(place);
        });
    }
}

async fn connection(
    edge: &Arc<Edge>,
    stream: TcpStream,
    limits: ControlLimits,
    stopping: &CancellationToken,
) {
    let service = service_fn(async |request: Request<Incoming>| {
        let stopping = stopping.is_cancelled();
        Ok::<_, Infallible>(answer(edge, request, limits, stopping).await)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a control connection broke off");
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
        (path, _) => match given(edge, path) {
            Some(document) => respond_bytes(StatusCode::OK, "application/octet-stream", document),
            None => respond(
                StatusCode::NOT_FOUND,
                TEXT,
                "here are /livez, /readyz, /status, /metrics, /log and, with POST, /why\n"
                    .to_owned(),
            ),
        },
    }
}

async fn explain(
    edge: &Arc<Edge>,
    request: Request<Incoming>,
    limits: ControlLimits,
) -> Response<Body> {
    let wrong = |status, why: &str| respond(status, TEXT, format!("{why}\n"));
    // No page of another site can have a browser send this without asking first.
    let kind = request.headers().get(CONTENT_TYPE);
    if kind.is_none_or(|kind| kind != JSON) {
        return wrong(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected application/json",
        );
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
    // Its own words could repeat the URL.
    let Ok(question) = serde_json::from_slice::<Question>(&body) else {
        let expected = "expected {\"url\": ..., \"method\": ..., \"language\": ...}";
        return wrong(StatusCode::BAD_REQUEST, expected);
    };
    match why(edge, &question).await {
        Ok(explanation) => json(&explanation),
        Err(reason) => wrong(StatusCode::BAD_REQUEST, &reason),
    }
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

pub(super) fn respond(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    respond_bytes(status, kind, body.into())
}

fn respond_bytes(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Full::new(body).boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
