//! Asking an edge, through its control listener, how it is.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;
pub use url::Url;

/// Largest status, bytes.
const STATUS_BYTES: usize = 4 << 20;
/// How long one edge may take to answer once.
const PATIENCE: Duration = Duration::from_secs(2);

/// What asks.
pub type Client = hyper_util::client::legacy::Client<HttpConnector, Empty<Bytes>>;

/// A client for many edges.
#[must_use]
pub fn client() -> Client {
    hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http()
}

/// What `/status` of the edge at `url` says.
///
/// # Errors
/// In words, why there is nothing to read.
pub async fn status(client: &Client, url: &Url) -> Result<serde_json::Value, String> {
    let asked = timeout(PATIENCE, fetch(client, url)).await;
    asked.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")))
}

async fn fetch(client: &Client, url: &Url) -> Result<serde_json::Value, String> {
    let status = url.join("/status").map_err(|error| error.to_string())?;
    let uri = status
        .as_str()
        .parse::<http::Uri>()
        .map_err(|error| error.to_string())?;
    let response = client.get(uri).await.map_err(|error| causes(&error))?;
    if response.status() != http::StatusCode::OK {
        return Err(format!("/status answers {}", response.status().as_u16()));
    }
    let body = Limited::new(response.into_body(), STATUS_BYTES)
        .collect()
        .await;
    let body = body
        .map_err(|error| format!("/status: {error}"))?
        .to_bytes();
    serde_json::from_slice(&body).map_err(|error| format!("/status is not readable: {error}"))
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A control listener that answers one request with these bytes, or never.
    async fn control(answer: Option<Vec<u8>>) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_buf(&mut Vec::new()).await.unwrap();
            match answer {
                Some(answer) => stream.write_all(&answer).await.unwrap_or_default(),
                None => std::future::pending().await,
            }
        });
        url.parse().unwrap()
    }

    #[tokio::test]
    async fn a_status_longer_than_any_is_not_read() {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
            STATUS_BYTES + 1
        );
        let answer = [head.into_bytes(), vec![b' '; STATUS_BYTES + 1]].concat();
        let url = control(Some(answer)).await;
        let error = status(&client(), &url).await.unwrap_err();
        assert_eq!(error, "/status: length limit exceeded");
    }

    #[tokio::test]
    async fn an_edge_that_does_not_answer_is_waited_for_a_while() {
        let url = control(None).await;
        let error = status(&client(), &url).await.unwrap_err();
        assert_eq!(error, "no answer within 2s");
    }
}
