//! What was downloaded, counted while it comes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What a rate is told over.
const WINDOW: Duration = Duration::from_secs(2);

/// Bytes of objects that came over the network, and how fast they come.
#[derive(Debug, Default)]
pub struct Tally {
    bytes: AtomicU64,
    recent: Mutex<Option<Recent>>,
}

#[derive(Clone, Copy, Debug)]
struct Recent {
    since: Instant,
    bytes: u64,
    /// Of the window before.
    rate: Option<u64>,
}

impl Tally {
    /// All of them, since the start.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Bytes a second, lately.
    #[must_use]
    pub fn rate(&self) -> u64 {
        self.rate_at(Instant::now())
    }

    pub(super) fn came(&self, bytes: u64) {
        self.came_at(bytes, Instant::now());
    }

    fn rate_at(&self, now: Instant) -> u64 {
        let recent = *self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(recent) = recent else {
            return 0;
        };
        let over = now.duration_since(recent.since);
        if over > WINDOW * 2 {
            return 0;
        }
        recent.rate.unwrap_or_else(|| a_second(recent.bytes, over))
    }

    fn came_at(&self, bytes: u64, now: Instant) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Recent {
            since: now,
            bytes: 0,
            rate: None,
        };
        let current = recent.get_or_insert(fresh);
        let over = now.duration_since(current.since);
        if over > WINDOW * 2 {
            *current = fresh;
        } else if over > WINDOW {
            *current = Recent {
                rate: Some(a_second(current.bytes, over)),
                ..fresh
            };
        }
        current.bytes = current.bytes.saturating_add(bytes);
    }
}

fn a_second(bytes: u64, over: Duration) -> u64 {
    let millis = over.as_millis().max(100);
    u64::try_from(u128::from(bytes) * 1000 / millis).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_told_of_late_and_fades() {
        let (tally, start) = (Tally::default(), Instant::now());
        assert_eq!((tally.bytes(), tally.rate_at(start)), (0, 0));
        let at = |n| start + Duration::from_millis(100) * n;
        for n in 0..50 {
            tally.came_at(100, at(n));
        }
        let rate = tally.rate_at(at(50));
        assert!((900..=1100).contains(&rate), "{rate}");
        assert_eq!(tally.bytes(), 5000);
        assert_eq!(tally.rate_at(at(50) + WINDOW * 3), 0);
    }
}
