//! How long objects are at rest, and how they end, without reading them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use edge::sync::layout::Place;
use edge::sync::{Mirror, MirrorError};
use futures::StreamExt;
use object_store::{ObjectStore, ObjectStoreExt};
use snapshot::{Digest, SiteName};

use super::Mirrors;

/// How long a mirror may be silent while it lists what it holds.
const LISTING_STALL: Duration = Duration::from_secs(60);

/// An object's length on `mirror`, bytes; `None` if it is not there.
///
/// # Errors
/// Out of reach or slow.
pub async fn length(
    mirror: &Mirror,
    site: &SiteName,
    digest: &Digest,
) -> Result<Option<u64>, MirrorError> {
    let place = Place::object(site, digest);
    let (store, path) = mirror.store(&place);
    let limit = mirror.patience().small;
    match tokio::time::timeout(limit, store.head(&path)).await {
        Ok(Ok(meta)) => Ok(Some(meta.size)),
        Ok(Err(object_store::Error::NotFound { .. })) => {
            mirror.present().await?;
            Ok(None)
        }
        Ok(Err(error)) => Err(mirror.failed(&place, error)),
        Err(_) => Err(mirror.slow(&place, limit)),
    }
}

/// Some bytes of an object.
///
/// # Errors
/// Out of reach, slow or shorter.
pub async fn part(
    mirror: &Mirror,
    site: &SiteName,
    digest: &Digest,
    range: Range<u64>,
) -> Result<Bytes, MirrorError> {
    let place = Place::object(site, digest);
    let (store, path) = mirror.store(&place);
    let limit = mirror.patience().small;
    let part = tokio::time::timeout(limit, store.get_range(&path, range)).await;
    part.map_err(|_| mirror.slow(&place, limit))?
        .map_err(|error| mirror.failed(&place, error))
}

/// An object's length on the first mirror that has it, bytes.
pub async fn length_anywhere(mirrors: &Mirrors, digest: &Digest) -> Option<u64> {
    for mirror in mirrors.all() {
        if let Ok(Some(length)) = length(mirror, &mirrors.site, digest).await {
            return Some(length);
        }
    }
    None
}

/// Every object that `mirror` lists, with its length, bytes.
///
/// # Errors
/// Out of reach or slow; a mirror that is read over HTTP lists nothing.
pub async fn lengths(
    mirror: &Mirror,
    site: &SiteName,
) -> Result<BTreeMap<Digest, u64>, MirrorError> {
    mirror.present().await?;
    let place = Place::objects(site);
    let (store, path) = mirror.store(&place);
    let mut listing = store.list(Some(&path));
    let mut found = BTreeMap::new();
    loop {
        let next = tokio::time::timeout(LISTING_STALL, listing.next()).await;
        let Some(meta) = next.map_err(|_| mirror.slow(&place, LISTING_STALL))? else {
            return Ok(found);
        };
        let meta = meta.map_err(|error| mirror.failed(&place, error))?;
        // What has no object's name is nothing of ours.
        let digest = meta.location.filename().and_then(|name| name.parse().ok());
        if let Some(digest) = digest {
            found.insert(digest, meta.size);
        }
    }
}
