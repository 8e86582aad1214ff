//! The ends of forced modes, told once each: that one is near, and that it has come.
//!
//! An order forces a mode until its end, whatever happens to whoever gave it. From a quarter of its
//! time before that, the end is announced, so that people can extend it; then the breaker decides
//! again. What an edge has told it remembers while it runs: after a restart an end that is near is
//! announced again, and one that has come is not told again.

use std::collections::BTreeMap;

use snapshot::{Digest, Order, Scope, Timestamp};

use super::Orders;
use crate::mode::{End, Event};

/// Which ends were told.
#[derive(Debug, Default)]
pub struct Ends(BTreeMap<Scope, (Digest, Stage)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Awaited,
    Announced,
    Ended,
}

impl Ends {
    /// What is to be told of `orders` at `now` that was not told yet.
    pub fn untold(&mut self, orders: &Orders, now: Timestamp) -> Vec<Event> {
        let mut events = Vec::new();
        self.0.retain(|scope, _| orders.get(scope).is_some());
        for (scope, in_force) in orders.iter() {
            let order = &in_force.order;
            let (Some(ends_at), Some(stage)) = (order.end(), stage(order, now)) else {
                self.0.remove(scope);
                continue;
            };
            let told = self.0.insert(scope.clone(), (in_force.digest, stage));
            let told = told.filter(|(digest, _)| *digest == in_force.digest);
            // Of an order that had ended before this edge knew it, it never was in force here.
            let unknown = match stage {
                Stage::Ended => Stage::Ended,
                _ => Stage::Awaited,
            };
            if told.map_or(unknown, |(_, told)| told) >= stage {
                continue;
            }
            let end = End {
                scope: scope.clone(),
                epoch: order.epoch,
                ends_at,
                at: now,
            };
            events.extend(match stage {
                Stage::Awaited => None,
                Stage::Announced => Some(Event::EndAnnounced(end)),
                Stage::Ended => Some(Event::Ended(end)),
            });
        }
        events
    }
}

fn stage(order: &Order, now: Timestamp) -> Option<Stage> {
    let (announced, end) = (order.end_announced_at()?, order.end()?);
    Some(match now {
        now if now >= end => Stage::Ended,
        now if now >= announced => Stage::Announced,
        _ => Stage::Awaited,
    })
}

#[cfg(test)]
mod tests {
    use snapshot::Epoch;
    use snapshot::order::Mode;

    use super::*;
    use crate::fixture::order;

    fn told(ends: &mut Ends, orders: &Orders, at: u64) -> Vec<&'static str> {
        let events = ends.untold(orders, Timestamp(at)).into_iter();
        let words = events.map(|event| match event {
            Event::EndAnnounced(_) => "announced",
            Event::Ended(_) => "ended",
            Event::Changed { .. } => "changed",
        });
        words.collect()
    }

    fn ending(epoch: u64, ends_at: u64, why: &str) -> Orders {
        let mut order = order("service:pay", epoch, Mode::Degraded);
        order.signed_at = Timestamp(1_000);
        order.ends_at = Some(Timestamp(ends_at));
        why.clone_into(&mut order.why);
        Orders::in_force([order])
    }

    #[test]
    fn each_end_is_announced_a_quarter_before_and_told_once() {
        let (mut ends, orders) = (Ends::default(), ending(1, 5_000, "fire"));
        let none: [&str; 0] = [];
        assert_eq!(told(&mut ends, &orders, 3_999), none);
        assert_eq!(orders.next_moment(Timestamp(3_999)), Some(Timestamp(4_000)));
        let announced = ends.untold(&orders, Timestamp(4_000));
        let expected = End {
            scope: "service:pay".parse().unwrap(),
            epoch: Epoch(1),
            ends_at: Timestamp(5_000),
            at: Timestamp(4_000),
        };
        assert_eq!(announced, [Event::EndAnnounced(expected)]);
        assert_eq!(told(&mut ends, &orders, 4_500), none);
        assert_eq!(orders.next_moment(Timestamp(4_000)), Some(Timestamp(5_000)));
        assert_eq!(told(&mut ends, &orders, 5_000), ["ended"]);
        assert_eq!(told(&mut ends, &orders, 6_000), none);
        assert_eq!(orders.next_moment(Timestamp(5_000)), None);
        // Extended: another order, another end.
        let extended = ending(2, 9_000, "still fire");
        assert_eq!(told(&mut ends, &extended, 6_000), none);
        assert_eq!(told(&mut ends, &extended, 8_000), ["announced"]);
    }

    #[test]
    fn after_a_restart_a_near_end_is_announced_again_and_a_past_one_is_no_news() {
        let orders = ending(1, 5_000, "fire");
        assert_eq!(told(&mut Ends::default(), &orders, 4_500), ["announced"]);
        let none: [&str; 0] = [];
        assert_eq!(told(&mut Ends::default(), &orders, 5_000), none);
        // A clock that jumps over the announcement does not lose the end.
        let mut ends = Ends::default();
        assert_eq!(told(&mut ends, &orders, 2_000), none);
        assert_eq!(told(&mut ends, &orders, 90_000_000), ["ended"]);
    }

    #[test]
    fn what_the_breaker_decides_has_no_end() {
        let mut order = order("site", 1, Mode::Automatic);
        order.ends_at = Some(Timestamp(5_000));
        let orders = Orders::in_force([order]);
        let none: [&str; 0] = [];
        assert_eq!(told(&mut Ends::default(), &orders, 6_000), none);
        assert_eq!(orders.next_moment(Timestamp(0)), None);
    }
}
