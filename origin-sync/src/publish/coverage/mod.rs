//! The coverage: every URL that the sources name, asked of the real serving path with no origin
//! in reach. It answers "what would a reader still get?" before there is an outage.
//!
//! [`urls`] lists them, [`ask`] asks on every core, [`known`] says which need not be asked again
//! and why that is sound, [`frame`] compares two releases for it.

mod ask;
mod frame;
mod known;
mod urls;
mod words;

use std::collections::BTreeMap;

use snapshot::Timestamp;

pub(super) use ask::{Asking, ask};
pub(super) use known::{Known, Notes};
pub(super) use urls::urls;

/// Most different reasons that are told of one route, the first by the alphabet; the URLs that
/// failed for others are counted together.
pub const REASONS: usize = 20;
/// What those others are called.
const OTHER_REASONS: &str = "other reasons";

/// What answers with the origin dead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Each route whose URLs are known.
    pub routes: Vec<RouteCoverage>,
    /// Routes that are declared and whose URLs nobody can list.
    pub uncovered: Vec<String>,
}

/// One route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteCoverage {
    /// Its template.
    pub route: String,
    /// Its service.
    pub service: String,
    /// URLs there are. All are counted, unless there are more than `URLS_PER_ROUTE`.
    pub urls: usize,
    /// URLs that were asked now.
    pub asked: usize,
    /// URLs that answered in an earlier publish; nothing that their pages are made of has changed
    /// since.
    pub known: usize,
    /// The time of the data that the first of those was asked with.
    pub known_since: Option<Timestamp>,
    /// URLs that answered with a page, now or then.
    pub answered: usize,
    /// Why the others did not, and how many of them. Paths may carry capabilities and stay out.
    pub failures: BTreeMap<String, usize>,
}

impl RouteCoverage {
    /// A route that has URLs, none of which answers: no release is worth that.
    #[must_use]
    pub const fn is_dead(&self) -> bool {
        self.counted() > 0 && self.answered == 0
    }

    /// URLs whose answer is known.
    #[must_use]
    pub const fn counted(&self) -> usize {
        self.asked + self.known
    }

    /// The same reasons, whatever the order in which they came.
    fn fail(&mut self, why: String) {
        *self.failures.entry(why).or_default() += 1;
        let told = self.failures.len() - usize::from(self.failures.contains_key(OTHER_REASONS));
        if told > REASONS {
            let mut reasons = self.failures.keys().rev();
            let last = reasons.find(|why| *why != OTHER_REASONS).cloned();
            let count = last.and_then(|last| self.failures.remove(&last));
            *self.failures.entry(OTHER_REASONS.to_owned()).or_default() += count.unwrap_or(0);
        }
    }

    fn answered_before(&mut self, since: Timestamp) {
        self.known += 1;
        self.answered += 1;
        self.known_since = Some(self.known_since.map_or(since, |first| first.min(since)));
    }
}

impl Coverage {
    /// URLs asked now, known from before, and answered now or then, over all routes.
    #[must_use]
    pub fn totals(&self) -> (usize, usize, usize) {
        let sum = |of: fn(&RouteCoverage) -> usize| self.routes.iter().map(of).sum();
        let (asked, known) = (sum(|route| route.asked), sum(|route| route.known));
        (asked, known, sum(|route| route.answered))
    }

    /// The time of the data that the first of the known URLs was asked with.
    #[must_use]
    pub fn known_since(&self) -> Option<Timestamp> {
        let since = self.routes.iter().filter_map(|route| route.known_since);
        since.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_reasons_the_first_are_told_in_whatever_order_they_come() {
        let mut reasons: Vec<String> = (0..REASONS + 3).map(|n| format!("why {n:02}")).collect();
        reasons.push("why 00".to_owned());
        let counted = |reasons: &[String]| {
            let mut route = RouteCoverage::default();
            reasons.iter().cloned().for_each(|why| route.fail(why));
            route.failures
        };
        let told = counted(&reasons);
        assert_eq!(told.len(), REASONS + 1);
        assert_eq!((told["why 00"], told["why 19"]), (2, 1));
        assert_eq!(told["other reasons"], 3);
        reasons.reverse();
        assert_eq!(counted(&reasons), told);
        reasons.rotate_left(7);
        assert_eq!(counted(&reasons), told);
    }

    #[test]
    fn a_route_is_dead_only_if_nothing_of_it_answers() {
        let mut route = RouteCoverage::default();
        assert!(!route.is_dead());
        route.asked = 1;
        assert!(route.is_dead());
        route.answered_before(Timestamp(7));
        route.answered_before(Timestamp(5));
        assert!(!route.is_dead());
        assert_eq!((route.counted(), route.answered), (3, 2));
        assert_eq!(route.known_since, Some(Timestamp(5)));
    }
}
