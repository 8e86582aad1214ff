//! How much one source address may have: connections, requests, bytes.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::PeerLimits;
use crate::sync::Pace;

/// Everybody who is connected, by address.
#[derive(Debug)]
pub(super) struct Guard {
    limits: PeerLimits,
    pushing: Arc<Semaphore>,
    callers: Mutex<HashMap<IpAddr, Caller>>,
}

/// One source address.
#[derive(Debug)]
struct Caller {
    connections: usize,
    share: Arc<Share>,
}

/// What the connections of one source address share.
#[derive(Debug)]
struct Share {
    at_once: Arc<Semaphore>,
    requests: Pace,
    pushes: Pace,
    pushing: Arc<Semaphore>,
    bytes: Arc<Pace>,
}

/// A connection; over when dropped.
#[derive(Debug)]
pub(super) struct Visit {
    guard: Arc<Guard>,
    from: IpAddr,
    share: Arc<Share>,
}

/// A request that may be answered; the next may once it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _place: Option<OwnedSemaphorePermit>,
    pub(super) pace: Arc<Pace>,
    share: Arc<Share>,
    pushing: Arc<Semaphore>,
}

/// A bundle of orders that may arrive; another may once it is dropped.
#[derive(Debug)]
pub(super) struct Push {
    share: Arc<Share>,
    _of_one: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Guard {
    pub(super) fn new(limits: PeerLimits) -> Self {
        Self {
            limits,
            pushing: Arc::new(Semaphore::new(limits.pushes_at_once)),
            callers: Mutex::default(),
        }
    }

    /// Lets a connection in; `None` beyond a limit.
    pub(super) fn enter(self: &Arc<Self>, from: IpAddr) -> Option<Visit> {
        let (from, mut callers) = (neighbourhood(from), self.callers());
        let all: usize = callers.values().map(|caller| caller.connections).sum();
        if all >= self.limits.connections {
            return None;
        }
        // Who has gone is remembered, so that coming back gives no new share, until there are many.
        if callers.len() >= self.limits.connections && !callers.contains_key(&from) {
            callers.retain(|_, caller| caller.connections > 0);
        }
        let limits = &self.limits;
        let caller = callers.entry(from).or_insert_with(|| Caller {
            connections: 0,
            share: Arc::new(Share {
                at_once: Arc::new(Semaphore::new(limits.at_once)),
                requests: Pace::new(Some(limits.requests_a_second)),
                pushes: Pace::ahead(Some(limits.pushes_a_second), limits.push_burst),
                pushing: Arc::new(Semaphore::new(limits.pushes_of_one)),
                bytes: Arc::new(Pace::new(Some(limits.bytes_a_second))),
            }),
        });
        if caller.connections >= limits.of_one {
            return None;
        }
        caller.connections += 1;
        Some(Visit {
            guard: Arc::clone(self),
            from,
            share: Arc::clone(&caller.share),
        })
    }

    fn callers(&self) -> MutexGuard<'_, HashMap<IpAddr, Caller>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit {
    /// Waits until a request of this source address may be answered.
    pub(super) async fn turn(&self) -> Turn {
        let place = Arc::clone(&self.share.at_once).acquire_owned().await;
        self.share.requests.take(1).await;
        Turn {
            _place: place.ok(),
            pace: Arc::clone(&self.share.bytes),
            share: Arc::clone(&self.share),
            pushing: Arc::clone(&self.guard.pushing),
        }
    }
}

impl Turn {
    /// Lets a bundle of orders arrive; `None` beyond a limit.
    pub(super) fn push(&self) -> Option<Push> {
        let of_one = Arc::clone(&self.share.pushing).try_acquire_owned();
        let of_all = Arc::clone(&self.pushing).try_acquire_owned();
        let push = Push {
            share: Arc::clone(&self.share),
            _of_one: of_one.ok()?,
            _of_all: of_all.ok()?,
        };
        self.share.pushes.try_take(1).then_some(push)
    }
}

impl Push {
    /// It was as much work as so many: its source is heard again once that is paid for.
    pub(super) fn costs(&self, pushes: u64) {
        self.share.pushes.owe(pushes.saturating_sub(1));
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(caller) = self.guard.callers().get_mut(&self.from) {
            caller.connections = caller.connections.saturating_sub(1);
        }
    }
}

/// What counts as one source: whoever has one address of IPv6 has the 2^64 beside it.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::task::unconstrained;

    use super::*;

    fn guard(limits: PeerLimits) -> Arc<Guard> {
        Arc::new(Guard::new(limits))
    }

    fn one() -> IpAddr {
        [10, 0, 0, 1].into()
    }

    fn two() -> IpAddr {
        [10, 0, 0, 2].into()
    }

    #[test]
    fn one_source_leaves_room_for_the_others() {
        let limits = PeerLimits::default();
        let guard = guard(limits);
        let visits: Vec<_> = (0..limits.of_one)
            .map(|_| guard.enter(one()).unwrap())
            .collect();
        assert!(guard.enter(one()).is_none());
        assert!(guard.enter(two()).is_some());
        drop(visits);
        assert!(guard.enter(one()).is_some());
    }

    #[test]
    fn so_many_connect_at_once_and_so_many_are_remembered() {
        let limits = PeerLimits::default();
        let guard = guard(limits);
        let address = |n: usize| IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
        let visits: Vec<_> = (0..limits.connections)
            .map(|n| guard.enter(address(n)).unwrap())
            .collect();
        assert!(guard.enter(address(limits.connections)).is_none());
        drop(visits);
        assert!(guard.enter(address(limits.connections)).is_some());
        assert_eq!(guard.callers().len(), 1);
    }

    #[tokio::test]
    async fn requests_beyond_a_share_wait_and_only_those_of_that_source() {
        let limits = PeerLimits::default();
        let guard = guard(limits);
        let (first, other) = (guard.enter(one()).unwrap(), guard.enter(two()).unwrap());
        let again = guard.enter(one()).unwrap();
        let at_once = |visit: &Visit| unconstrained(visit.turn()).now_or_never();
        let mut turns: Vec<_> = (0..limits.at_once)
            .map(|_| at_once(&first).unwrap())
            .collect();
        assert!(at_once(&again).is_none());
        assert!(at_once(&other).is_some());
        turns.pop();
        let turn = at_once(&again).unwrap();
        // Bytes are counted by source as well.
        let given = |turn: &Turn, bytes| turn.pace.take(bytes).now_or_never().is_some();
        assert!(given(&turn, 1));
        assert!(!given(&turn, limits.bytes_a_second));
        assert!(!given(&turns[0], 1));
        assert!(given(&at_once(&other).unwrap(), 1));
    }

    #[tokio::test]
    async fn so_many_requests_a_second_and_no_more() {
        let guard = guard(PeerLimits::default());
        let (one, two) = (guard.enter(one()).unwrap(), guard.enter(two()).unwrap());
        let waits = |visit: &Visit| unconstrained(visit.turn()).now_or_never().is_none();
        assert!((0..100_000).any(|_| waits(&one)));
        assert!(!waits(&two));
    }

    #[tokio::test]
    async fn a_bundle_that_was_much_work_counts_as_many() {
        let limits = PeerLimits::default();
        let guard = guard(limits);
        let turn = guard.enter(one()).unwrap().turn().await;
        let push = turn.push().unwrap();
        push.costs(1);
        drop(turn.push().unwrap());
        push.costs(100 * limits.pushes_a_second);
        assert!(turn.push().is_none());
        assert!(guard.enter(two()).unwrap().turn().await.push().is_some());
    }

    #[test]
    fn neighbours_in_ipv6_are_one_source() {
        let of = |text: &str| neighbourhood(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), one());
    }

    #[tokio::test]
    async fn so_many_bundles_arrive_at_once_of_one_and_of_all() {
        let limits = PeerLimits {
            pushes_a_second: u64::MAX,
            ..PeerLimits::default()
        };
        let guard = guard(limits);
        let mut arriving = Vec::new();
        for address in 1..=u8::MAX {
            let visit = guard.enter([10, 0, 0, address].into()).unwrap();
            let turn = visit.turn().await;
            let pushes: Vec<_> = std::iter::from_fn(|| turn.push()).collect();
            assert!(pushes.len() <= limits.pushes_of_one);
            arriving.extend(pushes);
        }
        assert_eq!(arriving.len(), limits.pushes_at_once);
        arriving.pop();
        let turn = guard.enter([10, 0, 0, 9].into()).unwrap().turn().await;
        assert!(turn.push().is_some());
    }
}
