//! What one HTTP/2 connection may use.

use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::frames::{
    ACK, DATA, END_STREAM, Frames, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, frame, get,
};
use super::origin::Mood;
use super::world::{Limits, World};
use crate::serve::ServeLimits;

/// `SETTINGS_MAX_CONCURRENT_STREAMS` (RFC 9113 section 6.5.2).
const MAX_CONCURRENT_STREAMS: [u8; 2] = [0, 3];
/// `REFUSED_STREAM` (RFC 9113 section 7): nothing was done, and it may be asked again.
const REFUSED: [u8; 4] = [0, 0, 0, 7];

async fn with(change: impl FnOnce(&mut Limits)) -> World {
    let mut limits = Limits::default();
    change(&mut limits);
    World::with(limits).await
}

#[tokio::test]
async fn a_stream_too_many_is_refused_and_costs_the_others_nothing() {
    let world = with(|limits| limits.serve.streams = 2).await;
    world.origin.set(Mood::BlackHole);
    let mut frames = Frames::connect(&world).await;
    let asked = [1, 3, 5].map(|stream| get(stream, "/a.txt")).concat();
    frames.send(&asked).await;
    let told = frames.until(SETTINGS, 0).await.payload;
    let told: Vec<&[u8]> = told.chunks(6).collect();
    let limit = [&MAX_CONCURRENT_STREAMS[..], &[0, 0, 0, 2]].concat();
    assert!(told.contains(&limit.as_slice()), "{told:?}");
    assert_eq!(frames.until(RST_STREAM, 5).await.payload, REFUSED);
    world.origin.set(Mood::Well);
    let mut ended = Vec::new();
    while ended.len() < 2 {
        let frame = frames.next().await.expect("the connection goes on");
        if frame.kind == DATA && frame.flags & END_STREAM != 0 {
            ended.push(frame.stream);
        }
    }
    ended.sort_unstable();
    assert_eq!(ended, [1, 3]);
    frames.send(&get(7, "/a.txt")).await;
    frames.until(HEADERS, 7).await;
}

#[tokio::test]
async fn who_answers_no_ping_is_gone() {
    let world = with(|limits| limits.serve.ping = Duration::from_millis(100)).await;
    let mut frames = Frames::connect(&world).await;
    frames.send(&get(1, "/a.txt")).await;
    frames.until(HEADERS, 1).await;
    frames.until(PING, 0).await;
    while frames.next().await.is_some() {}
    assert_eq!(world.get("/a.txt").await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_answers_pings_alone_is_shown_out() {
    let world = with(|limits| {
        limits.serve.head_time = Duration::from_millis(100);
        limits.serve.idle = Duration::from_millis(100);
    })
    .await;
    let mut frames = Frames::connect(&world).await;
    frames.send(&get(1, "/a.txt")).await;
    frames.until(HEADERS, 1).await;
    let mut told_to_go = false;
    while let Some(seen) = frames.next().await {
        told_to_go |= seen.kind == GOAWAY;
        if seen.kind == PING && seen.flags & ACK == 0 {
            frames.send(&frame(PING, ACK, 0, &seen.payload)).await;
        }
    }
    assert!(told_to_go);
    assert_eq!(world.get("/a.txt").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_under_way_when_it_is_shown_out_is_answered() {
    let world = with(|limits| {
        limits.serve.head_time = Duration::from_millis(100);
        limits.serve.idle = Duration::from_millis(100);
        limits.origin.first_byte = Duration::from_secs(600);
    })
    .await;
    world.origin.set(Mood::BlackHole);
    let mut frames = Frames::connect(&world).await;
    frames.send(&get(1, "/a.txt")).await;
    frames.until(GOAWAY, 0).await;
    world.origin.set(Mood::Well);
    frames.until(HEADERS, 1).await;
}

#[tokio::test]
async fn fields_beyond_the_limit_are_refused_and_the_next_request_is_served() {
    let world = World::new().await;
    let stream = TcpStream::connect(world.public).await.unwrap();
    let io = TokioIo::new(stream);
    let (mut send, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .handshake(io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let long = "y".repeat(ServeLimits::default().head_bytes);
    for (field, expected) in [
        (long.as_str(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        ("y", StatusCode::OK),
    ] {
        let request = Request::get("http://dasom.example/a.txt").header("x", field);
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        let answer = send.send_request(request).await.unwrap();
        assert_eq!(answer.status(), expected);
        answer.into_body().collect().await.unwrap();
    }
    assert_eq!(world.origin.seen().len(), 1);
}
