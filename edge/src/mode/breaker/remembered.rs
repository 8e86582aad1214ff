//! What a breaker takes along over a restart.

use std::time::Duration;

use snapshot::manifest::Thresholds;

use super::{Breaker, MINUTE, Probe, State, ms};

/// What a restart may not lose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Whether it was anything but closed.
    pub open: bool,
    /// Failed probes since it opened, as far as they make the back-off longer.
    pub failed_probes: u32,
    /// Whether the origin ever answered.
    pub answered: bool,
    /// For how much longer each of the last minute's changes counts, oldest first.
    pub changes: Vec<Duration>,
}

impl Breaker {
    /// One that remembers. What it is told need not be sane.
    #[must_use]
    pub fn remembering(thresholds: Thresholds, seed: u64, now: Duration, memory: &Memory) -> Self {
        let mut breaker = Self::new(thresholds, seed);
        breaker.answered = memory.answered;
        if memory.answered {
            breaker.state = State::Closed { probe: None };
        }
        let counts = memory.changes.iter().map(|left| now + (*left).min(MINUTE));
        // To open is one more.
        let most = (thresholds.changes as usize).saturating_sub(1);
        breaker.changes = counts.take(most).collect();
        breaker.changes.make_contiguous().sort_unstable();
        if memory.open {
            breaker.failed_probes = memory.failed_probes.min(u32::BITS);
            // Edges that start together do not knock together.
            let wait = ms(thresholds.probe_first_ms).mul_f64(breaker.percent(100));
            let probe = Probe::At(now + wait);
            breaker.state = State::Open { held: false, probe };
        }
        breaker
    }

    /// What is to be remembered.
    #[must_use]
    pub fn memory(&self, now: Duration) -> Memory {
        let left = self.changes.iter().map(|until| until.saturating_sub(now));
        Memory {
            open: matches!(self.state, State::Open { .. } | State::Closing { .. }),
            failed_probes: self.failed_probes,
            answered: self.answered,
            changes: left.filter(|left| !left.is_zero()).collect(),
        }
    }
}
