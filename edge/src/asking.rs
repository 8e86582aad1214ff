//! Asking an edge, through its control listener, how it is.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
pub use url::Url;

/// Largest status, bytes.
const STATUS_BYTES: usize = 4 << 20;
/// Most of an edge's refusal that is repeated, bytes.
const SAID_BYTES: usize = 512;
/// How long one edge may take to answer once.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long one edge may take to try out an answer: a component may run, and read from afar.
const TRIAL_PATIENCE: Duration = Duration::from_secs(12);

/// What asks.
pub type Client = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

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
    status_as(client, url, STATUS_BYTES).await
}

/// The same, at most `most` bytes of it, as far as `T` has a place for it: what is passed over is never
/// held.
///
/// # Errors
/// In words, why there is nothing to read.
pub async fn status_as<T: DeserializeOwned>(
    client: &Client,
    url: &Url,
    most: usize,
) -> Result<T, String> {
    let asked = timeout(PATIENCE, fetch(client, url, most)).await;
    asked.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")))
}

/// What `/why` of the edge at `url` answers to `question`.
///
/// # Errors
/// In words, why there is nothing to read.
pub async fn why<Q: Serialize>(
    client: &Client,
    url: &Url,
    question: &Q,
) -> Result<serde_json::Value, String> {
    let request = post(url, "/why", question)?;
    let asked = timeout(TRIAL_PATIENCE, read(client, request, "/why", STATUS_BYTES)).await;
    asked.unwrap_or_else(|_| Err(format!("no answer within {TRIAL_PATIENCE:?}")))
}

/// Lines of JSON that an edge tells one after the other.
#[derive(Debug)]
pub struct Lines {
    body: Incoming,
    held: BytesMut,
}

/// Begins what `plan` asks for at `/rehearsals` of the edge at `url`. It goes on for as long as the
/// lines are held.
///
/// # Errors
/// In words, why it does not begin.
pub async fn rehearse<P: Serialize>(client: &Client, url: &Url, plan: &P) -> Result<Lines, String> {
    let request = post(url, "/rehearsals", plan)?;
    let asked = timeout(TRIAL_PATIENCE, client.request(request)).await;
    let response = asked.map_err(|_| format!("no answer within {TRIAL_PATIENCE:?}"))?;
    let response = response.map_err(|error| causes(&error))?;
    if response.status() != StatusCode::OK {
        let status = response.status();
        let body = Limited::new(response.into_body(), STATUS_BYTES).collect();
        let body = timeout(PATIENCE, body).await.ok().and_then(Result::ok);
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        return Err(refusal("/rehearsals", status, &body));
    }
    Ok(Lines {
        body: response.into_body(),
        held: BytesMut::new(),
    })
}

impl Lines {
    /// The next; `None` at the end.
    ///
    /// # Errors
    /// In words, why there is none.
    pub async fn next(&mut self) -> Result<Option<serde_json::Value>, String> {
        loop {
            if let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
                let line = self.held.split_to(end + 1);
                let line = serde_json::from_slice(&line);
                return line
                    .map(Some)
                    .map_err(|error| format!("not readable: {error}"));
            }
            if self.held.len() > STATUS_BYTES {
                return Err("a line without end".to_owned());
            }
            let frame = timeout(TRIAL_PATIENCE, self.body.frame()).await;
            match frame.map_err(|_| format!("nothing more within {TRIAL_PATIENCE:?}"))? {
                None => return Ok(None),
                Some(Err(error)) => return Err(causes(&error)),
                Some(Ok(frame)) => self.held.extend(frame.into_data().unwrap_or_default()),
            }
        }
    }
}

async fn fetch<T: DeserializeOwned>(client: &Client, url: &Url, most: usize) -> Result<T, String> {
    let mut request = Request::new(Full::default());
    *request.uri_mut() = uri(url, "/status")?;
    read(client, request, "/status", most).await
}

fn post<T: Serialize>(url: &Url, path: &str, value: &T) -> Result<Request<Full<Bytes>>, String> {
    let body = serde_json::to_vec(value).map_err(|error| error.to_string())?;
    let mut request = Request::new(Full::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri(url, path)?;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(CONTENT_TYPE, json);
    Ok(request)
}

fn uri(url: &Url, path: &str) -> Result<Uri, String> {
    let url = url.join(path).map_err(|error| error.to_string())?;
    let uri = url.as_str().parse::<Uri>();
    uri.map_err(|error| error.to_string())
}

async fn read<T: DeserializeOwned>(
    client: &Client,
    request: Request<Full<Bytes>>,
    path: &str,
    most: usize,
) -> Result<T, String> {
    let response = client.request(request).await;
    let response = response.map_err(|error| causes(&error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), most).collect().await;
    let body = body.map_err(|error| format!("{path}: {error}"))?.to_bytes();
    if status != StatusCode::OK {
        return Err(refusal(path, status, &body));
    }
    serde_json::from_slice(&body).map_err(|error| format!("{path} is not readable: {error}"))
}

fn refusal(path: &str, status: StatusCode, body: &[u8]) -> String {
    let said = String::from_utf8_lossy(body.get(..SAID_BYTES).unwrap_or(body));
    let said = said.trim().replace(char::is_control, " ");
    format!("{path} answers {}: {said}", status.as_u16())
}

/// The innermost cause of an error: what a person can do something about.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
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
                Some(answer) => {
                    stream.write_all(&answer).await.unwrap_or_default();
                    // What lies unread when a socket closes takes the answer with it.
                    stream.shutdown().await.unwrap_or_default();
                    while stream.read_buf(&mut Vec::new()).await.is_ok_and(|n| n > 0) {}
                }
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
        let (one, other) = (control(None).await, control(None).await);
        let client = client();
        let (status, why) = tokio::join!(status(&client, &one), why(&client, &other, &""));
        assert_eq!(status.unwrap_err(), "no answer within 2s");
        assert_eq!(why.unwrap_err(), "no answer within 12s");
    }

    #[tokio::test]
    async fn lines_are_read_one_by_one_and_one_without_end_is_not_held() {
        let begun = async |body: Vec<u8>| {
            let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
            let url = control(Some([head, body].concat())).await;
            rehearse(&client(), &url, &"").await.unwrap()
        };
        let mut lines = begun(b"{\"a\":1}\n2\nx\n".to_vec()).await;
        assert_eq!(lines.next().await.unwrap().unwrap()["a"], 1);
        assert_eq!(lines.next().await.unwrap().unwrap(), 2);
        assert!(lines.next().await.unwrap_err().contains("not readable"));
        assert_eq!(lines.next().await, Ok(None));
        let mut endless = begun(vec![b' '; STATUS_BYTES + 1]).await;
        assert_eq!(endless.next().await.unwrap_err(), "a line without end");
    }

    #[tokio::test]
    async fn of_a_refusal_so_much_is_repeated_and_nothing_that_steers_a_terminal() {
        let words = format!("no\u{1b}[2J{}", "x".repeat(SAID_BYTES));
        let head = format!(
            "HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\n\r\n",
            words.len()
        );
        let url = control(Some([head, words].concat().into_bytes())).await;
        let error = why(&client(), &url, &"").await.unwrap_err();
        let said = error.strip_prefix("/why answers 400: ").unwrap();
        assert!(said.starts_with("no [2Jxxx"), "{said}");
        assert_eq!(said.len(), SAID_BYTES);
    }
}
