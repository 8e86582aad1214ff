//! An edge whose wall clock jumps: what it holds it serves, what is signed it takes, and an age is never
//! told smaller than it is known to be.

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
    assert_eq!(edge.status().await["alarms"], serde_json::json!([]));
}
