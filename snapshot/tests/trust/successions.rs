//! One generation after another: forged, cheapened, misplaced.

use snapshot::trust::{AcceptedSuccession, Succession, TrustFiles, accept_succession};
use snapshot::{Alarm, Envelope, Generation, Namespace, Refusal, Timestamp, encode, limits};

use crate::succession_world::*;
use crate::world::*;

const TWO: &[(&str, u8)] = &[("mina", MINA), ("haru", HARU)];

fn old() -> TrustFiles {
    files(TWO, "")
}

/// Haru's key was stolen.
fn new() -> TrustFiles {
    files(&[("mina", MINA), ("dori", DORI)], "")
}

fn judge_by(
    generation: &Generation,
    envelope: &Envelope,
) -> Result<(AcceptedSuccession, Generation, Option<Alarm>), Refusal> {
    accept_succession(generation, 4, envelope, &site(), NOW)
}

fn judge(succession: &Succession, seeds: &[u8]) -> Result<Generation, Refusal> {
    let envelope = signed_succession(succession, seeds);
    judge_by(&of(&old()), &envelope).map(|(_, next, _)| next)
}

fn next() -> Succession {
    succession(&old(), 5, &new())
}

/// What a succession to these files meets, signed by Mina and Haru.
fn to(files: &TrustFiles) -> Result<Generation, Refusal> {
    judge(&succession(&old(), 5, files), &[MINA, HARU])
}

#[test]
fn a_stolen_key_is_thrown_out_by_one_who_is_left() {
    let envelope = signed_succession(&next(), &[MINA]);
    let (accepted, made, alarm) = judge_by(&of(&old()), &envelope).unwrap();
    assert_eq!(accepted.succession, next());
    assert_eq!(accepted.signers.persons(), ["mina"].into());
    assert_eq!(accepted.digest, envelope.payload_digest());
    assert_eq!(alarm, None);
    assert_eq!(made.digest(), new().digest());
    let order = signed_order(&order("site", 1), &[HARU]);
    assert!(judge_order(&of(&old()), &order).is_ok());
    assert_eq!(refused(judge_order(&made, &order)), "wrong-key");
}

#[test]
fn strangers_key() {
    assert_eq!(refused(judge(&next(), &[STRANGER])), "wrong-key");
    assert_eq!(refused(judge(&next(), &[])), "unsigned");
    // Who comes in with it cannot let himself in.
    assert_eq!(refused(judge(&next(), &[DORI])), "wrong-key");
}

#[test]
fn a_publisher_says_nothing_about_trust() {
    assert_eq!(refused(judge(&next(), &[SORA])), "role-swapped");
}

#[test]
fn a_removed_key() {
    // Haru, whom the generation in force threw out.
    let later = succession(&new(), 6, &old());
    let envelope = signed_succession(&later, &[HARU]);
    assert_eq!(refused(judge_by(&of(&new()), &envelope)), "wrong-key");
}

#[test]
fn an_expired_key_and_one_for_another_purpose() {
    for (options, expected) in [
        ("valid-before=\"20200101Z\"", "expired-key"),
        ("valid-after=\"20990101Z\"", "early-key"),
        ("namespaces=\"order@holdfast\"", "wrong-namespace"),
    ] {
        let old = files_with(&[("mina", "", MINA), ("haru", options, HARU)], "");
        let next = succession(&old, 5, &new());
        let judge = |seed| judge_by(&of(&old), &signed_succession(&next, &[seed]));
        assert_eq!(refused(judge(HARU)), expected);
        assert!(judge(MINA).is_ok());
    }
}

#[test]
fn an_order_or_a_release_replayed_as_a_succession() {
    for namespace in [Namespace::Order, Namespace::Release] {
        let envelope = signed(&next(), namespace, &[MINA]);
        let result = judge_by(&of(&old()), &envelope);
        assert_eq!(refused(result), "wrong-namespace");
    }
    let envelope = signed(&order("site", 1), Namespace::Trust, &[MINA]);
    assert_eq!(refused(judge_by(&of(&old()), &envelope)), "malformed");
}

#[test]
fn the_same_person_with_two_keys_and_the_same_key_twice() {
    let mina = [("mina", "", MINA), ("mina", "", 33), ("haru", "", HARU)];
    let old = files_with(&mina, "trust = 2");
    let next = succession(&old, 5, &files(TWO, "trust = 2"));
    let judge = |seeds: &[u8]| judge_by(&of(&old), &signed_succession(&next, seeds));
    assert_eq!(refused(judge(&[MINA, 33])), "too-few-signers");
    assert!(judge(&[MINA, HARU]).is_ok());
    let once = signed_succession(&next, &[MINA]);
    let signature = once.signatures().next().unwrap().to_vec();
    let signature = serde_bytes::ByteBuf::from(signature);
    let payload = serde_bytes::ByteBuf::from(once.payload().to_vec());
    let twice = encode(&(1u16, payload, vec![signature.clone(), signature])).unwrap();
    let twice = Envelope::from_bytes(&twice).unwrap();
    assert_eq!(refused(judge_by(&of(&old), &twice)), "duplicate-signature");
}

#[test]
fn it_takes_as_many_as_the_site_unless_said_otherwise() {
    for (thresholds, alone) in [
        ("site-order = 2", false),
        ("site-order = 2\ntrust = 1", true),
        ("trust = 2", false),
        ("order = 2", true),
    ] {
        let old = files(TWO, thresholds);
        let next = succession(&old, 5, &files(TWO, &format!("{thresholds}\n#")));
        let judged = judge_by(&of(&old), &signed_succession(&next, &[MINA]));
        assert_eq!(judged.is_ok(), alone, "{thresholds}");
    }
}

#[test]
fn a_lowered_threshold() {
    let old = files(TWO, "release = 1\norder = 2\nsite-order = 2\ntrust = 2");
    for (thresholds, what) in [
        ("order = 1\nsite-order = 2\ntrust = 2", "order"),
        ("order = 2\nsite-order = 1\ntrust = 2", "site-order"),
        ("order = 2\nsite-order = 2\ntrust = 1", "trust"),
        // Left out it is one, and so is what follows from it.
        ("order = 2\ntrust = 2", "site-order"),
    ] {
        let next = succession(&old, 5, &files(TWO, thresholds));
        let judged = judge_by(&of(&old), &signed_succession(&next, &[MINA, HARU]));
        let error = judged.unwrap_err();
        assert_eq!(error.name(), "lowered-threshold");
        assert!(
            error.to_string().contains(&format!(": {what} would")),
            "{error}"
        );
    }
    let same = files(TWO, "order = 2\nsite-order = 2");
    let next = succession(&old, 5, &same);
    assert!(judge_by(&of(&old), &signed_succession(&next, &[MINA, HARU])).is_ok());
}

#[test]
fn nobody_is_left_who_could_sign() {
    for (operators, thresholds) in [
        (&[][..], ""),
        (&[("mina", "", MINA)], "order = 2"),
        (&[("mina", "", MINA)], "trust = 2"),
        (&[("mina", "namespaces=\"order@holdfast\"", MINA)], ""),
    ] {
        let name = refused(to(&files_with(operators, thresholds)));
        let expected = ["too-few-left", "unsound-generation"];
        assert!(expected.contains(&name), "{thresholds}: {name}");
    }
    // Nor of those who publish.
    let others = new().trust_toml.replace("publisher", "operator");
    let name = refused(to(&TrustFiles {
        trust_toml: others,
        ..new()
    }));
    assert_eq!(name, "unsound-generation");
}

#[test]
fn files_that_are_no_generation_are_refused_with_every_problem() {
    let broken = TrustFiles {
        allowed_signers: "mina no-key\n".into(),
        trust_toml: "[thresholds]\norder = 99\n".into(),
    };
    let error = to(&broken).unwrap_err();
    assert_eq!(error.name(), "unsound-generation");
    let told = error.to_string();
    assert!(
        told.contains("allowed_signers:1:") && told.contains("trust.toml:2:"),
        "{told}"
    );
}

#[test]
fn other_site() {
    let elsewhere = Succession {
        site: "garam".parse().unwrap(),
        ..next()
    };
    assert_eq!(refused(judge(&elsewhere, &[MINA])), "other-site");
}

#[test]
fn wrong_predecessor() {
    let other = succession(&new(), 5, &old());
    assert_eq!(refused(judge(&other, &[MINA])), "other-predecessor");
}

#[test]
fn old_number_and_fast_forward() {
    for (number, expected) in [
        (0, "old-generation"),
        (4, "old-generation"),
        (5 + limits::FAST_FORWARD, "fast-forward"),
        (u64::MAX, "fast-forward"),
    ] {
        let replayed = Succession { number, ..next() };
        assert_eq!(refused(judge(&replayed, &[MINA])), expected, "{number}");
    }
}

#[test]
fn wrong_version_and_ahead_of_time() {
    let later = Succession {
        version: 2,
        ..next()
    };
    assert_eq!(refused(judge(&later, &[MINA])), "wrong-version");
    let dated = |ahead: u64| Succession {
        signed_at: Timestamp(NOW.0 + ahead),
        ..next()
    };
    let ahead = dated(limits::AHEAD_MS);
    let (_, _, alarm) = judge_by(&of(&old()), &signed_succession(&ahead, &[MINA])).unwrap();
    assert!(matches!(alarm, Some(Alarm::AheadOfTime { .. })));
    assert_eq!(
        refused(judge(&dated(limits::AHEAD_MS + 1), &[MINA])),
        "ahead-of-time"
    );
}

#[test]
fn every_flipped_byte_of_what_was_signed_is_refused() {
    let envelope = signed_succession(&next(), &[MINA]);
    let (payload, bytes) = (envelope.payload().to_vec(), envelope.to_bytes().unwrap());
    let at = bytes
        .windows(payload.len())
        .position(|part| part == payload);
    let at = at.unwrap();
    for offset in (0..payload.len()).step_by(7) {
        let mut forged = bytes.clone();
        forged[at + offset] ^= 1;
        let forged = Envelope::from_bytes(&forged).unwrap();
        assert!(judge_by(&of(&old()), &forged).is_err(), "byte {offset}");
    }
}

#[test]
fn who_may_sign_is_told_with_the_end_of_each_key() {
    let options = "namespaces=\"order@holdfast,trust@*\",valid-before=\"20270101Z\"";
    let generation = of(&files_with(
        &[("mina", "", MINA), ("haru", options, HARU)],
        "",
    ));
    let end = Timestamp::from_secs(1_798_761_600);
    let ends = |namespace| {
        let keys = generation.may_sign(namespace, &site()).into_iter();
        keys.map(|key| (key.person, key.ends)).collect::<Vec<_>>()
    };
    let both = [("haru".to_owned(), Some(end)), ("mina".to_owned(), None)];
    assert_eq!(ends(Namespace::Order), both);
    assert_eq!(ends(Namespace::Trust), both);
    assert_eq!(ends(Namespace::Release), [("sora".to_owned(), None)]);
    let able = |at| generation.persons_able(Namespace::Order, &site(), at);
    assert_eq!((able(end), able(Timestamp(end.0 + 1000))), (2, 1));
    let elsewhere = "garam".parse().unwrap();
    assert!(generation.may_sign(Namespace::Order, &elsewhere).is_empty());
    let listed = generation.listed();
    let names: Vec<_> = listed.iter().map(|it| it.person.as_str()).collect();
    assert_eq!(names, ["haru", "mina", "sora"]);
    assert_eq!(
        listed[0].keys[0].namespaces,
        [Namespace::Order, Namespace::Trust]
    );
    assert_eq!(listed[1].keys[0].namespaces, Namespace::ALL);
}
