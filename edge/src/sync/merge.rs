//! Carries out the core's merges: a segment out of others that are on this disk, by the manifest's
//! recipe. Its id says whether the recipe told the truth, and nothing has its name until it did.
//!
//! One segment is written and synced, its inputs are read beside readers; memory holds a leaf of each
//! input. The release in use keeps its own segments, so that reads go on as before.

use std::sync::Arc;

use snapshot::manifest::SegmentEntry;
use snapshot::segment::BuildError;
use snapshot::stack::MergeError;
use snapshot::{CollectionName, Digest, NodeCache, SiteName, Stack, Store, StoreError};
use tokio::task::{JoinSet, spawn_blocking};

use super::core::{Event, Job};
use super::driver::{Done, Follower};
use super::work::{Fault, Unbrought};
use crate::copy::{Kind, Want};

/// Why a segment was not merged here.
#[derive(Debug, thiserror::Error)]
pub(super) enum MergeFault {
    #[error("an input: {0}")]
    Input(StoreError),
    #[error(transparent)]
    Merge(#[from] MergeError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("merged as the manifest says it is {}", .0.map_or("nothing".to_owned(), |id| id.to_string()))]
    Other(Option<Digest>),
    #[error("stopped")]
    Stopped,
}

impl MergeFault {
    /// Whether this disk does not take the result; what it cannot read may still be fetched.
    const fn is_disk(&self) -> bool {
        match self {
            Self::Merge(MergeError::Build(BuildError::Io(_))) => true,
            Self::Store(error) => error.is_disk(),
            _ => false,
        }
    }
}

impl Follower {
    pub(super) fn merge(&self, job: Job, want: Want, tasks: &mut JoinSet<Done>) {
        let (store, site) = (Arc::clone(&self.store), self.state.name().clone());
        tasks.spawn(async move {
            let wanted = want.clone();
            let made = spawn_blocking(move || merge(&store, &site, &wanted)).await;
            let made = made.unwrap_or(Err(MergeFault::Stopped));
            Done::Merged(job, want, made)
        });
    }

    /// Tells what became of a merge.
    pub(super) fn merged(&mut self, job: Job, want: Want, made: Result<(), MergeFault>) -> Event {
        let (object, id) = (want.describe(), want.digest);
        let site = self.state.name();
        let result = match made {
            Ok(()) => {
                tracing::info!(%site, object, "merged from what was held");
                self.note(want);
                Ok(())
            }
            Err(fault) => {
                let reason = fault.to_string();
                if let MergeFault::Other(_) = fault {
                    self.remark(format!("{object}: {reason}: it is fetched instead"));
                } else {
                    tracing::warn!(%site, object, "not merged: {reason}");
                }
                let fault = if fault.is_disk() {
                    Fault::Disk
                } else {
                    Fault::Lying
                };
                Err(Unbrought { fault, reason })
            }
        };
        Event::Merged(job, id, result)
    }

    /// Counts a merged segment, and remembers that it is whole: with its blobs, if all that it is
    /// merged from belongs to the release in use.
    fn note(&mut self, want: Want) {
        let Kind::Segment(_, entry) = &want.kind else {
            return;
        };
        let mut progress = self.state.progress();
        let merged = &mut progress.merged;
        merged.segments = merged.segments.saturating_add(1);
        merged.bytes = merged.bytes.saturating_add(entry.bytes);
        drop(progress);
        let held = self.held();
        if entry.from.iter().all(|input| held.contains_key(&input.id)) {
            self.whole.insert(want.digest, want.kind);
        }
    }
}

/// Merges `want` out of what its entry names. Blocks.
fn merge(store: &Store, site: &SiteName, want: &Want) -> Result<(), MergeFault> {
    let Kind::Segment(collection, entry) = &want.kind else {
        return Err(MergeFault::Other(None));
    };
    let stack = inputs(store, site, collection, entry).map_err(MergeFault::Input)?;
    let builder = store.build(site.clone(), collection.clone())?;
    let Some((staged, made)) = stack.merge(builder, entry.bottom)? else {
        return Err(MergeFault::Other(None));
    };
    if made.id != entry.id {
        return Err(MergeFault::Other(Some(made.id)));
    }
    Ok(staged.persist_segment(entry, site, collection)?)
}

fn inputs(
    store: &Store,
    site: &SiteName,
    collection: &CollectionName,
    entry: &SegmentEntry,
) -> Result<Stack, StoreError> {
    // Each node is read once: nothing is worth keeping.
    let cache = NodeCache::new(0);
    let open = |input: &_| store.segment(&SegmentEntry::from(*input), site, collection, &cache);
    let segments = entry.from.iter().map(open);
    Ok(Stack::new(segments.collect::<Result<_, _>>()?))
}
