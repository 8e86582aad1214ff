//! All that a release needs, blobs included, into the publisher's own copy; and what is nowhere.

use std::sync::Arc;

use futures::StreamExt;
use snapshot::manifest::Collection;
use snapshot::segment::NodeCache;
use snapshot::{Manifest, Store, Value};

use super::Mirrors;
use super::fetch::{FetchError, bring_blob, bring_component, bring_segments};
use crate::build;

/// Objects on their way at once.
const AT_ONCE: usize = 8;
/// Most objects that are told to be nowhere.
const TOLD: usize = 20;
/// Memory for verified inner nodes while blobs are looked for, bytes.
const CACHE_BYTES: u64 = 16 << 20;

/// Brings everything that `manifest` names into `store`, from whichever mirror has it; what is there
/// already stays.
///
/// # Errors
/// What no mirror can give, the first of it.
pub async fn bring_whole(
    mirrors: &Mirrors,
    store: &Arc<Store>,
    manifest: &Manifest,
) -> Result<(), Vec<FetchError>> {
    let mut lacking = Vec::new();
    for component in &manifest.components {
        lacking.extend(bring_component(mirrors, store, component).await.err());
    }
    for collection in &manifest.collections {
        let before = lacking.len();
        for segment in &collection.segments {
            let segment = std::slice::from_ref(segment);
            let brought = bring_segments(mirrors, store, &collection.name, segment);
            lacking.extend(brought.await.err());
        }
        if lacking.len() == before {
            let brought = bring_blobs(mirrors, store, collection).await;
            lacking.extend(brought.err().into_iter().flatten());
        }
        if lacking.len() >= TOLD {
            break;
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    lacking.truncate(TOLD);
    Err(lacking)
}

/// Brings every blob that the segments of `collection` name into `store`, which holds these.
///
/// # Errors
/// What no mirror can give, the first of it.
pub async fn bring_blobs(
    mirrors: &Mirrors,
    store: &Arc<Store>,
    collection: &Collection,
) -> Result<(), Vec<FetchError>> {
    let (own, site, declared) = (Arc::clone(store), mirrors.site.clone(), collection.clone());
    let work = tokio::task::spawn_blocking(move || {
        let cache = NodeCache::new(CACHE_BYTES);
        let stack = build::open(&own, &cache, &site, &declared.name, &declared.segments)?;
        let mut blobs = Vec::new();
        for record in stack.iter(..) {
            if let (_, Value::Blob(blob)) = record? {
                blobs.push(blob);
            }
        }
        blobs.sort_unstable();
        blobs.dedup();
        Ok::<_, build::BuildError>(blobs)
    });
    let own = |why: String| vec![FetchError::Own(why)];
    let blobs = work.await.map_err(|error| own(error.to_string()))?;
    let blobs = blobs.map_err(|error| own(error.to_string()))?;
    let brought = blobs
        .into_iter()
        .map(|blob| async move { bring_blob(mirrors, store, &blob).await.err() });
    let mut brought = futures::stream::iter(brought).buffered(AT_ONCE);
    let mut lacking = Vec::new();
    while let Some(failed) = brought.next().await {
        lacking.extend(failed);
        if lacking.len() >= TOLD {
            break;
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    Err(lacking)
}
