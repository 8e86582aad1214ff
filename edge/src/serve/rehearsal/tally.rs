//! What a rehearsal counted, by the template of the route.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::latency::{Latency, Percentiles};
use crate::page::visible::Difference;

/// How a page of the snapshot stood beside the origin's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// Both were read.
    Text(Difference),
    /// The statuses differ.
    Status,
    /// One of them is no text, or cannot be read, or the origin gave none.
    NotComparable,
}

/// Counts while a rehearsal goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    routes: BTreeMap<String, Route>,
    snapshot: Latency,
    origin: Latency,
}

/// What was seen of one route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Reads within the share.
    pub reads: u64,
    /// Reads that the snapshot could answer.
    pub covered: u64,
    /// Reads that it could not, by why: the origin answered these.
    pub errors: BTreeMap<String, u64>,
    /// Pages that were held beside the origin's.
    pub compared: u64,
    /// Those of the same visible text.
    pub same: u64,
    /// Those that differ in numbers alone.
    pub numbers: u64,
    /// Those that differ in words.
    pub words: u64,
    /// Of these, how much of a page's words differs at most, percent.
    pub words_most_percent: u8,
    /// Those to which the origin gave another status.
    pub status: u64,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// Reads within the share.
    pub reads: u64,
    /// Reads that the snapshot could answer.
    pub covered: u64,
    /// Reads that it could not.
    pub errors: u64,
    /// Pages that were held beside the origin's.
    pub compared: u64,
    /// Those that differ in words or status.
    pub differing: u64,
    /// How long the snapshot took.
    pub snapshot: Percentiles,
    /// How long the origin took, for pages that were compared.
    pub origin: Percentiles,
    /// By the template of the route.
    pub routes: BTreeMap<String, Route>,
}

impl Tally {
    pub(super) fn covered(&mut self, route: &str, took: Duration) {
        let seen = self.route(route);
        seen.reads += 1;
        seen.covered += 1;
        self.snapshot.took(took);
    }

    pub(super) fn failed(&mut self, route: &str, why: &str) {
        let seen = self.route(route);
        seen.reads += 1;
        *seen.errors.entry(why.to_owned()).or_default() += 1;
    }

    pub(super) fn compared(&mut self, route: &str, compared: Compared) {
        let seen = self.route(route);
        match compared {
            Compared::NotComparable => return,
            Compared::Status => seen.status += 1,
            Compared::Text(Difference::None) => seen.same += 1,
            Compared::Text(Difference::Numbers) => seen.numbers += 1,
            Compared::Text(Difference::Words(percent)) => {
                seen.words += 1;
                seen.words_most_percent = seen.words_most_percent.max(percent);
            }
        }
        seen.compared += 1;
    }

    pub(super) fn origin_took(&mut self, took: Duration) {
        self.origin.took(took);
    }

    /// Reads and errors.
    pub(super) fn errors(&self) -> (u64, u64) {
        let routes = self.routes.values();
        routes.fold((0, 0), |(reads, errors), route| {
            (
                reads + route.reads,
                errors + route.errors.values().sum::<u64>(),
            )
        })
    }

    pub(super) fn counted(&self) -> Counted {
        let (reads, errors) = self.errors();
        let sum = |of: fn(&Route) -> u64| self.routes.values().map(of).sum();
        Counted {
            reads,
            covered: sum(|route| route.covered),
            errors,
            compared: sum(|route| route.compared),
            differing: sum(|route| route.words + route.status),
            snapshot: self.snapshot.percentiles(),
            origin: self.origin.percentiles(),
            routes: self.routes.clone(),
        }
    }

    fn route(&mut self, route: &str) -> &mut Route {
        self.routes.entry(route.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_adds_up() {
        let mut tally = Tally::default();
        tally.covered("/a", Duration::from_millis(2));
        tally.covered("/a", Duration::from_millis(2));
        tally.failed("/b", "too-old");
        tally.compared("/a", Compared::Text(Difference::Words(4)));
        tally.compared("/a", Compared::Text(Difference::Words(9)));
        tally.compared("/a", Compared::Text(Difference::Numbers));
        tally.compared("/b", Compared::Status);
        tally.compared("/b", Compared::NotComparable);
        let counted = tally.counted();
        assert_eq!((counted.reads, counted.covered, counted.errors), (3, 2, 1));
        assert_eq!((counted.compared, counted.differing), (4, 3));
        assert_eq!(counted.routes["/a"].words_most_percent, 9);
        assert_eq!(counted.routes["/b"].errors["too-old"], 1);
        assert_eq!(counted.snapshot.count, 2);
    }
}
