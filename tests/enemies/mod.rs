//! Whoever may reach an edge's peer listener may bring it orders, and whoever may write to a mirror may
//! put them there: what is not rightly signed changes nothing, and says why.
//!
//! Each attack is a test of its name: `cargo xtask test enemies::replayed`. It is played on a running
//! edge that has good orders in force, and the edge still hears its operators afterwards.

mod attacks;
mod world;

use world::World;

/// Every attack there must be a case for.
const ATTACKS: [&str; 14] = [
    "replayed",
    "other-site",
    "signed-by-a-publisher",
    "signed-with-an-expired-key",
    "signed-with-a-removed-key",
    "signed-by-a-stranger",
    "same-person-with-two-keys",
    "same-key-twice",
    "cut-into-single-services",
    "ten-megabytes",
    "last-epoch",
    "epoch-far-ahead",
    "equal-epochs",
    "unknown-service",
];

/// A test for each attack: the edge has orders in force, is attacked, and hears its operators.
macro_rules! attacks {
    ($($name:ident;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                let world = World::new().await;
                attacks::$name(&world).await;
                world.goes_on().await;
            }
        )+

        #[test]
        fn every_attack_has_its_case() {
            let cases = [$(stringify!($name).replace('_', "-")),+];
            for attack in ATTACKS {
                assert!(cases.iter().any(|case| case == attack), "no case: {attack}");
            }
        }
    };
}

attacks! {
    replayed;
    other_site;
    signed_by_a_publisher;
    signed_with_an_expired_key;
    signed_with_a_removed_key;
    signed_by_a_stranger;
    same_person_with_two_keys;
    same_key_twice;
    cut_into_single_services;
    ten_megabytes;
    last_epoch;
    epoch_far_ahead;
    equal_epochs;
    unknown_service;
}
