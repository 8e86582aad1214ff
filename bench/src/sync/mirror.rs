//! A mirror over plain HTTP that counts what it sends, and that shows a new release only when it is
//! told to: so what the publisher does is over when the edge begins.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use anyhow::Result;
use bytes::Bytes;
use http::header::{ETAG, IF_NONE_MATCH};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use stage::ports;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::ServiceExt;
use tower_http::services::ServeDir;

type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// A running mirror. Gone when dropped.
#[derive(Debug)]
pub(super) struct Mirror {
    /// Where it listens.
    pub(super) at: SocketAddr,
    shelf: Arc<Shelf>,
    _serving: JoinSet<()>,
}

#[derive(Debug)]
struct Shelf {
    folder: ServeDir,
    pointer: PathBuf,
    /// What the pointer is for whoever asks.
    shown: Mutex<Bytes>,
    sent: AtomicU64,
    last_object: Mutex<Option<Instant>>,
}

impl Mirror {
    /// Serves `folder`, whose pointer is the file `pointer`.
    pub(super) async fn start(folder: &Path, pointer: &Path) -> Result<Self> {
        let shelf = Arc::new(Shelf {
            folder: ServeDir::new(folder),
            pointer: pointer.to_owned(),
            shown: Mutex::default(),
            sent: AtomicU64::new(0),
            last_object: Mutex::default(),
        });
        let at = ports::free(Ipv4Addr::LOCALHOST.into())?;
        let listener = TcpListener::bind(at).await?;
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&shelf)));
        let mirror = Self {
            at,
            shelf,
            _serving: serving,
        };
        mirror.show()?;
        Ok(mirror)
    }

    /// From now on the newest release is shown.
    pub(super) fn show(&self) -> Result<()> {
        let pointer = fs_err::read(&self.shelf.pointer)?;
        *lock(&self.shelf.shown) = pointer.into();
        Ok(())
    }

    /// Bytes sent so far, heads included.
    pub(super) fn sent(&self) -> u64 {
        self.shelf.sent.load(Ordering::Relaxed)
    }

    /// When the last byte of an object was sent.
    pub(super) fn last_object(&self) -> Option<Instant> {
        *lock(&self.shelf.last_object)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, shelf: Arc<Shelf>) {
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        // As every web server does: else the end of an answer waits here, and not on the way.
        stream.set_nodelay(true).ok();
        let asked = Arc::new(AtomicBool::new(false));
        let counted = Counted {
            stream,
            shelf: Arc::clone(&shelf),
            object: Arc::clone(&asked),
        };
        let shelf = Arc::clone(&shelf);
        let service = service_fn(move |request: Request<Incoming>| {
            let object = request.uri().path().contains("/objects/");
            asked.store(object, Ordering::Relaxed);
            answer(Arc::clone(&shelf), request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(counted), service);
        // An edge that hangs up is none of a mirror's business.
        open.spawn(async { drop(connection.await) });
    }
}

async fn answer(
    shelf: Arc<Shelf>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    if !request.uri().path().ends_with("/release") {
        let folder = shelf.folder.clone();
        let answer = folder.oneshot(request).await?;
        return Ok(answer.map(BodyExt::boxed_unsync));
    }
    let shown = lock(&shelf.shown).clone();
    let tag = format!("\"{}\"", snapshot::Digest::of(&shown));
    let known = request.headers().get(IF_NONE_MATCH);
    let same = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let (status, body) = match same {
        true => (StatusCode::NOT_MODIFIED, Bytes::new()),
        false => (StatusCode::OK, shown),
    };
    let body = Full::new(body).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    *answer.status_mut() = status;
    if let Ok(tag) = tag.parse() {
        answer.headers_mut().insert(ETAG, tag);
    }
    Ok(answer)
}

/// A connection whose written bytes are counted.
struct Counted {
    stream: TcpStream,
    shelf: Arc<Shelf>,
    /// What was asked last on it is an object.
    object: Arc<AtomicBool>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = &written {
            self.shelf.sent.fetch_add(*count as u64, Ordering::Relaxed);
            if self.object.load(Ordering::Relaxed) {
                *lock(&self.shelf.last_object) = Some(Instant::now());
            }
        }
        written
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
