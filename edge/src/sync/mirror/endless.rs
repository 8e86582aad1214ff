//! A mirror whose answers do not end: a part of an object is a part by its head and goes on past it, and
//! whoever asks for no part is told at length that nothing is there.

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use url::Url;

use crate::fixture::listening;

/// So much comes at most, for the sake of who runs a test that fails.
const GIVEN: usize = 64 << 20;
/// How long a body is said to be.
const TOLD: u64 = 1 << 40;

/// Begins; every object is of `bytes` bytes.
pub(in crate::sync) async fn endless(bytes: u64) -> Url {
    listening(move |stream, head| answer(stream, head, bytes)).await
}

async fn answer(mut stream: TcpStream, head: String, bytes: u64) {
    let head = head.to_ascii_lowercase();
    let asked = head
        .lines()
        .find_map(|line| line.strip_prefix("range: bytes="));
    let status = match asked.map(|asked| asked.split_once('-').unwrap()) {
        None => "404 Not Found".to_owned(),
        Some((from, until)) => {
            let number = |text: &str| text.parse::<u64>().unwrap();
            let (from, until) = match from {
                "" => (bytes.saturating_sub(number(until)), bytes - 1),
                _ => (number(from), number(until).min(bytes - 1)),
            };
            format!("206 Partial Content\r\ncontent-range: bytes {from}-{until}/{bytes}")
        }
    };
    let told = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {TOLD}\r\n\
         last-modified: Sun, 22 Nov 2026 05:05:00 GMT\r\n\r\n"
    );
    let piece = vec![b' '; 64 << 10];
    let pieces = std::iter::repeat_n(piece.as_slice(), GIVEN / piece.len());
    for bytes in std::iter::once(told.as_bytes()).chain(pieces) {
        // Who has had enough hangs up.
        if stream.write_all(bytes).await.is_err() {
            return;
        }
    }
}
