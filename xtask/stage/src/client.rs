//! A plain HTTP client, as a phone behind no CDN would be.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// How long a reader waits before giving up.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Asks with kept connections.
#[derive(Clone, Debug)]
pub struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    host: String,
}

/// What came back, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text, empty if absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// True for an answer made from the snapshot.
    #[must_use]
    pub fn from_snapshot(&self) -> bool {
        self.headers.contains_key("holdfast-as-of")
    }

    /// What to write where it should have been another: its status, and how the edge says it was
    /// made (RFC 9211).
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.header("cache-status") {
            "" => self.status.to_string(),
            made => format!("{} ({made})", self.status),
        }
    }

    /// True for a page.
    #[must_use]
    pub fn is_html(&self) -> bool {
        self.header(CONTENT_TYPE.as_str()).starts_with("text/html")
    }
}

impl Client {
    /// A client that names `host` in its requests.
    #[must_use]
    pub fn new(host: &str) -> Self {
        Self {
            pool: Pool::builder(TokioExecutor::new()).build_http(),
            host: host.to_owned(),
        }
    }

    /// GETs `path` in `language`.
    ///
    /// # Errors
    /// No whole answer within [`PATIENCE`].
    pub async fn get(&self, at: SocketAddr, path: &str, language: &str) -> Result<Answer> {
        self.send(at, Method::GET, path, language, Bytes::new())
            .await
    }

    /// POSTs a form.
    ///
    /// # Errors
    /// No whole answer within [`PATIENCE`].
    pub async fn post(&self, at: SocketAddr, path: &str, form: &'static str) -> Result<Answer> {
        self.send(
            at,
            Method::POST,
            path,
            "ko",
            Bytes::from_static(form.as_bytes()),
        )
        .await
    }

    async fn send(
        &self,
        at: SocketAddr,
        method: Method,
        path: &str,
        language: &str,
        body: Bytes,
    ) -> Result<Answer> {
        let mut request = Request::builder()
            .method(&method)
            .uri(format!("http://{at}{path}"))
            .header(HOST, &self.host)
            .header(ACCEPT_LANGUAGE, language);
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Full::new(body))?;
        let whole = async {
            let (parts, body) = self.pool.request(request).await?.into_parts();
            anyhow::Ok(Answer {
                status: parts.status,
                headers: parts.headers,
                body: body.collect().await?.to_bytes(),
            })
        };
        tokio::time::timeout(PATIENCE, whole)
            .await
            .context("no answer in time")?
    }
}
