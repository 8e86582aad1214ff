//! Forged, misplaced and under-signed orders.

use snapshot::order::Pin;
use snapshot::{Alarm, Digest, Generation, Sequence, Timestamp, limits};

use crate::world::*;

#[test]
fn an_honest_order_is_accepted() {
    let envelope = signed_order(&order("service:pay", 1), &[MINA]);
    let (accepted, alarms) = judge_order(&generation(), &envelope).unwrap();
    assert_eq!(accepted.order, order("service:pay", 1));
    assert_eq!(accepted.digest, envelope.payload_digest());
    assert!(alarms.is_empty());
}

#[test]
fn role_swapped() {
    let envelope = signed_order(&order("service:pay", 1), &[SORA]);
    let result = judge_order(&generation(), &envelope);
    assert_eq!(refused(result), "role-swapped");
}

#[test]
fn release_replayed_as_an_order() {
    let envelope = signed(
        &order("service:pay", 1),
        snapshot::Namespace::Release,
        &[MINA],
    );
    let result = judge_order(&generation(), &envelope);
    assert_eq!(refused(result), "wrong-namespace");
}

#[test]
fn the_threshold_is_looked_up_by_scope() {
    let listed = signers() + &line("haru", "", 8);
    let trust = format!(
        "{TRUST}\n[person.haru]\nroles = [\"operator\"]\nsites = [\"dasom\"]\n[thresholds]\nsite-order = 2\n"
    );
    let generation = Generation::parse(&listed, &trust).unwrap();
    let judge =
        |scope, seeds: &[u8]| judge_order(&generation, &signed_order(&order(scope, 1), seeds));
    assert!(judge("service:pay", &[MINA]).is_ok());
    assert_eq!(refused(judge("site", &[MINA])), "too-few-signers");
    assert!(judge("site", &[MINA, 8]).is_ok());
}

#[test]
fn other_site() {
    let mut elsewhere = order("site", 1);
    elsewhere.site = "garam".parse().unwrap();
    let result = judge_order(&generation(), &signed_order(&elsewhere, &[MINA]));
    assert_eq!(refused(result), "other-site");
}

#[test]
fn misplaced_pin() {
    let pin = Some(Pin {
        sequence: Sequence(1),
        manifest: Digest::of(b"manifest"),
    });
    let mut pinning = order("service:pay", 1);
    pinning.pin = pin;
    let result = judge_order(&generation(), &signed_order(&pinning, &[MINA]));
    assert_eq!(refused(result), "misplaced-pin");
    pinning.scope = scope("site");
    assert!(judge_order(&generation(), &signed_order(&pinning, &[MINA])).is_ok());
}

#[test]
fn wrong_version() {
    let mut other = order("site", 1);
    other.version = 9;
    let result = judge_order(&generation(), &signed_order(&other, &[MINA]));
    assert_eq!(refused(result), "wrong-version");
}

#[test]
fn ahead_of_time() {
    let mut ahead = order("site", 1);
    ahead.signed_at = Timestamp(NOW.0 + limits::AHEAD_MS);
    let (_, alarms) = judge_order(&generation(), &signed_order(&ahead, &[MINA])).unwrap();
    assert!(matches!(alarms.as_slice(), [Alarm::AheadOfTime { .. }]));
    ahead.signed_at = Timestamp(NOW.0 + limits::AHEAD_MS + 1);
    let result = judge_order(&generation(), &signed_order(&ahead, &[MINA]));
    assert_eq!(refused(result), "ahead-of-time");
}

#[test]
fn oversized_statement() {
    let mut long = order("site", 1);
    long.why = "x".repeat(limits::STATEMENT_BYTES);
    let mut envelope = snapshot::Envelope::seal(snapshot::encode(&long).unwrap());
    let refused = envelope.sign_with(&key(MINA), snapshot::Namespace::Order);
    assert!(matches!(refused, Err(snapshot::SignError::TooLarge { .. })));
    let bytes = envelope.to_bytes().unwrap();
    let text = snapshot::Envelope::from_bytes(&bytes)
        .unwrap_err()
        .to_string();
    assert!(text.contains("bytes of statement"), "{text}");
}
