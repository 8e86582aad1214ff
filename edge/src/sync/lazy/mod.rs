//! Lazy collections: nothing of them is brought in with a release. What a reader asks for is fetched
//! when it is asked for, checked from the signed root down, and kept in a bounded cache.
//!
//! **A read** that finds its node in the [`cache`] costs a read of this disk. One that does not is a
//! *miss*: the frame with the node comes from a source ([`fetch`]), the good ones asked first; a
//! frame that does not hold the node that was signed is refused, and the next source asked. Misses
//! for one frame make one fetch. A blob comes whole, by the same way as blobs of other collections.
//!
//! **Waiting.** A reader waits [`WAIT`] for a blob and [`NODE_WAIT`] for a node, for which a component
//! is kept waiting, and gets a 503 then, as when no source has it; the fetch goes on, so that whoever
//! asks next finds it. More than [`MISSES`] at once are turned away. A 503 is never
//! remembered, and a miss is never taken for absence.
//!
//! **A release** with changed lazy collections switches in without fetching anything of them, but
//! for what its canaries touch: those are asked through the same path, and a canary that gets nothing
//! refuses the release. A restart asks no canary, and so needs no network.
//!
//! **Not** for lazy collections: merging here, scrub, repair, giving to peers. A source that answers no
//! ranges has blobs to give, and no frames.

mod cache;
mod fetch;

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use snapshot::manifest::SegmentEntry;
use snapshot::segment::Nodes;
use snapshot::{Blob, BlobRef, CollectionName, Digest, SiteName, StoreError};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::mirror::Mirror;
use super::pace::Pace;
use super::tally::Tally;
use crate::copy::{Far, Lazy};

use cache::Cache;
pub use fetch::{FRAME_DEADLINE, TABLE_FRAMES};
use fetch::{Fetcher, lock};

/// How long a reader waits for a blob that is not here.
pub const WAIT: Duration = Duration::from_secs(5);
/// How long for a node. Shorter, for whoever waits has a component's place, and those are few.
pub const NODE_WAIT: Duration = Duration::from_secs(1);
/// Most reads that are fetched for at once.
pub const MISSES: usize = 64;

/// What `/status` says of lazy collections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LazyStatus {
    /// The collections that are lazy here.
    pub collections: Vec<String>,
    /// Bytes of them that are kept.
    pub bytes: u64,
    /// The most that are.
    pub bytes_most: u64,
    /// Reads that were answered from what is kept, since the edge started.
    pub hits: u64,
    /// Reads that had to be fetched for, and came.
    pub fetched: u64,
    /// Reads that nothing came for.
    pub failed: u64,
    /// Why the last of those failed.
    pub error: Option<String>,
}

/// What a site needs for its lazy collections.
#[derive(Debug)]
pub(super) struct LazyReads {
    names: BTreeSet<CollectionName>,
    cache: Arc<Cache>,
    fetcher: Arc<Fetcher>,
    runtime: Handle,
    misses: Arc<Semaphore>,
    hits: AtomicU64,
    fetched: AtomicU64,
    failed: AtomicU64,
    error: std::sync::Mutex<Option<String>>,
}

impl LazyReads {
    /// Opens the cache in `root`. Blocks.
    ///
    /// # Errors
    /// The cache does not open.
    pub(super) fn open(
        root: &Path,
        (names, limit): (BTreeSet<CollectionName>, u64),
        (site, mirrors): (SiteName, Vec<Mirror>),
        tally: Arc<Tally>,
        runtime: Handle,
    ) -> Result<Arc<Self>, StoreError> {
        let cache = Arc::new(Cache::open(root, limit)?);
        let fetcher = Fetcher::new(site, Arc::clone(&cache), mirrors, tally);
        Ok(Arc::new(Self {
            names,
            cache,
            fetcher: Arc::new(fetcher),
            runtime,
            misses: Arc::new(Semaphore::new(MISSES)),
            hits: AtomicU64::new(0),
            fetched: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            error: std::sync::Mutex::default(),
        }))
    }

    /// As a release is opened with it.
    pub(super) fn lazy(self: &Arc<Self>) -> Lazy {
        let far = Door(Arc::clone(self));
        Lazy::new(self.names.clone(), Arc::new(far))
    }

    /// Takes no more from its sources than `pace` allows to all who share it.
    pub(super) fn at_pace(&self, pace: &Arc<Pace>) {
        *lock(&self.fetcher.pace) = Arc::clone(pace);
    }

    /// Which sources sync would ask last, in their order.
    pub(super) fn aside(&self, aside: impl Iterator<Item = bool>) {
        for (source, aside) in self.fetcher.sources.iter().zip(aside) {
            source.aside.store(aside, Ordering::Relaxed);
        }
    }

    /// Lets go of all that is kept: part of it may have been erased. Blocks.
    ///
    /// # Errors
    /// A file that does not go.
    pub(super) fn forget_all(&self) -> Result<(), StoreError> {
        self.cache.clear()
    }

    pub(super) fn status(&self) -> LazyStatus {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        LazyStatus {
            collections: self.names.iter().map(ToString::to_string).collect(),
            bytes: self.cache.bytes(),
            bytes_most: self.cache.limit(),
            hits: count(&self.hits),
            fetched: count(&self.fetched),
            failed: count(&self.failed),
            error: lock(&self.error).clone(),
        }
    }

    /// Waits for what `fetch` brings, `most` of all. Blocks; on no thread of the runtime.
    fn wait<T: Send + 'static>(
        &self,
        what: &str,
        most: Duration,
        fetch: impl Future<Output = Result<T, String>> + Send + 'static,
    ) -> io::Result<T> {
        let Ok(permit) = Arc::clone(&self.misses).try_acquire_owned() else {
            return Err(self.missed(format!("{what}: {MISSES} others are being fetched")));
        };
        let (send, receive) = sync_channel(1);
        self.runtime.spawn(async move {
            let fetched = fetch.await;
            drop(permit);
            // Nobody may wait for it any more.
            let _ = send.try_send(fetched);
        });
        match receive.recv_timeout(most) {
            Ok(Ok(fetched)) => {
                self.fetched.fetch_add(1, Ordering::Relaxed);
                Ok(fetched)
            }
            Ok(Err(why)) => Err(self.missed(format!("{what}: no source gives it: {why}"))),
            Err(_) => Err(self.missed(format!("{what}: not here within {most:?}"))),
        }
    }

    fn missed(&self, why: String) -> io::Error {
        self.failed.fetch_add(1, Ordering::Relaxed);
        *lock(&self.error) = Some(why.clone());
        io::Error::other(why)
    }
}

/// [`Far`] for the releases of a site.
#[derive(Debug)]
struct Door(Arc<LazyReads>);

impl Far for Door {
    fn nodes(&self, entry: &SegmentEntry) -> Arc<dyn Nodes> {
        Arc::new(FarSegment {
            reads: Arc::clone(&self.0),
            entry: entry.clone(),
        })
    }

    fn blob(&self, entry: &BlobRef) -> Result<Blob, StoreError> {
        let reads = &self.0;
        if let Some(blob) = reads.cache.blob(entry) {
            reads.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(blob);
        }
        let (fetcher, wanted) = (Arc::clone(&reads.fetcher), *entry);
        let what = format!("blob {}", entry.digest.short());
        reads.wait(&what, WAIT, async move { fetcher.blob(&wanted).await })?;
        let held = reads.cache.blob(entry);
        held.ok_or(StoreError::Missing(entry.digest))
    }

    fn drop_blob(&self, entry: &BlobRef) {
        self.0.cache.drop_blob(entry.digest);
    }
}

#[derive(Debug)]
struct FarSegment {
    reads: Arc<LazyReads>,
    entry: SegmentEntry,
}

impl Nodes for FarSegment {
    fn node(&self, at: u64, bytes: u64, name: &Digest) -> io::Result<Vec<u8>> {
        let reads = &self.reads;
        if let Some(node) = reads.cache.node(self.entry.id, at, bytes, name) {
            reads.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(node);
        }
        let (fetcher, entry, name) = (Arc::clone(&reads.fetcher), self.entry.clone(), *name);
        let what = format!("node at {at} of segment {}", self.entry.id.short());
        reads.wait(&what, NODE_WAIT, async move {
            fetcher.node(&entry, at, bytes, &name).await
        })
    }
}

/// Lets go of what was kept when collections were lazy that are not any more. Blocks.
pub(super) fn forget(root: &Path) -> Result<(), StoreError> {
    match fs_err::remove_dir_all(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use tokio::task::spawn_blocking;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(20);

    fn reads(dir: &Path) -> LazyReads {
        let of = ("dasom".parse().unwrap(), Vec::new());
        let (tally, runtime) = (Arc::default(), Handle::current());
        let opened = LazyReads::open(dir, (BTreeSet::new(), 1 << 20), of, tally, runtime);
        Arc::into_inner(opened.unwrap()).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_waits_too_long_is_told_and_the_fetch_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let reads = Arc::new(reads(dir.path()));
        let (gives, given) = oneshot::channel::<()>();
        let (ends, ended) = oneshot::channel();
        let fetch = async {
            given.await.unwrap();
            ends.send(()).unwrap();
            Ok(())
        };
        let waiting = Arc::clone(&reads);
        let waited = spawn_blocking(move || waiting.wait("node", MOMENT, fetch))
            .await
            .unwrap();
        assert_eq!(
            waited.unwrap_err().to_string(),
            "node: not here within 20ms"
        );
        assert_eq!(reads.status().failed, 1);
        gives.send(()).unwrap();
        ended.await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn more_misses_than_may_be_are_turned_away() {
        let dir = tempfile::tempdir().unwrap();
        let reads = Arc::new(reads(dir.path()));
        let (waiting, most) = (Arc::clone(&reads), u32::try_from(MISSES).unwrap());
        let all = reads.misses.acquire_many(most).await.unwrap();
        let ask = move || waiting.wait("node", WAIT, async { Ok(()) });
        let refused = spawn_blocking(ask.clone()).await.unwrap();
        let refused = refused.unwrap_err().to_string();
        assert_eq!(refused, "node: 64 others are being fetched");
        drop(all);
        spawn_blocking(ask).await.unwrap().unwrap();
        assert_eq!(reads.status().fetched, 1);
    }
}
