//! A site, its people and their keys, the same in every run.

use snapshot::order::Scope;
use snapshot::trust::Generation;
use snapshot::{
    AcceptedOrder, AcceptedRelease, Alarm, Digest, Envelope, Epoch, Floor, KeySigner, Namespace,
    Order, Refusal, Release, Sequence, Signer, SiteName, Timestamp, accept_order, accept_release,
    encode,
};
use ssh_key::PrivateKey;
use ssh_key::private::Ed25519Keypair;

/// 2026-11-22T05:05:00Z.
pub(crate) const NOW: Timestamp = Timestamp(1_795_323_900_000);

pub(crate) fn site() -> SiteName {
    "dasom".parse().unwrap()
}

/// Anyone's key: the seed is the person.
pub(crate) fn key(seed: u8) -> KeySigner {
    let pair = Ed25519Keypair::from_seed(&[seed; 32]);
    KeySigner::new(PrivateKey::from(pair)).unwrap()
}

pub(crate) const SORA: u8 = 1;
pub(crate) const JUN: u8 = 2;
pub(crate) const MINA: u8 = 3;
pub(crate) const STRANGER: u8 = 9;

/// One line of `allowed_signers`.
pub(crate) fn line(person: &str, options: &str, seed: u8) -> String {
    let public = key(seed).public_key().to_openssh().unwrap();
    format!("{person} {options} {public}\n")
}

/// Sora and Jun publish, Mina operates.
pub(crate) fn signers() -> String {
    [("sora", SORA), ("jun", JUN), ("mina", MINA)]
        .map(|(person, seed)| line(person, "", seed))
        .concat()
}

pub(crate) const TRUST: &str = r#"
[person.sora]
roles = ["publisher"]
sites = ["dasom"]
[person.jun]
roles = ["publisher"]
sites = ["dasom"]
[person.mina]
roles = ["operator"]
sites = ["*"]
"#;

pub(crate) fn generation() -> Generation {
    Generation::parse(&signers(), TRUST).unwrap()
}

pub(crate) fn release(sequence: u64) -> Release {
    Release {
        version: Release::VERSION,
        least_edge: snapshot::EdgeVersion::FIRST,
        site: site(),
        sequence: Sequence(sequence),
        manifest: Digest::of(&sequence.to_be_bytes()),
        manifest_bytes: 100,
        as_of: NOW,
        positions: vec![("town.db".into(), "17".into())],
        signed_at: NOW,
        erased: Sequence(0),
    }
}

pub(crate) fn order(scope: &str, epoch: u64) -> Order {
    Order {
        version: Order::VERSION,
        site: site(),
        scope: scope.parse().unwrap(),
        epoch: Epoch(epoch),
        predecessor: None,
        mode: snapshot::order::Mode::Degraded,
        insists: false,
        notices: Vec::new(),
        pin: None,
        back: None,
        who: "mina".into(),
        why: "fire".into(),
        ends_at: None,
        signed_at: NOW,
    }
}

/// An encoded statement, signed by each of these.
pub(crate) fn signed<T: serde::Serialize>(
    statement: &T,
    namespace: Namespace,
    seeds: &[u8],
) -> Envelope {
    let mut envelope = Envelope::seal(encode(statement).unwrap());
    for seed in seeds {
        envelope.sign_with(&key(*seed), namespace).unwrap();
    }
    envelope
}

pub(crate) fn signed_release(release: &Release, seeds: &[u8]) -> Envelope {
    signed(release, Namespace::Release, seeds)
}

pub(crate) fn signed_order(order: &Order, seeds: &[u8]) -> Envelope {
    signed(order, Namespace::Order, seeds)
}

pub(crate) fn judge_release(
    generation: &Generation,
    envelope: &Envelope,
    floor: &Floor,
) -> Result<(AcceptedRelease, Vec<Alarm>), Refusal> {
    accept_release(generation, envelope, &site(), floor, NOW)
}

pub(crate) fn judge_order(
    generation: &Generation,
    envelope: &Envelope,
) -> Result<(AcceptedOrder, Vec<Alarm>), Refusal> {
    accept_order(generation, envelope, &site(), NOW)
}

/// A floor that was raised by accepting `release`.
pub(crate) fn floor_at(generation: &Generation, release: &Release, seeds: &[u8]) -> Floor {
    let mut floor = Floor::default();
    let envelope = signed_release(release, seeds);
    let (accepted, _) = judge_release(generation, &envelope, &floor).unwrap();
    assert!(floor.raise(accepted.mark()));
    floor
}

/// The stable name of a refusal.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.unwrap_err().name()
}

pub(crate) fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}
