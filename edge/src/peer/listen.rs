//! The listener for other edges: connections, TLS, and their limits. HTTP/1.1 only.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::answer::answer;
use super::guard::{Guard, Visit};
use super::limits::PeerLimits;
use super::shelf::Shelf;
use super::tls::Fleet;
use super::token::Token;
use crate::serve::{ACCEPT_PAUSE, Counted, Taking};

/// What is given, to whom, and how much of it.
#[derive(Debug)]
pub struct Room {
    /// One for each site.
    pub shelves: Vec<Arc<Shelf>>,
    /// What lets in whoever shows it.
    pub token: Option<Token>,
    /// With a certificate of it connections are TLS, and certificates may let in.
    pub fleet: Option<Fleet>,
    /// What a source may have.
    pub limits: PeerLimits,
}

/// Answers on `listener` for as long as it is polled.
pub async fn serve(room: Arc<Room>, listener: TcpListener) {
    let guard = Arc::new(Guard::new(room.limits));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((stream, from)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        stream.set_nodelay(true).ok();
        let Some(visit) = guard.enter(from.ip()) else {
            continue;
        };
        connections.spawn(connection(Arc::clone(&room), visit, stream));
    }
}

async fn connection(room: Arc<Room>, visit: Visit, stream: TcpStream) {
    let taking = Arc::new(Taking::default());
    let socket = Counted::new(stream, Arc::clone(&taking));
    let Some(server) = room.fleet.as_ref().and_then(|fleet| fleet.server.as_ref()) else {
        return talk(&room, &visit, socket, false, &taking).await;
    };
    let accepting = TlsAcceptor::from(Arc::clone(server)).accept(socket);
    match timeout(room.limits.head_time, accepting).await {
        Ok(Ok(stream)) => {
            // The authority's signature was checked when they shook hands.
            let is_known = stream.get_ref().1.peer_certificates().is_some();
            talk(&room, &visit, stream, is_known, &taking).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a peer does not speak TLS as it should"),
        Err(_) => tracing::debug!("a peer does not get to the end of its handshake"),
    }
}

async fn talk<S>(room: &Room, visit: &Visit, stream: S, is_known: bool, taking: &Taking)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request: hyper::Request<Incoming>| async move {
        let turn = visit.turn().await;
        Ok::<_, Infallible>(answer(room, turn, is_known, request).await)
    });
    let limits = &room.limits;
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head_bytes)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        ended = serving => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a peer's connection broke off");
            }
        }
        () = taking.stalls(limits.stall) => {
            tracing::debug!("a peer takes nothing: the connection is cut");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// A listener that gives nothing to anybody, within these limits.
    async fn nothing(limits: PeerLimits) -> (SocketAddr, JoinSet<()>) {
        let room = Room {
            shelves: Vec::new(),
            token: None,
            fleet: None,
            limits,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(serve(Arc::new(room), listener));
        (at, serving)
    }

    async fn answered(at: SocketAddr, asked: &str) -> String {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A connection that is cut may lose what was sent before.
        stream.read_to_end(&mut answer).await.ok();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn who_does_not_finish_a_head_or_takes_nothing_is_shown_out() {
        let soon = Duration::from_millis(300);
        let limits = PeerLimits {
            head_time: soon,
            stall: soon,
            requests_a_second: u64::MAX,
            ..PeerLimits::default()
        };
        let (at, _serving) = nothing(limits).await;
        let asked = "GET /small/release HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        assert!(answered(at, asked).await.starts_with("HTTP/1.1 401 "));
        let field =
            |bytes| asked.replace("host: x", &format!("host: x\r\nx: {}", "y".repeat(bytes)));
        let fits = limits.head_bytes - asked.len() - 16;
        assert!(
            answered(at, &field(fits))
                .await
                .starts_with("HTTP/1.1 401 ")
        );
        let beyond = answered(at, &field(limits.head_bytes)).await;
        assert!(beyond.starts_with("HTTP/1.1 431 "), "{beyond}");
        // Half a head, and nothing more.
        let half = answered(at, "GET /small/rel").await;
        assert!(!half.contains("401"), "{half}");
        // Many requests, and no answer is taken.
        let mut stream = TcpStream::connect(at).await.unwrap();
        let asked = asked.replace("connection: close\r\n", "");
        let cut = async { while stream.write_all(asked.as_bytes()).await.is_ok() {} };
        timeout(Duration::from_secs(60), cut).await.unwrap();
    }
}
