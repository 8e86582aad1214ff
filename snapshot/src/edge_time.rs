//! The later of the wall clock and the newest accepted statement.
//!
//! An edge whose clock fell back would otherwise believe old statements fresh and ended keys
//! valid. So what it accepted holds its time up; a crash can lose only what was not yet kept.
//!
//! Whoever may sign anything could otherwise run everybody's time ahead, a few days with each statement,
//! and so end every forced mode and every key. So on an edge whose clock goes, within 7 days of what it
//! accepted, a release moves time no more than 7 days past the clock, and an order or a succession not past
//! it at all. Only where there is no such clock all that is accepted moves it.

use serde::{Deserialize, Serialize};

use crate::{Alarm, Refusal, Timestamp, limits};

/// The newest accepted statement's time, kept on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeTime {
    newest: Timestamp,
}

impl EdgeTime {
    /// The time to judge by when the wall clock says `wall`.
    #[must_use]
    pub fn at(self, wall: Timestamp) -> Timestamp {
        self.newest.max(wall)
    }

    /// Takes note of an accepted release's time. True if that moved anything: keep it on disk.
    pub fn release(&mut self, statement: Timestamp, wall: Timestamp) -> bool {
        self.advance(statement, wall, limits::AHEAD_MS)
    }

    /// Takes note of the time of an accepted order or succession. True if that moved anything.
    pub fn order(&mut self, statement: Timestamp, wall: Timestamp) -> bool {
        self.advance(statement, wall, 0)
    }

    /// No further than `most_ms` past a clock that goes.
    fn advance(&mut self, statement: Timestamp, wall: Timestamp, most_ms: u64) -> bool {
        let after = |ms| Timestamp(wall.0.saturating_add(ms));
        let clock_goes = after(limits::AHEAD_MS) >= self.newest;
        let statement = match clock_goes {
            true => statement.min(after(most_ms)),
            false => statement,
        };
        let moved = statement > self.newest;
        self.newest = self.newest.max(statement);
        moved
    }
}

/// Judges a statement's time: a little ahead is clock skew, days ahead moves edge time with an
/// alarm, more is refused.
pub(crate) fn judge(statement: Timestamp, edge_time: Timestamp) -> Result<Option<Alarm>, Refusal> {
    let ahead_ms = statement.0.saturating_sub(edge_time.0);
    if ahead_ms > limits::AHEAD_MS {
        return Err(Refusal::AheadOfTime {
            statement,
            edge_time,
        });
    }
    let alarm = Alarm::AheadOfTime {
        statement,
        edge_time,
    };
    Ok((ahead_ms > limits::SKEW_MS).then_some(alarm))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_back() {
        let mut time = EdgeTime::default();
        assert_eq!(time.at(Timestamp(5)), Timestamp(5));
        assert!(time.release(Timestamp(9), Timestamp(0)));
        assert!(!time.release(Timestamp(7), Timestamp(0)));
        assert_eq!(time.at(Timestamp(5)), Timestamp(9));
        assert_eq!(time.at(Timestamp(11)), Timestamp(11));
    }

    #[test]
    fn nobody_runs_the_time_ahead_of_a_clock_that_goes() {
        let (wall, week) = (Timestamp::from_secs(1_000_000_000), limits::AHEAD_MS);
        let after = |ms: u64| Timestamp(wall.0 + ms);
        let mut time = EdgeTime::default();
        assert!(time.order(after(week), wall));
        assert_eq!(time.at(wall), wall);
        for n in 1..9 {
            time.release(after(n * week), wall);
            assert_eq!(time.at(wall), after(week));
        }
        // What is older than the clock is no news.
        assert!(!time.order(after(0), wall));
    }

    #[test]
    fn without_a_clock_all_that_is_accepted_moves_time() {
        let (then, no_clock) = (Timestamp::from_secs(1_000_000_000), Timestamp(5));
        let mut time = EdgeTime { newest: then };
        let later = Timestamp(then.0 + 3_600_000);
        assert!(time.order(later, no_clock));
        assert_eq!(time.at(no_clock), later);
    }

    #[test]
    fn seven_days_ahead_is_the_limit() {
        let now = Timestamp::from_secs(1_000_000);
        let ahead = |ms: u64| judge(Timestamp(now.0 + ms), now);
        assert!(ahead(0).unwrap().is_none());
        assert!(ahead(limits::SKEW_MS).unwrap().is_none());
        assert!(ahead(limits::SKEW_MS + 1).unwrap().is_some());
        assert!(ahead(limits::AHEAD_MS).unwrap().is_some());
        assert!(matches!(
            ahead(limits::AHEAD_MS + 1),
            Err(Refusal::AheadOfTime { .. })
        ));
    }
}
