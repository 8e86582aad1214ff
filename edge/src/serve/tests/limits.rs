//! What one client may use.

use std::time::Duration;

use http::StatusCode;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::raw::{exchange, read_all};
use super::world::World;
use crate::serve::ServeLimits;

/// Heads must come within this.
const HEAD_TIME: Duration = Duration::from_millis(300);

async fn strict() -> World {
    let limits = ServeLimits {
        head_time: HEAD_TIME,
        connections: 2,
        ..ServeLimits::default()
    };
    World::with(limits, Duration::from_secs(5)).await
}

#[tokio::test]
async fn ten_thousand_fields_are_refused() {
    let world = World::new().await;
    for request in [
        format!(
            "GET /a.txt HTTP/1.1\r\nhost: dasom.example\r\n{}\r\n",
            "a: b\r\n".repeat(10_000)
        ),
        format!(
            "GET /a.txt HTTP/1.1\r\nhost: dasom.example\r\nx: {}\r\n\r\n",
            "y".repeat(64 << 10)
        ),
    ] {
        let answer = exchange(&world, &request).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{answer:.100}"
        );
    }
    assert!(world.origin.seen().is_empty());
    assert_eq!(world.get("/a.txt").await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_does_not_finish_a_head_is_shown_out() {
    let world = strict().await;
    for begun in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nhost: d"] {
        let mut stream = TcpStream::connect(world.public).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let answer = read_all(&mut stream).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{begun:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn beyond_the_limit_connections_wait_their_turn() {
    let world = strict().await;
    let mut idle = Vec::new();
    for _ in 0..2 {
        idle.push(TcpStream::connect(world.public).await.unwrap());
    }
    // Served as soon as the idle ones are shown out.
    assert_eq!(world.get("/a.txt").await.status, StatusCode::OK);
}
