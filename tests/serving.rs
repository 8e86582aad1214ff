//! What a reader gets: the same promises while the origin lives and while it is dead.

use std::io::Read;

use http::{Method, StatusCode};
use rustix::process::Signal;
use stage::client::Answer;
use tokio::net::TcpStream;

use crate::scene::{Edge, HOST, Origin, Site, eventually, raw};

/// Which world a case plays in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// The origin answers.
    Calm,
    /// It is dead.
    Outage,
}

/// The small site behind an edge, in front of an origin.
pub(crate) struct World {
    when: When,
    pub(crate) edge: Edge,
    pub(crate) origin: Origin,
    pub(crate) site: Site,
}

impl World {
    pub(crate) async fn new(when: When) -> Self {
        let site = Site::small().init().await;
        site.publish().await;
        let mut origin = Origin::small().await;
        let edge = site.edge().before(&origin).start().await;
        if when == When::Outage {
            origin.die().await;
            // A connection that was idle goes with this: a write on it would be one whose fate is not
            // known.
            assert!(edge.get("/").await.from_snapshot());
        }
        Self {
            when,
            edge,
            origin,
            site,
        }
    }

    fn is_calm(&self) -> bool {
        self.when == When::Calm
    }
}

/// Each case once in calm and once in the outage.
macro_rules! in_calm_and_outage {
    ($(async fn $name:ident($world:ident: World) $case:block)+) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn in_calm() {
                case(World::new(When::Calm).await).await;
            }

            #[tokio::test]
            async fn in_outage() {
                case(World::new(When::Outage).await).await;
            }

            async fn case($world: World) $case
        }
    )+};
}

pub(crate) use in_calm_and_outage;

in_calm_and_outage! {
    async fn a_page_says_where_it_came_from(world: World) {
        let page = world.edge.get("/").await;
        assert_eq!(page.status, 200);
        assert!(page.is_html() && page.text().contains("Small House"));
        assert_eq!(page.from_snapshot(), !world.is_calm());
        let status = page.header("cache-status");
        assert!(status.starts_with("edge-1; "), "{status}");
        assert!(!page.header("holdfast-request-id").is_empty());
        if world.is_calm() {
            assert!(status.contains("fwd=bypass; fwd-status=200"), "{status}");
            assert_eq!(world.origin.seen().len(), 1);
            return;
        }
        assert!(status.contains("hit"), "{status}");
        assert_eq!(page.header("age"), "0");
        assert_eq!(page.header("holdfast-release"), "1");
        let as_of = page.header("holdfast-as-of");
        assert!(as_of.len() == 20 && as_of.ends_with('Z'), "{as_of}");
        // The banner says what is down, in the reader's language.
        let korean = world.edge.get("/").language("ko").await;
        assert!(korean.text().contains("대문"), "{}", korean.text());
        let english = world.edge.get("/").language("en").await;
        assert!(english.text().contains("Front Door"), "{}", english.text());
        assert!(vary(&english).contains("accept-language"), "{}", vary(&english));
        assert!(english.header("cache-control").contains("s-maxage=5"));
    }

    async fn a_head_has_the_headers_of_a_get_and_no_body(world: World) {
        let get = world.edge.get("/").language("en").await;
        let head = world.edge.ask(Method::HEAD, "/").language("en").await;
        assert_eq!((head.status, head.body.len()), (get.status, 0));
        let mut names: Vec<&str> = get.headers.keys().map(http::HeaderName::as_str).collect();
        names.retain(|name| !["date", "holdfast-request-id", "content-length", "transfer-encoding"].contains(name));
        for name in names {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
        if !world.is_calm() {
            assert_eq!(head.header("content-length"), get.body.len().to_string());
        }
    }

    async fn what_a_reader_has_is_not_sent_again(world: World) {
        for path in ["/", "/photos/door.jpg"] {
            let first = world.edge.get(path).language("en").await;
            let tag = first.header("etag").to_owned();
            assert!(!tag.is_empty(), "{path}");
            let again = world.edge.get(path).language("en").header("if-none-match", &tag).await;
            assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
            assert_eq!(again.header("etag"), tag);
            assert_eq!(again.header("vary"), first.header("vary"));
            let other = world.edge.get(path).language("en").header("if-none-match", "\"other\"").await;
            assert_eq!(other.status, 200, "{path}");
        }
    }

    async fn an_unknown_host_is_misdirected(world: World) {
        for host in ["elsewhere.example", "small.example.elsewhere.example", "127.0.0.1"] {
            let answer = world.edge.get("/").header("host", host).await;
            assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert!(!answer.text().contains("Small House"));
        }
        for host in ["SMALL.example", "small.example:80", "small.example."] {
            assert_eq!(world.edge.get("/").header("host", host).await.status, 200, "{host}");
        }
        let twice = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nHost: other\r\nConnection: close\r\n\r\n");
        assert!(raw(world.edge.public, &twice).await.starts_with("HTTP/1.1 400 "));
        let none = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
        assert!(raw(world.edge.public, none).await.starts_with("HTTP/1.1 400 "));
    }

    async fn a_photograph_is_served_whole_and_in_parts(world: World) {
        // From the snapshot in every mode: the origin is not asked.
        let photo = fs_err::read(world.site.path("photos/door.jpg")).unwrap();
        let whole = world.edge.get("/photos/door.jpg").await;
        assert_eq!((whole.status, &whole.body[..]), (StatusCode::OK, &photo[..]));
        assert_eq!(whole.header("content-type"), "image/jpeg");
        assert_eq!(whole.header("accept-ranges"), "bytes");
        let length = photo.len();
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=70000-140000", 70_000..140_001),
            ("bytes=199999-", length - 1..length),
            ("bytes=-5", length - 5..length),
            ("bytes=150000-999999999", 150_000..length),
        ] {
            let answer = world.edge.get("/photos/door.jpg").header("range", range).await;
            assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT, "{range}");
            assert_eq!(&answer.body[..], &photo[part.clone()], "{range}");
            let expected = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            assert_eq!(answer.header("content-range"), expected);
        }
        let beyond = world.edge.get("/photos/door.jpg").header("range", "bytes=200000-").await;
        assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(beyond.header("content-range"), format!("bytes */{length}"));
        // Of something else than it was: the whole, not a part that does not fit.
        let changed = world.edge.get("/photos/door.jpg").header("range", "bytes=0-9");
        let changed = changed.header("if-range", "\"other\"").await;
        assert_eq!((changed.status, changed.body.len()), (StatusCode::OK, length));
        assert!(world.origin.seen().is_empty(), "{:?}", world.origin.seen());
    }

    async fn http_2_without_tls_gets_the_same(world: World) {
        let one = world.edge.get("/").language("ko").await;
        let two = world.edge.get("/").language("ko").h2c().await;
        assert_eq!((two.status, &two.body), (one.status, &one.body));
        assert_eq!(two.header("etag"), one.header("etag"));
        let stranger = world.edge.get("/").header("host", "elsewhere.example").h2c().await;
        assert_eq!(stranger.status, StatusCode::MISDIRECTED_REQUEST);
    }

    async fn a_write_is_passed_on_or_refused_and_never_pretended(world: World) {
        let answer = world.edge.ask(Method::POST, "/").body("name=a").await;
        let seen = world.origin.seen();
        if world.is_calm() {
            assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "written"));
            assert_eq!((seen.len(), &seen[0].body[..]), (1, &b"name=a"[..]));
            return;
        }
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.is_html() && seen.is_empty());
        let program = world.edge.ask(Method::POST, "/").header("accept", "application/json");
        let program = program.body("{}").await;
        assert_eq!(program.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(program.header("content-type"), "application/problem+json");
        let problem: serde_json::Value = serde_json::from_slice(&program.body).unwrap();
        assert_eq!(problem["status"], 503);
    }

    async fn what_is_not_there_is_told_honestly(world: World) {
        // Complete and fresh: absence is proven. Not complete: only our copy is without it.
        let absent = world.edge.get("/pages/absent.html").await;
        let unlisted = world.edge.get("/notes/two.html").await;
        let nowhere = world.edge.get("/gone").await;
        if world.is_calm() {
            // The origin's own word.
            assert_eq!((nowhere.status, nowhere.text().as_str()), (StatusCode::NOT_FOUND, "the origin knows no such page"));
            return;
        }
        assert_eq!(absent.status, StatusCode::NOT_FOUND);
        assert!(absent.is_html());
        for unknown in [unlisted, nowhere] {
            assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(!unknown.header("retry-after").is_empty());
            assert_eq!(unknown.header("cache-control"), "no-store");
        }
        // An asset of a service that is always from the copy.
        assert_eq!(world.edge.get("/photos/absent.jpg").await.status, StatusCode::NOT_FOUND);
    }
}

fn vary(answer: &Answer) -> String {
    let values = answer.headers.get_all("vary").iter();
    let values: Vec<&str> = values.map(|value| value.to_str().unwrap()).collect();
    values.join(",").to_ascii_lowercase()
}

#[tokio::test]
async fn a_page_is_coded_for_who_can_read_it() {
    let world = World::new(When::Outage).await;
    let plain = world.edge.get("/").language("en").await;
    assert_eq!(plain.header("content-encoding"), "");
    assert!(vary(&plain).contains("accept-encoding"));
    let coded = world
        .edge
        .get("/")
        .language("en")
        .header("accept-encoding", "gzip")
        .await;
    assert_eq!(coded.header("content-encoding"), "gzip");
    assert_ne!(coded.header("etag"), plain.header("etag"));
    assert!(coded.body.len() < plain.body.len());
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&coded.body[..])
        .read_to_end(&mut text)
        .unwrap();
    assert_eq!(text, plain.body);
    let refused = world
        .edge
        .get("/")
        .language("en")
        .header("accept-encoding", "gzip;q=0");
    assert_eq!(refused.await.header("content-encoding"), "");
    // What is packed already stays as it is.
    let photo = world
        .edge
        .get("/photos/door.jpg")
        .header("accept-encoding", "gzip")
        .await;
    assert_eq!(photo.header("content-encoding"), "");
}

#[tokio::test]
async fn an_edge_that_is_told_to_stop_finishes_what_is_open() {
    let world = World::new(When::Calm).await;
    let World {
        mut edge, origin, ..
    } = world;
    origin.freeze();
    // Half a request's worth of waiting: the origin holds the write back.
    let open = tokio::spawn(edge.ask(Method::POST, "/slow").body("name=a").send());
    eventually("the origin to have the write", async || {
        origin
            .seen()
            .iter()
            .any(|seen| seen.target == "/slow")
            .then_some(())
    })
    .await;
    edge.signal(Signal::TERM);
    eventually("the edge to take no more", async || {
        TcpStream::connect(edge.public).await.is_err().then_some(())
    })
    .await;
    assert!(!edge.has_ended(), "it did not wait");
    origin.recover();
    let answer = open.await.unwrap().unwrap();
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (StatusCode::OK, "written")
    );
    eventually("the edge to end", async || edge.has_ended().then_some(())).await;
    assert!(
        edge.logged().contains("every request was answered"),
        "{}",
        edge.logged()
    );
}

#[tokio::test]
async fn the_log_has_a_line_for_each_request_and_no_secret() {
    let world = World::new(When::Outage).await;
    let secret = "s3cr3t-value";
    let answer = world
        .edge
        .get(&format!("/pages/{secret}.html?token={secret}"));
    let answer = answer
        .header("cookie", &format!("id={secret}"))
        .header("referer", secret)
        .await;
    let id = answer.header("holdfast-request-id").to_owned();
    let line = eventually("the request's line", async || {
        let log = world.edge.logged();
        log.lines()
            .find(|line| line.contains(&id))
            .map(str::to_owned)
    })
    .await;
    assert!(
        line.contains("/pages/{*path}") && line.contains("404"),
        "{line}"
    );
    for place in [
        world.edge.logged(),
        world.edge.ops("/metrics").await.text(),
        world.edge.ops("/status").await.text(),
    ] {
        assert!(!place.contains(secret), "{place}");
    }
}

#[tokio::test]
async fn control_is_apart_from_what_readers_reach() {
    let world = World::new(When::Outage).await;
    assert_eq!(world.edge.ops("/livez").await.status, 200);
    assert_eq!(world.edge.ops("/readyz").await.status, 200);
    let metrics = world.edge.ops("/metrics").await;
    assert!(
        metrics.header("content-type").contains("openmetrics")
            || metrics.header("content-type").contains("text/plain")
    );
    assert!(metrics.text().contains("holdfast"), "{}", metrics.text());
    assert_eq!(world.edge.ops("/").await.status, StatusCode::NOT_FOUND);
    for path in ["/livez", "/readyz", "/status", "/metrics"] {
        let reader = world.edge.get(path).await;
        assert_ne!(reader.status, 200, "{path}");
    }
}
