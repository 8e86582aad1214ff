//! Bundles: the same state by any path, and nobody's epoch can lock a scope.

use snapshot::order::Mode;
use snapshot::{
    AcceptedOrder, Bundle, Envelope, Epoch, Generation, Merged, OfferedBundle, Order, limits,
};

use crate::world::*;

fn accepted(order: &Order, seed: u8, generation: &Generation) -> AcceptedOrder {
    judge_order(generation, &signed_order(order, &[seed]))
        .unwrap()
        .0
}

/// Beside Mina operates Haru, whose key is 8.
fn with_haru() -> Generation {
    let haru = "[person.haru]\nroles = [\"operator\"]\nsites = [\"*\"]\n";
    let signers = signers() + &line("haru", "", 8);
    Generation::parse(&signers, &format!("{TRUST}\n{haru}")).unwrap()
}

fn with_why(scope: &str, epoch: u64, why: &str) -> Order {
    Order {
        why: why.to_owned(),
        ..order(scope, epoch)
    }
}

#[test]
fn any_path_in_any_order_gives_the_same_state() {
    let generation = generation();
    let orders = [
        with_why("site", 1, "a"),
        with_why("service:pay", 1, "b"),
        with_why("service:pay", 2, "c"),
        with_why("service:pay", 2, "d"),
        with_why("service:talk", 7, "e"),
    ]
    .map(|order| accepted(&order, MINA, &generation));
    let merge = |picks: &[usize]| {
        let mut bundle = Bundle::default();
        for pick in picks {
            // A refusal of an older one is an outcome like any other.
            let _outcome = bundle.merge(orders[*pick].clone(), &generation, &site());
        }
        bundle
    };
    let expected = merge(&[0, 1, 2, 3, 4]);
    for picks in [
        &[4, 3, 2, 1, 0][..],
        &[3, 2, 0, 1, 4],
        &[2, 3, 2, 3, 1, 4, 0],
        &[1, 1, 4, 0, 3, 2],
    ] {
        assert_eq!(merge(picks), expected);
    }
    assert_eq!(expected.iter().count(), 3);
    assert_eq!(expected.next_epoch(&scope("service:pay")), Epoch(3));
    assert_eq!(expected.next_epoch(&scope("service:map")), Epoch(1));
    let kept = Bundle::from_bytes(&expected.to_bytes().unwrap()).unwrap();
    assert_eq!(kept, expected);
}

#[test]
fn a_newer_order_replaces_and_an_older_is_refused() {
    let generation = generation();
    let mut bundle = Bundle::default();
    let (first, second) = (
        accepted(&order("site", 1), MINA, &generation),
        accepted(&order("site", 2), MINA, &generation),
    );
    bundle.merge(first.clone(), &generation, &site()).unwrap();
    let merged = bundle.merge(second.clone(), &generation, &site()).unwrap();
    let Merged::InForce { previous, alarm } = merged else {
        panic!("{merged:?}");
    };
    assert_eq!(previous, Some(Box::new(first.clone())));
    assert_eq!(alarm, None);
    assert_eq!(
        bundle.merge(second, &generation, &site()).unwrap(),
        Merged::Known
    );
    assert_eq!(
        refused(bundle.merge(first, &generation, &site())),
        "old-order"
    );
}

#[test]
fn equal_epochs_take_the_greater_digest_and_alarm() {
    let generation = generation();
    let pair = ["a", "b"].map(|why| accepted(&with_why("site", 1, why), MINA, &generation));
    let [low, high] = if pair[0].digest < pair[1].digest {
        pair
    } else {
        let [a, b] = pair;
        [b, a]
    };
    let mut bundle = Bundle::default();
    bundle.merge(low.clone(), &generation, &site()).unwrap();
    assert!(matches!(
        bundle.merge(high.clone(), &generation, &site()).unwrap(),
        Merged::InForce { alarm: Some(_), .. }
    ));
    assert!(matches!(
        bundle.merge(low, &generation, &site()).unwrap(),
        Merged::Outranked { .. }
    ));
    assert_eq!(bundle.get(&scope("site")).unwrap().digest, high.digest);
}

#[test]
fn fast_forward() {
    let generation = generation();
    let mut bundle = Bundle::default();
    let at = |epoch| accepted(&order("site", epoch), MINA, &generation);
    let far = at(limits::FAST_FORWARD + 1);
    assert_eq!(
        refused(bundle.merge(far, &generation, &site())),
        "fast-forward"
    );
    bundle.merge(at(1), &generation, &site()).unwrap();
    let near = at(limits::FAST_FORWARD + 1);
    assert!(bundle.merge(near, &generation, &site()).is_ok());
}

#[test]
fn a_stolen_keys_epoch_falls_when_it_is_thrown_out() {
    let both = with_haru();
    let mut bundle = Bundle::default();
    let stolen = accepted(&order("site", 4_000_000), 8, &both);
    bundle.merge(stolen, &both, &site()).unwrap();
    let without = generation();
    // The order in force stays until somebody gives another.
    assert_eq!(
        bundle.get(&scope("site")).unwrap().order.mode,
        Mode::Degraded
    );
    let next = accepted(&order("site", 3), MINA, &without);
    assert_eq!(
        refused(bundle.clone().merge(next.clone(), &both, &site())),
        "old-order"
    );
    let merged = bundle.merge(next, &without, &site()).unwrap();
    assert!(matches!(merged, Merged::InForce { alarm: None, .. }));
}

#[test]
fn with_a_stolen_key_thrown_out_no_carrier_brings_an_old_order_back() {
    let both = with_haru();
    let minas = |epoch| accepted(&order("site", epoch), MINA, &both);
    let mut bundle = Bundle::default();
    for epoch in [3, 5] {
        bundle.merge(minas(epoch), &both, &site()).unwrap();
    }
    let stolen = accepted(&order("site", 9), 8, &both);
    bundle.merge(stolen, &both, &site()).unwrap();
    let mut bundle = Bundle::from_bytes(&bundle.to_bytes().unwrap()).unwrap();
    let without = generation();
    let replayed = bundle.merge(minas(3), &without, &site());
    assert_eq!(refused(replayed), "old-order");
    // The newest of those who are left is what they had ordered.
    bundle.merge(minas(5), &without, &site()).unwrap();
    assert_eq!(bundle.get(&scope("site")).unwrap().order.epoch, Epoch(5));
}

#[test]
fn a_stolen_key_fills_no_bundle_for_good() {
    let both = with_haru();
    let mut bundle = Bundle::default();
    let invented = |n: usize| accepted(&order(&format!("service:s{n}"), 1), 8, &both);
    let taken = (0..limits::BUNDLE_ORDERS).map_while(|n| {
        let merged = bundle.merge(invented(n), &both, &site());
        merged.ok()
    });
    assert_eq!(taken.count(), limits::BUNDLE_ORDERS - 1);
    let pay = || accepted(&order("service:pay", 1), MINA, &both);
    assert!(bundle.merge(pay(), &both, &site()).is_err());
    // The site's own order always has room; the rest once the key is thrown out.
    let whole = accepted(&order("site", 1), MINA, &both);
    bundle.merge(whole, &both, &site()).unwrap();
    bundle.merge(pay(), &generation(), &site()).unwrap();
    assert_eq!(bundle.iter().count(), limits::BUNDLE_ORDERS);
    assert!(bundle.offer().to_bytes().is_ok());
}

#[test]
fn an_envelope_that_was_padded_on_its_way_is_refused_and_no_bundle_outgrows_its_limit() {
    let envelope = signed_order(&order("service:pay", 1), &[MINA]);
    // `[1, payload, [signature]]`, with a long signature of nobody's behind the good one.
    let long = padded(&envelope, limits::ENVELOPE_BYTES);
    let bundle = [&[0x92, 0x01, 0x91][..], &long].concat();
    let offered = OfferedBundle::from_bytes(&bundle).unwrap();
    let judged = offered.accept(&generation(), &site(), NOW);
    let refusal = judged.into_iter().next().unwrap().unwrap_err();
    let expected = format!("at most {} are allowed", limits::ENVELOPE_BYTES);
    assert!(refusal.to_string().contains(&expected), "{refusal}");
    // Within the limit of one, all together have one.
    let generation = generation();
    let mut bundle = Bundle::default();
    let merged = (0..limits::BUNDLE_ORDERS).map_while(|n| {
        let envelope = signed_order(&order(&format!("service:s{n}"), 1), &[MINA]);
        let padded = padded(&envelope, limits::ENVELOPE_BYTES - 2000);
        let envelope = Envelope::from_bytes(&padded).unwrap();
        let (order, _) = judge_order(&generation, &envelope).unwrap();
        bundle.merge(order, &generation, &site()).ok()
    });
    assert!((20..40).contains(&merged.count()));
    assert!(bundle.offer().to_bytes().is_ok());
}

/// The same envelope with one more signature, of so many zeros.
fn padded(envelope: &Envelope, bytes: usize) -> Vec<u8> {
    let own = envelope.to_bytes().unwrap();
    let signature = envelope.signatures().next().unwrap();
    let behind = own.len() - signature.len() - 2;
    // The list of one signature becomes a list of two.
    let head = &own[..behind - 1];
    assert_eq!(own[behind - 1..][..2], [0x91, 0xc4]);
    let length = u32::try_from(bytes).unwrap().to_be_bytes();
    let pad = [&[0xc6][..], &length, &vec![0; bytes]].concat();
    [head, &[0x92], &own[behind..], &pad].concat()
}

#[test]
fn a_bundle_out_of_order_or_with_a_scope_twice_is_refused() {
    let envelope = |scope: &str, epoch| signed_order(&order(scope, epoch), &[MINA]);
    let bytes = |envelopes: [&Envelope; 2]| {
        let [a, b] = envelopes.map(|envelope| envelope.to_bytes().unwrap());
        [&[0x92, 0x01, 0x92][..], &a, &b].concat()
    };
    let (whole, pay) = (envelope("site", 1), envelope("service:pay", 1));
    assert!(OfferedBundle::from_bytes(&bytes([&whole, &pay])).is_ok());
    for wrong in [[&pay, &whole], [&pay, &envelope("service:pay", 2)]] {
        let error = OfferedBundle::from_bytes(&bytes(wrong)).unwrap_err();
        assert!(error.to_string().contains("not in their order"), "{error}");
    }
}

#[test]
fn one_bad_order_takes_no_other_with_it() {
    let mut offered = OfferedBundle::default();
    offered
        .put(signed_order(&order("site", 1), &[MINA]))
        .unwrap();
    offered
        .put(signed_order(&order("service:pay", 1), &[STRANGER]))
        .unwrap();
    let offered = OfferedBundle::from_bytes(&offered.to_bytes().unwrap()).unwrap();
    let judged = offered.accept(&generation(), &site(), NOW);
    let good = judged.iter().filter(|result| result.is_ok()).count();
    assert_eq!((judged.len(), good), (2, 1));
}

#[test]
fn an_operators_order_takes_its_scopes_place() {
    let mut offered = OfferedBundle::default();
    for (scope, epoch) in [("service:pay", 1), ("site", 1), ("service:pay", 2)] {
        offered
            .put(signed_order(&order(scope, epoch), &[MINA]))
            .unwrap();
    }
    let orders = offered.orders();
    let found: Vec<(String, u64)> = orders
        .iter()
        .map(|order| (order.scope.to_string(), order.epoch.0))
        .collect();
    assert_eq!(found, [("site".into(), 1), ("service:pay".into(), 2)]);
    assert_eq!(offered.envelopes().len(), 2);
}

#[test]
fn an_edges_bundle_is_what_it_offers() {
    let generation = generation();
    let mut bundle = Bundle::default();
    let order = accepted(&order("site", 1), MINA, &generation);
    bundle.merge(order.clone(), &generation, &site()).unwrap();
    assert_eq!(bundle.offer().envelopes(), [order.envelope]);
}

#[test]
fn oversized_bundles() {
    let long = vec![0; limits::BUNDLE_BYTES + 1];
    assert!(OfferedBundle::from_bytes(&long).is_err());
    let mut offered = OfferedBundle::default();
    for n in 0..limits::BUNDLE_ORDERS {
        offered
            .put(Envelope::seal(
                snapshot::encode(&order(&format!("service:s{n}"), 1)).unwrap(),
            ))
            .unwrap();
    }
    let one_more = signed_order(&order("service:one-more", 1), &[MINA]);
    assert!(offered.put(one_more).is_err());
}
