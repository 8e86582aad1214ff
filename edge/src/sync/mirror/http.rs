//! Reading a mirror over plain HTTP, with the client that also asks origins.

use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::client::{
    HttpClient, HttpConnector as Connect, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use object_store::http::{HttpBuilder, HttpStore};
use object_store::{ClientOptions, RetryConfig};
use url::Url;

/// How long a connection may take.
pub const CONNECT: Duration = Duration::from_secs(2);
/// How long a connection is kept for the next poll.
pub const IDLE: Duration = Duration::from_secs(30);
/// Most header fields of an answer.
pub const FIELDS: usize = 100;
/// Largest head of an answer, bytes.
pub const HEAD_BYTES: usize = 64 << 10;

/// The store at `url`, which tries nothing twice: the next poll is the retry. `shown` goes with each
/// request, as who is asked wants to know who asks (RFC 9110 section 11.6.2).
///
/// # Errors
/// The store's, for a URL that it cannot take.
pub(super) fn store(url: &Url, shown: Option<HeaderValue>) -> object_store::Result<HttpStore> {
    HttpBuilder::new()
        .with_url(url.as_str())
        .with_client_options(ClientOptions::new().with_allow_http(true))
        .with_retry(RetryConfig {
            max_retries: 0,
            ..RetryConfig::default()
        })
        .with_http_connector(Plain(shown))
        .build()
}

#[derive(Debug)]
struct Plain(Option<HeaderValue>);

impl Connect for Plain {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .http1_max_headers(FIELDS)
            .http1_max_buf_size(HEAD_BYTES)
            .build(connector);
        Ok(HttpClient::new(Service(client, self.0.clone())))
    }
}

#[derive(Debug)]
struct Service(Client<HttpConnector, HttpRequestBody>, Option<HeaderValue>);

#[async_trait]
impl HttpService for Service {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if let Some(shown) = &self.1 {
            request.headers_mut().insert(AUTHORIZATION, shown.clone());
        }
        let answer = self.0.request(request).await.map_err(failed)?;
        Ok(answer.map(|body| {
            HttpResponseBody::new(
                body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error)),
            )
        }))
    }
}

fn failed(error: Error) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else {
        HttpErrorKind::Request
    };
    HttpError::new(kind, error)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpSocket, TcpStream};

    use super::*;
    use crate::sync::Place;
    use crate::sync::mirror::{Mirror, MirrorError, Patience};

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
