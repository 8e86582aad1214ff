//! The outage, with readers who never stop asking: the example's own origin is killed and frozen,
//! an edge restarts with everything gone. The drill plays the same at full size.

use std::sync::atomic::Ordering;
use std::time::Duration;

use stage::ask;
use stage::load::{Load, Pace};

use crate::scene::{Town, eventually};

/// The town with its origin, both edges and readers.
async fn busy(pace: Pace) -> (Town, Load) {
    let mut town = Town::lay_out().await;
    town.world.start_origin().await.unwrap();
    let town = town.open().await;
    let urls = town.urls().iter().cloned().collect();
    let load = Load::start(&town.world.client, pace, urls, town.world.in_service());
    (town, load)
}

/// Waits until the readers had `more` answers from the snapshot and went on.
async fn answers(load: &Load, more: u64) {
    let counted = || load.counts().from_snapshot.load(Ordering::Relaxed);
    let before = counted();
    eventually("readers to be answered", async || {
        (counted() >= before + more).then_some(())
    })
    .await;
}

/// Waits until the origin answers again, through every edge.
async fn back(town: &Town) {
    for edge in &town.world.edges {
        eventually("traffic to go back to the origin", async || {
            let answer = town.world.client.get(edge.public, "/", "en").await.ok()?;
            (!answer.from_snapshot()).then_some(())
        })
        .await;
    }
}

/// Asks everything once, at every edge; gives what did not answer with 200 from the snapshot.
async fn unanswered(town: &Town) -> Vec<String> {
    let urls = town.urls();
    let asked = ask::every(&town.world, urls.iter(), ask::not_from_snapshot).await;
    asked.1
}

#[tokio::test(flavor = "multi_thread")]
async fn no_get_fails_while_the_origin_is_killed_and_comes_back() {
    let (mut town, load) = busy(Pace::DRILL).await;
    town.world.kill_origin();
    answers(&load, 100).await;
    assert_eq!(unanswered(&town).await, [""; 0]);
    town.world.start_origin().await.unwrap();
    back(&town).await;
    assert_eq!(load.stop().await.failures(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_get_fails_while_the_origin_is_a_black_hole() {
    let (town, load) = busy(Pace::DRILL).await;
    town.world.freeze_origin(true).unwrap();
    answers(&load, 100).await;
    assert_eq!(unanswered(&town).await, [""; 0]);
    town.world.freeze_origin(false).unwrap();
    back(&town).await;
    assert_eq!(load.stop().await.failures(), [""; 0]);
}

/// As when the host moves a machine, or takes its processors away for a while.
#[tokio::test(flavor = "multi_thread")]
async fn no_get_fails_when_an_edge_stood_still() {
    let (mut town, load) = busy(Pace::LONG).await;
    town.world.kill_origin();
    answers(&load, 100).await;
    for _ in 0..2 {
        for edge in 0..town.world.edges.len() {
            town.world.freeze_edge(edge, true).unwrap();
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        for edge in 0..town.world.edges.len() {
            town.world.freeze_edge(edge, false).unwrap();
        }
        answers(&load, 100).await;
    }
    assert_eq!(load.stop().await.failures(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_starts_again_with_origin_and_mirror_gone() {
    let mut town = Town::lay_out().await.open().await;
    town.world.mirror_gone(true).unwrap();
    for at in 0..town.world.edges.len() {
        town.world.kill_edge(at).unwrap();
        town.world.start_edge(at).unwrap();
    }
    town.world.wait_ready().await.unwrap();
    assert_eq!(unanswered(&town).await, [""; 0]);
    // And takes up where it was when the mirror is back.
    town.world.mirror_gone(false).unwrap();
    let edge = &town.world.edges[0];
    eventually("the mirror to answer", async || {
        let status = town.world.status(edge).await.ok()?;
        status
            .pointer("/sites/0/sources/0/error")?
            .is_null()
            .then_some(())
    })
    .await;
}
