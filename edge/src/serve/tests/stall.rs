//! Readers who take nothing of what they asked for.

use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::frames::{DATA, END_STREAM, Frames, GOAWAY, HEADERS, frame, get};
use super::world::{COPY, Limits, World};
use crate::serve::ServeLimits;

/// `SETTINGS_INITIAL_WINDOW_SIZE` (RFC 9113 section 6.5.2).
const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];
/// The kind of frame that opens a window.
const WINDOW_UPDATE: u8 = 8;

async fn impatient(change: impl FnOnce(&mut ServeLimits)) -> World {
    let mut limits = Limits::default();
    limits.serve.stall = Duration::from_millis(200);
    limits.origin.first_byte = Duration::from_secs(600);
    limits.origin.whole = Duration::from_secs(600);
    change(&mut limits.serve);
    World::with(limits).await
}

async fn ask(world: &World, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(world.public).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: dasom.example\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

fn window(bytes: u32) -> Vec<u8> {
    [&INITIAL_WINDOW_SIZE[..], &bytes.to_be_bytes()].concat()
}

#[tokio::test]
async fn who_lets_the_socket_fill_up_is_cut_and_who_waits_for_us_is_not() {
    let world = impatient(|limits| limits.connections = 2).await;
    // An answer that says something now and then may be silent for longer than a reader.
    let mut patient = ask(&world, "/events").await;
    let mut seen = String::new();
    while !seen.contains("data: one") {
        let mut piece = [0; 4096];
        let n = patient.read(&mut piece).await.unwrap();
        seen.push_str(std::str::from_utf8(&piece[..n]).unwrap());
    }
    let _never_read = ask(&world, "/endless").await;
    // Both places are taken, until one of the two is cut.
    assert_eq!(world.get("/a.txt").await.status, StatusCode::OK);
    let silent = patient.try_read(&mut [0; 1]).unwrap_err();
    assert_eq!(silent.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn who_opens_no_window_is_cut() {
    let world = impatient(|_| {}).await;
    let mut frames = Frames::connect_with(&world, &window(0)).await;
    frames.send(&get(1, "/a.txt")).await;
    frames.until(HEADERS, 1).await;
    while let Some(seen) = frames.next().await {
        assert_ne!(seen.kind, DATA, "{seen:?}");
    }
    assert_eq!(world.get("/a.txt").await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_never_takes_the_rest_is_cut_once_it_asks_for_nothing_new() {
    let world = impatient(|limits| {
        limits.head_time = Duration::from_millis(100);
        limits.idle = Duration::from_millis(100);
    })
    .await;
    let mut frames = Frames::connect_with(&world, &window(1)).await;
    frames.send(&get(1, "/a.txt")).await;
    assert_eq!(frames.until(DATA, 1).await.payload.len(), 1);
    frames.until(GOAWAY, 0).await;
    while let Some(seen) = frames.next().await {
        assert_ne!(seen.kind, DATA, "{seen:?}");
    }
}

#[tokio::test]
async fn who_opens_the_window_in_time_gets_all_of_it() {
    let world = impatient(|limits| limits.stall = Duration::from_secs(600)).await;
    let mut frames = Frames::connect_with(&world, &window(0)).await;
    world.origin.kill().await;
    frames.send(&get(1, "/a.txt")).await;
    frames.until(HEADERS, 1).await;
    let mut got = Vec::new();
    loop {
        frames
            .send(&frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 5]))
            .await;
        let piece = frames.until(DATA, 1).await;
        got.extend(piece.payload);
        if piece.flags & END_STREAM != 0 {
            break;
        }
    }
    assert_eq!(got, COPY.as_bytes());
}
