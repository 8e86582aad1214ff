//! A relay between an edge and its mirror that counts the bytes of each request and its answer.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use stage::ports;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What one request and its answer took, bytes; by path, in the order they came.
pub(super) type Exchanges = BTreeMap<String, Vec<usize>>;

/// A running relay. Gone when dropped.
#[derive(Debug)]
pub(super) struct Relay {
    /// Where it listens.
    pub(super) at: SocketAddr,
    seen: Arc<Mutex<Exchanges>>,
    _serving: JoinSet<()>,
}

impl Relay {
    /// Passes everything on to `to` and back.
    pub(super) async fn start(to: SocketAddr) -> Result<Self> {
        let at = ports::free(Ipv4Addr::LOCALHOST.into())?;
        let listener = TcpListener::bind(at).await?;
        let seen = Arc::new(Mutex::new(Exchanges::new()));
        let mut serving = JoinSet::new();
        let exchanges = Arc::clone(&seen);
        serving.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let exchanges = Arc::clone(&exchanges);
                // Whoever hangs up ends it.
                open.spawn(async move { drop(pass(stream, to, &exchanges).await) });
            }
        });
        Ok(Self {
            at,
            seen,
            _serving: serving,
        })
    }

    /// What was exchanged since the last time it was asked.
    pub(super) fn take(&self) -> Exchanges {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One connection: a request is over when its answer begins, and an answer when the next one does.
async fn pass(mut edge: TcpStream, to: SocketAddr, seen: &Mutex<Exchanges>) -> Result<()> {
    let mut mirror = TcpStream::connect(to).await?;
    mirror.set_nodelay(true)?;
    edge.set_nodelay(true)?;
    let (mut asks, mut answers) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut path = String::new();
    let mut count = 0;
    let mut answered = false;
    loop {
        tokio::select! {
            read = edge.read(&mut asks) => {
                let part = asks.get(..read?).unwrap_or_default();
                if answered || part.is_empty() {
                    note(seen, &path, count);
                    (count, answered) = (0, false);
                }
                if part.is_empty() {
                    return Ok(());
                }
                if count == 0 {
                    path = asked(part);
                }
                count += part.len();
                mirror.write_all(part).await?;
            }
            read = mirror.read(&mut answers) => {
                let part = answers.get(..read?).unwrap_or_default();
                if part.is_empty() {
                    note(seen, &path, count);
                    return Ok(());
                }
                (count, answered) = (count + part.len(), true);
                edge.write_all(part).await?;
            }
        }
    }
}

fn note(seen: &Mutex<Exchanges>, path: &str, count: usize) {
    if count > 0 {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(path.to_owned()).or_default().push(count);
    }
}

/// The path of a request's first line.
fn asked(head: &[u8]) -> String {
    let head = String::from_utf8_lossy(head);
    head.split(' ').nth(1).unwrap_or_default().to_owned()
}
