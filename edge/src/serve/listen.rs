//! The public listener: connections, their limits, and their end.
//!
//! HTTP/1.1 and HTTP/2 without TLS (prior knowledge) on one port. When the edge stops, nothing new
//! is accepted, idle connections close, and requests under way may finish within the grace given.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::edge::Edge;
use super::limits::ServeLimits;
use super::stall::{Counted, Look, Taking};
use super::way::handle;

/// How long to wait after the system refused a connection, mostly for want of file descriptors.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How the last requests ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// All of them were answered.
    Finished,
    /// This many connections were still open when the grace was over.
    CutOff(usize),
}

/// Serves `edge` on `listener` until `stop`, then lets requests under way finish for `grace`.
pub async fn serve(
    edge: Arc<Edge>,
    listener: TcpListener,
    limits: ServeLimits,
    stop: CancellationToken,
    grace: Duration,
) -> Drained {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    let cut = CancellationToken::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else {
            continue;
        };
        let (edge, stop, cut) = (Arc::clone(&edge), stop.clone(), cut.clone());
        connections.spawn(async move {
            edge.metrics.connections().inc();
            tokio::select! {
                () = cut.cancelled() => {}
                () = connection(&edge, stream, peer, limits, &stop) => {}
            }
            edge.metrics.connections().dec();
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(grace, connections.wait())
        .await
        .is_ok()
    {
        return Drained::Finished;
    }
    let left = connections.len();
    cut.cancel();
    connections.wait().await;
    Drained::CutOff(left)
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<Accepted> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            stream.set_nodelay(true).ok();
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection was not accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn connection(
    edge: &Arc<Edge>,
    stream: TcpStream,
    peer: SocketAddr,
    limits: ServeLimits,
    stop: &CancellationToken,
) {
    let builder = builder(&limits);
    let asked = AtomicU64::new(0);
    let taking = Arc::new(Taking::default());
    let service = service_fn(|request| {
        asked.fetch_add(1, Ordering::Relaxed);
        let (edge, turn) = (Arc::clone(edge), taking.begin());
        async move {
            let answer = handle(&edge, peer, request).await;
            Ok::<_, std::convert::Infallible>(turn.over(answer))
        }
    });
    let socket = Counted::new(stream, Arc::clone(&taking));
    let mut serving = pin!(builder.serve_connection(TokioIo::new(socket), service));
    // The library's own timer starts once it knows the protocol, and on HTTP/2 there is none: this
    // one covers the time before, and connections that live on pings alone.
    let mut look = pin!(tokio::time::sleep(limits.head_time));
    let mut asked_before = 0;
    let mut taken = pin!(tokio::time::sleep(limits.stall));
    let mut last = Look::default();
    let mut closing = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "a connection broke off");
                }
                return;
            }
            () = look.as_mut(), if !closing => {
                let asked_now = asked.load(Ordering::Relaxed);
                if asked_now == 0 {
                    return;
                }
                if asked_now == asked_before {
                    closing = true;
                    serving.as_mut().graceful_shutdown();
                }
                asked_before = asked_now;
                look.as_mut().reset(Instant::now() + limits.idle);
            }
            () = taken.as_mut() => {
                let now = taking.look(closing);
                if now.stalls_since(last) {
                    tracing::debug!("a reader takes nothing: the connection is cut");
                    return;
                }
                last = now;
                taken.as_mut().reset(Instant::now() + limits.stall);
            }
            () = stop.cancelled(), if !closing => {
                closing = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

fn builder(limits: &ServeLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_headers(limits.header_fields)
        .max_buf_size(limits.head_bytes)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams)
        .keep_alive_interval(limits.ping)
        .keep_alive_timeout(limits.ping);
    builder
}
