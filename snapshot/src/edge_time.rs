//! The later of the wall clock and the newest accepted statement.
//!
//! An edge whose clock fell back would otherwise believe old statements fresh and ended keys
//! valid. So what it accepted holds its time up; a crash can lose only what was not yet kept.

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

    /// Takes note of an accepted statement's time. True if that moved anything: keep it on disk.
    pub fn advance(&mut self, statement: Timestamp) -> bool {
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
        assert!(time.advance(Timestamp(9)));
        assert!(!time.advance(Timestamp(7)));
        assert_eq!(time.at(Timestamp(5)), Timestamp(9));
        assert_eq!(time.at(Timestamp(11)), Timestamp(11));
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
