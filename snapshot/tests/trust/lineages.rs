//! Chains: edges that slept, replays, forks.

use std::sync::Arc;

use snapshot::trust::{Advance, Chain, Lineage, Succession, TrustFiles};
use snapshot::{Alarm, Envelope, encode, limits};

use crate::succession_world::*;
use crate::world::*;

/// Generation `n`: Mina and Haru operate, and a remark makes it another one.
fn plain(n: u64) -> TrustFiles {
    files(&[("mina", MINA), ("haru", HARU)], &format!("# {n}"))
}

fn plainly(n: u64) -> Envelope {
    signed_succession(&succession(&plain(n - 1), n, &plain(n)), &[MINA])
}

fn chain(envelopes: impl IntoIterator<Item = Envelope>) -> Chain {
    let mut chain = Chain::default();
    for envelope in envelopes {
        chain.push(envelope).unwrap();
    }
    Chain::from_bytes(&chain.to_bytes().unwrap()).unwrap()
}

fn begun(files: &TrustFiles) -> Lineage {
    Lineage::new(0, Arc::new(of(files)))
}

fn merge(lineage: &mut Lineage, envelopes: &[&Envelope]) -> Advance {
    let offered = chain(envelopes.iter().map(|envelope| (*envelope).clone()));
    lineage.merge(&offered, &site(), NOW)
}

fn refusal(advance: &Advance) -> Option<&'static str> {
    advance.refused.as_ref().map(snapshot::Refusal::name)
}

/// The same after a restart.
fn kept(lineage: &Lineage) -> Lineage {
    let kept = Lineage::from_bytes(&lineage.to_bytes().unwrap()).unwrap();
    assert_eq!(kept.number(), lineage.number());
    assert_eq!(kept.generation().digest(), lineage.generation().digest());
    assert_eq!(kept.offer(), lineage.offer());
    kept
}

#[test]
fn an_edge_that_slept_catches_up_step_by_step() {
    let steps: Vec<_> = (1..=5).map(plainly).collect();
    let all = chain(steps.clone());
    for slept_at in 0..5 {
        let mut lineage = begun(&plain(slept_at));
        let advance = lineage.merge(&all, &site(), NOW);
        assert_eq!(refusal(&advance), None);
        assert_eq!(advance.accepted.len() as u64, 5 - slept_at);
        assert_eq!(lineage.number(), 5);
        assert_eq!(lineage.generation().digest(), plain(5).digest());
        let mut lineage = kept(&lineage);
        // The same again, and less of it, changes nothing.
        let again = lineage.merge(&all, &site(), NOW);
        assert!(again.accepted.is_empty() && again.refused.is_none());
        let less = lineage.merge(&chain(steps[..3].to_vec()), &site(), NOW);
        assert_eq!(refusal(&less), Some("old-generation"));
        // It gives on what it went through.
        let offered = lineage.offer().unwrap();
        assert_eq!(offered.successions().count() as u64, 5 - slept_at);
        assert!(lineage.holds(plain(slept_at).digest()) && lineage.holds(plain(4).digest()));
        assert!(!lineage.holds(plain(6).digest()));
    }
    // Files that a human being has changed already are no reason to complain.
    let mut ahead = begun(&plain(5));
    let advance = ahead.merge(&all, &site(), NOW);
    assert!(advance.accepted.is_empty() && advance.refused.is_none());
    assert_eq!(ahead.offer(), None);
}

#[test]
fn one_bad_step_takes_none_before_it_along() {
    let forged = signed_succession(&succession(&plain(2), 3, &plain(3)), &[STRANGER]);
    let mut lineage = begun(&plain(0));
    let advance = merge(
        &mut lineage,
        &[&plainly(1), &plainly(2), &forged, &plainly(4)],
    );
    assert_eq!(refusal(&advance), Some("wrong-key"));
    assert_eq!((advance.accepted.len(), lineage.number()), (2, 2));
}

#[test]
fn a_gap_is_not_jumped_over() {
    let mut lineage = begun(&plain(0));
    let advance = merge(&mut lineage, &[&plainly(2), &plainly(3)]);
    assert_eq!(refusal(&advance), Some("other-predecessor"));
    let advance = merge(&mut lineage, &[&plainly(1), &plainly(3)]);
    assert_eq!(refusal(&advance), Some("other-predecessor"));
    assert_eq!(lineage.number(), 1);
}

#[test]
fn files_that_come_back_do_not_bring_old_successions_back() {
    let (a, b) = (plain(0), plain(1));
    let there = signed_succession(&succession(&a, 1, &b), &[MINA]);
    let back = signed_succession(&succession(&b, 2, &a), &[MINA]);
    let mut lineage = begun(&a);
    merge(&mut lineage, &[&there, &back]);
    assert_eq!(
        (lineage.number(), lineage.generation().digest()),
        (2, a.digest())
    );
    let replayed = merge(&mut lineage, &[&there]);
    assert_eq!(refusal(&replayed), Some("old-generation"));
    assert_eq!(lineage.generation().digest(), a.digest());
}

fn with_why(from: &TrustFiles, number: u64, to: &TrustFiles, why: &str) -> Succession {
    Succession {
        why: why.into(),
        ..succession(from, number, to)
    }
}

/// Two successors of generation 0, the smaller first; nobody is thrown out.
fn fork() -> [(Envelope, TrustFiles); 2] {
    let mut pair = [plain(11), plain(12)].map(|files| {
        let envelope = signed_succession(&succession(&plain(0), 1, &files), &[MINA]);
        (envelope, files)
    });
    pair.sort_by_key(|(envelope, _)| envelope.payload_digest());
    pair
}

#[test]
fn of_two_successors_every_edge_takes_the_greater() {
    let [(small, _), (great, made)] = fork();
    for order in [[&small, &great], [&great, &small]] {
        let mut lineage = begun(&plain(0));
        let mut alarms = Vec::new();
        for envelope in order {
            let advance = merge(&mut lineage, &[envelope]);
            alarms.extend(advance.alarms.iter().map(Alarm::name));
            alarms.extend(refusal(&advance));
            lineage = kept(&lineage);
        }
        assert_eq!(lineage.generation().digest(), made.digest());
        assert_eq!(alarms, ["two-successors"]);
    }
}

#[test]
fn what_was_built_on_the_smaller_is_left_unless_it_went_further() {
    let [(small, made), (great, other)] = fork();
    let on_small = signed_succession(&succession(&made, 2, &plain(2)), &[HARU]);
    // Further: the edge on the greater one follows.
    let mut lineage = begun(&plain(0));
    merge(&mut lineage, &[&great]);
    let advance = merge(&mut lineage, &[&small, &on_small]);
    assert_eq!(advance.accepted.len(), 2);
    assert_eq!(
        advance.alarms.first().map(Alarm::name),
        Some("two-successors")
    );
    assert_eq!(lineage.generation().digest(), plain(2).digest());
    // And the one that is further already stays, without a look at any signature.
    let advance = merge(&mut lineage, &[&great]);
    assert_eq!(refusal(&advance), Some("old-generation"));
    // Equally far: the greater again, with all that was built on it.
    let on_great = signed_succession(&succession(&other, 2, &plain(3)), &[HARU]);
    let advance = merge(&mut lineage, &[&great, &on_great]);
    assert_eq!(advance.accepted.len(), 2);
    assert_eq!(lineage.generation().digest(), plain(3).digest());
    assert_eq!(lineage.offer().unwrap().successions().count(), 2);
}

#[test]
fn a_stolen_key_that_was_thrown_out_takes_nothing_back() {
    let before = plain(0);
    let without = files(&[("mina", MINA)], "");
    let thrown_out = signed_succession(&succession(&before, 1, &without), &[MINA]);
    // Whoever stole Haru's key answers until one of his is greater, and builds on it.
    let alone = files(&[("haru", HARU)], "");
    let answers = (0..).map(|n| {
        let answer = with_why(&before, 1, &alone, &n.to_string());
        signed_succession(&answer, &[HARU])
    });
    let greater = |answer: &Envelope| answer.payload_digest() > thrown_out.payload_digest();
    let answer = answers.into_iter().find(greater).unwrap();
    let more = files(&[("haru", HARU)], "# more");
    let further = signed_succession(&succession(&alone, 9, &more), &[HARU]);

    let mut lineage = begun(&before);
    merge(&mut lineage, &[&thrown_out]);
    for branch in [&[&answer][..], &[&answer, &further]] {
        let advance = merge(&mut lineage, branch);
        assert_eq!(refusal(&advance), Some("thrown-out"));
        assert!(advance.accepted.is_empty());
        assert_eq!(lineage.generation().digest(), without.digest());
    }
}

#[test]
fn a_draft_that_was_never_used_leads_nobody_back() {
    // Signed by persons who are still believed, years ago.
    let draft = signed_succession(&succession(&plain(0), 1, &plain(40)), &[MINA, HARU]);
    let mut lineage = begun(&plain(0));
    merge(&mut lineage, &[&plainly(1), &plainly(2), &plainly(3)]);
    let advance = merge(&mut lineage, &[&draft]);
    assert_eq!(refusal(&advance), Some("old-generation"));
    // Nor with an end that nobody signed.
    let forged = signed_succession(&succession(&plain(40), 50, &plain(41)), &[STRANGER]);
    let advance = merge(&mut lineage, &[&draft, &forged]);
    assert_eq!(refusal(&advance), Some("old-generation"));
    assert_eq!(lineage.number(), 3);
}

#[test]
fn oversized_chains() {
    let long = vec![0x92; limits::CHAIN_BYTES + 1];
    assert!(Chain::from_bytes(&long).is_err());
    let one = plainly(1);
    let envelopes = vec![one.clone(); limits::CHAIN_SUCCESSIONS + 1];
    let bytes = encode(&(1u16, envelopes)).unwrap();
    let error = Chain::from_bytes(&bytes).unwrap_err().to_string();
    assert!(error.contains("65 successions: at most 64"), "{error}");
    // A succession that is none is found before anything is judged.
    let none = signed_order(&order("site", 1), &[MINA]);
    let bytes = encode(&(1u16, vec![one, none])).unwrap();
    let error = Chain::from_bytes(&bytes).unwrap_err().to_string();
    assert!(error.contains("succession"), "{error}");
}

#[test]
fn of_very_many_or_large_successions_the_oldest_make_room() {
    let most = limits::CHAIN_SUCCESSIONS as u64;
    let mut lineage = begun(&plain(0));
    for n in 1..=most + 2 {
        assert_eq!(merge(&mut lineage, &[&plainly(n)]).accepted.len(), 1);
    }
    let offered = lineage.offer().unwrap();
    let numbers: Vec<_> = offered.successions().map(|(_, it)| it.number).collect();
    assert_eq!(numbers, (3..=most + 2).collect::<Vec<_>>());
    assert!(!lineage.holds(plain(1).digest()) && lineage.holds(plain(2).digest()));
    kept(&lineage);

    let large = |n: u64| TrustFiles {
        allowed_signers: plain(n).allowed_signers + &"#".repeat(60_000),
        ..plain(n)
    };
    let mut lineage = begun(&large(0));
    for n in 1..=most {
        let next = signed_succession(&succession(&large(n - 1), n, &large(n)), &[MINA]);
        assert_eq!(merge(&mut lineage, &[&next]).accepted.len(), 1);
    }
    let offered = lineage.offer().unwrap();
    assert!(offered.to_bytes().unwrap().len() <= limits::CHAIN_BYTES);
    let rest = offered.successions().count();
    assert!((15..limits::CHAIN_SUCCESSIONS).contains(&rest), "{rest}");
}

#[test]
fn a_lineage_longer_than_any_is_not_read() {
    let bytes = vec![0x94; 2 * limits::TRUST_FILE_BYTES + 3 * limits::CHAIN_BYTES + 1];
    let error = Lineage::from_bytes(&bytes).unwrap_err().to_string();
    assert!(error.contains(&bytes.len().to_string()), "{error}");
    let broken = (1u16, 3u64, ("mina no-key\n", ""), Vec::<u8>::new());
    let error = Lineage::from_bytes(&encode(&broken).unwrap()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("generation 3: allowed_signers:1:"),
        "{error}"
    );
}
