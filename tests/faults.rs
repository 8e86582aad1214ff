//! What a network can do to an edge, one fault at a time. Between it and its origin: no reader
//! notices more than the banner, no write is pretended, and when the wire is mended the origin
//! answers. Between it and its mirror: the last release stands, and the next one comes when the
//! wire is mended.

use std::time::Duration;

use http::{Method, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::scene::{Edge, Fault, HOST, Origin, PATIENCE, Site, Wire, eventually};

/// An edge in front of an origin, over a wire.
struct World {
    edge: Edge,
    wire: Wire,
    origin: Origin,
    _site: Site,
}

impl World {
    async fn new() -> Self {
        Self::before(Origin::small().await).await
    }

    async fn before(origin: Origin) -> Self {
        let site = Site::small().init().await;
        site.publish().await;
        let wire = Wire::to(origin.at()).await;
        let edge = site.edge().over(&wire).start().await;
        Self {
            edge,
            wire,
            origin,
            _site: site,
        }
    }

    /// Waits until the origin's own page comes.
    async fn origin_answers(&self) {
        eventually("the origin's own page", async || {
            let page = self.edge.get("/").await;
            assert_eq!(page.status, 200);
            (!page.from_snapshot()).then_some(())
        })
        .await;
    }
}

async fn is_answered_from_the_copy(fault: Fault) {
    let world = World::new().await;
    world.origin_answers().await;
    world.wire.is(fault);
    for path in ["/", "/notes/one.html"] {
        let page = world.edge.get(path).await;
        assert_eq!(
            (page.status.as_u16(), page.from_snapshot()),
            (200, true),
            "{path}"
        );
    }
    // Only what the origin took is called done.
    let write = world.edge.ask(Method::POST, "/").body("name=a").await;
    let arrived = world
        .origin
        .seen()
        .iter()
        .any(|seen| seen.method == Method::POST);
    match write.status.as_u16() {
        502 | 503 => {}
        200 => assert!(arrived, "a write was pretended"),
        other => panic!("a write was answered with {other}"),
    }
    world.wire.is(Fault::None);
    world.origin_answers().await;
}

macro_rules! is_answered_from_the_copy {
    ($($name:ident: $fault:expr;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            is_answered_from_the_copy($fault).await;
        }
    )+};
}

is_answered_from_the_copy! {
    a_refused_connection: Fault::Refused;
    a_black_hole: Fault::BlackHole;
    a_slow_first_byte: Fault::SlowFirstByte(PATIENCE);
    a_slow_body: Fault::Trickle { after: 300, each: Duration::from_secs(5) };
    a_reset_in_mid_head: Fault::ResetAfter(20);
    a_reset_in_mid_body: Fault::ResetAfter(300);
    a_body_shorter_than_it_said: Fault::Says(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 900\r\n\r\n<p>short",
    );
    a_chunk_that_is_none: Fault::Says(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nno\r\n0\r\n\r\n",
    );
    two_lengths: Fault::Says(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
    );
    no_http_at_all: Fault::Says("SSH-2.0-OpenSSH_9.2\r\n");
    a_head_without_end: Fault::SaysForEver("HTTP/1.1 200 OK\r\n", "x-more: and more of the same\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flapping_wire_costs_no_reader_an_answer() {
    let world = World::new().await;
    world.wire.is(Fault::Flapping);
    let paths = [
        "/",
        "/pages/plain.txt",
        "/notes/one.html",
        "/photos/door.jpg",
    ];
    for path in paths.into_iter().cycle().take(80) {
        assert_eq!(world.edge.get(path).await.status, 200, "{path}");
    }
    world.wire.is(Fault::None);
    world.origin_answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_is_passed_on_and_not_kept() {
    const ENOUGH: usize = 24 << 20;
    let world = World::new().await;
    world.wire.is(Fault::SaysForEver(
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n\r\n",
        "And on and on and on and on and on and on and on and on and on and on it goes.\n",
    ));
    let mut reader = TcpStream::connect(world.edge.public).await.unwrap();
    let request = format!("GET /stream HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    reader.write_all(request.as_bytes()).await.unwrap();
    let before = world.edge.peak_memory();
    let (mut read, mut buffer) = (0, vec![0; 64 << 10]);
    while read < ENOUGH {
        let length = reader.read(&mut buffer).await.unwrap();
        assert!(length > 0, "it ended after {read} bytes");
        read += length;
    }
    let grown = world.edge.peak_memory() - before;
    assert!(
        grown < (ENOUGH / 2) as u64,
        "{grown} bytes were kept of {read}"
    );
    drop(reader);
    // Who has no reader left stops asking.
    world.wire.is_silent().await;
    world.wire.is(Fault::None);
    world.origin_answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_url_opens_no_breaker_and_failing_everywhere_does() {
    let origin = Origin::start(|asked| {
        let answer = Response::builder().header("content-type", "text/html; charset=utf-8");
        match asked.target.as_str() {
            "/notes/one.html" => answer.status(500).body("no".into()),
            _ => answer.body("<p>the origin's own".into()),
        }
        .unwrap()
    })
    .await;
    let world = World::before(origin).await;
    for _ in 0..60 {
        let bad = world.edge.get("/notes/one.html").await;
        assert_eq!((bad.status.as_u16(), bad.from_snapshot()), (200, true));
        assert!(!world.edge.get("/").await.from_snapshot());
    }
    assert_eq!(world.edge.state("home").await, "normal");

    world.origin.fail(503);
    let paths = [
        "/",
        "/pages/plain.txt",
        "/notes/one.html",
        "/pages/index.html",
    ];
    let mut paths = paths.into_iter().cycle();
    eventually("the breaker to open", async || {
        let page = world.edge.get(paths.next().unwrap()).await;
        assert_eq!((page.status.as_u16(), page.from_snapshot()), (200, true));
        (world.edge.state("home").await == "degraded").then_some(())
    })
    .await;
    world.origin.recover();
    eventually("the breaker to close", async || {
        let _ = world.edge.get("/").await;
        (world.edge.state("home").await == "normal").then_some(())
    })
    .await;
}

/// An edge that follows a mirror over HTTP, over a wire.
struct Followed {
    edge: Edge,
    wire: Wire,
    _shelf: Origin,
    site: Site,
}

impl Followed {
    async fn new() -> Self {
        let site = Site::small().init().await;
        site.publish().await;
        let shelf = Origin::shelf(site.path("mirror")).await;
        let wire = Wire::to(shelf.at()).await;
        let mirror = format!("http://{}", wire.at());
        let edge = site.edge().following(&[&mirror]).start().await;
        Self {
            edge,
            wire,
            _shelf: shelf,
            site,
        }
    }

    /// Why the mirror is of no use at the moment.
    async fn complaint(&self) -> Option<String> {
        let status = self.edge.status().await;
        status
            .pointer("/sources/0/error")?
            .as_str()
            .map(str::to_owned)
    }
}

async fn leaves_the_last_release(fault: Fault) {
    let world = Followed::new().await;
    assert_eq!(world.edge.sequence().await, Some(1));
    world.wire.is(fault);
    world
        .site
        .edit("public/index.html", "The same words", "Newer words");
    world.site.publish().await;
    eventually("the mirror to be of no use", async || {
        world.complaint().await
    })
    .await;
    let page = world.edge.get("/").await;
    assert_eq!((page.status.as_u16(), page.from_snapshot()), (200, true));
    assert!(page.text().contains("The same words"), "{}", page.text());
    assert_eq!(world.edge.sequence().await, Some(1));
    world.wire.is(Fault::None);
    world.edge.reaches(2).await;
    assert!(world.edge.get("/").await.text().contains("Newer words"));
    assert_eq!(world.complaint().await, None);
}

macro_rules! leaves_the_last_release {
    ($($name:ident: $fault:expr;)+) => {
        mod towards_the_mirror {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    leaves_the_last_release($fault).await;
                }
            )+
        }
    };
}

leaves_the_last_release! {
    a_refused_connection: Fault::Refused;
    a_black_hole: Fault::BlackHole;
    a_slow_first_byte: Fault::SlowFirstByte(PATIENCE);
    a_slow_body: Fault::Trickle { after: 120, each: Duration::from_secs(5) };
    a_reset_in_mid_head: Fault::ResetAfter(20);
    a_reset_in_mid_body: Fault::ResetAfter(200);
    a_body_shorter_than_it_said: Fault::Says("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nshort");
    a_chunk_that_is_none: Fault::Says("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nno\r\n0\r\n\r\n");
    an_error_page_called_well: Fault::Says("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 21\r\n\r\n<h1>Unavailable</h1>\r\n");
    a_server_error: Fault::Says("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
    a_body_without_end: Fault::SaysForEver("HTTP/1.1 200 OK\r\n\r\n", "and on and on and on and on and on and on\n");
    a_way_elsewhere: Fault::Says("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_flapping_wire_the_next_release_comes() {
    let world = Followed::new().await;
    world.wire.is(Fault::Flapping);
    world
        .site
        .edit("public/index.html", "The same words", "Newer words");
    world.site.publish().await;
    world.edge.reaches(2).await;
}
