//! What an edge still has after a restart, and on a disk that goes bad.

use std::sync::Arc;
use std::time::Duration;

use snapshot::order::Mode;
use snapshot::trust::Generation;
use snapshot::{NodeCache, Sequence};

use super::super::Follower;
use super::{cut, stand};
use crate::fixture::{self, Following, config, order};
use crate::host::{Host, HostLimits};
use crate::log::Log;

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
    assert!(!edge.state.sync_status().remarks.is_empty());
    edge.serves(1).await;
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_of_someone_thrown_out_is_not_used_after_a_restart() {
    let stand = stand().await;
    stand.edge.stop().await;
    let mut site = config(vec![stand.publisher.url()]);
    let (signers, roles) = fixture::trust_files();
    let stranger = fixture::key(9).public_key().to_openssh().unwrap();
    let signers = signers.replace(
        &fixture::key(1).public_key().to_openssh().unwrap(),
        &stranger,
    );
    let generation = Generation::parse(&signers, &roles).unwrap();
    site.generation = Arc::new(generation);
    let state = Following::open(stand.data.path(), &site).await;
    assert!(state.current().is_none());
    assert!(
        state.sync_status().remarks[0]
            .text
            .contains("no longer trusted")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_went_bad_on_the_disk_are_an_alarm_until_there_are_orders_again() {
    let stand = stand().await;
    let pay = |epoch| order("service:pay", epoch, Mode::Degraded);
    stand.publisher.order(&pay(1), 2);
    stand
        .edge
        .until("ordered", |status| !status.orders.is_empty())
        .await;
    stand.edge.stop().await;
    fs_err::write(stand.data.path().join("sites/dasom/state/orders"), "x").unwrap();
    let site = config(vec![stand.publisher.url()]);
    let state = Following::open(stand.data.path(), &site).await;
    let why = state.faults().disk().unwrap();
    assert!(
        why.contains("orders of dasom on this disk are damaged"),
        "{why}"
    );
    drop(state);
    let edge = Following::start(stand.data.path(), &site).await;
    edge.until("ordered again", |status| !status.orders.is_empty())
        .await;
    assert_eq!(edge.state.faults().disk(), None);
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_disk_has_one_edge() {
    let stand = stand().await;
    let site = config(vec![stand.publisher.url()]);
    let host = Host::new(HostLimits::default(), &stand.data.path().join("compiled"));
    let cache = NodeCache::new(0);
    let host = Arc::new(host.unwrap());
    let second = Follower::open(&site, stand.data.path(), host, cache, Log::none()).await;
    assert!(
        second
            .unwrap_err()
            .to_string()
            .contains("in use by another process")
    );
    assert_eq!(stand.first.release.sequence, Sequence(1));
    stand.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_ends_gives_its_disk_back_at_once() {
    let stand = stand().await;
    let site = config(vec![stand.publisher.url()]);
    stand.edge.stop().await;
    // It sweeps as soon as it has begun.
    for _ in 0..50 {
        Following::start(stand.data.path(), &site)
            .await
            .stop()
            .await;
    }
}
