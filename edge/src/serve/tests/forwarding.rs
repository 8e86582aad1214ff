//! What crosses the edge, and what does not.

use http::{Method, StatusCode};

use super::raw::exchange;
use super::world::World;

#[tokio::test]
async fn the_origin_answers_and_learns_who_asked() {
    let world = World::new().await;
    let fields = [
        ("x-forwarded-for", "198.51.100.1"),
        ("connection", "holdfast-mode, x-private"),
        ("holdfast-mode", "normal"),
        ("holdfast-capability", "x"),
        ("x-private", "1"),
    ];
    let got = world.ask(Method::GET, "/a.txt?x=1", &fields).await;
    assert_eq!(
        (got.status, got.body.as_str()),
        (StatusCode::OK, "from the origin")
    );
    assert_eq!(
        got.header("cache-status"),
        "test-1; fwd=bypass; fwd-status=200"
    );
    for forged in ["holdfast-as-of", "x-hop"] {
        assert!(!got.headers.contains_key(forged), "{forged}");
    }
    let seen = world.origin.seen().remove(0).to_ascii_lowercase();
    for line in [
        "get /a.txt?x=1 http/1.1",
        "host: dasom.example",
        "x-forwarded-host: dasom.example",
        "x-forwarded-for: 198.51.100.1, 127.0.0.1",
        "x-forwarded-proto: http",
        "via: 1.1 holdfast",
    ] {
        assert!(seen.lines().any(|had| had == line), "{line} in {seen}");
    }
    for absent in ["holdfast-mode", "holdfast-capability", "x-private"] {
        assert!(!seen.contains(absent), "{absent} in {seen}");
    }
}

#[tokio::test]
async fn trailers_carry_nothing_across() {
    let world = World::new().await;
    let answer = exchange(
        &world,
        "POST /a.txt HTTP/1.1\r\nhost: dasom.example\r\ntransfer-encoding: chunked\r\n\
         trailer: holdfast-mode, x-late\r\nte: trailers\r\nconnection: close, te\r\n\r\n\
         4\r\nbody\r\n0\r\nholdfast-mode: normal\r\nx-late: 1\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let seen = world.origin.seen().remove(0).to_ascii_lowercase();
    assert!(seen.contains("body"));
    for absent in ["holdfast-mode", "x-late", "trailer", "te: "] {
        assert!(!seen.contains(absent), "{absent} in {seen}");
    }
}

#[tokio::test]
async fn hosts_are_told_apart() {
    let world = World::new().await;
    for (host, expected) in [
        ("dasom.example", "200"),
        ("DASOM.example:8080", "200"),
        ("other.example", "421"),
        ("dasom.example\r\nhost: dasom.example", "400"),
    ] {
        let request = format!("GET /a.txt HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let answer = exchange(&world, &request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {expected}")),
            "{host:?}: {answer}"
        );
        assert!(answer.contains("holdfast-request-id: "), "{answer}");
    }
    let absolute = "GET http://other.example/ HTTP/1.1\r\nhost: dasom.example\r\n\
                    connection: close\r\n\r\n";
    assert!(exchange(&world, absolute).await.starts_with("HTTP/1.1 400"));
    assert_eq!(world.origin.seen().len(), 2);
}

#[tokio::test]
async fn paths_that_climb_reach_nobody() {
    let world = World::new().await;
    for path in ["/../a.txt", "/%2e%2e/a.txt", "/a%00.txt", "/%zz"] {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: dasom.example\r\nconnection: close\r\n\r\n");
        let answer = exchange(&world, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
    }
    assert!(world.origin.seen().is_empty());
}

#[tokio::test]
async fn http2_without_tls_is_served_and_its_hosts_must_agree() {
    use bytes::Bytes;
    use http::Request;
    use http_body_util::{BodyExt as _, Empty};
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let world = World::new().await;
    let stream = tokio::net::TcpStream::connect(world.public).await.unwrap();
    let (mut send, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    for (host, expected) in [
        (None, StatusCode::OK),
        (Some("dasom.example"), StatusCode::OK),
        (Some("other.example"), StatusCode::BAD_REQUEST),
    ] {
        let mut request = Request::get("http://dasom.example/a.txt").body(Empty::<Bytes>::new());
        if let (Some(host), Ok(request)) = (host, &mut request) {
            request.headers_mut().insert("host", host.parse().unwrap());
        }
        let answer = send.send_request(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), expected, "{host:?}");
        answer.into_body().collect().await.unwrap();
    }
    assert!(
        world.origin.seen()[0]
            .to_ascii_lowercase()
            .contains("via: 2 holdfast")
    );
}

#[tokio::test]
async fn long_answers_stream_and_a_broken_one_is_cut_off() {
    let world = World::new().await;
    assert_eq!(world.get("/big").await.body.len(), 1 << 20);
    let answer = exchange(
        &world,
        "GET /broken-late HTTP/1.1\r\nhost: dasom.example\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(
        answer
            .to_ascii_lowercase()
            .contains("content-length: 2000000")
    );
    assert!(answer.len() < 2_000_000, "padded to {}", answer.len());
}
