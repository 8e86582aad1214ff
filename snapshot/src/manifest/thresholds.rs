//! When a service's breaker opens and closes: what its publisher says, within bounds.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// A service's `breaker`. What each does to the breaker is told where that stands, in the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Thresholds {
    /// Outcomes of requests that must be known before failures among them raise suspicion.
    pub volume: u32,
    /// Failures that raise suspicion.
    pub failures: u32,
    /// The share of known outcomes that they must be, percent.
    pub share: u32,
    /// Distinct paths that must be among the failures.
    pub paths: u32,
    /// How long an outcome counts, milliseconds.
    pub window_ms: u64,
    /// The first wait between probes while open, milliseconds.
    pub probe_first_ms: u64,
    /// The longest wait between probes while open, before jitter, milliseconds.
    pub probe_most_ms: u64,
    /// How long each share of requests lasts while closing, before jitter, milliseconds.
    pub step_ms: u64,
    /// How often the breaker may change the service's mode in any minute.
    pub changes: u32,
}

/// What [`Thresholds::volume`] may be.
pub const BREAKER_VOLUME: RangeInclusive<u64> = 1..=100;
/// What [`Thresholds::failures`] may be.
pub const BREAKER_FAILURES: RangeInclusive<u64> = 1..=100;
/// What [`Thresholds::share`] may be, percent.
pub const BREAKER_SHARE: RangeInclusive<u64> = 1..=100;
/// What [`Thresholds::paths`] may be.
pub const BREAKER_PATHS: RangeInclusive<u64> = 1..=20;
/// What [`Thresholds::window_ms`] may be, milliseconds.
pub const BREAKER_WINDOW_MS: RangeInclusive<u64> = 1_000..=600_000;
/// What [`Thresholds::probe_first_ms`] may be, milliseconds.
pub const BREAKER_PROBE_FIRST_MS: RangeInclusive<u64> = 100..=60_000;
/// What [`Thresholds::probe_most_ms`] may be, milliseconds.
pub const BREAKER_PROBE_MOST_MS: RangeInclusive<u64> = 1_000..=600_000;
/// What [`Thresholds::step_ms`] may be, milliseconds.
pub const BREAKER_STEP_MS: RangeInclusive<u64> = 100..=600_000;
/// What [`Thresholds::changes`] may be: to open, to close step by step, to be closed and to open
/// again are four.
pub const BREAKER_CHANGES: RangeInclusive<u64> = 4..=60;

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            volume: 5,
            failures: 5,
            share: 50,
            paths: 3,
            window_ms: 10_000,
            probe_first_ms: 500,
            probe_most_ms: 8_000,
            step_ms: 1_000,
            changes: 8,
        }
    }
}

impl Thresholds {
    /// Whether each is within its bounds, and none makes another impossible.
    ///
    /// # Errors
    /// In words: the first that is not.
    pub fn check(&self) -> Result<(), String> {
        for (key, value, fits) in [
            ("volume", self.volume.into(), BREAKER_VOLUME),
            ("failures", self.failures.into(), BREAKER_FAILURES),
            ("share", self.share.into(), BREAKER_SHARE),
            ("paths", self.paths.into(), BREAKER_PATHS),
            ("window_ms", self.window_ms, BREAKER_WINDOW_MS),
            (
                "probe_first_ms",
                self.probe_first_ms,
                BREAKER_PROBE_FIRST_MS,
            ),
            ("probe_most_ms", self.probe_most_ms, BREAKER_PROBE_MOST_MS),
            ("step_ms", self.step_ms, BREAKER_STEP_MS),
            ("changes", self.changes.into(), BREAKER_CHANGES),
        ] {
            if !fits.contains(&value) {
                let (least, most) = (fits.start(), fits.end());
                return Err(format!("{key} is {value}, expected from {least} to {most}"));
            }
        }
        if self.paths > self.failures {
            let (paths, failures) = (self.paths, self.failures);
            return Err(format!("{failures} failures cannot be on {paths} paths"));
        }
        if self.probe_first_ms > self.probe_most_ms {
            let (first, most) = (self.probe_first_ms, self.probe_most_ms);
            return Err(format!(
                "the first wait between probes, {first} ms, is above the longest, {most} ms"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_threshold_has_bounds_and_none_makes_another_impossible() {
        Thresholds::default().check().unwrap();
        let wrong = |change: fn(&mut Thresholds)| {
            let mut thresholds = Thresholds::default();
            change(&mut thresholds);
            thresholds.check().unwrap_err()
        };
        assert_eq!(
            wrong(|t| t.volume = 0),
            "volume is 0, expected from 1 to 100"
        );
        for (change, word) in [
            ((|t| t.volume = 101) as fn(&mut Thresholds), "volume"),
            (|t| t.failures = 101, "failures"),
            (|t| t.share = 101, "share"),
            (|t| t.paths = 21, "paths"),
            (|t| t.window_ms = 999, "window_ms"),
            (|t| t.window_ms = u64::MAX, "window_ms"),
            (|t| t.probe_first_ms = 0, "probe_first_ms"),
            (|t| t.probe_most_ms = 600_001, "probe_most_ms"),
            (|t| t.step_ms = 0, "step_ms"),
            (|t| t.changes = 3, "changes"),
            (|t| t.changes = u32::MAX, "changes"),
            (|t| t.paths = 6, "5 failures cannot be on 6 paths"),
            (|t| t.probe_first_ms = 9_000, "is above the longest"),
        ] {
            let found = wrong(change);
            assert!(found.contains(word), "{found}");
        }
    }
}
