//! The attacks, each by its name.

use snapshot::order::{Mode, Notice};
use snapshot::{Envelope, limits};
use stage::forge::signed_twice;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::world::{IN_FORCE, Who, World, order, seal};
use crate::scene::eventually;

/// Yesterday's order, rightly signed: nothing changes, and nobody is blamed, for whoever lags behind
/// says the same.
pub(super) async fn replayed(world: &World) {
    let before = world.in_force().await;
    let old = order("service:pay", IN_FORCE - 1, Mode::Normal);
    let answer = world.bring(&[seal(&old, &[Who::Mina])]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text().as_str()),
        (200, "in force\n")
    );
    assert_eq!(world.in_force().await, before);
}

pub(super) async fn other_site(world: &World) {
    let mut other = order("service:pay", IN_FORCE + 1, Mode::Normal);
    other.site = "large".parse().unwrap();
    let words = "other-site: speaks of large, expected small";
    world.refuses(&[seal(&other, &[Who::Mina])], words).await;
}

pub(super) async fn signed_by_a_publisher(world: &World) {
    let next = order("service:pay", IN_FORCE + 1, Mode::Normal);
    let words = "role-swapped: publisher is no operator, which order@holdfast takes";
    world
        .refuses(&[seal(&next, &[Who::Publisher])], words)
        .await;
}

pub(super) async fn signed_with_an_expired_key(world: &World) {
    let next = order("service:pay", IN_FORCE + 1, Mode::Normal);
    let words = format!(
        "expired-key: key {} of ended ended at 2020-01-01T00:00:00Z",
        Who::Ended.fingerprint()
    );
    world.refuses(&[seal(&next, &[Who::Ended])], &words).await;
}

/// He was an operator, and heard, until he was taken out of the trust files of the running edge.
pub(super) async fn signed_with_a_removed_key(world: &World) {
    let first = order("service:home", 1, Mode::Automatic);
    let answer = world.bring(&[seal(&first, &[Who::Removed])]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    world.lets_go(Who::Removed).await;
    let next = order("service:pay", IN_FORCE + 1, Mode::Normal);
    let removed = Who::Removed.fingerprint();
    let words = format!("wrong-key: {removed} is not in allowed_signers");
    world.refuses(&[seal(&next, &[Who::Removed])], &words).await;
}

pub(super) async fn signed_by_a_stranger(world: &World) {
    let next = order("service:pay", IN_FORCE + 1, Mode::Normal);
    let stranger = Who::Stranger.fingerprint();
    let words = format!("wrong-key: {stranger} is not in allowed_signers");
    world
        .refuses(&[seal(&next, &[Who::Stranger])], &words)
        .await;
}

pub(super) async fn same_person_with_two_keys(world: &World) {
    let site = order("site", 1, Mode::Degraded);
    let twice = seal(&site, &[Who::Mina, Who::MinaAgain]);
    let words = "too-few-signers: 1 of 2 persons signed (no other signature)";
    world.refuses(&[twice], words).await;
}

pub(super) async fn same_key_twice(world: &World) {
    let once = seal(&order("site", 1, Mode::Degraded), &[Who::Mina]);
    let twice = signed_twice(&once).unwrap();
    let twice = Envelope::from_bytes(&twice).unwrap();
    let mina = Who::Mina.fingerprint();
    let words = format!("duplicate-signature: key {mina} signed twice");
    world.refuses(&[twice], &words).await;
}

/// One person may switch one service after another; every edge says what that comes to.
pub(super) async fn cut_into_single_services(world: &World) {
    let home = order("service:home", 1, Mode::Degraded);
    let answer = world.bring(&[seal(&home, &[Who::Mina])]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let words = "piecemeal-switch: orders about single services force 2 of 2 services; an order about \
                 the whole site takes 2 persons, and none of these has as many (mina)";
    eventually("the alarm", async || {
        let status = world.edge.status().await;
        let alarms = status["remarks"].as_array().unwrap();
        alarms
            .iter()
            .any(|alarm| alarm["text"] == words)
            .then_some(())
    })
    .await;
}

pub(super) async fn ten_megabytes(world: &World) {
    let mut stream = TcpStream::connect(world.edge.peer()).await.unwrap();
    let length = 10 << 20;
    let head = format!("PUT /small/orders HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // It is told before it has sent any of it.
    let mut told = [0; 12];
    stream.read_exact(&mut told).await.unwrap();
    assert_eq!(told, *b"HTTP/1.1 413");
    // One order of more than a statement's bytes, within a bundle's.
    let mut long = order("service:pay", IN_FORCE + 1, Mode::Normal);
    long.why = "x".repeat(limits::STATEMENT_BYTES);
    let envelope = Envelope::seal(snapshot::encode(&long).unwrap());
    let answer = world.bring(&[envelope]).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.text().contains("bytes of statement"),
        "{}",
        answer.text()
    );
}

/// Nothing could ever follow it.
pub(super) async fn last_epoch(world: &World) {
    let last = order("service:pay", u64::MAX, Mode::Normal);
    let words = format!(
        "fast-forward: {} after {IN_FORCE}: at most {} further are allowed",
        u64::MAX,
        limits::FAST_FORWARD
    );
    world.refuses(&[seal(&last, &[Who::Mina])], &words).await;
}

pub(super) async fn epoch_far_ahead(world: &World) {
    let ahead = IN_FORCE + limits::FAST_FORWARD + 1;
    let far = order("service:pay", ahead, Mode::Normal);
    let words = format!(
        "fast-forward: {ahead} after {IN_FORCE}: at most {} further are allowed",
        limits::FAST_FORWARD
    );
    world.refuses(&[seal(&far, &[Who::Mina])], &words).await;
}

/// Two operators at once, or a stolen key: the same one stands everywhere, whichever came first, and
/// people are told.
pub(super) async fn equal_epochs(world: &World) {
    let with = |why: &str| {
        let mut order = order("service:pay", IN_FORCE + 1, Mode::Normal);
        order.why = why.to_owned();
        seal(&order, &[Who::Mina])
    };
    let (one, other) = (with("one"), with("other"));
    let greater = one.payload_digest().max(other.payload_digest());
    for envelope in [&one, &other, &one] {
        let answer = world.bring(std::slice::from_ref(envelope)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let status = world.edge.status().await;
    let pay = &status["orders"].as_array().unwrap()[0];
    assert_eq!(pay["digest"], greater.to_string());
    let alarms = status["remarks"].to_string();
    assert!(alarms.contains("equal-epochs"), "{alarms}");
}

/// A service that no release knows: kept, shown, harmless; of use once a release brings it.
pub(super) async fn unknown_service(world: &World) {
    let mut unknown = order("service:dream", 1, Mode::Degraded);
    unknown.notices = vec![Notice {
        at: unknown.signed_at,
        text: [("en", "dreams are down")].into_iter().collect(),
    }];
    let answer = world.bring(&[seal(&unknown, &[Who::Mina])]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let shown = ("service:dream".to_owned(), 1, "degraded".to_owned());
    assert!(world.in_force().await.contains(&shown));
    let page = world.edge.get("/").await;
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("dreams are down"), "{}", page.text());
    let status = world.edge.status().await;
    let services = status["services"].as_array().unwrap();
    assert!(
        services.iter().all(|service| service["name"] != "dream"),
        "{services:?}"
    );
}
