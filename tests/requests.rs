//! What a client may send to do harm: each gets a clear status or a closed connection, nothing of
//! it reaches the origin as something else, and the next reader is served.

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::scene::{HOST, PATIENCE, hurl};
use crate::serving::{When, World, in_calm_and_outage};

/// A request, and the statuses that may answer it; `""` is a connection closed without a word.
type Case = (&'static str, Vec<u8>, &'static [&'static str]);

/// Fields that every case ends with.
fn close() -> String {
    format!("Host: {HOST}\r\nConnection: close\r\n\r\n")
}

/// A GET of `target`.
fn target(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\n{}", close()).into_bytes()
}

/// A GET of the first page with `fields` before the usual ones.
fn fields(fields: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\n{fields}{}", close()).into_bytes()
}

/// A POST to the first page with `fields` and `body`.
fn post(fields: &str, body: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\n{fields}{}{body}", close()).into_bytes()
}

/// The request line as it stands.
fn line(line: &str) -> Vec<u8> {
    format!("{line}\r\n{}", close()).into_bytes()
}

/// Paths that climb, or that two readers could read differently.
fn paths() -> Vec<Case> {
    let raw = |bytes: &[u8]| [b"GET /pages/", bytes, b" HTTP/1.1\r\n", close().as_bytes()].concat();
    vec![
        ("dots", target("/pages/../../etc/passwd"), &["400"]),
        ("dots at the end", target("/pages/.."), &["400"]),
        ("coded dots", target("/pages/%2e%2e/index.html"), &["400"]),
        (
            "half coded dots",
            target("/pages/.%2E/index.html"),
            &["400"],
        ),
        ("coded slash", target("/pages/..%2findex.html"), &["400"]),
        ("backslash", target("/pages/..\\index.html"), &["400"]),
        (
            "coded backslash",
            target("/pages/..%5cindex.html"),
            &["400"],
        ),
        ("coded NUL", target("/pages/a%00.html"), &["400"]),
        ("bare NUL", raw(b"a\0.html"), &["", "400"]),
        // No UTF-8, but letters in EUC-KR, which old Korean sites still use: the origin's to read,
        // and no dots to us.
        (
            "overlong UTF-8",
            target("/pages/%c0%ae%c0%ae/index.html"),
            &["200", "503"],
        ),
        (
            "bare overlong UTF-8",
            raw(b"\xc0\xae\xc0\xae/index.html"),
            &["", "400"],
        ),
        ("half a percent sign", target("/pages/%2"), &["400"]),
        ("a fragment", target("/#/../x"), &["", "200", "400"]),
        (
            "a megabyte",
            target(&format!("/{}", "a".repeat(1 << 20))),
            &["", "414", "431"],
        ),
    ]
}

/// Heads that are too much, or that two readers could read differently.
fn heads() -> Vec<Case> {
    let cookie = format!("Cookie: id={}\r\n", "c".repeat(100 << 10));
    vec![
        (
            "10,000 fields",
            fields(&"X-A: b\r\n".repeat(10_000)),
            &["", "431"],
        ),
        ("a cookie of 100 KiB", fields(&cookie), &["", "431"]),
        (
            "a folded line",
            fields("X-A: b\r\n folded\r\n"),
            &["", "400"],
        ),
        (
            "a space before the colon",
            fields("X-A : b\r\n"),
            &["", "400"],
        ),
        (
            "a bare carriage return",
            fields("X-A: b\rX-B: c\r\n"),
            &["", "400"],
        ),
        ("a NUL in a value", fields("X-A: b\0c\r\n"), &["", "400"]),
        ("two hosts", fields("Host: elsewhere.example\r\n"), &["400"]),
        (
            "the same host twice",
            fields(&format!("Host: {HOST}\r\n")),
            &["400"],
        ),
        (
            "no host",
            b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec(),
            &["400"],
        ),
        (
            "a person in the host",
            b"GET / HTTP/1.1\r\nHost: a@small.example\r\nConnection: close\r\n\r\n".to_vec(),
            &["400"],
        ),
        (
            "absolute form, other host",
            target("http://elsewhere.example/"),
            &["400"],
        ),
        (
            "absolute form, other port",
            target(&format!("http://{HOST}:81/")),
            &["400"],
        ),
        (
            "absolute form, a file",
            target("file:///etc/passwd"),
            &["", "400"],
        ),
        ("no path at all", line("GET HTTP/1.1"), &["", "400"]),
        (
            "a version from the future",
            line("GET / HTTP/9.9"),
            &["", "400", "505"],
        ),
        (
            "nonsense",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
            &["", "400"],
        ),
    ]
}

/// Bodies whose end two readers could see in different places.
fn lengths() -> Vec<Case> {
    let chunked = "Transfer-Encoding: chunked\r\n";
    vec![
        // By its chunks alone (RFC 9112 section 6.3), so that nothing after them is a request.
        (
            "both lengths",
            post(
                &format!("{chunked}Content-Length: 5\r\n"),
                "0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
            ),
            &["", "200", "400", "503"],
        ),
        (
            "two lengths",
            post("Content-Length: 1\r\nContent-Length: 2\r\n", "ab"),
            &["", "400"],
        ),
        (
            "a list of lengths",
            post("Content-Length: 1, 2\r\n", "ab"),
            &["", "400"],
        ),
        (
            "a signed length",
            post("Content-Length: +1\r\n", "a"),
            &["", "400"],
        ),
        (
            "a length below nothing",
            post("Content-Length: -1\r\n", ""),
            &["", "400"],
        ),
        (
            "chunked, but not last",
            post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
            &["", "400", "501"],
        ),
        (
            "chunked twice",
            post(
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                "0\r\n\r\n",
            ),
            &["", "400", "501"],
        ),
        (
            "an unknown coding",
            post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
            &["", "400", "501"],
        ),
    ]
}

/// Methods that are none, or that ask for what an edge does not do.
fn methods() -> Vec<Case> {
    vec![
        ("TRACE", line("TRACE / HTTP/1.1"), &["405"]),
        (
            "CONNECT",
            line(&format!("CONNECT {HOST}:80 HTTP/1.1")),
            &["400", "405"],
        ),
        (
            "CONNECT to somebody else",
            line("CONNECT elsewhere.example:25 HTTP/1.1"),
            &["400", "405"],
        ),
        ("a method of spaces", line("  / HTTP/1.1"), &["", "400"]),
        (
            "a method with a slash",
            line("GET/ / HTTP/1.1"),
            &["", "400"],
        ),
    ]
}

async fn each_is_shown_out(world: &World, cases: Vec<Case>) {
    for (name, request, expected) in cases {
        let answer = hurl(world.edge.public, &request).await;
        let first = answer.lines().next().unwrap_or_default();
        let status = first.split(' ').nth(1).unwrap_or_default();
        assert!(
            expected.contains(&status),
            "{name}: {first:?}, expected {expected:?}"
        );
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            usize::from(!status.is_empty()),
            "{name}"
        );
        assert_eq!(world.edge.get("/").await.status, 200, "after {name}");
    }
    for asked in world.origin.seen() {
        let known = ["/", "/pages/%c0%ae%c0%ae/index.html"].contains(&asked.target.as_str());
        assert!(known, "the origin was asked for {:?}", asked.target);
    }
}

in_calm_and_outage! {
    async fn strange_paths_are_refused(world: World) {
        each_is_shown_out(&world, paths()).await;
    }

    async fn strange_heads_are_refused(world: World) {
        each_is_shown_out(&world, heads()).await;
    }

    async fn strange_lengths_are_refused(world: World) {
        each_is_shown_out(&world, lengths()).await;
    }

    async fn strange_methods_are_refused(world: World) {
        each_is_shown_out(&world, methods()).await;
    }

    async fn a_method_in_a_field_changes_nothing(world: World) {
        let answer = world.edge.get("/").header("x-http-method-override", "DELETE").await;
        assert_eq!(answer.status, StatusCode::OK);
    }

    async fn over_http_2_the_two_hosts_must_agree(world: World) {
        let answer = world.edge.get("/").h2c().header("x-forwarded-host", "elsewhere.example").await;
        assert_eq!(answer.status, StatusCode::OK);
        let other = world.edge.get("/").h2c().also_host("elsewhere.example").await;
        assert_eq!(other.status, StatusCode::BAD_REQUEST);
    }

    async fn who_says_no_more_is_answered_or_let_go(world: World) {
        let mut half = TcpStream::connect(world.edge.public).await.unwrap();
        half.write_all(&target("/")).await.unwrap();
        half.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, half.read_to_end(&mut answer)).await;
        read.expect("the connection stays open").unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(world.edge.get("/").await.status, 200);
    }

    async fn who_never_ends_a_request_holds_a_connection_and_nothing_else(world: World) {
        let mut slow = Vec::new();
        for begun in ["", "G", "GET / HTTP/1.1\r\nHost: ", "PRI * HTTP/2.0\r\n"] {
            let mut stream = TcpStream::connect(world.edge.public).await.unwrap();
            stream.write_all(begun.as_bytes()).await.unwrap();
            slow.push(stream);
        }
        assert_eq!(world.edge.get("/").await.status, 200);
        for mut stream in slow {
            let mut rest = Vec::new();
            let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
            // However it ends, it ends.
            let _ = ended.expect("the connection stays open");
        }
    }
}
