//! How long something took, many times over, in a kilobyte: sixteen steps for each doubling.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Steps of each doubling: what is told is at most a sixteenth above what was.
const STEPS: u32 = 16;
/// Microseconds up to which every one has a step of its own.
const EXACT: u64 = 16;

/// Durations, counted by their size.
#[derive(Clone, Debug, Default)]
pub(super) struct Latency {
    counts: Vec<u32>,
    of: u64,
}

/// What there is to say of some durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// How many there were.
    pub count: u64,
    /// Half of them took no longer, milliseconds; `null` where there was none.
    pub p50_ms: Option<f64>,
    /// 95 of 100 took no longer.
    pub p95_ms: Option<f64>,
    /// 99 of 100 took no longer.
    pub p99_ms: Option<f64>,
}

impl Latency {
    pub(super) fn took(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let at = step(micros);
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.saturating_add(1);
        }
        self.of += 1;
    }

    pub(super) fn percentiles(&self) -> Percentiles {
        Percentiles {
            count: self.of,
            p50_ms: self.ms(50),
            p95_ms: self.ms(95),
            p99_ms: self.ms(99),
        }
    }

    fn ms(&self, percent: u64) -> Option<f64> {
        let wanted = (self.of * percent).div_ceil(100);
        let mut seen = 0;
        let at = self.counts.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted && seen > 0
        })?;
        Some(most(at) as f64 / 1000.0)
    }
}

fn step(micros: u64) -> usize {
    if micros < EXACT {
        return micros as usize;
    }
    let doubling = micros.ilog2() - EXACT.ilog2();
    let within = (micros >> doubling) - EXACT;
    (EXACT + u64::from(doubling * STEPS) + within) as usize
}

/// The most microseconds that fall into a step.
fn most(step: usize) -> u64 {
    let step = step as u64;
    if step < EXACT {
        return step;
    }
    let (doubling, within) = (
        (step - EXACT) / u64::from(STEPS),
        (step - EXACT) % u64::from(STEPS),
    );
    ((EXACT + within + 1) << doubling).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_holds_what_falls_into_it_and_little_more() {
        for micros in [
            0,
            1,
            15,
            16,
            17,
            31,
            32,
            33,
            1000,
            123_456,
            59_999_999,
            1 << 40,
        ] {
            let told = most(step(micros));
            assert!(
                told >= micros && told - micros <= micros / 16 + 1,
                "{micros}: {told}"
            );
            assert_eq!(step(told), step(micros));
        }
        assert!(step(u64::MAX) < 1024);
    }

    #[test]
    fn percentiles_are_those_of_the_durations() {
        let mut latency = Latency::default();
        assert_eq!(latency.percentiles(), Percentiles::default());
        for ms in 1..=100 {
            latency.took(Duration::from_millis(ms));
        }
        let told = latency.percentiles();
        assert_eq!(told.count, 100);
        for (told, expected) in [
            (told.p50_ms, 50.0),
            (told.p95_ms, 95.0),
            (told.p99_ms, 99.0),
        ] {
            let told = told.unwrap();
            assert!(
                told >= expected && told <= expected * 1.07,
                "{told} {expected}"
            );
        }
    }
}
