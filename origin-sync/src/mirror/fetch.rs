//! Objects from mirrors into the publisher's own copy, verified on their way in.

use std::io::{BufReader, Write};
use std::sync::Arc;

use edge::sync::layout::Place;
use edge::sync::{Mirror, MirrorError};
use futures::StreamExt;
use snapshot::at_rest;
use snapshot::manifest::{Component, SegmentEntry};
use snapshot::{
    BlobRef, CodecError, CollectionName, Digest, Manifest, Release, SiteName, Store, decode, limits,
};

use super::Mirrors;

/// An object that no mirror could give.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Each mirror was asked.
    #[error("{what}: no mirror has it whole:{}", list(tried))]
    Nowhere {
        /// The object.
        what: String,
        /// What each mirror said.
        tried: Vec<String>,
    },
    /// A manifest that is signed, whole, and not readable.
    #[error("manifest {digest}: {source}")]
    Manifest {
        /// The manifest.
        digest: Digest,
        /// What is wrong with it.
        source: CodecError,
    },
    /// A manifest of another format version.
    #[error(
        "manifest {digest} has version {got}: this program reads version {}",
        Manifest::VERSION
    )]
    Version {
        /// The manifest.
        digest: Digest,
        /// The version found.
        got: u16,
    },
    /// The publisher's own copy cannot be written.
    #[error("the publisher's own copy: {0}")]
    Own(String),
}

impl FetchError {
    /// Whether it is about the publisher's own disk alone.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }
}

fn list(tried: &[String]) -> String {
    tried.iter().map(|line| format!("\n  {line}")).collect()
}

/// The manifest that `release` names.
///
/// # Errors
/// See [`FetchError`].
pub async fn manifest(
    mirrors: &Mirrors,
    store: &Arc<Store>,
    release: &Release,
) -> Result<Manifest, FetchError> {
    manifest_of(mirrors, store, release.manifest, release.manifest_bytes).await
}

/// The manifest of that name, of at most `bytes`.
///
/// # Errors
/// See [`FetchError`].
pub async fn manifest_of(
    mirrors: &Mirrors,
    store: &Arc<Store>,
    digest: Digest,
    bytes: u64,
) -> Result<Manifest, FetchError> {
    let what = format!("manifest {digest}");
    let limit = usize::try_from(bytes)
        .unwrap_or(usize::MAX)
        .min(limits::MANIFEST_BYTES);
    raw(mirrors, store, digest, &what, limit as u64).await?;
    let from = Arc::clone(store);
    let bytes = blocking(move || from.read(&digest, limit)).await?;
    let manifest: Manifest = decode(&bytes, limits::MANIFEST_BYTES)
        .map_err(|source| FetchError::Manifest { digest, source })?;
    if manifest.version != Manifest::VERSION {
        return Err(FetchError::Version {
            digest,
            got: manifest.version,
        });
    }
    Ok(manifest)
}

/// Brings every segment and component of `manifest` into `store`.
///
/// # Errors
/// See [`FetchError`].
pub async fn bring(
    mirrors: &Mirrors,
    store: &Arc<Store>,
    manifest: &Manifest,
) -> Result<(), FetchError> {
    bring_stacks(mirrors, store, manifest).await?;
    for component in &manifest.components {
        bring_component(mirrors, store, component).await?;
    }
    Ok(())
}

/// Brings one component into `store`.
///
/// # Errors
/// See [`FetchError`].
pub async fn bring_component(
    mirrors: &Mirrors,
    store: &Arc<Store>,
    component: &Component,
) -> Result<(), FetchError> {
    let what = format!("component {} ({})", component.name, component.digest);
    raw(mirrors, store, component.digest, &what, component.bytes).await
}

/// Brings every segment of `manifest` into `store`.
///
/// # Errors
/// See [`FetchError`].
pub async fn bring_stacks(
    mirrors: &Mirrors,
    store: &Arc<Store>,
    manifest: &Manifest,
) -> Result<(), FetchError> {
    for collection in &manifest.collections {
        bring_segments(mirrors, store, &collection.name, &collection.segments).await?;
    }
    Ok(())
}

/// Brings these segments of `collection` into `store`.
///
/// # Errors
/// See [`FetchError`].
pub async fn bring_segments(
    mirrors: &Mirrors,
    store: &Arc<Store>,
    collection: &CollectionName,
    entries: &[SegmentEntry],
) -> Result<(), FetchError> {
    for entry in entries {
        segment(mirrors, store, collection, entry).await?;
    }
    Ok(())
}

/// Brings one blob into `store`.
///
/// # Errors
/// See [`FetchError`].
pub async fn bring_blob(
    mirrors: &Mirrors,
    store: &Arc<Store>,
    blob: &BlobRef,
) -> Result<(), FetchError> {
    let what = format!("blob {}", blob.digest);
    raw(
        mirrors,
        store,
        blob.digest,
        &what,
        blob.bytes.min(limits::BLOB_BYTES),
    )
    .await
}

async fn raw(
    mirrors: &Mirrors,
    store: &Arc<Store>,
    digest: Digest,
    what: &str,
    bytes: u64,
) -> Result<(), FetchError> {
    let own = Arc::clone(store);
    if blocking(move || Ok::<_, std::io::Error>(own.contains(&digest))).await? {
        return Ok(());
    }
    from_any(mirrors, what, async |mirror| {
        let staged = download(mirror, &mirrors.site, store, &digest, bytes).await?;
        let store = Arc::clone(store);
        let keep = move || -> Result<(), String> {
            let mut input = staged;
            let mut out = store.stage().map_err(|e| e.to_string())?;
            std::io::copy(&mut input, &mut out).map_err(|e| e.to_string())?;
            out.persist(&digest).map_err(|e| e.to_string())
        };
        tokio::task::spawn_blocking(keep)
            .await
            .map_err(|e| e.to_string())?
    })
    .await
}

async fn segment(
    mirrors: &Mirrors,
    store: &Arc<Store>,
    collection: &CollectionName,
    entry: &SegmentEntry,
) -> Result<(), FetchError> {
    let own = Arc::clone(store);
    let id = entry.id;
    if blocking(move || Ok::<_, std::io::Error>(own.contains(&id))).await? {
        return Ok(());
    }
    let what = format!("segment {id} of collection {collection}");
    let most = at_rest::limit(entry.bytes);
    from_any(mirrors, &what, async |mirror| {
        let input = download(mirror, &mirrors.site, store, &id, most).await?;
        let (store, entry) = (Arc::clone(store), entry.clone());
        let (site, collection) = (mirrors.site.clone(), collection.clone());
        let keep = move || -> Result<(), String> {
            let mut out = store.stage().map_err(|e| e.to_string())?;
            at_rest::expand(&mut BufReader::new(input), &entry, &mut out)
                .map_err(|e| e.to_string())?;
            out.flush().map_err(|e| e.to_string())?;
            out.persist_segment(&entry, &site, &collection)
                .map_err(|e| e.to_string())
        };
        tokio::task::spawn_blocking(keep)
            .await
            .map_err(|e| e.to_string())?
    })
    .await
}

async fn from_any(
    mirrors: &Mirrors,
    what: &str,
    get: impl AsyncFn(&Mirror) -> Result<(), String>,
) -> Result<(), FetchError> {
    let mut tried = Vec::new();
    for mirror in mirrors.all() {
        match get(mirror).await {
            Ok(()) => return Ok(()),
            Err(error) => tried.push(format!("{}: {error}", mirror.url())),
        }
    }
    Err(FetchError::Nowhere {
        what: what.to_owned(),
        tried,
    })
}

/// The object's bytes at rest in a nameless file, at its start; nothing about them is verified. The
/// file lies where the object goes: elsewhere there may be no room.
///
/// # Errors
/// In words: the mirror does not give them, or they are more than `limit`.
pub async fn download(
    mirror: &Mirror,
    site: &SiteName,
    store: &Store,
    digest: &Digest,
    limit: u64,
) -> Result<std::fs::File, String> {
    let place = Place::object(site, digest);
    let stream = mirror.stream(&place, limit).await;
    let mut chunks = stream
        .map_err(|error| error.to_string())?
        .ok_or_else(|| "is not there".to_owned())?;
    let mut file =
        tokio::fs::File::from_std(tempfile::tempfile_in(store.root()).map_err(|e| e.to_string())?);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error: MirrorError| error.to_string())?;
        tokio::io::AsyncWriteExt::write_all(&mut file, &chunk)
            .await
            .map_err(|e| e.to_string())?;
    }
    tokio::io::AsyncWriteExt::flush(&mut file)
        .await
        .map_err(|e| e.to_string())?;
    tokio::io::AsyncSeekExt::rewind(&mut file)
        .await
        .map_err(|e| e.to_string())?;
    Ok(file.into_std().await)
}

async fn blocking<T: Send + 'static, E: std::fmt::Display + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, FetchError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| FetchError::Own(error.to_string()))?
        .map_err(|error| FetchError::Own(error.to_string()))
}
