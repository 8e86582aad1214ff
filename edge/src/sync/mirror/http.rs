//! Reading a mirror over plain HTTP, with the client that also asks origins.

use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt as _;
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

/// The store at `url`, which tries nothing twice: the next poll is the retry.
///
/// # Errors
/// The store's, for a URL that it cannot take.
pub(super) fn store(url: &Url) -> object_store::Result<HttpStore> {
    HttpBuilder::new()
        .with_url(url.as_str())
        .with_client_options(ClientOptions::new().with_allow_http(true))
        .with_retry(RetryConfig {
            max_retries: 0,
            ..RetryConfig::default()
        })
        .with_http_connector(Plain)
        .build()
}

#[derive(Debug)]
struct Plain;

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
        Ok(HttpClient::new(Service(client)))
    }
}

#[derive(Debug)]
struct Service(Client<HttpConnector, HttpRequestBody>);

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
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
