//! What the rest of an edge sees of a site: its release, its orders, its time, its status.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use snapshot::{EdgeTime, SiteName, Timestamp};
use tokio::sync::watch;

use super::core::Fetched;
use super::faults::Faults;
use super::given::Given;
use super::history::History;
use super::lazy::{LazyReads, LazyStatus};
use super::scrub::ScrubStatus;
use super::status::{
    FetchingStatus, LeftBehindStatus, MergedStatus, OrderStatus, ReleaseStatus, SourceStatus,
    StoreStatus, SyncStatus, TrustStatus,
};
use super::tally::Tally;
use crate::config::Host;
use crate::copy::LoadedRelease;
use crate::log::{Event, Log};
use crate::orders::Orders;

/// One site of an edge. Shared; every method is cheap and none blocks.
#[derive(Debug)]
pub struct SiteState {
    name: SiteName,
    hosts: Vec<Host>,
    current: ArcSwapOption<LoadedRelease>,
    switches: watch::Sender<u64>,
    orders: watch::Sender<Arc<Orders>>,
    time: Mutex<EdgeTime>,
    progress: Mutex<Progress>,
    tally: Arc<Tally>,
    lazy: OnceLock<Arc<LazyReads>>,
    given: Given,
    log: Log,
}

/// What only status shows.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) doing: String,
    pub(super) left_behind: Option<LeftBehindStatus>,
    pub(super) signers: Vec<String>,
    pub(super) trust: TrustStatus,
    pub(super) sources: Vec<SourceStatus>,
    pub(super) history: History,
    pub(super) merged: MergedStatus,
    pub(super) scrub: ScrubStatus,
    pub(super) fetching: Option<Fetched>,
    pub(super) store: StoreStatus,
    pub(super) free_bytes: Option<u64>,
    pub(super) faults: Faults,
}

impl SiteState {
    /// A site that holds nothing yet. Also what tests and the publisher's rehearsal start from.
    #[must_use]
    pub fn new(name: SiteName, hosts: Vec<Host>, time: EdgeTime, orders: Orders) -> Self {
        Self {
            name,
            hosts,
            current: ArcSwapOption::empty(),
            switches: watch::Sender::new(0),
            orders: watch::Sender::new(Arc::new(orders)),
            time: Mutex::new(time),
            progress: Mutex::default(),
            tally: Arc::default(),
            lazy: OnceLock::new(),
            given: Given::default(),
            log: Log::none(),
        }
    }

    /// The same, with what happens to it noted in `log`.
    #[must_use]
    pub fn logging(self, log: Log) -> Self {
        Self { log, ..self }
    }

    /// Notes what happened to it now.
    pub fn note(&self, event: Event) {
        self.note_at(self.edge_time(), event);
    }

    /// Notes what happened to it at `at`, edge time.
    pub fn note_at(&self, at: Timestamp, event: Event) {
        self.log.note(at, Some(&self.name), event);
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &SiteName {
        &self.name
    }

    /// The hosts it answers for.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The release in use; `None` until a first one was brought in.
    #[must_use]
    pub fn current(&self) -> Option<Arc<LoadedRelease>> {
        self.current.load_full()
    }

    /// Counts switches of the release: changes whenever [`SiteState::current`] does.
    #[must_use]
    pub fn switches(&self) -> watch::Receiver<u64> {
        self.switches.subscribe()
    }

    /// The orders in force.
    #[must_use]
    pub fn orders(&self) -> watch::Receiver<Arc<Orders>> {
        self.orders.subscribe()
    }

    /// The time that ages and ends are judged by: the wall clock, or the newest accepted statement
    /// if that is later.
    #[must_use]
    pub fn edge_time(&self) -> Timestamp {
        lock(&self.time).at(wall_clock())
    }

    /// What there is to say about sync.
    #[must_use]
    pub fn sync_status(&self) -> SyncStatus {
        let now = self.edge_time();
        let current = self.current();
        let orders = self.orders.borrow().clone();
        let progress = lock(&self.progress);
        SyncStatus {
            site: self.name.to_string(),
            edge_time: now.rfc3339(),
            release: current.map(|current| ReleaseStatus {
                sequence: current.release.sequence.0,
                manifest: current.release.manifest.to_string(),
                as_of: current.release.as_of.rfc3339(),
                age_s: now.since(current.release.as_of).as_secs(),
                signers: progress.signers.clone(),
            }),
            left_behind: progress.left_behind.clone(),
            doing: progress.doing.clone(),
            sources: progress.sources.clone(),
            refusals: progress.history.refusals(),
            remarks: progress.history.remarks(),
            damaged: progress.history.all_damaged(),
            merged: progress.merged,
            scrub: progress.scrub.clone(),
            downloaded: self.tally.bytes(),
            fetching: progress.fetching.map(|fetching| FetchingStatus {
                release: fetching.sequence,
                objects: fetching.objects,
                objects_total: fetching.objects_total,
                bytes: fetching.bytes,
                bytes_total: fetching.bytes_total,
                bytes_a_second: self.tally.rate(),
            }),
            store: StoreStatus {
                free_bytes: progress.free_bytes,
                ..progress.store.clone()
            },
            lazy: self.lazy(),
            orders: statuses(&orders, now),
            trust: progress.trust.clone(),
        }
    }

    /// The orders in force, as status shows them.
    #[must_use]
    pub fn order_statuses(&self) -> Vec<OrderStatus> {
        statuses(&self.orders.borrow(), self.edge_time())
    }

    /// The release that this edge is too old for, while a source offers one.
    #[must_use]
    pub fn left_behind(&self) -> Option<LeftBehindStatus> {
        lock(&self.progress).left_behind.clone()
    }

    /// What was read again without being asked for.
    #[must_use]
    pub fn scrubbed(&self) -> ScrubStatus {
        lock(&self.progress).scrub.clone()
    }

    /// What sync meets that should wake somebody.
    #[must_use]
    pub fn faults(&self) -> Faults {
        lock(&self.progress).faults.clone()
    }

    /// So much is free on this site's disk, bytes.
    pub fn has_free(&self, bytes: Option<u64>) {
        lock(&self.progress).free_bytes = bytes;
    }

    /// Puts a release in use. For sync, and for who rehearses without it.
    pub fn switch(&self, release: Arc<LoadedRelease>) {
        self.current.store(Some(release));
        self.switches
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Puts orders in force. For sync, and for who rehearses without it.
    pub fn order(&self, orders: Orders) {
        self.orders.send_replace(Arc::new(orders));
    }

    /// What other edges may be given.
    #[must_use]
    pub const fn given(&self) -> &Given {
        &self.given
    }

    /// What is fetched when it is read.
    #[must_use]
    pub fn lazy(&self) -> LazyStatus {
        let lazy = self.lazy.get();
        lazy.map(|lazy| lazy.status()).unwrap_or_default()
    }

    pub(super) fn reads_lazily(&self, lazy: Arc<LazyReads>) {
        // Once, when the site is opened.
        let _ = self.lazy.set(lazy);
    }

    pub(super) fn lazy_reads(&self) -> Option<&Arc<LazyReads>> {
        self.lazy.get()
    }

    pub(super) const fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    pub(super) fn set_time(&self, time: EdgeTime) {
        *lock(&self.time) = time;
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }
}

/// The orders in force as status shows them.
fn statuses(orders: &Orders, now: Timestamp) -> Vec<OrderStatus> {
    let status = |(scope, in_force): (&snapshot::Scope, &crate::orders::InForce)| OrderStatus {
        scope: scope.to_string(),
        epoch: in_force.order.epoch.0,
        digest: in_force.digest.to_string(),
        predecessor: in_force.order.predecessor.map(|digest| digest.to_string()),
        mode: in_force.order.mode_at(now).as_str().to_owned(),
        ends_at: in_force.order.end().map(Timestamp::rfc3339),
        end_announced: in_force
            .order
            .end_announced_at()
            .is_some_and(|announced| announced <= now),
        notices: in_force.order.notices.len(),
        who: in_force.order.who.clone(),
        why: in_force.order.why.clone(),
        signed_at: in_force.order.signed_at.rfc3339(),
        accepted_at: in_force.accepted_at.rfc3339(),
    };
    orders.iter().map(status).collect()
}

/// The wall clock. Everything that decides takes its time from here, or from a test.
#[must_use]
pub fn wall_clock() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A lock whose holders never leave it half changed: a panic elsewhere does not spread.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
