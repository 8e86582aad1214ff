//! Who answers for a service: what the publisher may say about that, and what a restart may not lose.

use serde_json::Value;

use crate::scene::{Edge, Origin, Site, eventually};

/// What `/status` says of a service.
async fn service(edge: &Edge, name: &str) -> Value {
    let status = edge.status().await;
    let services = status["services"].as_array().unwrap();
    let known = services.iter().find(|known| known["name"] == name);
    known.unwrap().clone()
}

/// Waits until a service is in this state for this reason.
async fn becomes(edge: &Edge, name: &str, state: &str, reason: &str) -> Value {
    eventually(&format!("{name} to be {state} for {reason}"), async || {
        let known = service(edge, name).await;
        (known["state"] == state && known["reason"] == reason).then_some(known)
    })
    .await
}

/// A site of which one failed request opens the breaker, if a probe fails too.
async fn site() -> Site {
    let site = Site::small().init().await;
    site.edit(
        "site.toml",
        "[service.pay]",
        "[service.home.breaker]\nvolume = 1\nfailures = 1\npaths = 1\nstep = \"100ms\"\n[service.pay]",
    );
    site.publish().await;
    site
}

#[tokio::test]
async fn an_edge_that_starts_in_mid_outage_answers_from_the_snapshot_at_once() {
    let site = site().await;
    let mut origin = Origin::small().await;
    let mut edge = site.edge().before(&origin).start().await;
    assert!(!edge.get("/").await.from_snapshot());
    origin.die().await;
    assert!(edge.get("/").await.from_snapshot());
    let before = becomes(&edge, "home", "degraded", "connect").await;
    // The other service has lost the same origin.
    becomes(&edge, "pay", "degraded", "probe").await;
    let written = site.path("edge-1/sites/small/state/modes");
    eventually("it to be written down", async || {
        let bytes = fs_err::read(&written).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.contains("probe").then_some(())
    })
    .await;
    edge.kill();
    // It swallows what it is asked: who asked it would wait.
    origin.rise().await;
    origin.freeze();
    edge.begin();
    edge.ready().await;
    let after = service(&edge, "home").await;
    assert_eq!(after, before);
    let write = edge.ask(http::Method::POST, "/").body("name=a").await;
    assert_eq!(write.status, 503);
    assert!(edge.get("/").await.from_snapshot());
    origin.recover();
    becomes(&edge, "home", "normal", "calm").await;
    assert!(!edge.get("/").await.from_snapshot());
    assert_eq!(edge.status().await["remarks"], serde_json::json!([]));

    // What cannot be read is an alarm, and a breaker that starts anew.
    edge.kill();
    fs_err::write(&written, "nonsense").unwrap();
    edge.begin();
    edge.ready().await;
    let alarms = edge.status().await["remarks"].to_string();
    assert!(alarms.contains("state modes is damaged"), "{alarms}");
    becomes(&edge, "home", "normal", "calm").await;
}

#[tokio::test]
async fn a_forced_normal_waits_until_the_origin_answers() {
    let site = site().await;
    let mut origin = Origin::small().await;
    let edge = site.edge().before(&origin).start().await;
    origin.die().await;
    assert!(edge.get("/").await.from_snapshot());
    becomes(&edge, "home", "degraded", "connect").await;
    let recover = ["recover", "home", "--normal", "--why", "it is back"];
    site.order(&recover).await;
    becomes(&edge, "home", "degraded", "not-seen-healthy").await;
    assert!(edge.get("/").await.from_snapshot());
    origin.rise().await;
    becomes(&edge, "home", "normal", "service-order").await;
    assert!(!edge.get("/").await.from_snapshot());
}

#[tokio::test]
async fn a_release_changes_when_a_breaker_at_work_opens() {
    let site = Site::small().init().await;
    site.publish().await;
    let mut origin = Origin::small().await;
    let edge = site.edge().before(&origin).start().await;
    assert!(!edge.get("/").await.from_snapshot());
    let at_once = "[service.home.breaker]\nvolume = 1\nfailures = 1\npaths = 1\n[service.pay]";
    site.edit("site.toml", "[service.pay]", at_once);
    site.publish().await;
    edge.reaches(2).await;
    origin.die().await;
    assert!(edge.get("/").await.from_snapshot());
    becomes(&edge, "home", "degraded", "connect").await;
}
