//! Releases that are forged, replayed, of another version, or that just stay.

use snapshot::Timestamp;

use super::super::{SyncStatus, wall_clock};
use super::stand;
use crate::fixture::{Draft, Following, Publisher, config, seal};

#[tokio::test(flavor = "multi_thread")]
async fn follows_releases_and_heartbeats() {
    let stand = stand().await;
    let mut beat = stand.first.release.clone();
    beat.as_of = Timestamp(beat.as_of.0 + 1000);
    beat.signed_at = beat.as_of;
    stand.publisher.point(&seal(&beat, 1));
    let as_of = beat.as_of.rfc3339();
    let beaten = |status: &SyncStatus| {
        status
            .release
            .as_ref()
            .is_some_and(|release| release.as_of == as_of)
    };
    stand.edge.until("on the heartbeat", beaten).await;
    stand.publisher.publish(&Draft::new(2));
    let status = stand.edge.serves(2).await;
    assert_eq!(status.release.unwrap().signers, ["sora@dasom.example"]);
    assert!(
        status.refusals.is_empty() && status.remarks.is_empty(),
        "{:?}",
        status.refusals
    );
    assert_eq!(status.sources[0].offers, Some(2));
    let current = stand.edge.state.current().unwrap();
    assert_eq!(
        current.stacks.values().next().unwrap().count().unwrap(),
        400
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_release() {
    let stand = stand().await;
    stand
        .publisher
        .point(&vec![0; snapshot::limits::ENVELOPE_BYTES + 1]);
    stand.refuses("trust", "more than 131072 bytes", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_version_of_a_release() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    draft.release = |release| release.version = 2;
    stand.publisher.publish(&draft);
    stand
        .refuses("trust", "release of version 2: expected 1", 3)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_by_a_stranger() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    draft.signed_by = 9;
    stand.publisher.publish(&draft);
    let refusal = stand.refuses("trust", "wrong-key", 3).await;
    assert!(refusal.source.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_by_an_operator() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    draft.signed_by = 2;
    stand.publisher.publish(&draft);
    stand.refuses("trust", "role-swapped", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rollback() {
    let publisher = Publisher::new();
    let first = publisher.publish(&Draft::new(1));
    let data = tempfile::tempdir().unwrap();
    let site = config(vec![publisher.url()]);
    publisher.publish(&Draft::new(2));
    let edge = Following::start(data.path(), &site).await;
    edge.serves(2).await;
    edge.stop().await;
    // Also after a restart: the floor is on disk.
    publisher.point(&first.envelope);
    let edge = Following::start(data.path(), &site).await;
    let status = edge
        .until("refused", |status| !status.refusals.is_empty())
        .await;
    let reason = &status.refusals[0].reason;
    assert_eq!(reason, "rollback: sequence 1 after 2 was accepted");
    assert_eq!(edge.sequence(), Some(2));
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn same_sequence_other_manifest() {
    let stand = stand().await;
    let first = stand.first.release.manifest;
    // One that is smaller than what the edge is on, found by trying titles.
    let smaller = (0..).find_map(|n| {
        let mut draft = Draft::new(1);
        draft.title = format!("twin {n}");
        let twin = stand.publisher.prepare(&draft);
        (twin.release.manifest < first).then_some(twin)
    });
    stand.publisher.point(&smaller.unwrap().envelope);
    let alarmed = stand
        .edge
        .until("alarmed", |status| !status.remarks.is_empty())
        .await;
    assert!(
        alarmed.remarks[0]
            .text
            .contains("same-sequence-other-manifest")
    );
    assert_eq!(stand.edge.state.current().unwrap().release.manifest, first);
    stand
        .refuses("trust", "same-sequence-other-manifest", 3)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn freeze_shows_as_age() {
    let publisher = Publisher::new();
    let mut draft = Draft::new(1);
    draft.as_of = Timestamp(wall_clock().0 - 3_600_000);
    publisher.publish(&draft);
    let data = tempfile::tempdir().unwrap();
    let edge = Following::start(data.path(), &config(vec![publisher.url()])).await;
    let status = edge.serves(1).await;
    // It has just arrived, and is an hour old all the same.
    assert!((3600..3700).contains(&status.release.unwrap().age_s));
    edge.stop().await;
}
