//! One service's breaker at work: requests report here, probes start here, and whoever waits for
//! the origin learns here that waiting has become pointless.

use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use snapshot::ServiceName;
use snapshot::manifest::Thresholds;
use snapshot::order::Mode;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::breaker::{Action, Breaker, Outcome, Phase};
use super::effective::{Effective, Known, Ordered, ServiceMode};
use super::event::{Event, Herald};
use super::memory::ServiceMemory;

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

/// What a gate begins with.
pub(super) struct Beginning {
    /// The service; `None` for paths that no route claims.
    pub(super) service: Option<ServiceName>,
    pub(super) thresholds: Thresholds,
    pub(super) ordered: Ordered,
    /// What was remembered of it.
    pub(super) memory: Option<ServiceMemory>,
}

struct Shared {
    service: Option<ServiceName>,
    inner: Mutex<Inner>,
    mode: watch::Sender<ServiceMode>,
    turns: Turns,
    nudge: Notify,
    started: Instant,
    herald: Arc<Herald>,
    paths: RandomState,
}

struct Inner {
    /// None without an origin.
    breaker: Option<Breaker>,
    ordered: Ordered,
    failure: &'static str,
    probe_wanted: bool,
    lost: bool,
    /// The breaker's, when it was last told that it is to be remembered.
    revision: u64,
}

impl Gate {
    /// A gate whose origin is asked by `probe`, which says whether it answered.
    pub(super) fn new<P, F>(herald: &Arc<Herald>, beginning: Beginning, probe: P) -> Self
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = bool> + Send + 'static,
    {
        let seed = RandomState::new().hash_one(0);
        let (thresholds, memory) = (beginning.thresholds, &beginning.memory);
        let breaker = match memory {
            Some(memory) => {
                let memory = memory.breaker((herald.clock)());
                Breaker::remembering(thresholds, seed, Duration::ZERO, &memory)
            }
            None => Breaker::new(thresholds, seed),
        };
        let shared = Shared::new(herald, beginning, Some(breaker));
        let task = tokio::spawn(keep_probing(Arc::clone(&shared), probe));
        Self {
            shared,
            _probing: Some(AbortOnDropHandle::new(task)),
        }
    }

    /// A gate of a site without an origin.
    #[must_use]
    pub(super) fn without_origin(herald: &Arc<Herald>, beginning: Beginning) -> Self {
        Self {
            shared: Shared::new(herald, beginning, None),
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
            Effective::Probing(share) if self.shared.turns.next(share) => Admission::Origin,
            Effective::Probing(_) => Admission::Snapshot,
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
            let Some(breaker) = &mut inner.breaker else {
                return;
            };
            // Once it is open the reason stays, whatever stragglers meet.
            if let Some(failure) = failure
                && outcome == Outcome::Gone
                && breaker.phase() != Phase::Open
            {
                inner.failure = failure;
            }
            let action = breaker.observe(now, path, outcome);
            self.shared.act(inner, action);
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
                self.shared.act(inner, Action::Probe);
            }
        });
    }

    /// True while the breaker is open, whatever orders say.
    #[must_use]
    pub fn has_lost_origin(&self) -> bool {
        self.shared.lock().has_lost()
    }

    /// Orders have changed, or one has ended.
    pub fn order(&self, ordered: Ordered) {
        let now = self.shared.now();
        self.shared.change(|inner| {
            inner.ordered = ordered;
            self.shared.watch(inner, now);
        });
    }

    /// A release says when its breaker opens and closes.
    pub fn obey(&self, thresholds: Thresholds) {
        self.shared.change(|inner| {
            if let Some(breaker) = &mut inner.breaker {
                breaker.obey(thresholds);
            }
        });
    }

    /// What a restart may not lose.
    #[must_use]
    pub fn memory(&self) -> ServiceMemory {
        let now = self.shared.now();
        let inner = self.shared.lock();
        let breaker = inner.breaker.as_ref();
        let breaker = breaker
            .map(|breaker| breaker.memory(now))
            .unwrap_or_default();
        let mode = self.mode();
        ServiceMemory::new(&breaker, inner.failure, &mode, (self.shared.herald.clock)())
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gate({:?})", self.mode())
    }
}

impl Shared {
    fn new(herald: &Arc<Herald>, beginning: Beginning, breaker: Option<Breaker>) -> Arc<Self> {
        let remembered = beginning.memory;
        let mut inner = Inner {
            revision: breaker.as_ref().map_or(0, Breaker::revision),
            breaker,
            ordered: beginning.ordered,
            failure: remembered.as_ref().map_or("", ServiceMemory::failure),
            probe_wanted: false,
            lost: false,
        };
        inner.lost = inner.has_lost();
        let effective = inner.effective();
        // What was so before a restart has been so since then.
        let now = (herald.clock)();
        let since = remembered.and_then(|memory| match memory.state == effective.as_str() {
            true => memory.since.map(|since| since.min(now)),
            false => Some(now),
        });
        let shared = Self {
            service: beginning.service,
            inner: Mutex::new(inner),
            mode: watch::Sender::new(ServiceMode { effective, since }),
            turns: Turns::default(),
            nudge: Notify::new(),
            started: Instant::now(),
            herald: Arc::clone(herald),
            paths: RandomState::new(),
        };
        shared.watch(&mut shared.lock(), Duration::ZERO);
        Arc::new(shared)
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
        let effective = inner.effective();
        let mut old = effective;
        let moved = self.mode.send_if_modified(|mode| {
            if mode.effective.as_str() != effective.as_str() {
                mode.since = Some((self.herald.clock)());
            }
            old = std::mem::replace(&mut mode.effective, effective);
            old != effective
        });
        if moved && effective.is_news(old) {
            self.herald.tell(Event::Changed {
                service: self.service.clone(),
                old,
                new: effective,
                at: (self.herald.clock)(),
            });
            self.herald.remember.notify_one();
        }
        let lost = inner.has_lost();
        if lost && !std::mem::replace(&mut inner.lost, lost) {
            self.herald.lost.notify_one();
        }
        inner.lost = lost;
        let revision = inner.breaker.as_ref().map_or(0, Breaker::revision);
        if std::mem::replace(&mut inner.revision, revision) != revision {
            self.herald.remember.notify_one();
        }
        changed
    }

    fn act(&self, inner: &mut Inner, action: Action) {
        if action == Action::Probe {
            inner.probe_wanted = true;
            self.nudge.notify_one();
        }
    }

    /// While an order keeps requests away, probes alone tell how the origin is.
    fn watch(&self, inner: &mut Inner, now: Duration) {
        let mode = inner.ordered.site.max(inner.ordered.service);
        let Some(breaker) = &mut inner.breaker else {
            return;
        };
        let watched = match mode {
            Mode::Degraded => true,
            Mode::Normal => !breaker.is_well(),
            Mode::Automatic => false,
        };
        let wakes_at = breaker.wakes_at();
        breaker.watch(now, watched);
        if breaker.wakes_at() != wakes_at {
            self.nudge.notify_one();
        }
    }
}

impl Inner {
    fn effective(&self) -> Effective {
        let known = self.breaker.as_ref().map(|breaker| Known {
            phase: breaker.phase(),
            well: breaker.is_well(),
            failure: self.failure,
        });
        Effective::of(self.ordered, known)
    }

    fn has_lost(&self) -> bool {
        let breaker = self.breaker.as_ref();
        breaker.is_some_and(|breaker| breaker.phase() == Phase::Open)
    }
}

/// Whose turn it is while a share of requests goes to the origin.
#[derive(Debug, Default)]
pub(super) struct Turns(AtomicU32);

impl Turns {
    /// Whether the next request is the origin's, which gets `share` percent of them.
    pub(super) fn next(&self, share: u8) -> bool {
        let share = u32::from(share);
        let turn = self.0.fetch_add(share, Ordering::Relaxed);
        // A turn comes round each time that the sum of shares passes a hundred.
        turn % 100 + share >= 100
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
                let now = shared.now();
                if let Some(breaker) = &mut inner.breaker {
                    if !answered && breaker.phase() == Phase::Closed {
                        inner.failure = "probe";
                    }
                    let action = breaker.probed(now, answered);
                    shared.act(inner, action);
                    // An order for `normal` may not need to be watched any more.
                    shared.watch(inner, now);
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
mod tests;
