//! One service's breaker at work: requests report here, probes start here, and whoever waits for
//! the origin learns here that waiting has become pointless.

use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use snapshot::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::breaker::{Action, Breaker, Outcome, Phase};
use super::effective::{Effective, Ordered, ServiceMode};

/// The edge's time, for "since".
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Who answers one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The origin.
    Origin,
    /// The snapshot.
    Snapshot,
}

/// One service of a site.
pub struct Gate {
    shared: Arc<Shared>,
    _probing: Option<AbortOnDropHandle<()>>,
}

struct Shared {
    inner: Mutex<Inner>,
    mode: watch::Sender<ServiceMode>,
    turn: AtomicU32,
    nudge: Notify,
    started: Instant,
    clock: Clock,
    paths: RandomState,
}

struct Inner {
    /// None without an origin.
    breaker: Option<Breaker>,
    ordered: Ordered,
    failure: &'static str,
    probe_wanted: bool,
}

impl Gate {
    /// A gate whose origin is asked by `probe`, which says whether it answered.
    pub fn new<P, F>(clock: Clock, probe: P) -> Self
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = bool> + Send + 'static,
    {
        let shared = Shared::new(clock, Some(Breaker::new(RandomState::new().hash_one(0))));
        let task = tokio::spawn(keep_probing(Arc::clone(&shared), probe));
        Self {
            shared,
            _probing: Some(AbortOnDropHandle::new(task)),
        }
    }

    /// A gate of a site without an origin.
    #[must_use]
    pub fn without_origin(clock: Clock) -> Self {
        Self {
            shared: Shared::new(clock, None),
            _probing: None,
        }
    }

    /// Who answers, why, and since when.
    #[must_use]
    pub fn mode(&self) -> ServiceMode {
        *self.shared.mode.borrow()
    }

    /// Follows [`Gate::mode`].
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<ServiceMode> {
        self.shared.mode.subscribe()
    }

    /// Returns once the snapshot answers.
    pub async fn degraded(&self) {
        let mut mode = self.watch();
        // The sender lives as long as this gate.
        let _ = mode.wait_for(|mode| mode.effective.is_degraded()).await;
    }

    /// Who answers this read.
    #[must_use]
    pub fn admit_read(&self) -> Admission {
        match self.mode().effective {
            Effective::Normal(_) => Admission::Origin,
            Effective::Degraded(_) => Admission::Snapshot,
            Effective::Probing(share) => {
                let share = u32::from(share);
                let turn = self.shared.turn.fetch_add(share, Ordering::Relaxed);
                // A turn comes round each time that the sum of shares passes a hundred.
                if turn % 100 + share >= 100 {
                    Admission::Origin
                } else {
                    Admission::Snapshot
                }
            }
        }
    }

    /// Who answers this write. While the origin recovers, probes have reached it, and a write has
    /// nowhere else to go.
    #[must_use]
    pub fn admit_write(&self) -> Admission {
        if self.mode().effective.is_degraded() {
            Admission::Snapshot
        } else {
            Admission::Origin
        }
    }

    /// A request to the origin ended. `failure` names what went wrong, if it did.
    pub fn observe(&self, path: &str, outcome: Outcome, failure: Option<&'static str>) {
        let path = self.shared.paths.hash_one(path);
        let now = self.shared.now();
        self.shared.change(|inner| {
            if let Some(failure) = failure.filter(|_| outcome == Outcome::Gone) {
                inner.failure = failure;
            }
            if let Some(breaker) = &mut inner.breaker
                && breaker.observe(now, path, outcome) == Action::Probe
            {
                inner.probe_wanted = true;
                self.shared.nudge.notify_one();
            }
        });
    }

    /// Another service of the same origin has lost it: asks whether this one has, too.
    pub fn suspect(&self) {
        let now = self.shared.now();
        self.shared.change(|inner| {
            if let Some(breaker) = &mut inner.breaker
                && breaker.suspect(now) == Action::Probe
            {
                inner.failure = "probe";
                inner.probe_wanted = true;
                self.shared.nudge.notify_one();
            }
        });
    }

    /// True while the breaker is open, whatever orders say.
    #[must_use]
    pub fn has_lost_origin(&self) -> bool {
        let inner = self.shared.lock();
        let breaker = inner.breaker.as_ref();
        breaker.is_some_and(|breaker| breaker.phase() == Phase::Open)
    }

    /// Orders have changed, or one has ended.
    pub fn order(&self, ordered: Ordered) {
        self.shared.change(|inner| inner.ordered = ordered);
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gate({:?})", self.mode())
    }
}

impl Shared {
    fn new(clock: Clock, breaker: Option<Breaker>) -> Arc<Self> {
        let phase = breaker.as_ref().map(Breaker::phase);
        let effective = Effective::of(Ordered::default(), phase, "");
        Arc::new(Self {
            inner: Mutex::new(Inner {
                breaker,
                ordered: Ordered::default(),
                failure: "",
                probe_wanted: false,
            }),
            mode: watch::Sender::new(ServiceMode {
                effective,
                since: None,
            }),
            turn: AtomicU32::new(0),
            nudge: Notify::new(),
            started: Instant::now(),
            clock,
            paths: RandomState::new(),
        })
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Nothing can panic while the lock is held, so a poisoned one holds what it should.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what the mode is made of and publishes the mode, in one order for all.
    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        let changed = change(&mut inner);
        let phase: Option<Phase> = inner.breaker.as_ref().map(Breaker::phase);
        let effective = Effective::of(inner.ordered, phase, inner.failure);
        self.mode.send_if_modified(|mode| {
            if mode.effective.as_str() != effective.as_str() {
                mode.since = Some((self.clock)());
            }
            std::mem::replace(&mut mode.effective, effective) != effective
        });
        changed
    }
}

async fn keep_probing<P, F>(shared: Arc<Shared>, probe: P)
where
    P: Fn() -> F,
    F: Future<Output = bool>,
{
    loop {
        let (wanted, wake) = shared.change(|inner| {
            let wanted = std::mem::take(&mut inner.probe_wanted);
            let Some(breaker) = &mut inner.breaker else {
                return (wanted, None);
            };
            let woken = breaker.wake(shared.now()) == Action::Probe;
            (wanted || woken, breaker.wakes_at())
        });
        if wanted {
            let answered = probe().await;
            shared.change(|inner| {
                if let Some(breaker) = &mut inner.breaker {
                    breaker.probed(shared.now(), answered);
                }
            });
            continue;
        }
        match wake {
            Some(at) => {
                tokio::select! {
                    () = shared.nudge.notified() => {}
                    () = tokio::time::sleep_until(shared.started + at) => {}
                }
            }
            None => shared.nudge.notified().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use snapshot::order::Mode;

    use super::super::breaker::{FAILURES, SHARES};
    use super::*;

    fn gate(answers: &Arc<AtomicBool>) -> Gate {
        let answers = Arc::clone(answers);
        let clock: Clock = Arc::new(|| Timestamp::from_secs(7));
        Gate::new(clock, move || {
            let answers = Arc::clone(&answers);
            async move { answers.load(Ordering::Relaxed) }
        })
    }

    fn fail(gate: &Gate) {
        for path in 0..FAILURES {
            gate.observe(&format!("/{path}"), Outcome::Gone, Some("connect"));
        }
    }

    async fn until(gate: &Gate, name: &str) -> ServiceMode {
        let mut mode = gate.watch();
        *mode
            .wait_for(|mode| mode.effective.as_str() == name)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn it_opens_tells_why_and_closes_by_itself() {
        let answers = Arc::new(AtomicBool::new(false));
        let gate = gate(&answers);
        assert_eq!(gate.admit_read(), Admission::Origin);
        fail(&gate);
        gate.degraded().await;
        let mode = gate.mode();
        assert_eq!(mode.effective.reason().as_str(), "connect");
        assert_eq!(mode.since, Some(Timestamp::from_secs(7)));
        assert_eq!(gate.admit_read(), Admission::Snapshot);
        assert_eq!(gate.admit_write(), Admission::Snapshot);

        answers.store(true, Ordering::Relaxed);
        until(&gate, "probing").await;
        assert_eq!(gate.admit_write(), Admission::Origin);
        let admitted = (0..100).filter(|_| gate.admit_read() == Admission::Origin);
        assert_eq!(admitted.count(), usize::from(SHARES[0]));
        until(&gate, "normal").await;
    }

    #[tokio::test]
    async fn orders_win_over_the_breaker_and_give_back_to_it() {
        let answers = Arc::new(AtomicBool::new(false));
        let gate = gate(&answers);
        gate.order(Ordered {
            site: Mode::Automatic,
            service: Mode::Degraded,
        });
        assert!(gate.mode().effective.is_degraded());
        gate.order(Ordered {
            site: Mode::Normal,
            service: Mode::Automatic,
        });
        fail(&gate);
        gate.order(Ordered::default());
        gate.degraded().await;
        gate.order(Ordered {
            site: Mode::Normal,
            service: Mode::Automatic,
        });
        assert_eq!(gate.admit_read(), Admission::Origin);
    }

    #[tokio::test]
    async fn without_an_origin_the_snapshot_answers() {
        let gate = Gate::without_origin(Arc::new(|| Timestamp::from_secs(7)));
        fail(&gate);
        assert_eq!(gate.admit_read(), Admission::Snapshot);
        assert_eq!(gate.mode().since, None);
    }
}
