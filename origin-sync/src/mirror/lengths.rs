//! How long objects are at rest, and how they end, without reading them.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use edge::sync::layout::Place;
use edge::sync::{Mirror, MirrorError};
use futures::StreamExt;
use object_store::ObjectStoreExt;
use snapshot::{Digest, SiteName};

use super::Mirrors;
use super::listing::{self, Listed};

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
    let mut listed = listing::objects(mirror, site);
    let mut found = BTreeMap::new();
    while let Some(next) = listed.next().await {
        if let Listed::Object(digest, bytes, _) = next? {
            found.insert(digest, bytes);
        }
    }
    Ok(found)
}
