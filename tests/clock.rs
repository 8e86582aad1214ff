//! An edge whose wall clock jumps: what it holds it serves, what is signed it takes, and an age is never
//! told smaller than it is known to be.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::scene::{Clock, Edge, Site, eventually};

const DAY_S: i64 = 24 * 3600;

/// Waits until the release in use is so many days old, give or take an hour.
async fn is_days_old(edge: &Edge, days: i64) {
    eventually(&format!("an age of {days} days"), async || {
        let age = edge.status().await["release"]["age_s"].as_i64()?;
        ((age - days * DAY_S).abs() < 3600).then_some(())
    })
    .await;
}

/// The publisher, whose clock is right, says something new.
async fn takes_the_next(site: &Site, edge: &Edge, n: u64) {
    let words = format!("plain words, {n}\n");
    site.write("public/plain.txt", &words);
    site.publish().await;
    edge.reaches(n).await;
    assert_eq!(edge.get("/pages/plain.txt").await.text(), words);
    let status = edge.status().await;
    assert_eq!(status["refusals"], serde_json::json!([]), "{status}");
}

#[tokio::test]
async fn an_edge_whose_clock_jumps_serves_and_follows_all_the_same() {
    if !outside::have("cc") {
        return;
    }
    let site = Site::small().init().await;
    site.publish().await;
    let clock = Clock::of(&site);
    let mut edge = site.edge().by(&clock).start().await;
    is_days_old(&edge, 0).await;
    // A month ahead: everything is a month old, and says so.
    clock.is_wrong_by(30 * DAY_S);
    is_days_old(&edge, 30).await;
    takes_the_next(&site, &edge, 2).await;
    is_days_old(&edge, 30).await;
    // A month behind: its time does not fall below what was signed and accepted.
    clock.is_wrong_by(-30 * DAY_S);
    is_days_old(&edge, 0).await;
    takes_the_next(&site, &edge, 3).await;
    edge.kill();
    edge.begin();
    edge.ready().await;
    is_days_old(&edge, 0).await;
    takes_the_next(&site, &edge, 4).await;
    // And right again.
    clock.is_wrong_by(0);
    takes_the_next(&site, &edge, 5).await;
    is_days_old(&edge, 0).await;
    assert_eq!(edge.status().await["remarks"], serde_json::json!([]));
}

/// The order of `pay`, once it is in force.
async fn ordered(edge: &Edge, epoch: u64, mode: &str) -> Value {
    eventually(&format!("order {epoch} to ask for {mode}"), async || {
        let orders = edge.status().await["orders"].clone();
        let order = orders.as_array()?.iter();
        let mut order = order.filter(|order| order["epoch"] == epoch && order["mode"] == mode);
        order.next().cloned()
    })
    .await
}

fn alarms(status: &Value) -> String {
    status["remarks"].to_string()
}

#[tokio::test]
async fn a_forced_mode_ends_by_a_jump_of_the_clock_and_its_pin_and_notice_stay() {
    if !outside::have("cc") {
        return;
    }
    let site = Site::small().init().await;
    site.publish().await;
    let clock = Clock::of(&site);
    let edge = site.edge().by(&clock).start().await;
    site.order(&["pin", "1"]).await;
    site.order(&["notice", "site", "restoring", "--language", "en"])
        .await;
    site.order(&["degrade", "site", "--why", "fire", "--for", "4h"])
        .await;
    let order = ordered(&edge, 3, "degraded").await;
    assert_eq!(
        (&order["scope"], &order["notices"]),
        (&"site".into(), &1.into())
    );
    clock.is_wrong_by(5 * 3600);
    let order = ordered(&edge, 3, "automatic").await;
    assert_eq!(order["notices"], 1);
    assert!(order["ends_at"].is_string(), "{order}");
    let page = edge.get("/").language("en").await;
    assert!(page.text().contains("restoring"), "{}", page.text());
    // What comes after the pin is known of, and not used.
    site.write("public/plain.txt", "plainer\n");
    site.publish().await;
    eventually("release 2 to be offered", async || {
        let sources = edge.status().await["sources"].clone();
        (sources[0]["offers"] == 2).then_some(())
    })
    .await;
    assert_eq!(edge.sequence().await, Some(1));
    assert_eq!(edge.get("/pages/plain.txt").await.text(), "plain words\n");
    site.order(&["unpin"]).await;
    edge.reaches(2).await;
    let order = ordered(&edge, 4, "automatic").await;
    assert_eq!(order["notices"], 1);
}

/// By how much a machine without a clock is wrong.
fn since_1970() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

#[tokio::test]
async fn an_edge_whose_clock_is_a_day_off_obeys_and_ends_orders_by_its_own_time() {
    if !outside::have("cc") {
        return;
    }
    let site = Site::small().init().await;
    site.publish().await;
    let clock = Clock::of(&site);
    clock.is_wrong_by(-DAY_S);
    let edge = site.edge().by(&clock).start().await;
    // Behind: what is signed now comes from a day ahead, which is believed, and told.
    edge.reaches(1).await;
    let status = edge.status().await;
    assert!(alarms(&status).contains("ahead-of-time"), "{status}");
    let degrade = ["degrade", "pay", "--why", "fire", "--for"];
    site.order(&[&degrade[..], &["4h"]].concat()).await;
    let order = ordered(&edge, 1, "degraded").await;
    assert_eq!(order["end_announced"], false);
    // Its time goes on once its clock has caught up, and so does the end.
    clock.is_wrong_by(3 * 3600 + 1800);
    eventually("the end to be announced", async || {
        let order = ordered(&edge, 1, "degraded").await;
        (order["end_announced"] == true).then_some(())
    })
    .await;
    eventually("the log to tell", async || {
        let logged = edge.logged();
        logged.contains("a forced mode ends soon").then_some(())
    })
    .await;
    clock.is_wrong_by(5 * 3600);
    let order = ordered(&edge, 1, "automatic").await;
    assert!(order["ends_at"].is_string(), "{order}");
    eventually("the log to tell", async || {
        let logged = edge.logged();
        logged.contains("a forced mode has ended").then_some(())
    })
    .await;
    // Ahead: what ends within the day has ended already, and never means normal.
    clock.is_wrong_by(DAY_S);
    site.order(&[&degrade[..], &["4h"]].concat()).await;
    ordered(&edge, 2, "automatic").await;
    site.order(&[&degrade[..], &["2d"]].concat()).await;
    ordered(&edge, 3, "degraded").await;
    // And right again.
    clock.is_wrong_by(0);
    ordered(&edge, 3, "degraded").await;
}

#[tokio::test]
async fn an_edge_without_a_clock_goes_on_by_what_it_knew() {
    if !outside::have("cc") {
        return;
    }
    let site = Site::small().init().await;
    site.publish().await;
    let clock = Clock::of(&site);
    let mut edge = site.edge().by(&clock).start().await;
    edge.kill();
    clock.is_wrong_by(-since_1970());
    edge.begin();
    edge.ready().await;
    is_days_old(&edge, 0).await;
    assert_eq!(edge.get("/pages/plain.txt").await.status, 200);
    takes_the_next(&site, &edge, 2).await;
    let degrade = ["degrade", "pay", "--why", "fire", "--for", "2h"];
    site.order(&degrade).await;
    ordered(&edge, 1, "degraded").await;
    edge.kill();
    edge.begin();
    edge.ready().await;
    let order = ordered(&edge, 1, "degraded").await;
    let status = edge.status().await;
    let time = status["edge_time"].as_str().unwrap();
    assert!(time >= order["signed_at"].as_str().unwrap(), "{status}");
    // It is told the time: what should have ended has.
    clock.is_wrong_by(3 * 3600);
    ordered(&edge, 1, "automatic").await;

    // One that never knew a time believes nothing, says why, and needs nothing but a clock.
    clock.is_wrong_by(-since_1970());
    let fresh = site.edge().named("edge-2").by(&clock).spawn();
    eventually("the edge to answer", async || {
        fresh.ops("/livez").send().await.ok().map(drop)
    })
    .await;
    fresh.refuses("trust", "ahead-of-time").await;
    assert_eq!(fresh.get("/").await.status, 503);
    clock.is_wrong_by(0);
    fresh.reaches(2).await;
    ordered(&fresh, 1, "degraded").await;
}
