//! The control listener: how the edge is, for machines and for ops. Loopback unless configured
//! otherwise; nothing here changes anything.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::edge::Edge;
use super::limits::ControlLimits;
use super::listen::ACCEPT_PAUSE;
use super::site::lacking;
use super::status::status;

const TEXT: &str = "text/plain; charset=utf-8";
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
    let service = service_fn(|request: Request<Incoming>| {
        let answer = answer(edge, &request, stopping.is_cancelled());
        async move { Ok::<_, Infallible>(answer) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a control connection broke off");
    }
}

fn answer(edge: &Edge, request: &Request<Incoming>, stopping: bool) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return respond(
            StatusCode::METHOD_NOT_ALLOWED,
            TEXT,
            "GET only\n".to_owned(),
        );
    }
    match request.uri().path() {
        "/livez" => respond(StatusCode::OK, TEXT, "alive\n".to_owned()),
        "/readyz" => ready(edge, stopping),
        "/status" => match serde_json::to_string_pretty(&status(edge)) {
            Ok(json) => respond(StatusCode::OK, "application/json", json + "\n"),
            Err(error) => {
                tracing::error!(%error, "the status cannot be written");
                let words = "the status cannot be written\n".to_owned();
                respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, words)
            }
        },
        "/metrics" => respond(StatusCode::OK, OPEN_METRICS, edge.metrics.text(&edge.sites)),
        _ => respond(
            StatusCode::NOT_FOUND,
            TEXT,
            "here are /livez, /readyz, /status and /metrics\n".to_owned(),
        ),
    }
}

fn ready(edge: &Edge, stopping: bool) -> Response<Full<Bytes>> {
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

fn respond(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
