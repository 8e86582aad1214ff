//! What an edge keeps of an outage: its log, read back from its control listener.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use http::Method;
use rustix::process::Signal;
use serde_json::Value;

use crate::scene::{Ask, Edge, Ended, Origin, Site, TOKEN, binary, eventually, free, parse, run};

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
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of<'l>(log: &'l [Value], kind: &str) -> Vec<&'l Value> {
    log.iter().filter(|line| line["kind"] == kind).collect()
}

/// Waits for a line.
async fn told(edge: &Edge, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || {
        log(edge, "").await.into_iter().find(|line| is(line))
    })
    .await
}

#[tokio::test]
async fn an_outage_is_in_the_log_by_whom_how_and_what_readers_got() {
    let site = site().await;
    let origin = Origin::start(|_| http::Response::new("origin".into())).await;
    let mut edge = site
        .edge()
        .before(&origin)
        .with_token(TOKEN)
        .giving()
        .start()
        .await;
    assert_eq!(edge.get("/").await.status, 200);
    site.order(&["degrade", "home", "--why", "fire", "--who", "Minji"])
        .await;
    told(&edge, "the state", |line| {
        line["kind"] == "state" && line["to"] == "degraded"
    })
    .await;
    assert_eq!(edge.get("/").await.status, 200);
    let write = edge
        .ask(Method::POST, "/pages/secret-path?token=1")
        .body("x")
        .await;
    assert_eq!(write.status, 503);
    // Nothing of who wrote, of what, or of where but the template.
    let refused = told(&edge, "the write", |line| line["kind"] == "write-refused").await;
    let mut fields: Vec<&String> = refused.as_object().unwrap().keys().collect();
    fields.sort();
    let expected = ["at", "kind", "reference", "route", "service", "site"];
    assert_eq!(fields, expected, "{refused}");
    assert_eq!(refused["route"], "/pages/{*path}");
    let order = told(&edge, "the order", |line| line["kind"] == "order-accepted").await;
    assert_eq!(
        (&order["who"], &order["why"]),
        (&"Minji".into(), &"fire".into())
    );
    assert_eq!(
        (&order["scope"], &order["epoch"]),
        (&"service:home".into(), &1.into())
    );
    assert_eq!(order["came"]["by"], "mirror");
    assert!(order["came"]["url"].as_str().unwrap().ends_with("/mirror"));
    assert!(!order["signers"].as_array().unwrap().is_empty());
    assert!(order["envelope"].as_str().unwrap().len() > 300);

    // The next one is brought by somebody.
    let key = site.path("keys/operator");
    let via = format!("http://{}", edge.peer());
    site.order_via(&via, &key, &["recover", "home"])
        .await
        .expect(0);
    let brought = told(&edge, "the second order", |line| line["epoch"] == 2).await;
    assert_eq!(
        brought["came"],
        serde_json::json!({ "by": "pushed", "showed": "nothing" })
    );
    told(&edge, "the recovery", |line| line["from"] == "degraded").await;
    // What a stranger brings is refused.
    let host = edge.peer().to_string();
    Ask::new(edge.peer(), Method::PUT, &host, "/small/orders")
        .body("no orders")
        .await;
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
    assert_eq!(
        of(&log, "order-accepted").len(),
        2,
        "a restart accepts nothing anew"
    );
    let moments: Vec<&str> = log
        .iter()
        .map(|line| line["at"].as_str().unwrap())
        .collect();
    assert!(moments.is_sorted(), "{moments:?}");
    let pages = of(&log, "pages");
    let home = |kind: &str| -> u64 {
        let home = pages.iter().filter(|line| line["service"] == "home");
        home.map(|line| line[kind].as_u64().unwrap()).sum()
    };
    assert_eq!((home("origin"), home("fresh")), (1, 1));
    let release = of(&log, "release")[0];
    assert_eq!(
        (&release["sequence"], release.get("from")),
        (&1.into(), None)
    );
    let all = serde_json::to_string(&log).unwrap();
    assert!(
        !all.contains("secret-path") && !all.contains("127.0.0.1"),
        "{all}"
    );
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
    assert!(
        states.iter().any(|state| state["service"] == "home"),
        "{states:?}"
    );
    assert_eq!(log(&edge, "to=2000-01-01T00:00Z").await.len(), 0);
    for (query, word) in [("from=noon", "expected a time"), ("sight=1", "sight")] {
        let answer = edge.ops(&format!("/log?{query}")).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(word), "{}", answer.text());
    }
}

fn count(page: &scraper::Html, selector: &str) -> usize {
    page.select(&scraper::Selector::parse(selector).unwrap())
        .count()
}

/// `edge report` over these edges.
async fn report(edges: &[String], arguments: &[&str]) -> Ended {
    let mut report = Command::new(binary("edge"));
    report.arg("report").args(arguments);
    for edge in edges {
        report.arg("--edge").arg(edge);
    }
    run(report).await
}

#[tokio::test]
async fn the_account_of_an_outage_is_made_from_all_edges_and_says_who_was_not_heard() {
    let site = site().await;
    let origin = Origin::start(|_| http::Response::new("origin".into())).await;
    let start = async |name: &str| site.edge().named(name).before(&origin).start().await;
    let (seoul, busan) = (start("seoul-1").await, start("busan-2").await);
    let edges = [&seoul, &busan].map(|edge| format!("http://{}", edge.control));
    site.order(&[
        "degrade",
        "home",
        "--why",
        "fire <b>in</b> the hall",
        "--who",
        "Minji",
    ])
    .await;
    for edge in [&seoul, &busan] {
        told(edge, "the state", |line| {
            line["kind"] == "state" && line["to"] == "degraded"
        })
        .await;
        assert_eq!(edge.get("/").await.status, 200);
    }
    let write = seoul
        .ask(Method::POST, "/")
        .header("accept", "application/json")
        .await;
    let problem: Value = serde_json::from_slice(&write.body).unwrap();
    let reference = problem["reference"].as_str().unwrap();
    let page = seoul
        .ask(Method::POST, "/")
        .header("accept", "text/html")
        .await
        .text();
    assert_eq!(count(&parse(&page), ".receipt b"), 1, "{page}");
    site.order(&["recover", "home", "--why", "the fire is out"])
        .await;
    for edge in [&seoul, &busan] {
        told(edge, "the recovery", |line| line["from"] == "degraded").await;
    }

    let json = report(&edges, &["--format", "json"]).await.expect(0).json();
    let home = json["services"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["service"] == "home")
        .unwrap();
    let degraded = &home["episodes"][0];
    assert_eq!(degraded["state"], "degraded");
    assert_eq!(degraded["edges"], serde_json::json!(["busan-2", "seoul-1"]));
    assert_eq!(degraded["open"], false);
    assert_eq!(
        (&home["pages"]["fresh"], &home["writes_refused"]),
        (&2.into(), &2.into())
    );
    let orders = json["orders"].as_array().unwrap();
    assert_eq!(orders.len(), 2, "one order is one, on however many edges");
    assert_eq!(orders[0]["who"], "Minji");
    assert_eq!(orders[0]["accepted"].as_array().unwrap().len(), 2);
    assert_eq!(json["writes"][0]["reference"], reference);

    let text = report(&edges, &[]).await.expect(0).out;
    for words in [
        "Told by 2 of 2 edges",
        "why: fire",
        "degraded",
        "by Minji",
        reference,
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let found = report(&edges, &["--reference", &reference.to_lowercase()])
        .await
        .expect(0)
        .out;
    assert!(
        found.contains("/ of home: refused") && found.contains("on seoul-1"),
        "{found}"
    );
    report(&edges, &["--reference", "XXXX-XXXX"])
        .await
        .expect(1);

    // One is gone, and one never was.
    let gone = [edges[0].clone(), format!("http://{}", free())];
    let file = site.path("outage.html");
    let out = file.display().to_string();
    let ended = report(&gone, &["--format", "html", "--out", &out])
        .await
        .expect(3);
    assert!(ended.err.contains("was not heard"), "{}", ended.err);
    let html = fs_err::read_to_string(&file).unwrap();
    let page = parse(&html);
    assert_eq!(count(&page, ".bad"), 1);
    assert!(count(&page, "svg") >= 3, "{html}");
    assert!(
        html.contains("fire &lt;b&gt;in&lt;/b&gt; the hall"),
        "{html}"
    );
    for outside in ["<link", "<script", "src=", "url(", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
    report(&gone[1..], &[]).await.expect(4);
    report(&[], &[]).await.expect(64);
    report(
        &edges,
        &["--from", "2100-01-01T00:00Z", "--to", "2000-01-01T00:00Z"],
    )
    .await
    .expect(64);
}

#[tokio::test]
async fn programs_are_told_of_changes_and_what_they_say_is_in_the_log() {
    let site = site().await;
    let program = "#!/bin/sh\ncat >> \"$1\"\necho told; exit 3\n";
    let site = site.file("told.sh", program);
    let script = site.path("told.sh");
    fs_err::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let heard = site.path("heard.ndjson");
    let settings = format!(
        "[[on_change]]\nrun = [\"./told.sh\", {heard:?}]\nonly = [\"state\", \"order-accepted\"]\n\
         [[on_change]]\nrun = [\"sleep\", \"600\"]\ntime = \"100ms\"\n"
    );
    let edge = site.edge().set(&settings).start().await;
    site.order(&["degrade", "pay", "--why", "fire"]).await;
    let heard = async |what: &str, is: fn(&Value) -> bool| {
        eventually(what, async || {
            let text = fs_err::read_to_string(&heard).ok()?;
            let lines = text
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap());
            lines.into_iter().find(is)
        })
        .await
    };
    let order = heard("the order", |line| line["kind"] == "order-accepted").await;
    assert_eq!(
        (&order["edge"], &order["site"]),
        (&"edge-1".into(), &"small".into())
    );
    assert_eq!(
        (&order["scope"], &order["why"]),
        (&"service:pay".into(), &"fire".into())
    );
    assert!(order.get("envelope").is_none());
    let state = heard("the state", |line| {
        line["kind"] == "state" && line["reason"] == "service-order"
    });
    assert_eq!(state.await["service"], "pay");
    let ran = told(&edge, "how it ended", |line| {
        line["program"] == script.display().to_string()
    })
    .await;
    assert_eq!(
        (&ran["ended"], &ran["output"]),
        (&"exit 3".into(), &"told".into())
    );
    let killed = told(&edge, "the end of who takes too long", |line| {
        line["program"] == "sleep"
    })
    .await;
    assert!(
        killed["ended"].as_str().unwrap().starts_with("killed"),
        "{killed}"
    );
    assert_eq!(edge.get("/").await.status, 200);
}
