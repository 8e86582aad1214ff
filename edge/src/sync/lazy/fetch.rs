//! One miss: a frame or a blob from one source after another, until one gives what verifies.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use snapshot::at_rest::{self, Frames, expand_frame};
use snapshot::manifest::SegmentEntry;
use snapshot::segment::node_name;
use snapshot::{BlobRef, Digest, SiteName};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::cache::Cache;
use crate::copy::{Kind, Want};
use crate::sync::fetch::{Fetch, bring};
use crate::sync::layout::Place;
use crate::sync::mirror::Mirror;
use crate::sync::pace::Pace;
use crate::sync::tally::Tally;
use crate::sync::work::{Fault, Unbrought};

/// Frames of the tables that are remembered beside one another; 16 bytes each. The table read last is
/// remembered however long it is: at most twice that.
pub const TABLE_FRAMES: usize = 1 << 20;
/// What is read at first of a segment's end: the table of all but the largest.
const END_BYTES: u64 = 16 << 10;
/// How long all sources together may take for a frame.
pub const FRAME_DEADLINE: Duration = Duration::from_secs(10);
/// How long a source that failed is asked last.
const ASIDE: Duration = Duration::from_secs(10);

/// Fetches for one site.
#[derive(Debug)]
pub(super) struct Fetcher {
    pub(super) site: SiteName,
    pub(super) cache: Arc<Cache>,
    pub(super) sources: Vec<Source>,
    pub(super) pace: Mutex<Arc<Pace>>,
    pub(super) tally: Arc<Tally>,
    tables: Mutex<Tables>,
    turns: Mutex<HashMap<Turn, Arc<tokio::sync::Mutex<()>>>>,
}

/// A source, as misses found it.
#[derive(Debug)]
pub(super) struct Source {
    mirror: Mirror,
    /// Sync found that others are to be asked first.
    pub(super) aside: AtomicBool,
    /// So did a miss, until then.
    until: Mutex<Option<Instant>>,
}

/// What one fetch at a time is for.
type Turn = (Digest, u64);

/// The tables that were read last, by segment and source.
#[derive(Debug, Default)]
struct Tables {
    known: Vec<((Digest, usize), Arc<Frames>)>,
}

impl Tables {
    fn get(&self, of: (Digest, usize)) -> Option<Arc<Frames>> {
        let known = self.known.iter().find(|(known, _)| *known == of);
        known.map(|(_, frames)| Arc::clone(frames))
    }

    fn put(&mut self, of: (Digest, usize), frames: Arc<Frames>) {
        self.known.retain(|(known, _)| *known != of);
        self.known.push((of, frames));
        while self
            .known
            .iter()
            .map(|(_, frames)| frames.len())
            .sum::<usize>()
            > TABLE_FRAMES
            && self.known.len() > 1
        {
            self.known.remove(0);
        }
    }
}

impl Source {
    fn new(mirror: Mirror) -> Self {
        Self {
            mirror,
            aside: AtomicBool::new(false),
            until: Mutex::default(),
        }
    }

    fn is_aside(&self) -> bool {
        let until = *lock(&self.until);
        self.aside.load(Ordering::Relaxed) || until.is_some_and(|until| Instant::now() < until)
    }
}

impl Fetcher {
    pub(super) fn new(
        site: SiteName,
        cache: Arc<Cache>,
        mirrors: Vec<Mirror>,
        tally: Arc<Tally>,
    ) -> Self {
        Self {
            site,
            cache,
            sources: mirrors.into_iter().map(Source::new).collect(),
            pace: Mutex::default(),
            tally,
            tables: Mutex::default(),
            turns: Mutex::default(),
        }
    }

    /// A node that is not here, with the frame it is in.
    pub(super) async fn node(
        &self,
        entry: &SegmentEntry,
        at: u64,
        bytes: u64,
        name: &Digest,
    ) -> Result<Vec<u8>, String> {
        let ask = |id: usize, mirror, share| {
            let ask = async move {
                let given = self.frame(entry, at, bytes, name, id, mirror);
                let given = within(share, given).await;
                if given.is_err() {
                    // Whatever it was, its table may be what lied.
                    let mut tables = lock(&self.tables);
                    tables.known.retain(|(of, _)| *of != (entry.id, id));
                }
                given.map_err(Miss::Source)
            };
            ask.boxed()
        };
        self.of_any(FRAME_DEADLINE, ask).await
    }

    /// A blob that is not here, into the cache.
    pub(super) async fn blob(&self, entry: &BlobRef) -> Result<(), String> {
        let turn = self.turn((entry.digest, 0));
        let _turn = turn.lock().await;
        let (cache, wanted) = (Arc::clone(&self.cache), *entry);
        let held = spawn_blocking(move || cache.blob(&wanted).is_some()).await;
        if held.unwrap_or(false) {
            return Ok(());
        }
        let Some(room) = self.cache.room_for(entry) else {
            let limit = self.cache.limit();
            return Err(format!(
                "of {} bytes, where `lazy-cache` is {limit}",
                entry.bytes
            ));
        };
        let ask = |_, mirror: &Mirror, share| {
            let fetch = Fetch {
                store: Arc::clone(self.cache.blobs()),
                mirror: mirror.clone(),
                site: self.site.clone(),
                want: Want {
                    digest: entry.digest,
                    kind: Kind::Blob(entry.bytes),
                },
                patient: self.sources.len() == 1,
                pace: self.pace(),
                tally: Arc::clone(&self.tally),
                stop: CancellationToken::new(),
            };
            bring_within(share, fetch).boxed()
        };
        let deadline = self.sources.first().map(|source| source.mirror.patience());
        let deadline = deadline.map_or(FRAME_DEADLINE, |patience| patience.for_object(entry.bytes));
        let most = u32::try_from(self.sources.len()).unwrap_or(1);
        self.of_any(deadline.saturating_mul(most), ask).await?;
        self.cache.keep_blob(entry, room);
        Ok(())
    }

    /// Asks the sources in turn, the good ones first; each has its share of the time that is left, and
    /// nothing of it goes on afterwards.
    async fn of_any<'a, T>(
        &'a self,
        deadline: Duration,
        ask: impl Fn(usize, &'a Mirror, Duration) -> BoxFuture<'a, Result<T, Miss>>,
    ) -> Result<T, String> {
        let until = Instant::now() + deadline;
        let mut order: Vec<usize> = (0..self.sources.len()).collect();
        order.sort_by_key(|id| self.sources.get(*id).is_some_and(Source::is_aside));
        let mut why = Vec::new();
        let mut left = u32::try_from(order.len()).unwrap_or(1);
        for id in order {
            let Some(source) = self.sources.get(id) else {
                continue;
            };
            let share = until.saturating_duration_since(Instant::now()) / left.max(1);
            left = left.saturating_sub(1);
            match ask(id, &source.mirror, share).await {
                Ok(given) => {
                    *lock(&source.until) = None;
                    return Ok(given);
                }
                // It would fail for the others as well.
                Err(Miss::Disk(reason)) => return Err(format!("this disk: {reason}")),
                Err(Miss::Source(reason)) => {
                    *lock(&source.until) = Some(Instant::now() + ASIDE);
                    let url = source.mirror.url();
                    tracing::debug!(site = %self.site, %url, reason, "a source fails a lazy read");
                    why.push(format!("{url}: {reason}"));
                }
            }
        }
        Err(why.join("; "))
    }

    async fn frame(
        &self,
        entry: &SegmentEntry,
        at: u64,
        bytes: u64,
        name: &Digest,
        id: usize,
        mirror: &Mirror,
    ) -> Result<Vec<u8>, String> {
        let place = Place::object(&self.site, &entry.id);
        let limit = at_rest::limit(entry.bytes);
        let frames = self.table(entry, id, mirror, &place, limit).await?;
        let frame = frames.holding(at).ok_or("its table lacks the node")?;
        let turn = self.turn((entry.id, frame.start));
        let _turn = turn.lock().await;
        let (cache, segment, wanted) = (Arc::clone(&self.cache), entry.id, *name);
        let held = spawn_blocking(move || cache.node(segment, at, bytes, &wanted)).await;
        if let Ok(Some(node)) = held {
            return Ok(node);
        }
        let era = self.cache.era();
        let range = frame.at_rest..frame.at_rest.saturating_add(frame.packed);
        let packed = mirror.range(&place, range, limit).await;
        let packed = packed.map_err(|error| error.to_string())?;
        let came = packed.len() as u64;
        self.tally.came(came);
        self.pace().take(came).await;
        let (cache, wanted) = (Arc::clone(&self.cache), *name);
        let taken = spawn_blocking(move || {
            let expanded = expand_frame(&packed, frame.expanded).map_err(|e| e.to_string())?;
            let from = usize::try_from(at - frame.start).unwrap_or(usize::MAX);
            let until = from.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
            let node = expanded
                .get(from..until)
                .ok_or("its frame ends inside the node")?;
            // The parent's word, and so on up to the root, which the manifest names, which is signed.
            if node_name(node) != Some(wanted) {
                return Err("its frame holds another node than the one that was signed".to_owned());
            }
            if let Err(error) = cache.keep_frame(era, (segment, frame.start), &expanded) {
                tracing::warn!(%error, "what was fetched lazily is not kept");
            }
            Ok(node.to_vec())
        });
        taken.await.unwrap_or_else(|_| Err("stopped".to_owned()))
    }

    /// Where the frames of a segment lie at a source.
    async fn table(
        &self,
        entry: &SegmentEntry,
        id: usize,
        mirror: &Mirror,
        place: &Place,
        limit: u64,
    ) -> Result<Arc<Frames>, String> {
        let of = (entry.id, id);
        // One asks, the others wait for it. No frame starts there.
        let turn = self.turn((entry.id, u64::MAX.saturating_sub(id as u64)));
        let _turn = turn.lock().await;
        if let Some(known) = lock(&self.tables).get(of) {
            return Ok(known);
        }
        let tail = mirror.tail(place, END_BYTES, limit).await;
        let mut tail = tail.map_err(|error| error.to_string())?;
        let no_table = || "no table of frames at its end".to_owned();
        let whole = Frames::table_bytes(&tail, entry.bytes).ok_or_else(no_table)?;
        if whole > tail.len() as u64 {
            let longer = mirror.tail(place, whole, limit).await;
            tail = longer.map_err(|error| error.to_string())?;
        }
        self.tally.came(tail.len() as u64);
        let frames = Frames::read(&tail, entry.bytes).ok_or_else(no_table)?;
        let frames = Arc::new(frames);
        lock(&self.tables).put(of, Arc::clone(&frames));
        Ok(frames)
    }

    /// What is held while one thing is fetched, so that nobody else fetches it meanwhile.
    fn turn(&self, of: Turn) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = lock(&self.turns);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(of).or_default())
    }

    fn pace(&self) -> Arc<Pace> {
        Arc::clone(&lock(&self.pace))
    }
}

/// Why a source was asked in vain.
#[derive(Debug)]
enum Miss {
    /// This edge's own disk: no source is to blame.
    Disk(String),
    Source(String),
}

/// Waits `share` for what may be dropped on its way.
async fn within<T>(
    share: Duration,
    given: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let given = timeout(share, given).await;
    given.unwrap_or_else(|_| Err(late(share)))
}

/// Waits `share` for an object to be brought; then stops it, and waits until it no longer writes.
async fn bring_within(share: Duration, fetch: Fetch) -> Result<(), Miss> {
    let stop = fetch.stop.clone();
    let mut brought = std::pin::pin!(bring(fetch));
    let brought = match timeout(share, &mut brought).await {
        Ok(brought) => brought,
        Err(_) => {
            stop.cancel();
            brought.await
        }
    };
    let failed = |failed: Unbrought| match failed.fault {
        Fault::Disk => Miss::Disk(failed.reason),
        Fault::Stopped => Miss::Source(late(share)),
        _ => Miss::Source(failed.reason),
    };
    brought.map_err(|error| failed(error.into()))
}

fn late(share: Duration) -> String {
    format!("nothing within {share:?}")
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt as _;
    use object_store::memory::InMemory;
    use object_store::throttle::{ThrottleConfig, ThrottledStore};

    use super::*;

    fn fetcher(dir: &std::path::Path) -> Fetcher {
        let cache = Arc::new(Cache::open(dir, 1 << 20).unwrap());
        let mirrors = ["a", "b"].map(|name| {
            let folder = dir.join(name);
            fs_err::create_dir(&folder).unwrap();
            let url = url::Url::from_file_path(folder).unwrap();
            Mirror::open(&url).unwrap()
        });
        let site = "dasom".parse().unwrap();
        Fetcher::new(site, cache, mirrors.into(), Arc::default())
    }

    #[tokio::test]
    async fn a_frame_that_no_source_gives_in_time_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let fetcher = fetcher(dir.path());
        let all = Duration::from_millis(40);
        let never = |_, _: &Mirror, share| {
            let never = within(share, std::future::pending::<Result<(), String>>());
            never.map(|given| given.map_err(Miss::Source)).boxed()
        };
        let why = fetcher.of_any(all, never).await.unwrap_err();
        assert_eq!(why.matches(": nothing within ").count(), 2, "{why}");
        // Who failed is asked last for a while, and asked all the same.
        let first = |id, _: &Mirror, _| {
            let given = if id == 0 {
                Err(Miss::Source("no".to_owned()))
            } else {
                Ok(id)
            };
            std::future::ready(given).boxed()
        };
        assert_eq!(fetcher.of_any(FRAME_DEADLINE, first).await, Ok(1));
        assert!(fetcher.sources[0].is_aside() && !fetcher.sources[1].is_aside());
        let asked = |id: usize, _: &Mirror, _| std::future::ready(Ok(id)).boxed();
        assert_eq!(fetcher.of_any(FRAME_DEADLINE, asked).await, Ok(1));
        // This disk is no source's fault, and no other source mends it.
        let full = |_, _: &Mirror, _| {
            let full = Miss::Disk("no space".to_owned());
            std::future::ready(Err::<(), _>(full)).boxed()
        };
        let why = fetcher.of_any(FRAME_DEADLINE, full).await.unwrap_err();
        assert_eq!(why, "this disk: no space");
        assert!(!fetcher.sources[1].is_aside());
    }

    #[test]
    fn a_blob_that_does_not_come_in_time_is_written_no_more() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().max_blocking_threads(1).build();
        runtime.unwrap().block_on(a_late_blob());
    }

    async fn a_late_blob() {
        let dir = tempfile::tempdir().unwrap();
        let fetcher = fetcher(dir.path());
        let config = ThrottleConfig {
            wait_get_per_byte: Duration::from_secs(3600),
            ..ThrottleConfig::default()
        };
        let memory = InMemory::new();
        let blob = BlobRef::of(&[7; 5000]);
        let place = Place::object(&fetcher.site, &blob.digest);
        let mirror = fetcher.sources[0].mirror.clone();
        let (_, path) = mirror.store(&place);
        memory.put(&path, vec![7; 5000].into()).await.unwrap();
        let slow = ThrottledStore::new(memory, config);
        let fetch = Fetch {
            store: Arc::clone(fetcher.cache.blobs()),
            mirror: mirror.with_store(Arc::new(slow)),
            site: fetcher.site.clone(),
            want: Want {
                digest: blob.digest,
                kind: Kind::Blob(blob.bytes),
            },
            patient: true,
            pace: Arc::default(),
            tally: Arc::default(),
            stop: CancellationToken::new(),
        };
        // The only thread that may write is taken until the fetch is stopped.
        let (frees, freed) = std::sync::mpsc::channel::<()>();
        let stop = fetch.stop.clone();
        tokio::spawn(async move {
            stop.cancelled().await;
            drop(frees);
        });
        spawn_blocking(move || freed.recv());
        let before = Arc::strong_count(fetcher.cache.blobs());
        let late = bring_within(Duration::from_millis(40), fetch).await;
        assert!(matches!(late, Err(Miss::Source(why)) if why == "nothing within 40ms"));
        assert_eq!(Arc::strong_count(fetcher.cache.blobs()), before - 1);
    }

    #[test]
    fn tables_are_remembered_within_a_bound() {
        let half = TABLE_FRAMES / 2 + 1;
        let table = |frames: usize| {
            let mut table = Vec::new();
            for _ in 0..frames {
                table.extend(100_u32.to_le_bytes());
                table.extend(60_000_u32.to_le_bytes());
            }
            table.extend(u32::try_from(frames).unwrap().to_le_bytes());
            table.extend([0, 0xb1, 0xea, 0x92, 0x8f]);
            table
        };
        let bytes = |frames: usize| 60_000 * frames as u64;
        let frames = Arc::new(Frames::read(&table(half), bytes(half)).unwrap());
        let mut tables = Tables::default();
        let of = |n: u8| (Digest::of(&[n]), 0);
        for n in 0..3 {
            tables.put(of(n), Arc::clone(&frames));
        }
        let known: Vec<bool> = (0..3).map(|n| tables.get(of(n)).is_some()).collect();
        assert_eq!(known, [false, false, true]);
        // One that is longer by itself.
        let longer =
            Arc::new(Frames::read(&table(TABLE_FRAMES + 1), bytes(TABLE_FRAMES + 1)).unwrap());
        tables.put(of(3), longer);
        assert!(tables.get(of(2)).is_none() && tables.get(of(3)).is_some());
    }
}
