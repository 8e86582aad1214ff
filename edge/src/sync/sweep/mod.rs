//! What an edge keeps, and taking away the rest.
//!
//! Kept is what these releases name: the one in use, the ones that were in use before it (`keep` of
//! them in all, and each for a `grace` after it left use, since a request may still read it), and the
//! one that an order pins. An object that none of them names goes once it has lain here for the
//! grace: a release that was refused for the moment need not be fetched again.
//!
//! ```text
//! waiting -> listing -> holding -> removing -> waiting
//! ```
//!
//! *Listing* marks and lists beside whatever sync does. *Holding* lets the release or repair under
//! way end and no other begin, so that **an edge in mid-sync never loses an object**: nothing that
//! was found to be here goes before it is in use. *Removing* marks again, by what is in use now, and
//! takes away a bounded number. What the edge was in the middle of when it was killed is either
//! refused or younger than the grace.
//!
//! A release may say that something was **erased** before it: then no earlier one is kept, the grace is
//! nothing, what lies half fetched goes too, and once all of it is gone, synced, `/status` says so under
//! `erased`. Every later release says it as well, so that an edge that was away hears of it.
//!
//! The releases kept are written down before anything goes, so that a restart keeps them too. If any
//! of them cannot be read nothing goes, and `/status` says so.

mod kept;
mod objects;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use snapshot::{AcceptedRelease, Envelope, Sequence, Store};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::Instant;

use super::driver::{Done, Follower};
use super::status::StoreStatus;
use crate::config::Keep;

use kept::Kept;
use objects::{Listed, Objects, Removed};

/// The shortest time between two sweeps.
const PAUSE: Duration = Duration::from_secs(1);
/// A sweep waits so many times as long as the last one took.
const REST: u32 = 20;

/// Where sweeping is.
#[derive(Debug)]
pub(super) struct Sweeping {
    keep: Keep,
    /// The releases that were in use, the newest first, with when they left use.
    kept: Vec<(Kept, Option<Instant>)>,
    phase: Phase,
    /// Nothing of the releases before this one may lie here.
    erased: Sequence,
    status: StoreStatus,
    /// Set when the edge ends.
    stop: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Phase {
    Waiting(Instant),
    Listing,
    Holding(Listed, Instant),
    Removing,
}

/// What a task of sweeping brings back.
pub(super) enum Swept {
    Listed(Result<Listed, String>, Instant),
    Removed(Removed, Instant),
}

impl Sweeping {
    /// What was kept when this edge last ran.
    pub(super) fn open(store: &Store, keep: Keep) -> (Self, Option<String>) {
        let (kept, alarm) = match kept::read(store) {
            Ok(kept) => (kept, None),
            Err(error) => (
                Vec::new(),
                Some(format!(
                    "{error}: releases before the one in use are not kept"
                )),
            ),
        };
        let sweeping = Self {
            keep,
            kept: kept.into_iter().map(|kept| (kept, None)).collect(),
            phase: Phase::Waiting(Instant::now()),
            erased: Sequence(0),
            status: StoreStatus::default(),
            stop: Arc::default(),
        };
        (sweeping, alarm)
    }

    /// Notes that `release` is in use.
    pub(super) fn uses(&mut self, accepted: &AcceptedRelease) {
        let (now, release) = (Instant::now(), &accepted.release);
        let used = Kept {
            sequence: release.sequence,
            manifest: release.manifest,
            manifest_bytes: release.manifest_bytes,
            statement: Some(accepted.envelope.clone()),
        };
        if release.erased > self.erased {
            self.erased = release.erased;
            if let Phase::Waiting(until) = &mut self.phase {
                *until = now;
            }
        }
        let erased = self.erased;
        self.kept.retain(|(kept, _)| kept.sequence >= erased);
        if let Some((first, left)) = self.kept.first_mut() {
            if first.is(&used) {
                *first = used;
                return;
            }
            left.get_or_insert(now);
        }
        self.kept.retain(|(kept, _)| !kept.is(&used));
        self.kept.insert(0, (used, None));
        let (most, grace) = (self.keep.releases, self.keep.grace);
        let mut at = 0;
        self.kept.retain(|(_, left)| {
            at += 1;
            at <= most || left.is_some_and(|left| now.duration_since(left) < grace)
        });
    }

    /// When to look again.
    pub(super) fn wake(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting(until) => Some(until),
            _ => None,
        }
    }

    /// What was signed of the releases that are kept.
    pub(super) fn statements(&self) -> impl Iterator<Item = &Envelope> {
        self.kept
            .iter()
            .filter_map(|(kept, _)| kept.statement.as_ref())
    }

    /// Lets `store` remember what is kept. Blocking.
    pub(super) fn keep(&self) -> impl FnOnce(&Store) -> Result<(), String> + Send + use<> {
        let names = self.names();
        move |store| kept::write(store, &names)
    }

    fn names(&self) -> Vec<Kept> {
        self.kept.iter().map(|(kept, _)| kept.clone()).collect()
    }

    /// Whether something is to be erased and is not gone yet.
    const fn erasing(&self) -> bool {
        self.erased.0 > self.status.erased
    }

    fn waits(&mut self, took: Duration) {
        let pause = if !self.erasing() {
            self.keep.grace.max(PAUSE).max(took.saturating_mul(REST))
        } else if self.status.error.is_none() {
            Duration::ZERO
        } else {
            PAUSE
        };
        self.phase = Phase::Waiting(Instant::now() + pause);
    }
}

impl Follower {
    /// Goes on with sweeping, as far as it is time for it.
    pub(super) fn sweep(&mut self, tasks: &mut JoinSet<Done>) {
        let Some(current) = self.state.current() else {
            return;
        };
        // What is in use is what is kept first, or something is wrong here.
        let first = self.sweeping.kept.first();
        if self.store.is_read_only()
            || first.is_none_or(|(first, _)| first.manifest != current.release.manifest)
        {
            return;
        }
        match &mut self.sweeping.phase {
            Phase::Waiting(until) if *until <= Instant::now() => {
                let objects = self.objects();
                let erases = self.sweeping.erasing().then_some(self.sweeping.erased);
                let grace = match erases {
                    Some(_) => Duration::ZERO,
                    None => self.sweeping.keep.grace,
                };
                let began = Instant::now();
                tasks.spawn(async move {
                    let listed = spawn_blocking(move || objects.list(grace, erases)).await;
                    let listed = listed.unwrap_or_else(|_| Err("stopped".to_owned()));
                    Done::Swept(Swept::Listed(listed, began))
                });
                self.sweeping.phase = Phase::Listing;
            }
            Phase::Holding(listed, began) if self.core.is_idle() => {
                let (listed, began) = (std::mem::take(listed), *began);
                let (objects, written) = (self.objects(), self.sweeping.names());
                let reads = self.state.lazy_reads().cloned();
                tasks.spawn(async move {
                    let work = move || {
                        let mut removed = objects.remove(&written, listed);
                        removed.forget(reads.as_deref());
                        removed
                    };
                    let removed = spawn_blocking(work).await.unwrap_or_default();
                    Done::Swept(Swept::Removed(removed, began))
                });
                self.sweeping.phase = Phase::Removing;
            }
            _ => {}
        }
    }

    /// Ends a sweep under way and waits until it no longer uses the disk, which may be another's then.
    pub(super) async fn end_sweep(&self, tasks: &mut JoinSet<Done>) {
        self.sweeping.stop.store(true, Ordering::Relaxed);
        if !matches!(self.sweeping.phase, Phase::Listing | Phase::Removing) {
            return;
        }
        while let Some(done) = tasks.join_next().await {
            if matches!(done, Ok(Done::Swept(_))) {
                return;
            }
        }
    }

    /// Takes in what a task of sweeping did.
    pub(super) fn swept(&mut self, swept: Swept) {
        match swept {
            Swept::Listed(Ok(listed), began) => {
                let status = &mut self.sweeping.status;
                (status.objects, status.bytes) = (listed.objects, listed.bytes);
                status.error = None;
                if listed.candidates.is_empty() && listed.erases.is_none() {
                    self.sweeping.waits(began.elapsed());
                } else {
                    self.sweeping.phase = Phase::Holding(listed, began);
                    self.core.hold(true);
                }
            }
            Swept::Listed(Err(error), began) => {
                self.sweeping.status.error = Some(error);
                self.sweeping.waits(began.elapsed());
            }
            Swept::Removed(removed, began) => {
                self.core.hold(false);
                let status = &mut self.sweeping.status;
                status.freed_objects += removed.objects;
                status.freed_bytes += removed.bytes;
                status.objects = status.objects.saturating_sub(removed.objects);
                status.bytes = status.bytes.saturating_sub(removed.bytes);
                status.erased = removed.erased.map_or(status.erased, |erased| erased.0);
                status.error = removed.error;
                if removed.objects > 0 {
                    let (objects, bytes) = (removed.objects, removed.bytes);
                    tracing::info!(site = %self.state.name(), objects, bytes, "swept");
                }
                self.sweeping.waits(began.elapsed());
            }
        }
        self.tell();
    }

    fn tell(&self) {
        let is_kept = |name| {
            self.sweeping
                .kept
                .iter()
                .any(|(kept, _)| kept.manifest == name)
        };
        self.state.given().retain(is_kept);
        let mut status = self.sweeping.status.clone();
        let kept = self.sweeping.kept.iter();
        status.releases = kept.map(|(kept, _)| kept.sequence.0).collect();
        self.state.progress().store = status;
    }

    /// The store, and all whose objects stay, the release in use first.
    fn objects(&self) -> Objects {
        let mut kept = self.sweeping.names();
        let erased = self.sweeping.erased;
        kept.extend(kept::pinned(&self.state).filter(|kept| kept.sequence >= erased));
        Objects {
            store: Arc::clone(&self.store),
            kept,
            lazy: Arc::clone(self.lazy.names()),
            stop: Arc::clone(&self.sweeping.stop),
        }
    }
}
