//! Whom an edge believes changes while it runs, by what travels and by the files beside it.

use std::path::Path;

use fs_err as fs;
use snapshot::Sequence;
use snapshot::order::Mode;
use snapshot::trust::{Chain, TrustFiles};

use super::super::{Place, SyncStatus};
use super::stand;
use crate::fixture::{
    Draft, Following, Publisher, chain, config, key, order, site, succession, trust_files_after,
    write_trust,
};

/// What the status says once the generation of that number is in force.
async fn reaches(edge: &Following, number: u64) -> SyncStatus {
    let what = format!("on generation {number}");
    edge.until(&what, |status| status.trust.number == number)
        .await
}

/// The key of one person is another one now.
fn replaced(files: &TrustFiles, from: u8, to: u8) -> TrustFiles {
    let line = |seed| key(seed).public_key().to_openssh().unwrap();
    TrustFiles {
        allowed_signers: files.allowed_signers.replace(&line(from), &line(to)),
        trust_toml: files.trust_toml.clone(),
    }
}

/// Generation 1, in which a key is another, signed with key 2.
fn replacing(from: u8, to: u8) -> Vec<u8> {
    let before = trust_files_after(0);
    let after = replaced(&before, from, to);
    let mut chain = Chain::default();
    chain.push(succession(&before, 1, &after, 2)).unwrap();
    chain.to_bytes().unwrap()
}

/// The edge after a restart.
async fn again(data: &Path, publisher: &Publisher) -> Following {
    Following::start(data, &config(vec![publisher.url()])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_travels_and_survives_a_restart_without_the_mirror() {
    let mut stand = stand().await;
    let begun = stand.edge.state.sync_status().trust;
    assert_eq!((begun.number, begun.succession), (0, None));
    let both = chain(2);
    stand.publisher.trust(&both);
    let status = reaches(&stand.edge, 2).await;
    let trust = status.trust;
    assert_eq!(trust.digest, trust_files_after(2).digest().to_string());
    let made = trust.succession.unwrap();
    assert_eq!(made.signers, ["minho@dasom.example"]);
    assert_eq!(trust.thresholds["trust"], 1);
    let may: Vec<_> = trust
        .may_sign
        .iter()
        .map(|it| it.namespace.as_str())
        .collect();
    assert_eq!(
        may,
        ["release@holdfast", "order@holdfast", "trust@holdfast"]
    );
    assert!(status.remarks.is_empty() && status.refusals.is_empty());

    // The files beside it are still the old ones, and the mirror forgets.
    fs::remove_file(stand.publisher.at(&Place::trust(&site()))).unwrap();
    stand.edge.stop().await;
    stand.edge = again(stand.data.path(), &stand.publisher).await;
    assert_eq!(stand.edge.state.sync_status().trust.number, 2);
    let given = stand.edge.state.given().trust().unwrap();
    assert!(given == both, "another chain than the one that was taken");
    // A mirror that lags is no news.
    stand.publisher.trust(&chain(1));
    stand.publisher.publish(&Draft::new(2));
    let status = stand.edge.serves(2).await;
    assert!(status.refusals.is_empty() && status.remarks.is_empty());
    stand.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_whose_key_was_stolen_is_thrown_out() {
    let stand = stand().await;
    let stolen = order("service:pay", 4_000_000, Mode::Degraded);
    stand.publisher.order(&stolen, 2);
    let edge = &stand.edge;
    edge.until("ordered", |status| !status.orders.is_empty())
        .await;
    // On the mirror before anybody believes it, and asked for only once.
    stand
        .publisher
        .order(&order("service:pay", 1, Mode::Normal), 3);
    edge.until("refused", |status| !status.refusals.is_empty())
        .await;
    stand.publisher.trust(&replacing(2, 3));
    let now = |status: &SyncStatus| status.orders.iter().any(|order| order.epoch == 1);
    let status = edge.until("on the order of who is left", now).await;
    assert_eq!(status.orders[0].mode, "normal");
    // Whoever has the old key says nothing any more.
    let again = order("service:pay", 4_000_001, Mode::Degraded);
    stand.publisher.order(&again, 2);
    let unknown = |status: &SyncStatus| {
        status
            .refusals
            .iter()
            .filter(|it| it.reason.starts_with("wrong-key"))
            .count()
            == 2
    };
    let status = edge.until("refused again", unknown).await;
    assert_eq!(status.orders[0].epoch, 1);
    stand.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_whose_key_was_stolen_is_thrown_out() {
    let mut stand = stand().await;
    // The thief leaves no number below.
    stand.publisher.publish(&Draft::new(4_000_000));
    stand.edge.serves(4_000_000).await;
    let mut honest = Draft::new(2);
    honest.signed_by = 4;
    stand.publisher.publish(&honest);
    let told = |status: &SyncStatus| !status.refusals.is_empty();
    stand.edge.until("refused", told).await;
    stand.publisher.trust(&replacing(1, 4));
    let status = stand.edge.serves(2).await;
    let alarm = "release 4000000 is in use and its signers are no longer trusted";
    assert!(
        status.remarks[0].text.starts_with(alarm),
        "{:?}",
        status.remarks
    );
    // And it stays there.
    stand.publisher.publish(&Draft::new(4_000_001));
    let unknown = |status: &SyncStatus| {
        let refused = status
            .refusals
            .iter()
            .filter(|it| it.reason.starts_with("wrong-key"));
        refused.count() == 2
    };
    stand.edge.until("refused again", unknown).await;
    stand.edge.stop().await;
    stand.edge = again(stand.data.path(), &stand.publisher).await;
    let current = stand.edge.state.current().unwrap();
    assert_eq!(current.release.sequence, Sequence(2));
    stand.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_change_are_taken_without_a_restart_unless_they_are_wrong() {
    let mut stand = stand().await;
    let trust = stand.data.path().join("trust");
    stand.publisher.trust(&chain(2));
    reaches(&stand.edge, 2).await;
    // Wrong ones, and none: an alarm each, and what is in force stays.
    let broken = trust.join("trust.toml");
    let sound = fs::read(&broken).unwrap();
    snapshot::durable::write(&broken, b"[thresholds]\norder = 99\n").unwrap();
    let says = |words: &'static str| {
        move |status: &SyncStatus| {
            let mut alarms = status.remarks.iter();
            alarms.any(|alarm| {
                alarm.text.starts_with("trust files are refused") && alarm.text.contains(words)
            })
        }
    };
    let status = stand.edge.until("alarmed", says("trust.toml:2: ")).await;
    assert_eq!(status.trust.number, 2);
    fs::remove_file(&broken).unwrap();
    stand.edge.until("alarmed", says("trust.toml")).await;
    snapshot::durable::write(&broken, &sound).unwrap();
    // Brought up to date: nothing happens. Changed into another one: that is in force.
    write_trust(&trust, &trust_files_after(2));
    let by_hand = replaced(&trust_files_after(40), 2, 3);
    write_trust(&trust, &by_hand);
    let status = reaches(&stand.edge, 3).await;
    assert_eq!(status.trust.digest, by_hand.digest().to_string());
    assert_eq!(status.trust.succession, None);
    assert_eq!(stand.edge.state.given().trust(), None);
    stand.publisher.order(&order("site", 1, Mode::Degraded), 3);
    let ordered = |status: &SyncStatus| !status.orders.is_empty();
    stand.edge.until("ordered", ordered).await;
    // It goes on from there.
    stand.edge.stop().await;
    let next = replaced(&trust_files_after(41), 2, 3);
    let mut chain = Chain::default();
    chain.push(succession(&by_hand, 4, &next, 3)).unwrap();
    stand.publisher.trust(&chain.to_bytes().unwrap());
    stand.edge = again(stand.data.path(), &stand.publisher).await;
    reaches(&stand.edge, 4).await;
    stand.edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_broken_chains_change_nothing() {
    let stand = stand().await;
    let mut forged = Chain::default();
    let (from, to) = (trust_files_after(0), trust_files_after(1));
    forged.push(succession(&from, 1, &to, 9)).unwrap();
    let mut unsound = Chain::default();
    let to = TrustFiles {
        trust_toml: format!("{}[thresholds]\ntrust = 2\n", from.trust_toml),
        ..from.clone()
    };
    unsound.push(succession(&from, 1, &to, 2)).unwrap();
    for (bytes, reason) in [
        (forged.to_bytes().unwrap(), "wrong-key: "),
        (
            unsound.to_bytes().unwrap(),
            "unsound-generation: trust.toml:7: ",
        ),
        (b"<html>".to_vec(), "chain: not a document"),
        (
            vec![0x92; snapshot::limits::CHAIN_BYTES + 1],
            "more than 1048576 bytes",
        ),
    ] {
        stand.publisher.trust(&bytes);
        let told = |status: &SyncStatus| {
            let mut refusals = status.refusals.iter();
            refusals.any(|it| it.object.as_deref() == Some("trust") && it.reason.contains(reason))
        };
        let status = stand.edge.until(reason, told).await;
        assert_eq!(status.trust.number, 0);
        assert_eq!(status.sources[0].error, None);
    }
    stand.edge.stop().await;
}
