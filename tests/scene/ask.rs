//! A request, awaited for its answer: `edge.get("/").language("en").await`.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::pin::Pin;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::{ACCEPT_LANGUAGE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use stage::client::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::PATIENCE;

/// A request that was not sent yet.
#[derive(Clone, Debug)]
#[must_use = "await it"]
pub(crate) struct Ask {
    at: SocketAddr,
    method: Method,
    target: String,
    headers: HeaderMap,
    body: Bytes,
    h2: bool,
    also_host: Option<HeaderValue>,
}

impl Ask {
    pub(crate) fn new(at: SocketAddr, method: Method, host: &str, target: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        Self {
            at,
            method,
            target: target.to_owned(),
            headers,
            body: Bytes::new(),
            h2: false,
            also_host: None,
        }
    }

    /// Adds a header; `host` is replaced.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let (name, value) = (HeaderName::from_static(name), value.parse().unwrap());
        if name == HOST {
            self.headers.insert(name, value);
        } else {
            self.headers.append(name, value);
        }
        self
    }

    /// Asks in `language`.
    pub(crate) fn language(mut self, language: &str) -> Self {
        let value: HeaderValue = language.parse().unwrap();
        self.headers.insert(ACCEPT_LANGUAGE, value);
        self
    }

    /// Sends a body.
    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Bytes::copy_from_slice(body.as_ref());
        self
    }

    /// Speaks HTTP/2 without TLS and without asking first.
    pub(crate) fn h2c(mut self) -> Self {
        self.h2 = true;
        self
    }

    /// Over HTTP/2 also names a host in a field, beside `:authority`.
    pub(crate) fn also_host(mut self, host: &str) -> Self {
        self.also_host = Some(host.parse().unwrap());
        self
    }

    /// Asks on a connection of its own.
    pub(crate) async fn send(self) -> Result<Answer> {
        let what = format!("{} {} at {}", self.method, self.target, self.at);
        let whole = tokio::time::timeout(PATIENCE, self.whole());
        whole.await.context("no answer in time")?.context(what)
    }

    async fn whole(mut self) -> Result<Answer> {
        let stream = TokioIo::new(TcpStream::connect(self.at).await?);
        let response = if self.h2 {
            let host = self.headers.remove(HOST).context("a host")?;
            let uri = format!("http://{}{}", host.to_str()?, self.target);
            self.headers
                .extend(self.also_host.take().map(|host| (HOST, host)));
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
            tokio::spawn(connection);
            let response = sender.send_request(self.request(&uri)?).await?;
            // Without a sender the connection would end before the body does.
            let (parts, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            drop(sender);
            (parts, body)
        } else {
            let (mut sender, connection) = http1::handshake(stream).await?;
            tokio::spawn(connection);
            let target = self.target.clone();
            let response = sender.send_request(self.request(&target)?).await?;
            let (parts, body) = response.into_parts();
            (parts, body.collect().await?.to_bytes())
        };
        Ok(Answer {
            status: response.0.status,
            headers: response.0.headers,
            body: response.1,
        })
    }

    fn request(&self, uri: &str) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri.parse()?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }
}

impl IntoFuture for Ask {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            self.send()
                .await
                .unwrap_or_else(|error| panic!("{error:#}"))
        })
    }
}

/// Sends exactly these bytes, which must ask for the connection's end, and reads to it.
pub(crate) async fn raw(at: SocketAddr, bytes: &str) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(at).await?;
        stream.write_all(bytes.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = tokio::time::timeout(PATIENCE, exchange).await;
    answer.expect("no answer in time").unwrap()
}

/// Sends these bytes as far as they are taken, and reads to the connection's end: what was said,
/// nothing if it was just closed.
pub(crate) async fn hurl(at: SocketAddr, bytes: &[u8]) -> String {
    let exchange = async {
        let mut answer = Vec::new();
        if let Ok(mut stream) = TcpStream::connect(at).await {
            let (mut from, mut to) = stream.split();
            // An answer may come, and the connection end, before everything was sent.
            let _ = tokio::join!(to.write_all(bytes), from.read_to_end(&mut answer));
        }
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = tokio::time::timeout(PATIENCE, exchange).await;
    answer.expect("the connection stays open")
}
