//! A rehearsal that goes on, as requests see it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::BUDGET_READS;
use super::tally::{Compared, Counted, Tally};

/// Pages that are held beside the origin's at once; while so many are, others are not.
pub(super) const COMPARED_AT_ONCE: usize = 4;
/// Pages of one route that are held beside the origin's in all.
pub(super) const COMPARED_OF_ROUTE: u32 = 200;

/// A rehearsal that goes on.
#[derive(Debug)]
pub(in super::super) struct Running {
    share_percent: u8,
    budget_ppm: u64,
    reads: AtomicU64,
    chance: RandomState,
    tally: Mutex<Tally>,
    /// Pages of each route that were taken for comparison.
    taken: Mutex<BTreeMap<String, u32>>,
    comparing: Arc<Semaphore>,
    over_budget: Notify,
}

impl Running {
    pub(super) fn new(share_percent: u8, budget_ppm: u32) -> Self {
        Self {
            share_percent,
            budget_ppm: u64::from(budget_ppm),
            reads: AtomicU64::new(0),
            chance: RandomState::new(),
            tally: Mutex::default(),
            taken: Mutex::default(),
            comparing: Arc::new(Semaphore::new(COMPARED_AT_ONCE)),
            over_budget: Notify::new(),
        }
    }

    /// Whether the next read is within the share.
    pub(in super::super) fn takes(&self) -> bool {
        // By chance: turns would follow the steps in which readers ask, and take of two pages that
        // each asks for always the same one.
        let read = self.reads.fetch_add(1, Ordering::Relaxed);
        self.chance.hash_one(read) % 100 < u64::from(self.share_percent)
    }

    pub(super) const fn share_percent(&self) -> u8 {
        self.share_percent
    }

    /// The snapshot answered a read.
    pub(in super::super) fn covered(&self, route: &str, took: Duration) {
        self.tally().covered(route, took);
    }

    /// The snapshot could not answer a read.
    pub(in super::super) fn failed(&self, route: &str, why: &str) {
        let (reads, errors) = {
            let mut tally = self.tally();
            tally.failed(route, why);
            tally.errors()
        };
        if errors * 1_000_000 > self.budget_ppm * reads.max(BUDGET_READS) {
            self.over_budget.notify_one();
        }
    }

    /// A place for holding a page of `route` beside the origin's, if there is one.
    pub(in super::super) fn compares(&self, route: &str) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.comparing).try_acquire_owned().ok()?;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(route.to_owned()).or_default();
        if *count >= COMPARED_OF_ROUTE {
            return None;
        }
        *count += 1;
        Some(place)
    }

    pub(super) fn compared(&self, route: &str, compared: Compared) {
        self.tally().compared(route, compared);
    }

    pub(super) fn origin_took(&self, took: Duration) {
        self.tally().origin_took(took);
    }

    /// Returns once there were more errors than there may be.
    pub(super) async fn over_budget(&self) {
        self.over_budget.notified().await;
    }

    /// Returns once nothing is being compared.
    pub(super) async fn settled(&self) {
        let all = u32::try_from(COMPARED_AT_ONCE).unwrap_or(u32::MAX);
        // It is never closed.
        let _ = self.comparing.acquire_many(all).await;
    }

    pub(super) fn counted(&self) -> Counted {
        self.tally().counted()
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn is_over(running: &Running) -> bool {
        let mut waiting = pin!(running.over_budget());
        let mut context = Context::from_waker(Waker::noop());
        waiting.as_mut().poll(&mut context).is_ready()
    }

    #[test]
    fn its_share_of_reads_is_taken_and_no_other() {
        for share in [1, 5, 33, 50] {
            let running = Running::new(share, 0);
            // Of two pages that a reader asks for in turn, each gets its share.
            let mut taken = [0_u32; 2];
            for read in 0..40_000 {
                taken[read % 2] += u32::from(running.takes());
            }
            // More than six standard deviations from what chance gives.
            let expected = u32::from(share) * 200;
            assert!(
                taken.iter().all(|taken| taken.abs_diff(expected) < 450),
                "{share}: {taken:?}"
            );
        }
    }

    #[test]
    fn the_budget_is_a_share_of_all_reads_and_of_a_hundred_at_least() {
        let running = Running::new(50, 10_000);
        running.failed("/", "too-old");
        assert!(!is_over(&running), "one of a hundred at least");
        running.failed("/", "too-old");
        assert!(is_over(&running));
        let running = Running::new(50, 10_000);
        for _ in 0..297 {
            running.covered("/", Duration::ZERO);
        }
        for _ in 0..3 {
            running.failed("/", "too-old");
        }
        assert!(!is_over(&running), "3 of 300");
        running.failed("/", "too-old");
        assert!(is_over(&running));
    }

    #[test]
    fn so_many_pages_are_compared_at_once_and_of_one_route() {
        let running = Running::new(50, 0);
        let places: Vec<_> = (0..COMPARED_AT_ONCE)
            .map(|_| running.compares("/"))
            .collect();
        assert!(places.iter().all(Option::is_some));
        assert!(running.compares("/").is_none());
        drop(places);
        for _ in COMPARED_AT_ONCE..COMPARED_OF_ROUTE as usize {
            assert!(running.compares("/").is_some());
        }
        assert!(running.compares("/").is_none());
        assert!(running.compares("/other").is_some());
    }
}
