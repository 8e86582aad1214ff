//! What lies on a mirror, how old it is by the mirror's own clock, and taking it away.
//!
//! Only names that are ours are told apart: whatever else lies there is foreign, and stays.

use edge::sync::layout::Place;
use edge::sync::{Mirror, MirrorError};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use snapshot::{Digest, Sequence, SiteName, Timestamp};

/// A file whose only worth is when it was written.
const CLOCK: &str = "clock-probe";

/// Something listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// An object, with its bytes at rest and when it was written.
    Object(Digest, u64, Timestamp),
    /// A name that is none of ours.
    Foreign(String),
}

/// The time by the clock that dates what lies there. Ours may be another.
///
/// # Errors
/// The mirror failed, or can only be read.
pub async fn time(mirror: &Mirror, site: &SiteName) -> Result<Timestamp, MirrorError> {
    let place = Place::other(site, CLOCK);
    mirror.put(&place, CLOCK.as_bytes().to_vec()).await?;
    Ok(modified(mirror, &place).await?.unwrap_or_default())
}

/// When what lies at `place` was written; `None` if nothing does.
///
/// # Errors
/// The mirror failed.
pub async fn modified(mirror: &Mirror, place: &Place) -> Result<Option<Timestamp>, MirrorError> {
    let (store, path) = mirror.store(place);
    match within(mirror, place, store.head(&path)).await? {
        Ok(about) => Ok(Some(written(&about))),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(mirror.failed(place, error)),
    }
}

/// Takes away what lies at `place`; nothing there is fine.
///
/// # Errors
/// The mirror failed.
pub async fn remove(mirror: &Mirror, place: &Place) -> Result<(), MirrorError> {
    mirror.present().await?;
    let (store, path) = mirror.store(place);
    match within(mirror, place, store.delete(&path)).await? {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(mirror.failed(place, error)),
    }
}

/// The numbers under which releases lie there, each with when it was written, and foreign names.
///
/// # Errors
/// The mirror failed.
pub async fn releases(
    mirror: &Mirror,
    site: &SiteName,
) -> Result<(Vec<(Sequence, Timestamp)>, Vec<String>), MirrorError> {
    mirror.present().await?;
    let place = Place::releases(site);
    let (store, path) = mirror.store(&place);
    let listed = within(mirror, &place, store.list_with_delimiter(Some(&path))).await?;
    let listed = listed.map_err(|error| mirror.failed(&place, error))?;
    let (mut releases, mut foreign) = (Vec::new(), Vec::new());
    for about in &listed.objects {
        let name = about.location.filename().unwrap_or_default();
        match name.parse().map(Sequence) {
            // One number, one name.
            Ok(sequence) if sequence.to_string() == name => {
                releases.push((sequence, written(about)));
            }
            _ => foreign.push(format!("{place}/{name}")),
        }
    }
    Ok((releases, foreign))
}

/// Everything under `objects/`, piece by piece.
#[must_use]
pub fn objects<'a>(
    mirror: &'a Mirror,
    site: &'a SiteName,
) -> BoxStream<'a, Result<Listed, MirrorError>> {
    let place = Place::objects(site);
    let (store, path) = mirror.store(&place);
    let listed = store.list(Some(&path));
    let state = (listed, place, false);
    futures::stream::unfold(state, move |(mut listed, place, ended)| async move {
        if ended {
            return None;
        }
        let next = within(mirror, &place, listed.next()).await;
        let item = match next {
            Ok(None) => return None,
            Ok(Some(Ok(about))) => Ok(read(mirror, site, &about)),
            Ok(Some(Err(error))) => Err(mirror.failed(&place, error)),
            Err(slow) => Err(slow),
        };
        let ended = item.is_err();
        Some((item, (listed, place, ended)))
    })
    .boxed()
}

fn read(mirror: &Mirror, site: &SiteName, about: &ObjectMeta) -> Listed {
    let digest = about.location.filename().and_then(|name| name.parse().ok());
    // The very place where an object of that name lies, and no other that ends alike.
    let ours =
        digest.filter(|digest| mirror.store(&Place::object(site, digest)).1 == about.location);
    match ours {
        Some(digest) => Listed::Object(digest, about.size, written(about)),
        None => Listed::Foreign(about.location.to_string()),
    }
}

fn written(about: &ObjectMeta) -> Timestamp {
    Timestamp(u64::try_from(about.last_modified.timestamp_millis()).unwrap_or(0))
}

/// Small things on a mirror are given up after a while.
pub(super) async fn within<T>(
    mirror: &Mirror,
    place: &Place,
    work: impl Future<Output = T>,
) -> Result<T, MirrorError> {
    let limit = mirror.patience().small;
    let done = tokio::time::timeout(limit, work).await;
    done.map_err(|_| mirror.slow(place, limit))
}
