//! An origin that is always well and has nothing to say.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

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

/// A running origin. Gone when dropped.
#[derive(Debug)]
pub(super) struct Origin {
    /// Where it listens.
    pub(super) at: SocketAddr,
    _serving: JoinSet<()>,
}

impl Origin {
    /// Starts it.
    pub(super) async fn start() -> Result<Self> {
        let at = ports::free(Ipv4Addr::LOCALHOST.into())?;
        let listener = TcpListener::bind(at).await?;
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let service = service_fn(|_: Request<Incoming>| async {
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"well"))))
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                // An edge that hangs up is none of its business.
                open.spawn(async { drop(connection.await) });
            }
        });
        Ok(Self {
            at,
            _serving: serving,
        })
    }
}
