//! HTTP to a mirror, with the client that also asks origins: a web server that shows a folder, and
//! below the protocol of a bucket.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use hyper::body::{Body, Frame};
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connect as Connects, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::client::{
    HttpClient, HttpConnector as Connect, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use object_store::http::{HttpBuilder, HttpStore};
use object_store::{ClientOptions, RetryConfig};
use url::Url;

use super::date::ClockOff;
use super::{Shown, tls};
use crate::sync::wall_clock;

/// How long a connection may take.
pub const CONNECT: Duration = Duration::from_secs(2);
/// How long a connection is kept for the next poll.
pub const IDLE: Duration = Duration::from_secs(30);
/// Most header fields of an answer.
pub const FIELDS: usize = 100;
/// Largest head of an answer, bytes.
pub const HEAD_BYTES: usize = 64 << 10;
/// Most bytes read of the body of an answer that gives nothing; the store reads it whole, to show it.
pub const REFUSAL_BYTES: usize = 64 << 10;

/// The store at `url`, which tries nothing twice: the next poll is the retry. `shown` goes with each
/// request, as who is asked wants to know who asks (RFC 9110 section 11.6.2). `clock` sees each answer.
///
/// # Errors
/// In words.
pub(super) fn store(url: &Url, shown: &Shown, clock: &ClockOff) -> Result<HttpStore, String> {
    let transport = if url.scheme() == "https" {
        Transport::Tls(tls::over(connector(), shown.tls.as_ref())?)
    } else {
        Transport::Plain
    };
    HttpBuilder::new()
        .with_url(url.as_str())
        .with_client_options(ClientOptions::new().with_allow_http(true))
        .with_retry(RetryConfig {
            max_retries: 0,
            ..RetryConfig::default()
        })
        .with_http_connector(Client {
            transport,
            shown: shown.token.clone(),
            clock: clock.clone(),
        })
        .build()
        .map_err(|error| error.to_string())
}

/// What connects, and what it shows with each request.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) transport: Transport,
    pub(super) shown: Option<HeaderValue>,
    /// What its clock is compared with.
    pub(super) clock: ClockOff,
}

/// With or without TLS.
#[derive(Clone, Debug)]
pub(super) enum Transport {
    /// As it is.
    Plain,
    /// Under TLS.
    Tls(HttpsConnector<HttpConnector>),
}

impl Connect for Client {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let also = (self.shown.clone(), self.clock.clone());
        Ok(match &self.transport {
            Transport::Plain => client(connector(), also),
            Transport::Tls(connector) => client(connector.clone(), also),
        })
    }
}

pub(super) fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_nodelay(true);
    connector
}

fn client<C>(connector: C, (shown, clock): (Option<HeaderValue>, ClockOff)) -> HttpClient
where
    C: Connects + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    let client = legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .http1_max_headers(FIELDS)
        .http1_max_buf_size(HEAD_BYTES)
        .build(connector);
    HttpClient::new(Service(client, shown, clock))
}

#[derive(Debug)]
struct Service<C>(
    legacy::Client<C, HttpRequestBody>,
    Option<HeaderValue>,
    ClockOff,
);

#[async_trait]
impl<C> HttpService for Service<C>
where
    C: Connects + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if let Some(shown) = &self.1 {
            request.headers_mut().insert(AUTHORIZATION, shown.clone());
        }
        let answer = self.0.request(request).await.map_err(failed)?;
        self.2.see(answer.headers(), wall_clock());
        let gives = answer.status().is_success();
        Ok(answer.map(|body| {
            let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
            if gives {
                HttpResponseBody::new(body)
            } else {
                HttpResponseBody::new(StreamBody::new(beginning(body)))
            }
        }))
    }
}

/// What comes of a body until it is beyond [`REFUSAL_BYTES`], as if it ended there.
fn beginning<B: Body<Data = Bytes>>(body: B) -> impl Stream<Item = Result<Frame<Bytes>, B::Error>> {
    BodyStream::new(body).scan(REFUSAL_BYTES, |left, frame| {
        let goes_on = *left > 0;
        let data = frame.as_ref().ok().and_then(Frame::data_ref);
        *left = left.saturating_sub(data.map_or(0, Bytes::len));
        std::future::ready(goes_on.then_some(frame))
    })
}

fn failed(error: legacy::Error) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else {
        HttpErrorKind::Request
    };
    HttpError::new(kind, Told(told(&error)))
}

/// The client's error says what failed, and what lies under it why.
fn told(error: &dyn std::error::Error) -> String {
    let under = std::iter::successors(error.source(), |error| error.source());
    under.fold(error.to_string(), |told, error| format!("{told}: {error}"))
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpSocket, TcpStream};

    use super::*;
    use crate::sync::Place;
    use crate::sync::mirror::endless::endless;
    use crate::sync::mirror::{Fetched, Mirror, MirrorError, Patience};

    async fn read(mirror: SocketAddr) -> Result<Option<Vec<u8>>, MirrorError> {
        let url = Url::parse(&format!("http://{mirror}/")).unwrap();
        let patience = Patience {
            small: Duration::from_secs(600),
            ..Patience::default()
        };
        let mirror = Mirror::open(&url).unwrap().with_patience(patience);
        mirror
            .read(&Place::release(&"dasom".parse().unwrap()), 64)
            .await
    }

    #[tokio::test]
    async fn what_is_written_under_the_tag_of_the_one_before_is_seen() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            for body in ["one", "two"] {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 4096];
                let read = stream.read(&mut head).await.unwrap();
                let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
                let answer = match head.contains("if-none-match") {
                    true => "HTTP/1.1 304 Not Modified\r\nconnection: close\r\n\r\n".to_owned(),
                    false => format!(
                        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\netag: \"1-3\"\r\n\
                         last-modified: Sun, 22 Nov 2026 05:05:00 GMT\r\n\r\n{body}"
                    ),
                };
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let mirror = Mirror::open(&url).unwrap();
        let place = Place::orders(&"dasom".parse().unwrap());
        let mut tag: Option<String> = None;
        for expected in ["one", "two"] {
            let fetched = mirror.fetch(&place, tag.as_deref(), 16).await.unwrap();
            let Fetched::Found { bytes, etag } = fetched else {
                panic!("{fetched:?} in place of {expected}");
            };
            assert_eq!(bytes, expected.as_bytes());
            tag = etag;
        }
    }

    /// What is read of an answer with `fields` beside the two that it needs.
    async fn answered(fields: String) -> Result<Option<Vec<u8>>, MirrorError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let telling = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\
                 last-modified: Sun, 22 Nov 2026 05:05:00 GMT\r\n{fields}\r\nown"
            );
            // Who has had enough of the head hangs up.
            stream.write_all(answer.as_bytes()).await.ok();
        });
        let read = read(address).await;
        telling.await.unwrap();
        read
    }

    #[tokio::test]
    async fn a_head_of_a_mirror_beyond_its_limits_is_not_read() {
        let field = |bytes| format!("x: {}\r\n", "y".repeat(bytes));
        for (fields, fits) in [
            (field(1).repeat(FIELDS - 2), true),
            (field(1).repeat(FIELDS - 1), false),
            (field(HEAD_BYTES / 2), true),
            (field(HEAD_BYTES * 2), false),
        ] {
            let bytes = fields.len();
            let read = answered(fields).await;
            assert_eq!(read.is_ok(), fits, "{bytes}: {read:?}");
        }
    }

    #[tokio::test]
    async fn what_a_mirror_says_when_it_gives_nothing_is_not_read_to_its_end() {
        let mirror = endless(1).await;
        let read = read(mirror.socket_addrs(|| None).unwrap()[0]).await;
        assert!(matches!(read, Ok(None)), "{read:?}");
    }

    #[tokio::test]
    async fn a_mirror_that_cannot_be_connected_to_is_given_up() {
        // A queue that nobody takes from: once it is full, the system lets connections wait.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let soon = Duration::from_millis(150);
        let mut waiting = Vec::new();
        while let Ok(Ok(stream)) = tokio::time::timeout(soon, TcpStream::connect(address)).await {
            waiting.push(stream);
        }
        let refused = read(address).await;
        assert!(
            matches!(refused, Err(MirrorError::Store { .. })),
            "{refused:?}"
        );
    }
}
