//! The origin's pages pass the rewriter; the edge's own files and the control listener.

use http::{Method, StatusCode};
use snapshot::order::Mode;

use super::world::World;
use crate::page::reserved;
use crate::serve::status::status;

#[tokio::test]
async fn the_origins_page_changes_with_the_mode_and_its_tag_with_it() {
    let world = World::new().await;
    let range = [("range", "bytes=0-3"), ("accept-encoding", "br")];
    let calm = world.ask(Method::GET, "/page.html", &range).await;
    assert_eq!(calm.status, StatusCode::OK);
    assert!(calm.body.contains("send a gift") && !calm.body.contains("account numbers"));
    assert_eq!(
        calm.header("cache-control"),
        "public, max-age=0, s-maxage=5"
    );
    let seen = world.origin.seen()[0].to_ascii_lowercase();
    assert!(
        seen.contains("accept-encoding: identity") && !seen.contains("range:"),
        "{seen}"
    );

    let tag = calm.header("etag").to_owned();
    assert!(tag.starts_with("W/"), "{tag}");
    let again = [("if-none-match", tag.as_str())];
    let unchanged = world.ask(Method::GET, "/page.html", &again).await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    assert_eq!(unchanged.header("etag"), tag);

    world.order(Mode::Normal).await;
    let told = world.ask(Method::GET, "/page.html", &again).await;
    assert_eq!(told.status, StatusCode::OK);
    assert!(told.body.contains("점검 중"), "{}", told.body);
    assert!(!told.is_copy());
}

#[tokio::test]
async fn the_copys_page_shows_what_is_left_while_degraded() {
    let world = World::new().await;
    world.order(Mode::Degraded).await;
    let english = [("accept-language", "en")];
    let got = world.ask(Method::GET, "/page.html", &english).await;
    assert_eq!(got.status, StatusCode::OK);
    assert!(!got.body.contains("send a gift") && got.body.contains("account numbers"));
    assert!(got.body.contains("under repair"));
    assert!(got.is_copy());
    assert!(
        got.header("cache-status").contains("service-order"),
        "{got:?}"
    );
}

#[tokio::test]
async fn a_long_page_is_rewritten_while_it_streams() {
    let world = World::new().await;
    let got = world.get("/big-page").await;
    assert!(got.body.contains("send a gift") && !got.body.contains("account numbers"));
    assert_eq!(got.body.matches("<p>filler</p>").count(), 40_000);
    assert!(!got.headers.contains_key("content-length"));
}

#[tokio::test]
async fn the_edges_own_files_are_served_without_the_origin() {
    let world = World::new().await;
    let got = world.get(reserved::sheet_path()).await;
    assert_eq!(got.status, StatusCode::OK);
    assert_eq!(
        got.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(
        world.get("/.holdfast/other").await.status,
        StatusCode::NOT_FOUND
    );
    assert!(world.origin.seen().is_empty());
}

#[tokio::test]
async fn the_control_listener_tells_how_the_edge_is() {
    let world = World::new().await;
    assert_eq!(world.ask_control("/livez").await.status, StatusCode::OK);
    assert_eq!(world.ask_control("/readyz").await.status, StatusCode::OK);
    world.order(Mode::Degraded).await;
    world.get("/a.txt").await;
    let status = world.ask_control("/status").await;
    let status: crate::serve::Status = serde_json::from_str(&status.body).unwrap();
    let site = &status.sites[0];
    assert_eq!(site.sync.release.as_ref().unwrap().sequence, 7);
    assert_eq!(site.freshness.as_deref(), Some("fresh"));
    let pay = &site.services[0];
    assert_eq!((pay.name.as_str(), pay.state.as_str()), ("pay", "degraded"));
    assert_eq!(pay.reason, "service-order");
    assert!(pay.since.is_some());
    assert_eq!(site.unrouted.state, "normal");
    let metrics = world.ask_control("/metrics").await.body;
    for line in [
        "holdfast_requests_total{site=\"dasom\",service=\"pay\",source=\"snapshot\",status=\"200\"} 1",
        "holdfast_service_mode{site=\"dasom\",service=\"pay\"} 2",
        "holdfast_release_sequence{site=\"dasom\"} 7",
    ] {
        assert!(
            metrics.lines().any(|had| had == line),
            "{line} in {metrics}"
        );
    }
    assert!(!metrics.contains("a.txt"));
    assert_eq!(
        world.ask_control("/other").await.status,
        StatusCode::NOT_FOUND
    );
    world.stop.cancel();
    assert_eq!(
        world.ask_control("/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn an_order_that_status_tells_is_in_force() {
    let world = World::new().await;
    world.give(Mode::Degraded);
    // Nothing had a turn in between that could follow the order.
    let told = status(&world.edge);
    let site = &told.sites[0];
    assert_eq!(site.sync.orders.len(), 1);
    let pay = site.services.iter().find(|service| service.name == "pay");
    assert_eq!(pay.unwrap().state, "degraded");
}
