//! What the log is told of sync: orders with how they came, releases, refusals.
//!
//! Who offers an order offers it again at every poll, and anybody may bring orders as fast as they are
//! judged: what is noted already is not noted again, and of refusals so many a minute.

use std::collections::VecDeque;

use snapshot::Digest;
use snapshot::trust::{AcceptedRelease, AcceptedSuccession, Alarm, Refusal as TrustRefusal};

use super::Brought;
use super::driver::Follower;
use super::refusal::Refusal;
use super::work::SourceId;
use crate::log::{Came, Event, OrderSaid, words};
use crate::orders::Taken;

/// Outranked orders that are remembered as noted, for each site.
pub const OUTRANKED: usize = 64;
/// Refused orders of a site that are noted a minute; more are counted.
pub const REFUSED_A_MINUTE: u64 = 60;

/// What was noted already.
#[derive(Debug, Default)]
pub(super) struct Noted {
    outranked: VecDeque<Digest>,
    minute: u64,
    refused: u64,
    more: u64,
}

impl Noted {
    /// True the first time.
    fn is_first(&mut self, outranked: Digest) -> bool {
        if self.outranked.contains(&outranked) {
            return false;
        }
        self.outranked.push_front(outranked);
        self.outranked.truncate(OUTRANKED);
        true
    }

    /// Whether one more refusal is noted in this minute, and how many were not before it.
    fn takes_refusal(&mut self, minute: u64) -> Option<u64> {
        if self.minute != minute {
            (self.minute, self.refused) = (minute, 0);
        }
        self.refused = self.refused.saturating_add(1);
        if self.refused > REFUSED_A_MINUTE {
            self.more = self.more.saturating_add(1);
            return None;
        }
        Some(std::mem::take(&mut self.more))
    }
}

impl Follower {
    /// How what a source holds comes here.
    pub(super) fn came_from(&self, id: SourceId) -> Came {
        let source = self.sources.get(id);
        let url = source
            .map(|source| source.status.url.clone())
            .unwrap_or_default();
        if source.is_some_and(|source| source.status.peer) {
            return Came::Peer { url };
        }
        Came::Mirror { url }
    }

    /// Orders that were taken in, and how they came.
    pub(super) fn note_orders(&mut self, taken: &Taken, came: &Came) {
        // Of two orders of one epoch each names the other.
        let equal = |digest: Digest| {
            taken.alarms.iter().find_map(|alarm| match alarm {
                Alarm::EqualEpochs { kept, dropped, .. } if *kept == digest => Some(*dropped),
                Alarm::EqualEpochs { kept, dropped, .. } if *dropped == digest => Some(*kept),
                _ => None,
            })
        };
        for order in &taken.accepted {
            let said = OrderSaid::of(order, came.clone(), equal(order.digest));
            self.state.note(Event::OrderAccepted(said));
        }
        for order in &taken.outranked {
            if self.noted.is_first(order.digest) {
                let said = OrderSaid::of(order, came.clone(), equal(order.digest));
                self.state.note(Event::OrderOutranked(said));
            }
        }
    }

    /// A generation of trust came into force.
    pub(super) fn note_trust(&self, accepted: &AcceptedSuccession, came: &Came) {
        let persons = accepted.signers.persons().into_iter();
        self.state.note(Event::TrustAccepted {
            generation: accepted.succession.number,
            who: accepted.succession.who.clone(),
            why: accepted.succession.why.clone(),
            signers: persons.map(str::to_owned).collect(),
            came: came.clone(),
        });
    }

    /// Orders, or a generation of trust, that are not believed.
    pub(super) fn note_disbelief(&mut self, what: Brought, refusal: &TrustRefusal, came: &Came) {
        let minute = self.state.edge_time().as_secs() / 60;
        if let Some(more) = self.noted.takes_refusal(minute) {
            let what = match what {
                Brought::Orders => "orders",
                Brought::Trust => "trust",
            };
            self.state.note(Event::Refused {
                what: what.to_owned(),
                reason: refusal.name().to_owned(),
                why: words(&refusal.to_string()),
                came: came.clone(),
                more,
            });
        }
    }

    /// A release comes into use; one that was only dated anew is no news.
    pub(super) fn note_release(&self, accepted: &AcceptedRelease) {
        let release = &accepted.release;
        let before = self.state.current();
        let before = before.as_ref().map(|before| &before.release);
        let same = before
            .is_some_and(|b| (b.sequence, b.manifest) == (release.sequence, release.manifest));
        if same {
            return;
        }
        let persons = accepted.signers.persons().into_iter();
        self.state.note(Event::Release {
            sequence: release.sequence.0,
            from: before.map(|before| before.sequence.0),
            manifest: release.manifest.to_string(),
            as_of: release.as_of.rfc3339(),
            signers: persons.map(str::to_owned).collect(),
        });
    }

    /// A release is not used.
    pub(super) fn note_refusal(&self, sequence: Option<u64>, refusal: &Refusal) {
        let mut why = refusal.reason.clone();
        if let Some(object) = &refusal.object {
            why = format!("{object}: {why}");
        }
        self.state.note(Event::ReleaseRefused {
            sequence,
            check: refusal.check.as_str().to_owned(),
            source: refusal.source.clone(),
            why: words(&why),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_refusals_so_many_a_minute_are_noted_and_the_others_counted() {
        let mut noted = Noted::default();
        let counted = (0..REFUSED_A_MINUTE + 5).filter_map(|_| noted.takes_refusal(7));
        assert_eq!(counted.sum::<u64>(), 0);
        assert_eq!(noted.takes_refusal(7), None);
        assert_eq!(noted.takes_refusal(8), Some(6));
        assert_eq!(noted.takes_refusal(8), Some(0));
    }

    #[test]
    fn an_outranked_order_is_noted_once_and_a_bounded_number_remembered() {
        let mut noted = Noted::default();
        let digest = |n: usize| Digest::of(&n.to_le_bytes());
        for n in 0..=OUTRANKED {
            assert!(noted.is_first(digest(n)) && !noted.is_first(digest(n)));
        }
        assert_eq!(noted.outranked.len(), OUTRANKED);
        assert!(noted.is_first(digest(0)));
    }
}
