//! What one client may use.

use std::time::Duration;

use http::{Method, StatusCode};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::raw::{PATIENCE, exchange, read_all};
use super::world::{Limits, World};
use crate::answer::path::{PATH_BYTES, QUERY_BYTES};
use crate::origin::headers::MAX_HOPS;
use crate::serve::{ControlLimits, ServeLimits};

/// Heads must come within this.
const HEAD_TIME: Duration = Duration::from_millis(300);

async fn strict() -> World {
    World::with(Limits {
        serve: ServeLimits {
            head_time: HEAD_TIME,
            connections: 2,
            ..ServeLimits::default()
        },
        control: ControlLimits {
            head_time: HEAD_TIME,
            connections: 2,
            body_time: HEAD_TIME,
            ..ControlLimits::default()
        },
        ..Limits::default()
    })
    .await
}

#[tokio::test]
async fn a_path_or_query_beyond_its_limit_is_refused_as_too_long() {
    let world = World::new().await;
    let path = format!("/{}", "p".repeat(PATH_BYTES - 1));
    let query = format!("/a.txt?{}", "q".repeat(QUERY_BYTES));
    for longest in [&path, &query] {
        assert_eq!(world.get(longest).await.status, StatusCode::OK);
    }
    assert_eq!(world.origin.seen().len(), 2);
    for longer in [path + "p", query + "q"] {
        let got = world.get(&longer).await;
        assert_eq!(got.status, StatusCode::URI_TOO_LONG);
        assert_eq!(got.header("cache-control"), "no-store");
        assert_eq!(world.get("/a.txt").await.status, StatusCode::OK);
    }
    assert_eq!(world.origin.seen().len(), 4);
}

#[tokio::test]
async fn who_goes_in_circles_is_stopped() {
    let world = World::new().await;
    let passed = ["1.1 holdfast"; MAX_HOPS].join(", ");
    let got = world.ask(Method::GET, "/a.txt", &[("via", &passed)]).await;
    assert_eq!(got.status, StatusCode::BAD_GATEWAY);
    assert!(world.origin.seen().is_empty());
    assert_eq!(world.get("/a.txt").await.status, StatusCode::OK);
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
async fn one_field_too_many_is_refused_however_short() {
    let world = World::new().await;
    let most = ServeLimits::default().header_fields;
    let request = |fields: usize| {
        let head = "GET /a.txt HTTP/1.1\r\nhost: dasom.example\r\nconnection: close\r\n";
        format!("{head}{}\r\n", "a: b\r\n".repeat(fields - 2))
    };
    let answer = exchange(&world, &request(most)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.100}");
    let answer = exchange(&world, &request(most + 1)).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer:.100}");
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
    // Nobody is shown out here: who waits, waits for a place.
    let world = World::with(Limits {
        serve: ServeLimits {
            connections: 2,
            ..ServeLimits::default()
        },
        control: ControlLimits {
            connections: 2,
            ..ControlLimits::default()
        },
        ..Limits::default()
    })
    .await;
    for (address, target) in [(world.public, "/a.txt"), (world.control, "/livez")] {
        let first = TcpStream::connect(address).await.unwrap();
        let second = TcpStream::connect(address).await.unwrap();
        let mut third = TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET {target} HTTP/1.1\r\nhost: dasom.example\r\nconnection: close\r\n\r\n");
        third.write_all(request.as_bytes()).await.unwrap();
        // Answered at once if it were let in; it never is while both places are taken.
        let answer = tokio::time::timeout(HEAD_TIME, read_all(&mut third)).await;
        assert!(answer.is_err(), "{target}: {answer:?}");
        drop(first);
        let answer = read_all(&mut third).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{target}: {answer}");
        drop(second);
    }
}

/// What the control listener answers to `POST /why` with this body, of which `length` bytes are promised.
async fn asked_why(world: &World, kind: &str, length: usize, body: &str) -> String {
    let head = format!(
        "POST /why HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    let mut stream = TcpStream::connect(world.control).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // An answer may come before all was taken.
    stream.write_all(body.as_bytes()).await.ok();
    read_all(&mut stream).await
}

#[tokio::test]
async fn a_question_without_end_is_not_waited_for() {
    let world = strict().await;
    let most = ControlLimits::default().body_bytes;
    let question = r#"{"url": "http://dasom.example/a.txt"}"#;
    let longest = format!("{question}{}", " ".repeat(most - question.len()));
    for (length, body, status) in [
        (most, longest.clone(), 200),
        (most + 1, longest + " ", 413),
        (question.len() + 1, question.to_owned(), 408),
    ] {
        let answer = asked_why(&world, "application/json", length, &body).await;
        let start = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&start), "{length}: {answer:.200}");
    }
}

#[tokio::test]
async fn who_takes_nothing_of_what_ops_are_told_leaves_the_place_to_others() {
    let world = World::with(Limits {
        control: ControlLimits {
            connections: 2,
            stall: HEAD_TIME,
            ..ControlLimits::default()
        },
        ..Limits::default()
    })
    .await;
    // Asked for again and again, until the socket is full and the listener waits.
    let asked = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
    let greedy = async || {
        let mut stream = TcpStream::connect(world.control).await.unwrap();
        while stream.write_all(asked.as_bytes()).await.is_ok() {}
    };
    let livez = async || {
        let mut stream = TcpStream::connect(world.control).await.unwrap();
        let asked = "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(asked.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    };
    let both = async { tokio::join!(greedy(), greedy()) };
    tokio::time::timeout(PATIENCE, both)
        .await
        .expect("both are cut");
    assert!(livez().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn the_control_listener_is_asked_in_its_own_way_and_repeats_no_url() {
    let world = World::new().await;
    let json = "application/json";
    for (kind, body, status) in [
        (
            "text/plain",
            r#"{"url": "http://dasom.example/a.txt"}"#,
            415,
        ),
        (
            json,
            r#"{"url": "http://dasom.example/s3cret", "x": 1}"#,
            400,
        ),
        (json, r#"{"url": "ftp://dasom.example/s3cret"}"#, 400),
        (json, "s3cret", 400),
        (json, r#"{"url": "http://elsewhere.example/s3cret"}"#, 200),
        (
            json,
            r#"{"url": "http://dasom.example/s3cret?s3cret"}"#,
            200,
        ),
    ] {
        let answer = asked_why(&world, kind, body.len(), body).await;
        let start = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&start), "{body}: {answer}");
        assert!(!answer.contains("s3cret"), "{answer}");
    }
    assert!(world.origin.seen().is_empty());
    assert_eq!(world.ask_control("/why").await.status, 405);
}
