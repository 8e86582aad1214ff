//! An origin to lose: an HTTP server in this process that remembers what it was asked, and that
//! can die, freeze, fail and break off.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::free;

/// What an origin was asked.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

/// How an origin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// It answers.
    Well,
    /// It takes requests and never answers.
    Frozen,
    /// It answers everything with this status.
    Failing(StatusCode),
    /// It promises a body and closes before its end.
    BreaksOff,
}

type Answers = dyn Fn(&Seen) -> Response<Full<Bytes>> + Send + Sync;

/// A running origin. Dead when dropped.
pub(crate) struct Origin {
    at: SocketAddr,
    answers: Arc<Answers>,
    mood: watch::Sender<Mood>,
    seen: Arc<Mutex<Vec<Seen>>>,
    serving: JoinSet<()>,
}

impl Origin {
    /// Serves `answers`; its health is always well.
    pub(crate) async fn start(
        answers: impl Fn(&Seen) -> Response<Full<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        let mut origin = Self {
            at: free(),
            answers: Arc::new(answers),
            mood: watch::Sender::new(Mood::Well),
            seen: Arc::default(),
            serving: JoinSet::new(),
        };
        origin.rise().await;
        origin
    }

    /// Shows the files below `folder`, with tags: a mirror as any web server shows it.
    pub(crate) async fn shelf(folder: PathBuf) -> Self {
        Self::shelf_for(folder, None).await
    }

    /// The same, to those only who show this in `authorization`.
    pub(crate) async fn shelf_for(folder: PathBuf, shown: Option<&'static str>) -> Self {
        Self::start(move |seen| {
            let answer = Response::builder();
            let given = seen.headers.get("authorization");
            if shown.is_some_and(|shown| given.is_none_or(|given| given != shown)) {
                return answer.status(401).body(Full::default()).unwrap();
            }
            let answer = match fs_err::read(folder.join(seen.target.trim_start_matches('/'))) {
                Err(_) => answer.status(404).body(Full::default()),
                Ok(bytes) => {
                    let tag = format!("\"{}\"", snapshot::Digest::of(&bytes));
                    let answer = answer.header("etag", &tag);
                    if seen
                        .headers
                        .get("if-none-match")
                        .is_some_and(|known| *known == tag)
                    {
                        answer.status(304).body(Full::default())
                    } else if let Some(part) = part(&seen.headers, bytes.len()) {
                        let range =
                            format!("bytes {}-{}/{}", part.start, part.end - 1, bytes.len());
                        let answer = answer.status(206).header("content-range", range);
                        answer.body(bytes[part].to_vec().into())
                    } else {
                        answer.body(bytes.into())
                    }
                }
            };
            answer.unwrap()
        })
        .await
    }

    /// Serves the small site's first page everywhere, with a tag, and takes what is written.
    pub(crate) async fn small() -> Self {
        Self::start(|seen| {
            let answer = Response::builder();
            let answer = match (&seen.method, seen.target.as_str()) {
                (&Method::POST, _) => answer.body("written".into()),
                (_, target) if target.ends_with("/health") => answer.body("ok".into()),
                (_, "/gone") => answer
                    .status(404)
                    .body("the origin knows no such page".into()),
                _ if seen
                    .headers
                    .get("if-none-match")
                    .is_some_and(|tag| tag == "\"door\"") =>
                {
                    answer
                        .status(304)
                        .header("etag", "\"door\"")
                        .body(Full::default())
                }
                _ => answer
                    .header("content-type", "text/html; charset=utf-8")
                    .header("etag", "\"door\"")
                    .header("cache-control", "max-age=60")
                    .body(super::site::INDEX.into()),
            };
            answer.unwrap()
        })
        .await
    }

    /// Where it listens.
    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    /// What it was asked so far, probes left out.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        let is_probe = |seen: &&Seen| {
            let agent = seen.headers.get("user-agent");
            agent.is_some_and(|agent| agent == "holdfast-probe")
        };
        let asked = seen.iter().filter(|seen| !is_probe(seen));
        asked.cloned().collect()
    }

    /// Closes every connection and the listener, as SIGKILL does.
    pub(crate) async fn die(&mut self) {
        self.serving.shutdown().await;
    }

    /// Comes back where it was, well.
    pub(crate) async fn rise(&mut self) {
        self.serving.shutdown().await;
        self.mood.send_replace(Mood::Well);
        let listener = TcpListener::bind(self.at).await.unwrap();
        let (answers, seen) = (Arc::clone(&self.answers), Arc::clone(&self.seen));
        let mood = self.mood.subscribe();
        self.serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    continue;
                };
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                let mood = mood.clone();
                connections.spawn(async move {
                    let service = service_fn(|request| {
                        answer(
                            Arc::clone(&answers),
                            Arc::clone(&seen),
                            mood.clone(),
                            request,
                        )
                    });
                    let server = auto::Builder::new(TokioExecutor::new());
                    // A client that breaks off is its own affair.
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
    }

    /// Takes requests from now on and never answers: SIGSTOP, a black hole.
    pub(crate) fn freeze(&self) {
        self.mood.send_replace(Mood::Frozen);
    }

    /// Answers everything with `status` from now on.
    pub(crate) fn fail(&self, status: u16) {
        let status = StatusCode::from_u16(status).unwrap();
        self.mood.send_replace(Mood::Failing(status));
    }

    /// Breaks every answer off in its middle from now on.
    pub(crate) fn break_off(&self) {
        self.mood.send_replace(Mood::BreaksOff);
    }

    /// Answers again.
    pub(crate) fn recover(&self) {
        self.mood.send_replace(Mood::Well);
    }
}

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;

async fn answer(
    answers: Arc<Answers>,
    seen: Arc<Mutex<Vec<Seen>>>,
    mut mood: watch::Receiver<Mood>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let mut asked = Seen {
        method: parts.method,
        target: target.to_owned(),
        headers: parts.headers,
        body: Bytes::new(),
        trailers: HeaderMap::new(),
    };
    if let Ok(body) = body.collect().await {
        asked.trailers = body.trailers().cloned().unwrap_or_default();
        asked.body = body.to_bytes();
    }
    seen.lock().unwrap().push(asked.clone());
    let _ = mood.wait_for(|mood| *mood != Mood::Frozen).await;
    let mood = *mood.borrow();
    let mut response =
        answers(&asked).map(|body| body.map_err(|never| match never {}).boxed_unsync());
    match mood {
        Mood::Failing(status) => {
            *response.status_mut() = status;
            *response.body_mut() = Full::from("the origin is unwell")
                .map_err(|never| match never {})
                .boxed_unsync();
        }
        Mood::BreaksOff => {
            *response.body_mut() = broken(b"<!doctype html><p>half a pa");
        }
        Mood::Well | Mood::Frozen => {}
    }
    Ok(response)
}

/// A body of `words` and then an error, which closes the connection.
fn broken(words: &'static [u8]) -> Body {
    let frames = [
        Ok(Frame::data(Bytes::from_static(words))),
        Err(std::io::Error::other("broken off")),
    ];
    StreamBody::new(futures::stream::iter(frames)).boxed_unsync()
}

/// The part that is asked for of so many bytes: `bytes=FIRST-LAST` or `bytes=-COUNT`.
fn part(head: &HeaderMap, length: usize) -> Option<std::ops::Range<usize>> {
    let field = head.get("range")?.to_str().ok()?.strip_prefix("bytes=")?;
    let (first, last) = field.split_once('-')?;
    let part = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => first..length.min(last + 1),
        (Ok(first), Err(_)) => first..length,
        (Err(_), Ok(count)) => length.saturating_sub(count)..length,
        (Err(_), Err(_)) => return None,
    };
    (part.start < part.end).then_some(part)
}
