//! Before a living origin: what passes, what is kept back, and what happens when it fails.

use http::{Method, StatusCode};
use stage::client::Answer;

use crate::scene::{HOST, Origin, Site, eventually, raw};
use crate::serving::{When, World};

#[tokio::test]
async fn the_living_origins_pages_are_marked_up_while_a_service_is_down() {
    let world = World::new(When::Calm).await;
    let calm = world.edge.get("/").language("en").await.text();
    assert!(calm.contains("Pay here"), "{calm}");
    world.site.order(&["degrade", "pay", "--why", "test"]).await;
    let degraded = eventually("the order to be in force", async || {
        let page = world.edge.get("/").language("en").await;
        (!page.text().contains("Pay here")).then_some(page)
    })
    .await;
    assert!(!degraded.from_snapshot());
    assert!(degraded.text().contains("Pay in cash") && degraded.text().contains("Small Pay"));
    // A tag from before is no longer right for this page.
    let tagged = world
        .edge
        .get("/")
        .language("en")
        .header("if-none-match", "\"door\"")
        .await;
    assert_eq!(tagged.status, 200);
    let tag = degraded.header("etag").to_owned();
    assert!(tag.starts_with("W/"), "{tag}");
    let same = world
        .edge
        .get("/")
        .language("en")
        .header("if-none-match", &tag)
        .await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    world.site.order(&["recover", "pay", "--why", "test"]).await;
    eventually("the button to be back", async || {
        let page = world.edge.get("/").language("en").await.text();
        page.contains("Pay here").then_some(())
    })
    .await;
}

#[tokio::test]
async fn no_client_can_speak_as_the_edge() {
    let world = World::new(When::Calm).await;
    let request = format!(
        "POST /echo HTTP/1.1\r\nHost: {HOST}\r\nConnection: close, holdfast-mode, x-private\r\n\
         Holdfast-Mode: normal\r\nHOLDFAST-AS-OF: 1970-01-01T00:00:00Z\r\nholdfast-capability: x\r\n\
         X-Private: y\r\nX-Kept: z\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nTrailer: holdfast-now\r\n\r\n\
         5\r\nwords\r\n0\r\nholdfast-now: 1970-01-01T00:00:00Z\r\nHoldfast-Site: other\r\n\r\n"
    );
    let answer = raw(world.edge.public, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let seen = world.origin.seen();
    let [seen] = seen.as_slice() else {
        panic!("{seen:?}");
    };
    assert_eq!(
        (&seen.body[..], seen.headers["x-kept"].as_bytes()),
        (&b"words"[..], &b"z"[..])
    );
    for name in seen.headers.keys().chain(seen.trailers.keys()) {
        assert!(
            !name.as_str().starts_with("holdfast-"),
            "{name} reached the origin"
        );
    }
    assert!(!seen.headers.contains_key("x-private") && !seen.headers.contains_key("te"));
    // The same over HTTP/2.
    let two = world
        .edge
        .get("/")
        .header("holdfast-mode", "normal")
        .h2c()
        .await;
    assert_eq!(two.status, 200);
    assert!(
        world
            .origin
            .seen()
            .iter()
            .all(|seen| !seen.headers.contains_key("holdfast-mode"))
    );
}

#[tokio::test]
async fn no_origin_can_speak_as_the_edge() {
    let site = Site::small().init().await;
    site.publish().await;
    let origin = Origin::start(|_| {
        let answer = http::Response::builder().header("holdfast-as-of", "1970-01-01T00:00:00Z");
        let answer = answer.header("holdfast-request-id", "forged");
        answer.header("x-kept", "z").body("live".into()).unwrap()
    })
    .await;
    let edge = site.edge().before(&origin).start().await;
    let answer = edge.get("/").await;
    assert_eq!(
        (answer.text().as_str(), answer.header("x-kept")),
        ("live", "z")
    );
    assert!(!answer.from_snapshot());
    assert!(!["", "forged"].contains(&answer.header("holdfast-request-id")));
}

#[tokio::test]
async fn a_write_that_died_on_its_way_is_not_called_refused() {
    let world = World::new(When::Calm).await;
    assert_eq!(world.edge.get("/").await.status, 200);
    world.origin.break_off();
    let answer = world.edge.ask(Method::POST, "/").body("name=a").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.header("retry-after"), "");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        world
            .origin
            .seen()
            .iter()
            .filter(|seen| seen.method == Method::POST)
            .count(),
        1
    );
}

#[tokio::test]
async fn every_failure_of_the_origin_is_answered_from_the_copy() {
    let mut world = World::new(When::Calm).await;
    let text = |answer: &Answer| (answer.status, answer.text().contains("Small House"));
    for status in [500, 502, 503, 504, 599] {
        world.origin.fail(status);
        let answer = world.edge.get("/").await;
        assert_eq!(text(&answer), (StatusCode::OK, true), "{status}");
        assert!(answer.from_snapshot(), "{status}");
    }
    world.origin.break_off();
    let answer = world.edge.get("/").await;
    assert_eq!(
        (text(&answer), answer.from_snapshot()),
        ((StatusCode::OK, true), true)
    );
    world.origin.freeze();
    let answer = world.edge.get("/").await;
    assert_eq!(
        (text(&answer), answer.from_snapshot()),
        ((StatusCode::OK, true), true)
    );
    // A client's mistake is the origin's to answer.
    world.origin.rise().await;
    world.origin.recover();
    eventually("the origin to answer again", async || {
        (!world.edge.get("/").await.from_snapshot()).then_some(())
    })
    .await;
    world.origin.fail(418);
    let answer = world.edge.get("/").await;
    assert_eq!(
        (answer.status.as_u16(), answer.from_snapshot()),
        (418, false)
    );
}
