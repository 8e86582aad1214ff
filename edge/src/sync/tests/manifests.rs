//! Rightly signed releases that cannot be used: manifest, counts, canaries.

use super::stand;
use crate::fixture::Draft;

#[tokio::test(flavor = "multi_thread")]
async fn oversized_manifest_by_its_own_word() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    draft.release = |release| release.manifest_bytes = 1 << 40;
    stand.publisher.publish(&draft);
    stand.refuses("manifest", "expected 1 to 16777216", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_version_of_a_manifest() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    draft.manifest = |manifest| manifest.version = 2;
    stand.publisher.publish(&draft);
    stand
        .refuses("manifest", "has version 2: this edge reads 1", 3)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn manifest_of_another_site() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    draft.manifest = |manifest| manifest.site = "other".parse().unwrap();
    stand.publisher.publish(&draft);
    stand
        .refuses("manifest", "about site other, expected dasom", 3)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn manifest_that_points_nowhere() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    draft.manifest = |manifest| manifest.routes[0].service = "taxi".parse().unwrap();
    stand.publisher.publish(&draft);
    stand
        .refuses("manifest", "service taxi does not exist", 3)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn emptied_collection() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    draft.records = 0;
    stand.publisher.publish(&draft);
    let reason = "collection pages fell from 400 to 0 records";
    stand.refuses("counts", reason, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_may_shrink_a_little_or_on_purpose() {
    let stand = stand().await;
    let mut little = Draft::new(2);
    little.records = 280;
    stand.publisher.publish(&little);
    stand.edge.serves(2).await;
    let mut meant = Draft::new(3);
    (meant.records, meant.accepts_shrink) = (8, true);
    stand.publisher.publish(&meant);
    stand.edge.serves(3).await;
    stand.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lying_count() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    draft.records = 0;
    draft.manifest = |manifest| manifest.collections[0].records = 400;
    stand.publisher.publish(&draft);
    stand
        .refuses("manifest", "states 400 records, its segments hold 0", 3)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_about_a_segment_that_is_held_is_the_mirrors_and_not_this_disks() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    // The same records as the release in use, so the same segment.
    draft.title = stand.first.manifest.title.0[0].1.clone();
    draft.manifest = |manifest| manifest.collections[0].segments[0].bytes += 1;
    let lie = stand.publisher.publish(&draft).manifest;
    let id = lie.collections[0].segments[0].id;
    assert_eq!(stand.first.manifest.collections[0].segments[0].id, id);
    let refusal = stand
        .refuses("object", "1 bytes of nodes are still missing", 3)
        .await;
    assert_eq!(refusal.object, Some(format!("segment {id}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn poisoned_canary() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    draft.canary = "traps";
    stand.publisher.publish(&draft);
    let reason = "canary /{*path} in ko: the component crashed";
    stand.refuses("canary", reason, 3).await;
}
