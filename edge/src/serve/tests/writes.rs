//! Writes: sent at most once, and never pretended.

use http::{Method, StatusCode};
use snapshot::order::Mode;

use super::origin::Mood;
use super::raw::exchange;
use super::world::World;

#[tokio::test]
async fn a_write_passes_and_its_body_with_it() {
    let world = World::new().await;
    let answer = exchange(
        &world,
        "POST /guest-book HTTP/1.1\r\nhost: dasom.example\r\ncontent-length: 5\r\n\
         connection: close\r\n\r\nhello",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(world.origin.seen()[0].ends_with("hello"));
}

#[tokio::test]
async fn while_degraded_a_write_is_refused_and_never_sent() {
    let world = World::new().await;
    world.order(Mode::Degraded).await;
    let got = world.ask(Method::POST, "/a.txt", &[]).await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(got.headers.contains_key("retry-after"));
    assert!(got.header("content-type").starts_with("text/html"));
    let json = [("accept", "application/json")];
    let got = world.ask(Method::POST, "/a.txt", &json).await;
    assert_eq!(got.header("content-type"), "application/problem+json");
    assert!(world.origin.seen().is_empty());
}

#[tokio::test]
async fn a_write_that_died_on_its_way_is_neither_promised_nor_repeated() {
    let world = World::new().await;
    let got = world.ask(Method::POST, "/die", &[]).await;
    assert_eq!(got.status, StatusCode::BAD_GATEWAY);
    assert!(!got.headers.contains_key("retry-after"));
    world.origin.set(Mood::BlackHole);
    let got = world.ask(Method::PUT, "/a.txt", &[]).await;
    assert_eq!(got.status, StatusCode::BAD_GATEWAY);
    assert_eq!(world.origin.seen().len(), 2);
}

#[tokio::test]
async fn without_a_connection_a_write_was_not_sent() {
    let world = World::new().await;
    world.origin.kill().await;
    let got = world.ask(Method::POST, "/a.txt", &[]).await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_body_beyond_its_limit_is_the_readers_fault() {
    let world = World::new().await;
    // All that is sent is read before the limit is passed: bytes left unread would reset the
    // connection, and the answer with it.
    let long = (1 << 20) + 1;
    for framing in [
        format!("content-length: {long}\r\n\r\n"),
        format!(
            "transfer-encoding: chunked\r\n\r\n{long:x}\r\n{}",
            "x".repeat(long)
        ),
    ] {
        let request = format!(
            "POST /a.txt HTTP/1.1\r\nhost: dasom.example\r\nconnection: close\r\n{framing}"
        );
        let answer = exchange(&world, &request).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer:.200}");
    }
    assert_eq!(
        world.until("normal").await.effective.reason().as_str(),
        "calm"
    );
}
