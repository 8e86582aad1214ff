//! The bandwidth cap: what all sites of an edge together take from their sources.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How far ahead of its rate an edge may run: a chunk, not a burst that fills a line.
const AHEAD: Duration = Duration::from_millis(100);

/// A rate, shared by everything that fetches.
#[derive(Debug)]
pub struct Pace {
    bytes_a_second: Option<u64>,
    ahead: Duration,
    /// When all that was taken so far is paid for.
    paid: Mutex<Option<Instant>>,
}

impl Pace {
    /// At most so many bytes a second; `None` is no cap.
    #[must_use]
    pub fn new(bytes_a_second: Option<u64>) -> Self {
        Self::ahead(bytes_a_second, AHEAD)
    }

    /// The same, of which as much as `ahead` allows may come at once.
    #[must_use]
    pub fn ahead(bytes_a_second: Option<u64>, ahead: Duration) -> Self {
        Self {
            bytes_a_second,
            ahead,
            paid: Mutex::default(),
        }
    }

    /// Notes bytes that came, and waits until more may come. Says whether it waited.
    pub async fn take(&self, bytes: u64) -> bool {
        let Some(until) = self.owes(bytes, Instant::now()) else {
            return false;
        };
        sleep_until(until).await;
        true
    }

    /// Notes what came, whether there was room for it or not.
    pub fn owe(&self, count: u64) {
        self.owes(count, Instant::now());
    }

    /// Notes what came, if as much may come now; else nothing is noted.
    pub fn try_take(&self, count: u64) -> bool {
        let now = Instant::now();
        let paid = *self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let full = paid.is_some_and(|paid| paid > now + self.ahead);
        !full && {
            self.owes(count, now);
            true
        }
    }

    /// Notes bytes that came at `now`; when more may come, if not yet.
    fn owes(&self, bytes: u64, now: Instant) -> Option<Instant> {
        let rate = self.bytes_a_second?;
        let micros = u128::from(bytes) * 1_000_000 / u128::from(rate.max(1));
        let cost = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let after = paid.unwrap_or(now).max(now).checked_add(cost)?;
        *paid = Some(after);
        let until = after.checked_sub(self.ahead)?;
        (until > now).then_some(until)
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_together_is_no_faster_than_the_cap() {
        let (pace, start) = (Pace::new(Some(1000)), Instant::now());
        for n in 1..=20 {
            let until = pace.owes(500, start).unwrap();
            assert_eq!(until + AHEAD - start, Duration::from_millis(500 * n));
        }
        // What was not used yesterday is not there today.
        let later = start + Duration::from_secs(100);
        let until = pace.owes(1000, later).unwrap();
        assert_eq!(until + AHEAD - later, Duration::from_secs(1));
    }

    #[test]
    fn without_a_cap_nothing_waits() {
        assert_eq!(Pace::default().owes(u64::MAX, Instant::now()), None);
    }
}
