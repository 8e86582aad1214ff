//! Asking one origin.
//!
//! Reads share a pool of connections. A write gets a connection of its own: on a pooled one that
//! the origin closes meanwhile nobody could tell whether it arrived, and nothing is ever sent
//! twice.

use std::error::Error as _;
use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, USER_AGENT};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::body::{OriginBody, Streaming, Upload, hold};
use super::failure::Failure;
use super::headers::strip;
use super::limits::OriginLimits;
use crate::page::{AnswerBody, BodyError};

/// One origin.
pub struct Origin {
    authority: Authority,
    limits: OriginLimits,
    reads: Client<HttpConnector, Empty<Bytes>>,
    writes: Client<HttpConnector, AnswerBody>,
}

/// An origin that cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error("the origin {0} is not http://HOST:PORT")]
pub struct NotAnOrigin(String);

/// What an origin answered, without the fields that end at the edge.
#[derive(Debug)]
pub struct OriginAnswer {
    /// The status.
    pub status: StatusCode,
    /// The fields.
    pub headers: HeaderMap,
    /// The content.
    pub body: OriginBody,
}

impl Origin {
    /// Prepares for asking `url`; connects to nothing yet.
    ///
    /// # Errors
    /// When `url` is not `http://` with a host.
    pub fn new(url: &Url, limits: OriginLimits) -> Result<Self, NotAnOrigin> {
        let authority = Some(url)
            .filter(|url| url.scheme() == "http")
            .and_then(|url| {
                let host = url.host_str()?;
                let port = url.port().unwrap_or(80);
                format!("{host}:{port}").parse::<Authority>().ok()
            })
            .ok_or_else(|| NotAnOrigin(url.to_string()))?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(limits.connect));
        connector.set_nodelay(true);
        let builder = |idle_connections| {
            let mut builder = Client::builder(TokioExecutor::new());
            builder
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(limits.idle_connection)
                .pool_max_idle_per_host(idle_connections)
                .http1_max_headers(limits.answer_fields)
                .http1_max_buf_size(limits.answer_head_bytes);
            builder
        };
        let writes = builder(0)
            .retry_canceled_requests(false)
            .build(connector.clone());
        Ok(Self {
            authority,
            limits,
            reads: builder(limits.idle_connections).build(connector),
            writes,
        })
    }

    /// Asks without a body; for GET and HEAD. `headers` have passed
    /// [`towards_origin`](super::headers::towards_origin).
    ///
    /// # Errors
    /// An origin's [`Failure`]; a 5xx is an answer here.
    pub async fn read(
        &self,
        method: Method,
        target: &PathAndQuery,
        headers: HeaderMap,
    ) -> Result<OriginAnswer, Failure> {
        let asked = Instant::now();
        let request = self.request(method, target, headers, Empty::new())?;
        let answer = timeout_at(asked + self.limits.first_byte, self.reads.request(request));
        let answer = answer.await.map_err(|_| Failure::FirstByte)?;
        let answer = answer.map_err(|error| classify(&error))?;
        self.taken(answer, asked + self.limits.whole).await
    }

    /// Asks with the reader's body, once; for everything that is not GET or HEAD.
    ///
    /// # Errors
    /// A [`Failure`]; of these only [`Failure::Connect`] says that nothing arrived.
    pub async fn write(
        &self,
        method: Method,
        target: &PathAndQuery,
        headers: HeaderMap,
        body: Incoming,
    ) -> Result<OriginAnswer, Failure> {
        let (upload, fate) = Upload::new(body, self.limits.body_bytes);
        if upload.size_hint().lower() > self.limits.body_bytes {
            return Err(Failure::ReaderTooLarge);
        }
        let deadline = Instant::now() + self.limits.write;
        let request = self.request(method, target, headers, upload.boxed_unsync())?;
        let answer = timeout_at(deadline, self.writes.request(request)).await;
        let answer = answer
            .map_err(|_| Failure::FirstByte)
            .and_then(|answer| answer.map_err(|error| classify(&error)))
            .map_err(|failure| fate.fault().unwrap_or(failure))?;
        self.taken(answer, deadline + self.limits.whole).await
    }

    /// Asks whether it is there: any answer below 500 within the probe's limit.
    ///
    /// # Errors
    /// Why it does not count as being there.
    pub async fn probe(&self, target: &PathAndQuery, host: &str) -> Result<(), Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static("holdfast-probe"));
        if let Ok(host) = HeaderValue::from_str(host) {
            headers.insert(http::header::HOST, host);
        }
        let deadline = Instant::now() + self.limits.probe;
        // On a connection of its own: that a black hole still holds old ones says nothing.
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let request = self.request(Method::GET, target, headers, body)?;
        let answer = timeout_at(deadline, self.writes.request(request)).await;
        let answer = answer
            .map_err(|_| Failure::FirstByte)?
            .map_err(|error| classify(&error))?;
        if answer.status().is_server_error() {
            return Err(Failure::Status(answer.status()));
        }
        let limits = &self.limits;
        hold(
            answer.into_body(),
            limits.probe_bytes,
            limits.idle,
            deadline,
        )
        .await?;
        Ok(())
    }

    /// Where it is, as a URL.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// The limits it is asked under.
    #[must_use]
    pub const fn limits(&self) -> &OriginLimits {
        &self.limits
    }

    fn request<B>(
        &self,
        method: Method,
        target: &PathAndQuery,
        headers: HeaderMap,
        body: B,
    ) -> Result<Request<B>, Failure> {
        let uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(target.clone())
            .build()
            .map_err(|_| Failure::Nonsense)?;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    async fn taken(
        &self,
        answer: Response<Incoming>,
        deadline: Instant,
    ) -> Result<OriginAnswer, Failure> {
        let (mut head, body) = answer.into_parts();
        let events = is_event_stream(&head.headers);
        strip(&mut head.headers);
        let body = if events {
            OriginBody::Streaming(Streaming::new(Bytes::new(), body, self.limits.events_idle))
        } else {
            hold(body, self.limits.held_bytes, self.limits.idle, deadline).await?
        };
        Ok(OriginAnswer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.authority)
    }
}

/// Events are sent one by one over hours: holding them back would hold them for ever.
fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

fn classify(error: &Error) -> Failure {
    if error.is_connect() {
        return Failure::Connect;
    }
    let cause = error
        .source()
        .and_then(|s| s.downcast_ref::<hyper::Error>());
    if let Some(cause) = cause {
        if cause.is_parse() {
            return Failure::Nonsense;
        }
        let ours = cause.source().is_some_and(|s| s.is::<BodyError>());
        if ours {
            return Failure::ReaderGone;
        }
    }
    Failure::Reset
}
