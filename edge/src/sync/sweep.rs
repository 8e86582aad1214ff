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
//! nothing, what lies half fetched goes too, and once all of it is gone `/status` says so under
//! `erased`. Every later release says it as well, so that an edge that was away hears of it.
//!
//! The releases kept are written down before anything goes, so that a restart keeps them too. If any
//! of them cannot be read nothing goes, and `/status` says so.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use snapshot::{
    CollectionName, Digest, Manifest, Marks, Release, Scope, Sequence, Store, StoreError, decode,
    encode, limits,
};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::Instant;

use super::driver::{Done, Follower};
use super::lazy::LazyReads;
use super::state::SiteState;
use super::status::StoreStatus;
use crate::config::Keep;
use crate::copy::held_whole;

/// The state file.
const STATE: &str = "kept";
/// Longest state file, bytes.
const STATE_BYTES: usize = 1 << 20;
/// Most objects that go while no release is taken up.
const AT_ONCE: usize = 10_000;
/// The shortest time between two sweeps.
const PAUSE: Duration = Duration::from_secs(1);
/// A sweep waits so many times as long as the last one took.
const REST: u32 = 20;

/// A release whose objects are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    sequence: Sequence,
    manifest: Digest,
    manifest_bytes: u64,
}

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

/// What lies in the store.
#[derive(Debug, Default)]
pub(super) struct Listed {
    objects: u64,
    bytes: u64,
    candidates: Vec<Digest>,
    /// With these, all from before this release is gone.
    erases: Option<Sequence>,
}

/// What went.
#[derive(Default)]
pub(super) struct Removed {
    objects: u64,
    bytes: u64,
    /// Nothing of the releases before this one lies here any more.
    erased: Option<Sequence>,
    error: Option<String>,
}

impl Removed {
    /// What was fetched lazily may be what was erased: all of it goes before anybody is told so.
    fn forget(&mut self, reads: Option<&LazyReads>) {
        let (Some(_), Some(reads)) = (self.erased, reads) else {
            return;
        };
        if let Err(error) = reads.forget_all() {
            (self.erased, self.error) = (None, Some(error.to_string()));
        }
    }
}

impl Sweeping {
    /// What was kept when this edge last ran.
    pub(super) fn open(store: &Store, keep: Keep) -> (Self, Option<String>) {
        let (kept, alarm) = match read(store) {
            Ok(kept) => (kept, None),
            Err(error) => (
                Vec::new(),
                Some(format!(
                    "state {STATE} is damaged: {error}: releases before the one in use are not kept"
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
    pub(super) fn uses(&mut self, release: &Release) {
        let now = Instant::now();
        let used = Kept {
            sequence: release.sequence,
            manifest: release.manifest,
            manifest_bytes: release.manifest_bytes,
        };
        if release.erased > self.erased {
            self.erased = release.erased;
            if let Phase::Waiting(until) = &mut self.phase {
                *until = now;
            }
        }
        let erased = self.erased;
        self.kept.retain(|(kept, _)| kept.sequence >= erased);
        if self.kept.first().is_some_and(|(first, _)| *first == used) {
            return;
        }
        if let Some((_, left)) = self.kept.first_mut() {
            left.get_or_insert(now);
        }
        self.kept.retain(|(kept, _)| *kept != used);
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
                let kept = self.kept_here();
                let (store, stop) = (Arc::clone(&self.store), Arc::clone(&self.sweeping.stop));
                let erases = self.sweeping.erasing().then_some(self.sweeping.erased);
                let grace = match erases {
                    Some(_) => Duration::ZERO,
                    None => self.sweeping.keep.grace,
                };
                let began = Instant::now();
                let lazy = Arc::clone(self.lazy.names());
                tasks.spawn(async move {
                    let listed =
                        spawn_blocking(move || list(&store, &kept, &lazy, grace, &stop)).await;
                    let listed = listed.unwrap_or_else(|_| Err("stopped".to_owned()));
                    let listed = listed.map(|listed| Listed { erases, ..listed });
                    Done::Swept(Swept::Listed(listed, began))
                });
                self.sweeping.phase = Phase::Listing;
            }
            Phase::Holding(listed, began) if self.core.is_idle() => {
                let (listed, began) = (std::mem::take(listed), *began);
                let (kept, written) = (self.kept_here(), self.sweeping.names());
                let (store, stop) = (Arc::clone(&self.store), Arc::clone(&self.sweeping.stop));
                let lazy = Arc::clone(self.lazy.names());
                let reads = self.state.lazy_reads().cloned();
                tasks.spawn(async move {
                    let work = move || {
                        let mut removed = remove(&store, &kept, &written, &lazy, listed, &stop);
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

    /// All whose objects stay, the release in use first.
    fn kept_here(&self) -> Vec<Kept> {
        let mut kept = self.sweeping.names();
        let erased = self.sweeping.erased;
        kept.extend(pinned(&self.state).filter(|kept| kept.sequence >= erased));
        kept
    }
}

/// The release that an order pins.
fn pinned(state: &SiteState) -> Option<Kept> {
    let orders = state.orders();
    let pin = orders.borrow().get(&Scope::Site)?.order.pin?;
    Some(Kept {
        sequence: pin.sequence,
        manifest: pin.manifest,
        manifest_bytes: limits::MANIFEST_BYTES as u64,
    })
}

fn list(
    store: &Store,
    kept: &[Kept],
    lazy: &BTreeSet<CollectionName>,
    grace: Duration,
    stop: &Arc<AtomicBool>,
) -> Result<Listed, String> {
    let marks = mark(store, kept, lazy, stop)?;
    let (mut listed, now) = (Listed::default(), SystemTime::now());
    let words = |error: StoreError| error.to_string();
    for digest in store.digests().map_err(words)? {
        let digest = digest.map_err(words)?;
        stopped(stop)?;
        let Some(lies) = store.lies(&digest).map_err(words)? else {
            continue;
        };
        listed.objects += 1;
        listed.bytes += lies.bytes;
        // What is dated ahead is new.
        let age = now.duration_since(lies.modified).unwrap_or_default();
        if !marks.has(&digest) && age >= grace && listed.candidates.len() < AT_ONCE {
            listed.candidates.push(digest);
        }
    }
    Ok(listed)
}

fn remove(
    store: &Store,
    kept: &[Kept],
    written: &[Kept],
    lazy: &BTreeSet<CollectionName>,
    listed: Listed,
    stop: &Arc<AtomicBool>,
) -> Removed {
    let mut removed = Removed::default();
    // So many candidates may not be all: then there is another turn.
    let all = listed.candidates.len() < AT_ONCE;
    let erased = listed.erases.filter(|_| all);
    let candidates = listed.candidates;
    removed.error = remove_each(store, kept, written, lazy, candidates, stop, &mut removed).err();
    if removed.error.is_none() && erased.is_some() {
        // Nothing is being fetched now.
        let cleared = store.clear_scratch().and_then(|()| store.clear_partials());
        removed.error = cleared.err().map(|error| error.to_string());
        removed.erased = erased.filter(|_| removed.error.is_none());
    }
    removed
}

fn remove_each(
    store: &Store,
    kept: &[Kept],
    written: &[Kept],
    lazy: &BTreeSet<CollectionName>,
    candidates: Vec<Digest>,
    stop: &Arc<AtomicBool>,
    removed: &mut Removed,
) -> Result<(), String> {
    let words = |error: StoreError| error.to_string();
    if read(store).ok().as_deref() != Some(written) {
        let state = encode(&(VERSION, written)).map_err(|error| error.to_string())?;
        store.write_state(STATE, &state).map_err(words)?;
    }
    let marks = mark(store, kept, lazy, stop)?;
    for digest in candidates {
        stopped(stop)?;
        if marks.has(&digest) {
            continue;
        }
        if let Some(lies) = store.lies(&digest).map_err(words)? {
            store.remove(&digest).map_err(words)?;
            removed.objects += 1;
            removed.bytes += lies.bytes;
        }
    }
    Ok(())
}

fn stopped(stop: &AtomicBool) -> Result<(), String> {
    if stop.load(Ordering::Relaxed) {
        return Err(StoreError::Stopped.to_string());
    }
    Ok(())
}

/// Of the state file.
const VERSION: u16 = 1;

fn read(store: &Store) -> Result<Vec<Kept>, String> {
    let bytes = store.read_state(STATE, STATE_BYTES);
    let Some(bytes) = bytes.map_err(|error| error.to_string())? else {
        return Ok(Vec::new());
    };
    let read = decode::<(u16, Vec<Kept>)>(&bytes, STATE_BYTES);
    match read.map_err(|error| error.to_string())? {
        (VERSION, kept) => Ok(kept),
        (other, _) => Err(format!("version {other}")),
    }
}

/// Marks what `kept` names. One that was never brought here names nothing here; the first is in use.
fn mark(
    store: &Store,
    kept: &[Kept],
    lazy: &BTreeSet<CollectionName>,
    stop: &Arc<AtomicBool>,
) -> Result<Marks, String> {
    let mut marks = Marks::until(Arc::clone(stop));
    for (at, kept) in kept.iter().enumerate() {
        if at > 0 && !store.contains(&kept.manifest) {
            continue;
        }
        let limit = usize::try_from(kept.manifest_bytes).unwrap_or(limits::MANIFEST_BYTES);
        let marked = store
            .read(&kept.manifest, limit)
            .map_err(|error| error.to_string())
            .and_then(|bytes| {
                decode::<Manifest>(&bytes, limits::MANIFEST_BYTES).map_err(|e| e.to_string())
            })
            .and_then(|manifest| {
                let mut manifest = held_whole(manifest, lazy);
                if at > 0 {
                    // It may have been lazy then, or be half brought: what is not here needs no mark.
                    for collection in &mut manifest.collections {
                        collection.segments.retain(|s| store.contains(&s.id));
                    }
                }
                let marked = marks.release(store, &kept.manifest, &manifest);
                marked.map_err(|error| error.to_string())
            });
        marked.map_err(|why| {
            let sequence = kept.sequence;
            format!("nothing is swept: what release {sequence} names cannot be told: {why}")
        })?;
    }
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_list_of_kept_releases_is_an_alarm() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        for bytes in [vec![0; STATE_BYTES + 1], b"no list".to_vec()] {
            store.write_state(STATE, &bytes).unwrap();
            let (sweeping, alarm) = Sweeping::open(&store, Keep::default());
            assert!(sweeping.kept.is_empty());
            let alarm = alarm.unwrap();
            assert!(alarm.starts_with("state kept is damaged: "), "{alarm}");
        }
    }

    #[test]
    fn nothing_is_swept_while_the_release_in_use_cannot_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let stray = Digest::of(b"stray");
        store.put_bytes(&stray, b"stray").unwrap();
        let gone = Kept {
            sequence: Sequence(1),
            manifest: Digest::of(b"gone"),
            manifest_bytes: 4,
        };
        let (kept, go) = ([gone], Arc::default());
        let listed = list(&store, &kept, &BTreeSet::new(), Duration::ZERO, &go);
        assert!(listed.err().unwrap().contains("nothing is swept"));
        let listed = Listed {
            candidates: vec![stray],
            erases: Some(Sequence(1)),
            ..Listed::default()
        };
        let removed = remove(&store, &kept, &kept, &BTreeSet::new(), listed, &go);
        assert_eq!(removed.erased, None);
        assert!(removed.error.is_some() && store.contains(&stray));
    }
}
