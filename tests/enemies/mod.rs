//! Whoever may reach an edge's peer listener may bring it orders, and whoever may write to a mirror may
//! put them there: what is not rightly signed changes nothing, and says why.
//!
//! Each attack is a test of its name: `cargo xtask test enemies::replayed`. It is played on a running
//! edge that has good orders in force, and the edge still hears its operators afterwards.
//!
//! Some are played elsewhere, where what they need stands:
//!
//! - a clock that is a day off: `clock::an_edge_whose_clock_is_a_day_off_obeys_and_ends_orders_by_its_own_time`
//! - no clock at all: `clock::an_edge_without_a_clock_goes_on_by_what_it_knew`
//! - two operators at once: `operators::of_two_operators_at_once_the_one_who_lost_goes_on_from_the_other`,
//!   `alarms::two_orders_of_one_epoch_are_an_alarm_until_a_later_one_settles_it`
//! - a thousand pushes:
//!   `orders::of_a_thousand_bundles_that_a_stranger_signed_few_are_looked_at_and_an_operator_is_heard`,
//!   `trust::a_generation_that_strangers_bring_changes_nothing`
//! - flapping: `faults::a_flapping_wire_costs_no_reader_an_answer`,
//!   `faults::over_a_flapping_wire_the_next_release_comes`
//! - markup in what is told to readers: `pages::markup_in_a_notice_and_in_a_url_is_text`,
//!   `pages::markup_in_any_field_is_text`

mod attacks;
mod world;

use world::World;

/// A test for each attack of [`attacks`], of which one that is left out here is dead code: the edge has orders in force, is attacked, and hears its operators.
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
