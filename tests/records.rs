//! What an edge keeps of an outage: its log, read back from its control listener.

use http::Method;
use rustix::process::Signal;
use serde_json::Value;

use crate::scene::{Ask, Edge, Origin, Site, TOKEN, eventually};

async fn site() -> Site {
    let site = Site::small().init().await;
    site.publish().await;
    site
}

/// The log as `query` asks for it.
async fn log(edge: &Edge, query: &str) -> Vec<Value> {
    let answer = edge.ops(&format!("/log?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let lines = answer.text();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'l>(log: &'l [Value], kind: &str) -> Vec<&'l Value> {
    log.iter().filter(|line| line["kind"] == kind).collect()
}

/// Waits for a line.
async fn told(edge: &Edge, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || log(edge, "").await.into_iter().find(|line| is(line))).await
}

#[tokio::test]
async fn an_outage_is_in_the_log_by_whom_how_and_what_readers_got() {
    let site = site().await;
    let origin = Origin::start(|_| http::Response::new("origin".into())).await;
    let mut edge = site.edge().before(&origin).with_token(TOKEN).giving().start().await;
    assert_eq!(edge.get("/").await.status, 200);
    site.order(&["degrade", "home", "--why", "fire", "--who", "Minji"]).await;
    told(&edge, "the state", |line| line["kind"] == "state" && line["to"] == "degraded").await;
    assert_eq!(edge.get("/").await.status, 200);
    let write = edge.ask(Method::POST, "/pages/secret-path?token=1").body("x").await;
    assert_eq!(write.status, 503);
    let order = told(&edge, "the order", |line| line["kind"] == "order-accepted").await;
    assert_eq!((&order["who"], &order["why"]), (&"Minji".into(), &"fire".into()));
    assert_eq!((&order["scope"], &order["epoch"]), (&"service:home".into(), &1.into()));
    assert_eq!(order["came"]["by"], "mirror");
    assert!(order["came"]["url"].as_str().unwrap().ends_with("/mirror"));
    assert!(!order["signers"].as_array().unwrap().is_empty());
    assert!(order["envelope"].as_str().unwrap().len() > 300);

    // The next one is brought by somebody.
    let key = site.path("keys/operator");
    let via = format!("http://{}", edge.peer());
    site.order_via(&via, &key, &["recover", "home"]).await.expect(0);
    let brought = told(&edge, "the second order", |line| line["epoch"] == 2).await;
    assert_eq!(brought["came"], serde_json::json!({ "by": "pushed", "showed": "nothing" }));
    told(&edge, "the recovery", |line| line["from"] == "degraded").await;
    // What a stranger brings is refused.
    let host = edge.peer().to_string();
    Ask::new(edge.peer(), Method::PUT, &host, "/small/orders").body("no orders").await;
    told(&edge, "the refusal", |line| line["kind"] == "refused").await;

    let before = log(&edge, "").await;
    edge.signal(Signal::TERM);
    eventually("its end", async || edge.has_ended().then_some(())).await;
    edge.begin();
    edge.ready().await;
    let log = log(&edge, "").await;
    assert!(log.len() > before.len(), "nothing of before is lost");
    assert_eq!(of(&log, "edge-started").len(), 2);
    assert_eq!(of(&log, "edge-stopped").len(), 1);
    assert_eq!(of(&log, "order-accepted").len(), 2, "a restart accepts nothing anew");
    let moments: Vec<&str> = log.iter().map(|line| line["at"].as_str().unwrap()).collect();
    assert!(moments.is_sorted(), "{moments:?}");
    let pages = of(&log, "pages");
    let home = |kind: &str| -> u64 {
        let home = pages.iter().filter(|line| line["service"] == "home");
        home.map(|line| line[kind].as_u64().unwrap()).sum()
    };
    assert_eq!((home("origin"), home("fresh")), (1, 1));
    let release = of(&log, "release")[0];
    assert_eq!((&release["sequence"], release.get("from")), (&1.into(), None));
    let all = serde_json::to_string(&log).unwrap();
    assert!(!all.contains("secret-path") && !all.contains("127.0.0.1"), "{all}");
}

#[tokio::test]
async fn a_part_of_the_log_is_given_with_what_stood_before_it() {
    let site = site().await;
    let edge = site.edge().start().await;
    site.order(&["degrade", "home", "--why", "fire"]).await;
    told(&edge, "the order", |line| line["kind"] == "order-accepted").await;
    let end = "from=2100-01-01T00:00Z";
    assert_eq!(log(&edge, end).await, [Value::Null; 0]);
    let standing = log(&edge, &format!("{end}&standing")).await;
    assert_eq!(of(&standing, "order-accepted").len(), 1);
    assert_eq!(of(&standing, "release").len(), 1);
    let states = of(&standing, "state");
    assert!(states.iter().any(|state| state["service"] == "home"), "{states:?}");
    assert_eq!(log(&edge, "to=2000-01-01T00:00Z").await.len(), 0);
    for (query, word) in [("from=noon", "expected a time"), ("sight=1", "sight")] {
        let answer = edge.ops(&format!("/log?{query}")).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(word), "{}", answer.text());
    }
}
