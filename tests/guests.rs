//! A component that misbehaves behind a running edge: its request gets the emergency page, and
//! the next one is served.

use http::StatusCode;

use crate::scene::{Edge, Site, component_file};

macro_rules! names {
    ($($name:ident,)+) => { &[$(stringify!($name)),+] };
}
const BEHAVIOURS: &[&str] = for_each_behaviour!(names);

/// Those that get an answer of their own; what is in it is the matter of `host::behaviours`.
const ANSWERED: [&str; 9] = [
    "answer_late",
    "claim_length",
    "fine",
    "get_keys_bomb",
    "greet",
    "list_keys",
    "open_foreign",
    "read_key",
    "write_record",
];

fn site_toml(component: &std::path::Path) -> String {
    format!(
        r#"
site = "guests"
title = {{ ko = "손님", en = "Guests" }}
languages = ["ko", "en"]
[service.home]
title = {{ ko = "대문", en = "Front Door" }}
meanwhile = {{ ko = "", en = "" }}
probe = "/health"
[collection.records]
source = {{ ndjson = "records.ndjson", key = "id" }}
[component.hostile]
file = {component:?}
[[route]]
path = "/{{behaviour}}"
component = "hostile"
collections = ["records"]
[[canary]]
path = "/fine"
contains = "fine"
[publish]
mirrors = ["mirror"]
key = "keys/release"
"#
    )
}

async fn edge() -> (Site, Edge) {
    edge_over("{\"id\":\"a\",\"word\":\"apple\"}\n").await
}

async fn edge_over(records: &str) -> (Site, Edge) {
    let site = Site::new("guests", &site_toml(&component_file("hostile")))
        .file("records.ndjson", records)
        .init()
        .await;
    site.publish().await;
    let edge = site.edge().start().await;
    (site, edge)
}

#[tokio::test]
async fn each_misbehaviour_costs_its_own_request_and_nothing_else() {
    let (_site, mut edge) = edge().await;
    for behaviour in BEHAVIOURS {
        if ANSWERED.contains(behaviour) {
            let answer = edge.get(&format!("/{behaviour}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{behaviour}");
            continue;
        }
        let path = format!("/{behaviour}");
        let (bad, good) = tokio::join!(
            edge.get(&path).language("en").send(),
            edge.get("/fine").language("en").send()
        );
        let (bad, good) = (bad.unwrap(), good.unwrap());
        assert_eq!(bad.status, StatusCode::SERVICE_UNAVAILABLE, "{behaviour}");
        assert!(
            bad.is_html() && bad.text().contains("Guests"),
            "{behaviour}: {}",
            bad.text()
        );
        assert!(
            bad.header("cache-control").contains("no-store"),
            "{behaviour}"
        );
        assert!(!bad.text().contains("inside words"), "{behaviour}");
        assert_eq!(
            (good.status, good.text().as_str()),
            (StatusCode::OK, "fine"),
            "beside {behaviour}"
        );
        let next = edge.get("/fine").await;
        assert_eq!(
            (next.status, next.text().as_str()),
            (StatusCode::OK, "fine"),
            "after {behaviour}"
        );
        edge.alive();
    }
    let korean = edge.get("/crash").language("ko").await.text();
    assert!(korean.contains("손님"), "{korean}");
}

#[tokio::test]
async fn a_guest_reads_what_its_route_declares_and_writes_nothing() {
    let (_site, edge) = edge().await;
    assert_eq!(edge.get("/list_keys").await.text(), "a");
    assert!(
        edge.get("/open_foreign")
            .await
            .text()
            .contains("AccessDenied")
    );
    assert!(edge.get("/write_record").await.text().contains("read-only"));
}

#[tokio::test]
async fn a_collection_of_very_many_keys_is_never_listed_in_part() {
    let records = (0..=10_000).map(|id| format!("{{\"id\":\"{id}\"}}\n"));
    let (_site, edge) = edge_over(&records.collect::<String>()).await;
    for (behaviour, answer) in [
        ("list_keys", "more than 10000 keys are not listed"),
        ("get_keys_bomb", "0 of 100 listings, 0 keys"),
    ] {
        let text = edge.get(&format!("/{behaviour}")).await.text();
        assert!(text.contains(answer), "{behaviour}: {text}");
    }
    assert_eq!(edge.get("/fine").await.text(), "fine");
}

#[tokio::test]
async fn a_guest_is_told_by_the_edge_and_never_by_a_client() {
    let (_site, edge) = edge().await;
    let plain = edge.get("/greet").language("en").await;
    assert!(
        plain.text().contains("holdfast-site: guests"),
        "{}",
        plain.text()
    );
    let asked = edge
        .get("/greet?page=2")
        .language("en")
        .header("cookie", "id=1");
    let forged = asked
        .header("holdfast-site", "other")
        .header("holdfast-capability", "x")
        .header("holdfast-now", "1970-01-01T00:00:00Z")
        .header("x-forwarded-for", "192.0.2.1");
    assert_eq!(forged.await.body, plain.body);
}

#[tokio::test]
async fn a_stampede_of_misbehaviour_leaves_room_for_the_others() {
    let (_site, edge) = edge().await;
    let bad = (0..24).map(|_| edge.get("/spin").send());
    let good = (0..8).map(|_| edge.get("/fine").send());
    let (bad, good) = tokio::join!(
        futures::future::join_all(bad),
        futures::future::join_all(good)
    );
    assert!(
        bad.iter()
            .all(|answer| answer.as_ref().unwrap().status == 503)
    );
    // Those that found no room are told so; none hangs, and afterwards all is as before.
    for answer in good {
        let status = answer.unwrap().status;
        assert!([200, 503].contains(&status.as_u16()), "{status}");
    }
    assert_eq!(edge.get("/fine").await.text(), "fine");
}
