//! A folder mirror and a follower: what is offered, what is used, what is refused and why. A new
//! attack is one more function here, named after it.

use std::path::Path;
use std::time::Duration;

use fs_err as fs;
use snapshot::order::Mode;
use snapshot::{Scope, Sequence, Timestamp};

use super::fixture::{Draft, Following, Published, Publisher, config, order, seal, site};
use super::{Place, RefusalStatus, wall_clock};

/// An edge on release 1, and its publisher.
struct Stand {
    publisher: Publisher,
    data: tempfile::TempDir,
    edge: Following,
    first: Published,
}

async fn stand() -> Stand {
    let publisher = Publisher::new();
    let first = publisher.publish(&Draft::new(1));
    let data = tempfile::tempdir().unwrap();
    let edge = Following::start(data.path(), &config(vec![publisher.url()])).await;
    edge.serves(1).await;
    Stand {
        publisher,
        data,
        edge,
        first,
    }
}

impl Stand {
    /// Waits for a refusal whose reason contains `reason`; the last good release stays, and a
    /// good one after it is taken.
    async fn refuses(self, check: &str, reason: &str, good: u64) -> RefusalStatus {
        let telling = |refusal: &RefusalStatus| refusal.reason.contains(reason);
        let what = format!("refused for {reason:?}");
        let told = |status: &super::SyncStatus| status.refusals.iter().any(telling);
        let status = self.edge.until(&what, told).await;
        let refusal = status.refusals.into_iter().find(telling).unwrap();
        assert_eq!(refusal.check, check, "{refusal:?}");
        assert_eq!(self.edge.sequence(), Some(1));
        self.publisher.publish(&Draft::new(good));
        self.edge.serves(good).await;
        self.edge.stop().await;
        refusal
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_releases_and_heartbeats() {
    let stand = stand().await;
    let mut beat = stand.first.release.clone();
    beat.as_of = Timestamp(beat.as_of.0 + 1000);
    beat.signed_at = beat.as_of;
    stand.publisher.point(&seal(&beat, 1));
    let as_of = super::rfc3339(beat.as_of);
    let beaten = |status: &super::SyncStatus| {
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
        status.refusals.is_empty() && status.alarms.is_empty(),
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
async fn flipped_byte_in_a_segment() {
    let stand = stand().await;
    let bad = stand.publisher.prepare(&Draft::new(2));
    let segment = bad.manifest.collections[0].segments[0].id;
    flip(&stand.publisher.object(&segment), 1000);
    stand.publisher.point(&bad.envelope);
    let url = stand.publisher.url().to_string();
    let refusal = stand.refuses("object", "segment at rest", 3).await;
    assert_eq!(refusal.object, Some(format!("segment {segment}")));
    assert_eq!(refusal.source, Some(url));
    assert_eq!(refusal.sequence, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn flipped_byte_in_a_manifest() {
    let stand = stand().await;
    let bad = stand.publisher.prepare(&Draft::new(2));
    flip(&stand.publisher.object(&bad.release.manifest), 20);
    stand.publisher.point(&bad.envelope);
    let refusal = stand.refuses("object", "hash", 3).await;
    assert_eq!(
        refusal.object,
        Some(format!("manifest {}", bad.release.manifest))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_segment() {
    let stand = stand().await;
    let bad = stand.publisher.prepare(&Draft::new(2));
    cut(&stand
        .publisher
        .object(&bad.manifest.collections[0].segments[0].id));
    stand.publisher.point(&bad.envelope);
    stand.refuses("object", "segment at rest", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_manifest() {
    let stand = stand().await;
    let bad = stand.publisher.prepare(&Draft::new(2));
    cut(&stand.publisher.object(&bad.release.manifest));
    stand.publisher.point(&bad.envelope);
    stand.refuses("object", "ends after", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_manifest() {
    let stand = stand().await;
    let bad = stand.publisher.prepare(&Draft::new(2));
    let path = stand.publisher.object(&bad.release.manifest);
    let mut bytes = fs::read(&path).unwrap();
    let limit = bytes.len();
    bytes.extend([0; 100]);
    fs::write(path, bytes).unwrap();
    stand.publisher.point(&bad.envelope);
    stand
        .refuses("object", &format!("more than {limit} bytes"), 3)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_manifest_by_its_own_word() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    draft.release = |release| release.manifest_bytes = 1 << 40;
    stand.publisher.publish(&draft);
    stand.refuses("manifest", "expected 1 to 16777216", 3).await;
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
async fn missing_object() {
    let stand = stand().await;
    let bad = stand.publisher.prepare(&Draft::new(2));
    fs::remove_file(stand.publisher.object(&bad.release.manifest)).unwrap();
    stand.publisher.point(&bad.envelope);
    stand.refuses("object", "not there", 3).await;
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
        .until("alarmed", |status| !status.alarms.is_empty())
        .await;
    assert!(
        alarmed.alarms[0]
            .text
            .contains("same-sequence-other-manifest")
    );
    assert_eq!(stand.edge.state.current().unwrap().release.manifest, first);
    stand
        .refuses("trust", "same-sequence-other-manifest", 3)
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
async fn poisoned_canary() {
    let stand = stand().await;
    let mut draft = Draft::new(2);
    draft.canary = "traps";
    stand.publisher.publish(&draft);
    let reason = "canary /{*path} in ko: the component crashed";
    stand.refuses("canary", reason, 3).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn another_mirror_helps_where_one_is_damaged_or_gone() {
    let publisher = Publisher::new();
    let published = publisher.publish(&Draft::new(1));
    let data = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let to = other.path().join("mirror");
    let mut copy = std::process::Command::new("cp");
    assert!(
        copy.arg("-r")
            .arg(publisher.mirror())
            .arg(&to)
            .status()
            .unwrap()
            .success()
    );
    cut(&publisher.object(&published.manifest.collections[0].segments[0].id));
    let gone = url::Url::from_file_path(other.path().join("gone")).unwrap();
    let second = url::Url::from_file_path(&to).unwrap();
    let edge = Following::start(data.path(), &config(vec![publisher.url(), gone, second])).await;
    let status = edge.serves(1).await;
    assert!(
        status.sources[1]
            .error
            .as_ref()
            .unwrap()
            .contains("is not there")
    );
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_with_everything_gone_serves_at_once() {
    let stand = stand().await;
    stand
        .publisher
        .order(&order("service:pay", 1, Mode::Degraded), 2);
    stand
        .edge
        .until("ordered", |status| !status.orders.is_empty())
        .await;
    stand.edge.stop().await;
    let site = config(vec![stand.publisher.url()]);
    drop(stand.publisher);
    let begun = tokio::time::Instant::now();
    let state = Following::open(stand.data.path(), &site).await;
    let took = begun.elapsed();
    assert_eq!(state.current().unwrap().release, stand.first.release);
    assert!(took < Duration::from_millis(500), "{took:?}");
    let pay = "pay".parse().unwrap();
    let mode = state
        .orders()
        .borrow()
        .service_mode(&pay, state.edge_time());
    assert_eq!(mode, Mode::Degraded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_disk_is_repaired_from_a_mirror() {
    let stand = stand().await;
    stand.edge.stop().await;
    let manifest = stand.first.release.manifest.to_string();
    let on_disk = stand.data.path().join("sites/dasom/objects");
    cut(&on_disk.join(&manifest[..2]).join(&manifest));
    let edge = Following::start(stand.data.path(), &config(vec![stand.publisher.url()])).await;
    assert!(!edge.state.sync_status().alarms.is_empty());
    edge.serves(1).await;
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_of_someone_thrown_out_is_not_used_after_a_restart() {
    let stand = stand().await;
    stand.edge.stop().await;
    let mut site = config(vec![stand.publisher.url()]);
    let (signers, roles) = super::fixture::trust_files();
    let stranger = super::fixture::key(9).public_key().to_openssh().unwrap();
    let signers = signers.replace(
        &super::fixture::key(1).public_key().to_openssh().unwrap(),
        &stranger,
    );
    let generation = snapshot::trust::Generation::parse(&signers, &roles).unwrap();
    site.generation = std::sync::Arc::new(generation);
    let state = Following::open(stand.data.path(), &site).await;
    assert!(state.current().is_none());
    assert!(
        state.sync_status().alarms[0]
            .text
            .contains("no longer trusted")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_come_into_force_and_forged_ones_do_not() {
    let stand = stand().await;
    let edge = &stand.edge;
    stand
        .publisher
        .order(&order("service:pay", 1, Mode::Degraded), 2);
    edge.until("ordered", |status| status.orders.len() == 1)
        .await;
    stand.publisher.order(&order("site", 1, Mode::Normal), 9);
    let status = edge
        .until("refused", |status| !status.refusals.is_empty())
        .await;
    assert_eq!(status.refusals[0].object.as_deref(), Some("orders"));
    assert_eq!(status.orders.len(), 1);
    // A mirror that loses the orders changes nothing.
    fs::remove_file(stand.publisher.at(&Place::orders(&site()))).unwrap();
    stand.publisher.publish(&Draft::new(2));
    edge.serves(2).await;
    let orders = edge.state.orders().borrow().clone();
    assert_eq!(
        orders.mode(&"service:pay".parse().unwrap(), wall_clock()),
        Mode::Degraded
    );
    assert_eq!(orders.mode(&Scope::Site, wall_clock()), Mode::Automatic);
    assert_eq!(orders.notices().len(), 1);
    assert!(
        orders
            .get(&"service:pay".parse().unwrap())
            .unwrap()
            .accepted_at
            > Timestamp(0)
    );
    stand.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_mode_ends() {
    let stand = stand().await;
    let mut degrade = order("service:pay", 1, Mode::Degraded);
    let end = Timestamp(wall_clock().0 + 60_000);
    degrade.ends_at = Some(end);
    stand.publisher.order(&degrade, 2);
    stand
        .edge
        .until("ordered", |status| !status.orders.is_empty())
        .await;
    let orders = stand.edge.state.orders().borrow().clone();
    let pay = "pay".parse().unwrap();
    assert_eq!(orders.next_end(wall_clock()), Some(end));
    assert_eq!(orders.service_mode(&pay, wall_clock()), Mode::Degraded);
    assert_eq!(orders.service_mode(&pay, end), Mode::Automatic);
    assert_eq!(orders.notices().len(), 1);
    stand.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_disk_has_one_edge() {
    let stand = stand().await;
    let site = config(vec![stand.publisher.url()]);
    let host = crate::host::Host::new(
        crate::host::HostLimits::default(),
        &stand.data.path().join("compiled"),
    );
    let cache = snapshot::NodeCache::new(0);
    let host = std::sync::Arc::new(host.unwrap());
    let second = super::Follower::open(&site, stand.data.path(), host, cache).await;
    assert!(
        second
            .unwrap_err()
            .to_string()
            .contains("in use by another process")
    );
    assert_eq!(stand.first.release.sequence, Sequence(1));
    stand.edge.stop().await;
}
