//! Forged, replayed and misplaced releases.

use std::time::Duration;

use snapshot::order::Pin;
use snapshot::{
    AcceptedRelease, Alarm, Digest, Envelope, Floor, Generation, Novelty, Release, Sequence,
    Timestamp, accept_pinned, accept_release, encode, limits,
};

use crate::world::*;

#[test]
fn an_honest_release_is_accepted_and_kept() {
    let floor = Floor::default();
    let envelope = signed_release(&release(1), &[SORA]);
    let (accepted, alarms) = judge_release(&generation(), &envelope, &floor).unwrap();
    assert_eq!(accepted.release, release(1));
    assert_eq!(accepted.novelty, Novelty::New);
    assert_eq!(accepted.signers.persons(), ["sora"].into());
    assert!(alarms.is_empty());
    let kept = AcceptedRelease::from_bytes(&accepted.to_bytes().unwrap()).unwrap();
    assert_eq!(kept, accepted);
}

#[test]
fn wrong_key() {
    let envelope = signed_release(&release(1), &[STRANGER]);
    let result = judge_release(&generation(), &envelope, &Floor::default());
    let text = result.as_ref().unwrap_err().to_string();
    assert!(text.contains("SHA256:"), "{text}");
    assert_eq!(refused(result), "wrong-key");
}

#[test]
fn unsigned() {
    let envelope = signed_release(&release(1), &[]);
    let result = judge_release(&generation(), &envelope, &Floor::default());
    assert_eq!(refused(result), "unsigned");
}

#[test]
fn role_swapped() {
    let envelope = signed_release(&release(1), &[MINA]);
    let result = judge_release(&generation(), &envelope, &Floor::default());
    assert_eq!(refused(result), "role-swapped");
}

#[test]
fn no_role() {
    let listed = signers() + &line("ghost", "", STRANGER);
    let generation = Generation::parse(&listed, TRUST).unwrap();
    let envelope = signed_release(&release(1), &[STRANGER]);
    let result = judge_release(&generation, &envelope, &Floor::default());
    assert_eq!(refused(result), "no-role");
}

#[test]
fn order_replayed_as_a_release() {
    let envelope = signed(&release(1), snapshot::Namespace::Order, &[SORA]);
    let result = judge_release(&generation(), &envelope, &Floor::default());
    assert_eq!(refused(result), "wrong-namespace");
}

#[test]
fn key_not_listed_for_releases() {
    let listed = line("sora", "namespaces=\"order@*\"", SORA) + &line("jun", "", JUN);
    let trust = TRUST.split("[person.mina]").next().unwrap();
    let generation = Generation::parse(&listed, trust).unwrap();
    let result = judge_release(
        &generation,
        &signed_release(&release(1), &[SORA]),
        &Floor::default(),
    );
    assert_eq!(refused(result), "wrong-namespace");
}

#[test]
fn other_site() {
    // The person may sign for both sites; the statement is about the other one.
    let trust = TRUST.replace("[\"dasom\"]", "[\"dasom\", \"garam\"]");
    let generation = Generation::parse(&signers(), &trust).unwrap();
    let mut elsewhere = release(1);
    elsewhere.site = "garam".parse().unwrap();
    let envelope = signed_release(&elsewhere, &[SORA]);
    let result = judge_release(&generation, &envelope, &Floor::default());
    assert_eq!(refused(result), "other-site");
}

#[test]
fn wrong_site() {
    let trust = TRUST.replacen("[\"dasom\"]", "[\"garam\"]", 1);
    let listed = signers();
    let trust = trust.replace(
        "[person.jun]\nroles = [\"publisher\"]\nsites = [\"dasom\"]",
        "[person.jun]\nroles = [\"publisher\"]\nsites = [\"*\"]",
    );
    let generation = Generation::parse(&listed, &trust).unwrap();
    let envelope = signed_release(&release(1), &[SORA]);
    let result = judge_release(&generation, &envelope, &Floor::default());
    assert_eq!(refused(result), "wrong-site");
}

#[test]
fn expired_key() {
    // To the second, and both ends belong to it; judged at edge time.
    let end = "valid-before=\"20261122050500Z\"";
    let generation = Generation::parse(
        &(line("sora", end, SORA) + &line("jun", "", JUN) + &line("mina", "", MINA)),
        TRUST,
    )
    .unwrap();
    let envelope = signed_release(&release(1), &[SORA]);
    let at = |time| accept_release(&generation, &envelope, &site(), &Floor::default(), time);
    assert!(at(NOW).is_ok());
    let after = NOW.plus(Duration::from_secs(1));
    assert_eq!(refused(at(after)), "expired-key");
    // The same words at the next poll: a list of refusals does not fill up with one.
    let words = |time| at(time).unwrap_err().to_string();
    assert_eq!(words(after), words(after.plus(Duration::from_secs(9))));
}

#[test]
fn early_key() {
    let start = "valid-after=\"20261122050500Z\"";
    let generation = Generation::parse(
        &(line("sora", start, SORA) + &line("jun", "", JUN) + &line("mina", "", MINA)),
        TRUST,
    )
    .unwrap();
    let mut early = release(1);
    (early.as_of, early.signed_at) = (Timestamp(0), Timestamp(0));
    let envelope = signed_release(&early, &[SORA]);
    let at = |time| accept_release(&generation, &envelope, &site(), &Floor::default(), time);
    assert!(at(NOW).is_ok());
    assert_eq!(refused(at(Timestamp(NOW.0 - 1000))), "early-key");
}

#[test]
fn renewed_key_holds_by_either_line() {
    let renewed = line("sora", "valid-before=\"20250101Z\"", SORA)
        + &line("sora", "valid-after=\"20260101Z\"", SORA);
    let generation = Generation::parse(
        &(renewed + &line("jun", "", JUN) + &line("mina", "", MINA)),
        TRUST,
    )
    .unwrap();
    let envelope = signed_release(&release(1), &[SORA]);
    assert!(judge_release(&generation, &envelope, &Floor::default()).is_ok());
}

fn two_needed() -> Generation {
    Generation::parse(&signers(), &format!("{TRUST}\n[thresholds]\nrelease = 2\n")).unwrap()
}

#[test]
fn too_few_signers() {
    let generation = two_needed();
    let judge = |seeds: &[u8]| {
        let envelope = signed_release(&release(1), seeds);
        judge_release(&generation, &envelope, &Floor::default())
    };
    assert!(judge(&[SORA, JUN]).is_ok());
    assert_eq!(refused(judge(&[SORA])), "too-few-signers");
    assert_eq!(refused(judge(&[SORA, STRANGER])), "too-few-signers");
    assert_eq!(refused(judge(&[SORA, MINA])), "too-few-signers");
    // A signature that does not count takes no other with it.
    assert!(judge(&[STRANGER, SORA, JUN]).is_ok());
}

#[test]
fn one_person_with_two_keys() {
    let listed = signers() + &line("sora", "", 7);
    let trust = format!("{TRUST}\n[thresholds]\nrelease = 2\n");
    let generation = Generation::parse(&listed, &trust).unwrap();
    let envelope = signed_release(&release(1), &[SORA, 7]);
    let result = judge_release(&generation, &envelope, &Floor::default());
    assert_eq!(refused(result), "too-few-signers");
}

#[test]
fn duplicate_signature() {
    // The envelope's own door replaces a key's earlier signature; a forger writes bytes.
    let envelope = signed_release(&release(1), &[SORA]);
    let signature = envelope.signatures().next().unwrap().to_vec();
    let signature = serde_bytes::ByteBuf::from(signature);
    let payload = serde_bytes::ByteBuf::from(envelope.payload().to_vec());
    let bytes = encode(&(1u16, payload, vec![signature.clone(), signature])).unwrap();
    let forged = Envelope::from_bytes(&bytes).unwrap();
    let result = judge_release(&two_needed(), &forged, &Floor::default());
    assert_eq!(refused(result), "duplicate-signature");
}

#[test]
fn signature_over_other_bytes() {
    let envelope = signed_release(&release(1), &[SORA]);
    let signature = serde_bytes::ByteBuf::from(envelope.signatures().next().unwrap().to_vec());
    let payload = serde_bytes::ByteBuf::from(encode(&release(2)).unwrap());
    let bytes = encode(&(1u16, payload, vec![signature])).unwrap();
    let forged = Envelope::from_bytes(&bytes).unwrap();
    let result = judge_release(&generation(), &forged, &Floor::default());
    assert_eq!(refused(result), "other-bytes");
}

#[test]
fn wrong_version() {
    let mut other = release(1);
    other.version = 2;
    let envelope = signed_release(&other, &[SORA]);
    let result = judge_release(&generation(), &envelope, &Floor::default());
    assert_eq!(refused(result), "wrong-version");
}

#[test]
fn malformed_statement() {
    let envelope = signed(&"no release", snapshot::Namespace::Release, &[SORA]);
    let result = judge_release(&generation(), &envelope, &Floor::default());
    assert_eq!(refused(result), "malformed");
}

#[test]
fn rollback() {
    let generation = generation();
    let floor = floor_at(&generation, &release(5), &[SORA]);
    let older = signed_release(&release(4), &[JUN]);
    assert_eq!(
        refused(judge_release(&generation, &older, &floor)),
        "rollback"
    );
    let newer = signed_release(&release(6), &[JUN]);
    assert!(judge_release(&generation, &newer, &floor).is_ok());
}

#[test]
fn fast_forward() {
    let generation = generation();
    let floor = floor_at(&generation, &release(5), &[SORA]);
    let at = |sequence| {
        judge_release(
            &generation,
            &signed_release(&release(sequence), &[SORA]),
            &floor,
        )
    };
    assert!(at(5 + limits::FAST_FORWARD).is_ok());
    assert_eq!(refused(at(6 + limits::FAST_FORWARD)), "fast-forward");
    assert_eq!(refused(at(u64::MAX)), "fast-forward");
    let first = signed_release(&release(limits::FAST_FORWARD + 1), &[SORA]);
    let result = judge_release(&generation, &first, &Floor::default());
    assert_eq!(refused(result), "fast-forward");
}

#[test]
fn same_sequence_other_manifest() {
    let generation = generation();
    let with = |byte: u8| {
        let mut release = release(5);
        release.manifest = Digest::from_bytes([byte; 32]);
        release
    };
    let floor = floor_at(&generation, &with(7), &[SORA]);
    let smaller = judge_release(&generation, &signed_release(&with(6), &[JUN]), &floor);
    assert_eq!(refused(smaller), "same-sequence-other-manifest");
    let (accepted, alarms) =
        judge_release(&generation, &signed_release(&with(8), &[JUN]), &floor).unwrap();
    assert_eq!(accepted.novelty, Novelty::New);
    assert!(matches!(
        alarms.as_slice(),
        [Alarm::SameSequenceOtherManifest { .. }]
    ));
}

#[test]
fn heartbeats_move_the_date_only_forward() {
    let generation = generation();
    let dated = |ago: u64| Release {
        as_of: Timestamp(NOW.0 - ago),
        ..release(5)
    };
    let floor = floor_at(&generation, &dated(1000), &[SORA]);
    let judge = |ago| judge_release(&generation, &signed_release(&dated(ago), &[SORA]), &floor);
    assert_eq!(judge(0).unwrap().0.novelty, Novelty::Heartbeat);
    assert_eq!(judge(1000).unwrap().0.novelty, Novelty::Same);
    assert_eq!(refused(judge(2000)), "old-heartbeat");
}

#[test]
fn a_stolen_keys_floor_falls_when_it_is_thrown_out() {
    let all = generation();
    let mut floor = floor_at(&all, &release(5), &[SORA]);
    let stolen = signed_release(&release(4_000_000), &[JUN]);
    let (accepted, _) = judge_release(&all, &stolen, &floor).unwrap();
    floor.raise(accepted.mark());
    let floor = Floor::from_bytes(&floor.to_bytes().unwrap()).unwrap();

    let next = signed_release(&release(6), &[SORA]);
    assert_eq!(refused(judge_release(&all, &next, &floor)), "rollback");
    // Jun's key leaves the trust files.
    let listed = line("sora", "", SORA) + &line("mina", "", MINA);
    let trust = TRUST.replace(
        "[person.jun]\nroles = [\"publisher\"]\nsites = [\"dasom\"]\n",
        "",
    );
    let without = Generation::parse(&listed, &trust).unwrap();
    assert_eq!(
        floor.highest(&without, &site()).unwrap().sequence,
        Sequence(5)
    );
    assert!(judge_release(&without, &next, &floor).is_ok());
    // What Sora had reached still holds.
    let older = signed_release(&release(4), &[SORA]);
    assert_eq!(refused(judge_release(&without, &older, &floor)), "rollback");
}

#[test]
fn a_floor_survives_one_of_two_signers() {
    let floor = floor_at(&generation(), &release(5), &[SORA, JUN]);
    let listed = line("sora", "", SORA) + &line("mina", "", MINA);
    let trust = TRUST.replace(
        "[person.jun]\nroles = [\"publisher\"]\nsites = [\"dasom\"]\n",
        "",
    );
    let without = Generation::parse(&listed, &trust).unwrap();
    assert!(floor.highest(&without, &site()).is_some());
}

#[test]
fn a_floor_remembers_only_so_many_sets_of_keys() {
    let mut floor = Floor::default();
    let (accepted, _) =
        judge_release(&generation(), &signed_release(&release(1), &[SORA]), &floor).unwrap();
    for seed in 0..=u8::try_from(limits::FLOOR_MARKS).unwrap() {
        let mut mark = accepted.mark();
        mark.sequence = Sequence(u64::from(seed) + 1);
        mark.keys = vec![snapshot::Fingerprint::of(
            snapshot::Signer::public_key(&key(seed)).key_data(),
        )];
        assert!(floor.raise(mark));
    }
    let bytes = floor.to_bytes().unwrap();
    assert_eq!(Floor::from_bytes(&bytes).unwrap(), floor);
    assert!(bytes.len() < limits::FLOOR_MARKS * 150);
}

#[test]
fn ahead_of_time() {
    let dated = |ahead: u64| Release {
        signed_at: Timestamp(NOW.0 + ahead),
        ..release(1)
    };
    let judge = |ahead| {
        let envelope = signed_release(&dated(ahead), &[SORA]);
        judge_release(&generation(), &envelope, &Floor::default())
    };
    let (accepted, alarms) = judge(limits::AHEAD_MS).unwrap();
    assert!(matches!(alarms.as_slice(), [Alarm::AheadOfTime { .. }]));
    let mut time = snapshot::EdgeTime::default();
    assert!(time.release(accepted.time(), NOW));
    assert_eq!(time.at(NOW), Timestamp(NOW.0 + limits::AHEAD_MS));
    assert_eq!(refused(judge(limits::AHEAD_MS + 1)), "ahead-of-time");
}

#[test]
fn a_pin_reaches_below_the_floor_but_only_for_its_release() {
    let generation = generation();
    let old = release(3);
    let pin = Pin {
        sequence: old.sequence,
        manifest: old.manifest,
    };
    let judge = |release: &Release, seed| {
        let envelope = signed_release(release, &[seed]);
        accept_pinned(&generation, &envelope, &site(), &pin, NOW)
    };
    assert_eq!(judge(&old, SORA).unwrap().0.novelty, Novelty::Pinned);
    assert_eq!(refused(judge(&release(4), SORA)), "not-the-pin");
    let other = Release {
        manifest: Digest::of(b"other"),
        ..release(3)
    };
    assert_eq!(refused(judge(&other, SORA)), "not-the-pin");
    assert_eq!(refused(judge(&old, MINA)), "role-swapped");
}
