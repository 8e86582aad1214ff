//! An origin that can be broken: it answers, refuses, falls silent, or breaks off.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Well,
    /// Connections are taken, nothing is ever said.
    BlackHole,
}

/// A page whose button needs `pay`.
pub(super) const PAGE: &str = "<!doctype html><html><body><main>\
    <a data-needs=\"pay\">send a gift</a><p data-without=\"pay\">account numbers</p>\
    </main></body></html>";

/// Header fields that an edge takes from an origin.
pub(super) const FIELDS: usize = 20;

/// Bytes of a head that an edge takes from an origin.
pub(super) const HEAD_BYTES: usize = 16 << 10;

pub(super) struct BreakableOrigin {
    pub(super) address: SocketAddr,
    mood: watch::Sender<Mood>,
    seen: Arc<Mutex<Vec<String>>>,
    accepting: Mutex<Option<AbortOnDropHandle<()>>>,
}

impl BreakableOrigin {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Self {
            address: listener.local_addr().unwrap(),
            mood: watch::Sender::new(Mood::Well),
            seen: Arc::default(),
            accepting: Mutex::default(),
        };
        origin.accept(listener);
        origin
    }

    pub(super) fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Refuses connections and breaks those there are, as a killed process does.
    pub(super) async fn kill(&self) {
        let accepting = self.accepting.lock().unwrap().take();
        if let Some(accepting) = accepting {
            accepting.abort();
            accepting.await.ok();
        }
    }

    pub(super) async fn revive(&self) {
        self.set(Mood::Well);
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.accept(listener);
    }

    /// Everything that was asked, heads and bodies, probes left out.
    pub(super) fn seen(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let asked = seen.iter().filter(|text| !text.contains("holdfast-probe"));
        asked.cloned().collect()
    }

    fn accept(&self, listener: TcpListener) {
        let (mood, seen) = (self.mood.subscribe(), Arc::clone(&self.seen));
        let task = tokio::spawn(async move {
            // Dropping the set aborts what it holds.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(talk(stream, mood.clone(), Arc::clone(&seen)));
            }
        });
        *self.accepting.lock().unwrap() = Some(AbortOnDropHandle::new(task));
    }
}

async fn talk(
    mut stream: TcpStream,
    mut mood: watch::Receiver<Mood>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let Some(request) = read_request(&mut stream).await else {
            return;
        };
        seen.lock().unwrap().push(request.clone());
        mood.wait_for(|mood| *mood == Mood::Well).await.ok();
        if !answer(&mut stream, &request).await {
            return;
        }
    }
}

/// Head and body of the next request.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let n = stream.read(&mut piece).await.ok().filter(|n| *n > 0)?;
        read.extend_from_slice(&piece[..n]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.trim().parse().unwrap());
        let whole = if head.contains("transfer-encoding: chunked") {
            // The last chunk begins a line; other sizes may end in 0.
            body.starts_with("0\r\n") || body.contains("\r\n0\r\n")
        } else {
            body.len() >= length
        };
        if whole {
            return Some(text);
        }
    }
}

/// An answer with these fields and one more.
fn head_of(fields: String) -> String {
    format!("HTTP/1.1 200 OK\r\n{fields}content-length: 3\r\n\r\nown")
}

/// Answers; false when the connection is over.
async fn answer(stream: &mut TcpStream, request: &str) -> bool {
    let target = request.split(' ').nth(1).unwrap();
    let fine = |kind: &str, body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
             cache-control: max-age=60\r\netag: \"o1\"\r\nconnection: x-hop\r\nx-hop: 1\r\n\
             holdfast-as-of: forged\r\n\r\n{body}",
            body.len()
        )
    };
    let status = |status: &str| format!("HTTP/1.1 {status}\r\ncontent-length: 3\r\n\r\nown");
    let (bytes, goes_on) = match target {
        "/page.html" if request.contains("if-none-match: \"o1\"") => (
            "HTTP/1.1 304 Not Modified\r\netag: \"o1\"\r\n\r\n".to_owned(),
            true,
        ),
        "/page.html" => (fine("text/html; charset=utf-8", PAGE), true),
        "/big" => {
            let body = "x".repeat(1 << 20);
            (fine("text/plain", &body), true)
        }
        "/big-page" => {
            let body = format!("{PAGE}{}", "<p>filler</p>".repeat(40_000));
            (fine("text/html", &body), true)
        }
        "/broken.txt" => {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly this";
            (head.to_owned(), false)
        }
        "/broken-late" => {
            let body = "x".repeat(1 << 20);
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n";
            (format!("{head}{body}"), false)
        }
        "/halting.txt" => {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly this";
            stream.write_all(head.as_bytes()).await.ok();
            return std::future::pending().await;
        }
        "/halting-late" => {
            let body = "x".repeat(1 << 20);
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok();
            stream.write_all(body.as_bytes()).await.ok();
            return std::future::pending().await;
        }
        "/endless" => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n";
            let mut written = stream.write_all(head.as_bytes()).await;
            let piece = "x".repeat(1 << 16);
            while written.is_ok() {
                written = stream.write_all(piece.as_bytes()).await;
            }
            return false;
        }
        "/events" => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: one\n\n";
            stream.write_all(head.as_bytes()).await.ok();
            return std::future::pending().await;
        }
        "/fields" => (head_of("x: y\r\n".repeat(FIELDS - 1)), true),
        "/fields.txt" => (head_of("x: y\r\n".repeat(FIELDS)), true),
        "/head" => (
            head_of(format!("x: {}\r\n", "y".repeat(HEAD_BYTES / 2))),
            true,
        ),
        "/head.txt" => (
            head_of(format!("x: {}\r\n", "y".repeat(HEAD_BYTES * 4))),
            true,
        ),
        "/nonsense.txt" => ("SSH-2.0-OpenSSH_9\r\n\r\n".to_owned(), false),
        "/500.txt" => (status("500 Internal Server Error"), true),
        "/503.txt" => (status("503 Service Unavailable"), true),
        "/die" => return false,
        "/slow.txt" => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            return false;
        }
        _ => (fine("text/plain", "from the origin"), true),
    };
    stream.write_all(bytes.as_bytes()).await.is_ok() && goes_on
}
