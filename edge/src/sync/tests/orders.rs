//! Orders as they come from a mirror.

use fs_err as fs;
use snapshot::order::Mode;
use snapshot::{Scope, Timestamp, limits};

use super::super::{Place, SyncStatus, wall_clock};
use super::stand;
use crate::fixture::{Draft, order, site};

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
async fn an_order_dated_ahead_ends_no_other() {
    let stand = stand().await;
    let mut degrade = order("service:pay", 1, Mode::Degraded);
    degrade.ends_at = Some(Timestamp(wall_clock().0 + 3_600_000));
    stand.publisher.order(&degrade, 2);
    let two_orders = |orders: usize| move |status: &SyncStatus| status.orders.len() == orders;
    stand.edge.until("ordered", two_orders(1)).await;
    let mut ahead = order("service:dream", 1, Mode::Degraded);
    ahead.signed_at = Timestamp(wall_clock().0 + limits::AHEAD_MS - 60_000);
    stand.publisher.order(&ahead, 2);
    let status = stand.edge.until("ordered ahead", two_orders(2)).await;
    assert!(
        status
            .remarks
            .iter()
            .any(|alarm| alarm.text.contains("ahead"))
    );
    let (now, pay) = (stand.edge.state.edge_time(), "pay".parse().unwrap());
    assert!(now < degrade.ends_at.unwrap());
    let orders = stand.edge.state.orders().borrow().clone();
    assert_eq!(orders.service_mode(&pay, now), Mode::Degraded);
    // The clock alarm goes by it.
    let state = &stand.edge.state;
    let is_noted = |_: &SyncStatus| state.faults().ordered_at() == ahead.signed_at;
    stand.edge.until("noted", is_noted).await;
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
    let announced = degrade.end_announced_at();
    assert_eq!(orders.next_moment(degrade.signed_at), announced);
    assert_eq!(orders.next_moment(announced.unwrap()), Some(end));
    assert_eq!(orders.service_mode(&pay, wall_clock()), Mode::Degraded);
    assert_eq!(orders.service_mode(&pay, end), Mode::Automatic);
    assert_eq!(orders.notices().len(), 1);
    stand.edge.stop().await;
}
