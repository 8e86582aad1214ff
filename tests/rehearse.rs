//! `edge rehearse`: an outage for some, while the origin is well, and no reader the worse for it.

use serde_json::Value;
use stage::client::Answer;
use tokio::task::JoinHandle;

use crate::scene::{Edge, Ended, INDEX, Origin, Site, eventually, run};

async fn site() -> Site {
    let site = Site::small().init().await;
    site.publish().await;
    site
}

/// An origin whose notes are other words than the snapshot's, and whose first page is the same but
/// for a number.
async fn origin() -> Origin {
    Origin::start(|seen| {
        let page = match seen.target.as_str() {
            target if target.starts_with("/notes/") => "<p>not what was published</p>".to_owned(),
            "/numbered" => INDEX.replace("Small House", "Small House 7"),
            _ => INDEX.replace("bell", "<b>bell</b>"),
        };
        let answer = http::Response::builder().header("content-type", "text/html; charset=utf-8");
        answer.body(page.into()).unwrap()
    })
    .await
}

/// `edge rehearse` of the service `home`, under way.
fn rehearse(edge: &Edge, arguments: &[&str]) -> JoinHandle<Ended> {
    let first = ["rehearse", "--service", "home", "--json"];
    let command = edge.command(&[&first, arguments].concat());
    tokio::spawn(run(command))
}

/// What `/status` says of the service `home`.
async fn home(edge: &Edge) -> Value {
    let status = edge.status().await;
    let services = status["services"].as_array().unwrap();
    let home = services.iter().find(|service| service["name"] == "home");
    home.unwrap().clone()
}

async fn rehearses(edge: &Edge) {
    eventually("the rehearsal to begin", async || {
        let home = home(edge).await;
        home["rehearsing_percent"].is_number().then_some(())
    })
    .await;
}

fn is_rehearsed(answer: &Answer) -> bool {
    answer.headers.contains_key("holdfast-rehearsal")
}

#[tokio::test]
async fn some_readers_get_the_snapshot_and_the_report_says_what_they_got() {
    let (site, origin) = (site().await, origin().await);
    let mut edge = site.edge().before(&origin).start().await;
    let rehearsal = rehearse(&edge, &["--share", "50%", "--for", "3s"]);
    let (mut marked, mut all) = (0, 0);
    while !rehearsal.is_finished() {
        for target in ["/", "/notes/one.html"] {
            let got = edge.get(target).await;
            assert_eq!(got.status, 200);
            all += 1;
            if is_rehearsed(&got) {
                marked += 1;
                assert!(got.from_snapshot());
                assert_eq!(got.header("holdfast-rehearsal"), "home");
                assert_eq!(got.header("cache-control"), "no-store");
                assert!(got.header("cache-status").contains("detail=rehearsal"));
            }
            // Somebody is somebody: never rehearsed on.
            for (name, value) in [("cookie", "a=b"), ("authorization", "Basic x")] {
                let known = edge.get(target).header(name, value).await;
                assert!(!known.from_snapshot() && !is_rehearsed(&known));
            }
        }
    }
    let ended = rehearsal.await.unwrap().expect(0);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    let counted = &report["counted"];
    assert_eq!(report["ended"], "time");
    assert_eq!(counted["reads"], marked, "{report:#}");
    assert!(marked * 3 > all && marked < all, "{marked} of {all}");
    assert_eq!(
        (&counted["covered"], &counted["errors"]),
        (&counted["reads"], &Value::from(0))
    );
    let (first, notes) = (
        &counted["routes"]["/"],
        &counted["routes"]["/notes/{*path}"],
    );
    // Mark-up is no difference, and neither is what depends on the service.
    assert!(
        first["same"].as_u64() > Some(0) && first["same"] == first["compared"],
        "{report:#}"
    );
    assert!(
        notes["words"].as_u64() > Some(0) && notes["words"] == notes["compared"],
        "{report:#}"
    );
    for who in ["snapshot", "origin"] {
        assert!(counted[who]["p99_ms"].as_f64() > Some(0.0), "{report:#}");
    }
    // The log has its reason and nothing of a page; the result stays.
    let log = edge.logged();
    assert!(
        log.contains("rehearsal") && !log.contains("one.html"),
        "{log}"
    );
    assert!(!ended.out.contains("published") && !ended.out.contains("one.html"));
    for restarted in [false, true] {
        if restarted {
            edge.kill();
            edge.begin();
            edge.ready().await;
        }
        let last = &home(&edge).await["last_rehearsal"];
        assert_eq!(
            (&last["passed"], &last["ended"]),
            (&Value::from(true), &Value::from("time"))
        );
        assert_eq!(last["reads"], marked);
    }
}

#[tokio::test]
async fn beyond_its_budget_of_errors_it_ends_and_no_reader_sees_one() {
    let (site, origin) = (site().await, origin().await);
    let edge = site.edge().before(&origin).start().await;
    let rehearsal = rehearse(&edge, &["--share", "50%", "--for", "1h", "--budget", "1%"]);
    while !rehearsal.is_finished() {
        // The snapshot is sure that there is no such page, and the origin has it.
        let got = edge.get("/pages/new.html").await;
        assert_eq!(got.status, 200);
        assert!(!got.from_snapshot());
        // What it cannot be sure of is an error, too.
        assert_eq!(edge.get("/notes/new.html").await.status, 200);
    }
    let ended = rehearsal.await.unwrap().expect(7);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(report["ended"], "budget");
    let errors = |route: &str| report["counted"]["routes"][route]["errors"].clone();
    let found = [errors("/pages/{*path}"), errors("/notes/{*path}")];
    assert!(found[0]["absent"].is_number() || found[1]["not-in-our-copy"].is_number());
    assert_eq!(home(&edge).await["last_rehearsal"]["passed"], false);
}

#[tokio::test]
async fn a_service_that_is_not_well_is_not_rehearsed_on() {
    let (site, origin) = (site().await, origin().await);
    let edge = site.edge().before(&origin).start().await;
    let first = rehearse(&edge, &["--for", "1h"]);
    rehearses(&edge).await;
    let second = rehearse(&edge, &[]).await.unwrap().expect(1);
    second.says(&["home is being rehearsed already"]);
    // An order ends it at once.
    let control = format!("http://{}", edge.control);
    site.order(&["degrade", "home", "--why", "fire", "--edge", &control])
        .await;
    let ended = first.await.unwrap().expect(8);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(report["ended"], "mode");
    let refused = rehearse(&edge, &[]).await.unwrap().expect(1);
    refused.says(&["home is degraded (service-order)"]);
    for (service, why) in [("pay", "no route of pay"), ("mail", "there are home, pay")] {
        let refused = run(edge.command(&["rehearse", "--service", service])).await;
        refused.expect(1).says(&[why]);
    }
    let too_much = ["rehearse", "--service", "home", "--share", "51%"];
    run(edge.command(&too_much)).await.expect(64);
}

#[tokio::test]
async fn it_ends_with_whoever_began_it_or_with_the_origin() {
    let (site, mut origin) = (site().await, origin().await);
    let edge = site.edge().before(&origin).start().await;
    let ended = async |how: &str| {
        eventually(&format!("the rehearsal to end by {how}"), async || {
            let home = home(&edge).await;
            let is_over = home["rehearsing_percent"].is_null();
            (is_over && home["last_rehearsal"]["ended"] == how).then_some(())
        })
        .await;
    };
    let left = rehearse(&edge, &["--for", "1h"]);
    rehearses(&edge).await;
    left.abort();
    ended("left").await;
    // Pages that are not in the snapshot are asked for below: they are not to end it first.
    let begun = rehearse(&edge, &["--for", "1h", "--budget", "10%"]);
    rehearses(&edge).await;
    origin.die().await;
    let mut number = 0;
    while !begun.is_finished() {
        assert_eq!(edge.get("/").await.status, 200);
        edge.get(&format!("/notes/{number}")).await;
        number += 1;
    }
    begun.await.unwrap().expect(8);
    ended("mode").await;
}
