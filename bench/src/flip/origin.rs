//! An origin that has nothing to say, counts who asks, and dies and comes back when it is told to.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use stage::ports;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// An origin. Gone when dropped.
#[derive(Debug)]
pub(super) struct Origin {
    /// Where it listens.
    pub(super) at: SocketAddr,
    arrivals: Arc<Mutex<Vec<Instant>>>,
    serving: JoinSet<()>,
}

impl Origin {
    /// Starts it.
    pub(super) async fn start() -> Result<Self> {
        let mut origin = Self {
            at: ports::free(Ipv4Addr::LOCALHOST.into())?,
            arrivals: Arc::default(),
            serving: JoinSet::new(),
        };
        origin.revive().await?;
        Ok(origin)
    }

    /// Takes it away, with every connection.
    pub(super) fn die(&mut self) {
        self.serving.abort_all();
    }

    /// Brings it back, where it was.
    pub(super) async fn revive(&mut self) -> Result<()> {
        while self.serving.join_next().await.is_some() {}
        let listener = TcpListener::bind(self.at).await?;
        let arrivals = Arc::clone(&self.arrivals);
        self.serving.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let arrivals = Arc::clone(&arrivals);
                let service = service_fn(move |_: Request<Incoming>| {
                    let mut arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
                    arrivals.push(Instant::now());
                    let well = Full::new(Bytes::from_static(b"well"));
                    std::future::ready(Ok::<_, Infallible>(Response::new(well)))
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                // An edge that hangs up is none of its business.
                open.spawn(async { drop(connection.await) });
                while open.try_join_next().is_some() {}
            }
        });
        Ok(())
    }

    /// When requests came, probes included, from one moment until another.
    pub(super) fn arrivals(&self, from: Instant, until: Instant) -> Vec<Instant> {
        let arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let between = arrivals.iter().filter(|at| (from..until).contains(at));
        between.copied().collect()
    }
}
