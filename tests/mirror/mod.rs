//! A mirror is never trusted: whatever it offers, the last good release stays and serves, `/status`
//! names what was wrong, and the truth is taken when it is told.
//!
//! Each attack is a test of its name: `cargo xtask test mirror::zip_bomb`. It is played on a running
//! edge that holds a good release, from a folder or over HTTP. What is forged is signed by the
//! publisher's own key wherever a signature is not the point, so that only the check that is meant
//! for the lie can find it; what is refused is compared word for word ([`World::refuses`]).

mod honest;
mod manifests;
mod objects;
mod segments;
mod statements;
mod time;
mod whole;
mod world;

use world::World;

/// Every attack there must be a case for.
const ATTACKS: [&str; 22] = [
    "flipped-byte",
    "truncated",
    "oversized",
    "zip-bomb",
    "wrong-version",
    "lying-count",
    "keys-out-of-order",
    "node-of-another-segment",
    "segment-of-another-site",
    "missing-object",
    "html-error-page-with-200",
    "rollback",
    "freeze",
    "fast-forward",
    "same-sequence-other-manifest",
    "wrong-key",
    "expired-key",
    "role-swapped",
    "duplicate-signature",
    "signature-over-other-bytes",
    "clock-a-day-off",
    "emptied-collection",
];

/// A test for each attack: the edge holds a good release, is attacked, and goes on.
macro_rules! attacks {
    ($($name:ident: $attack:path;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                let mut world = World::new().await;
                $attack(&mut world).await;
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
    flipped_byte: objects::flipped_byte;
    truncated: objects::truncated;
    oversized: objects::oversized;
    missing_object: objects::missing_object;
    html_error_page_with_200: objects::html_error_page_with_200;
    zip_bomb: segments::zip_bomb;
    lying_count: segments::lying_count;
    keys_out_of_order: segments::keys_out_of_order;
    node_of_another_segment: segments::node_of_another_segment;
    segment_of_another_site: segments::segment_of_another_site;
    wrong_version: statements::wrong_version;
    rollback: statements::rollback;
    fast_forward: statements::fast_forward;
    same_sequence_other_manifest: statements::same_sequence_other_manifest;
    wrong_key: statements::wrong_key;
    expired_key: statements::expired_key;
    role_swapped: statements::role_swapped;
    duplicate_signature: statements::duplicate_signature;
    signature_over_other_bytes: statements::signature_over_other_bytes;
    wrong_namespace: statements::wrong_namespace;
    unsigned: statements::unsigned;
    other_site: statements::other_site;
    freeze: time::freeze;
    clock_a_day_off: time::clock_a_day_off;
    clock_a_month_off: time::clock_a_month_off;
    emptied_collection: manifests::emptied_collection;
    manifest_of_another_site: manifests::manifest_of_another_site;
    stack_deeper_than_any: manifests::stack_deeper_than_any;
    manifest_that_is_none: manifests::manifest_that_is_none;
    impossible_lengths: manifests::impossible_lengths;
    failed_canary: manifests::failed_canary;
}
