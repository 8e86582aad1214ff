//! What a release still needs before it can be opened.

use std::collections::BTreeMap;

use snapshot::manifest::SegmentEntry;
use snapshot::{
    BlobRef, CollectionName, Digest, Entry, Manifest, NodeCache, Release, SiteName, Store, limits,
};

use super::{ManifestFault, check_manifest, read_manifest};

/// How much of a blob is read at once when all of it is, bytes.
const WINDOW_BYTES: usize = 1 << 20;

/// An object that is lacking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Its name.
    pub digest: Digest,
    /// What it is, so that it can be bounded and verified.
    pub kind: Kind,
}

/// What an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A manifest of that many bytes.
    Manifest(u64),
    /// A component of that many bytes.
    Component(u64),
    /// A blob of that many bytes.
    Blob(u64),
    /// A segment of that collection.
    Segment(CollectionName, Box<SegmentEntry>),
}

impl Want {
    /// The object in words: its kind and its name.
    #[must_use]
    pub fn describe(&self) -> String {
        let kind = match &self.kind {
            Kind::Manifest(_) => "manifest",
            Kind::Component(_) => "component",
            Kind::Blob(_) => "blob",
            Kind::Segment(..) => "segment",
        };
        format!("{kind} {}", self.digest)
    }
}

/// What `release` needs next: its manifest; else segments and components; else blobs; else
/// nothing. Segments in `known` are taken as complete with their blobs: a release that is in use
/// holds them. One of which this manifest says anything else is read like a stranger. Blocking.
///
/// # Errors
/// The manifest can never be used.
pub fn lacking(
    store: &Store,
    release: &Release,
    known: &BTreeMap<Digest, Kind>,
) -> Result<Vec<Want>, ManifestFault> {
    let manifest = match read_manifest(store, release) {
        Ok(manifest) => manifest,
        // Absent, or damaged on this disk: fetching it repairs it.
        Err(ManifestFault::Unreadable { digest, .. }) => {
            let kind = Kind::Manifest(release.manifest_bytes);
            return Ok(vec![Want { digest, kind }]);
        }
        Err(fault) => return Err(fault),
    };
    check_manifest(&manifest, &release.site)?;
    let mut wants = BTreeMap::new();
    components(store, &manifest, &mut wants);
    let mut blobs = BTreeMap::new();
    segments(store, &manifest, known, &mut wants, &mut blobs);
    if wants.is_empty() {
        wants = blobs;
    }
    Ok(wants
        .into_iter()
        .map(|(digest, kind)| Want { digest, kind })
        .collect())
}

/// Whether a segment or blob that was found damaged lies whole on this disk after all: the file was
/// repaired meanwhile, or only its reading failed. Reads all of it. Blocking.
#[must_use]
pub fn is_whole(store: &Store, site: &SiteName, want: &Want) -> bool {
    match &want.kind {
        Kind::Segment(collection, entry) => {
            let cache = NodeCache::new(0);
            let opened = store.segment(entry, site, collection, &cache);
            opened.is_ok_and(|segment| segment.verify().is_ok())
        }
        Kind::Blob(bytes) => {
            let (digest, bytes) = (want.digest, *bytes);
            let opened = store.blob(&BlobRef { digest, bytes });
            let windows = (0..bytes).step_by(WINDOW_BYTES);
            let end = |at: u64| bytes.min(at.saturating_add(WINDOW_BYTES as u64));
            opened.is_ok_and(|blob| windows.map(|at| blob.read(at..end(at))).all(|w| w.is_ok()))
        }
        // These are hashed whole whenever a release is opened.
        Kind::Manifest(_) | Kind::Component(_) => store.contains(&want.digest),
    }
}

fn components(store: &Store, manifest: &Manifest, wants: &mut BTreeMap<Digest, Kind>) {
    for component in &manifest.components {
        if store
            .read(&component.digest, limits::COMPONENT_BYTES)
            .is_err()
        {
            wants.insert(component.digest, Kind::Component(component.bytes));
        }
    }
}

fn segments(
    store: &Store,
    manifest: &Manifest,
    known: &BTreeMap<Digest, Kind>,
    wants: &mut BTreeMap<Digest, Kind>,
    blobs: &mut BTreeMap<Digest, Kind>,
) {
    // Each node is read once: nothing is worth keeping.
    let cache = NodeCache::new(0);
    for collection in &manifest.collections {
        for entry in &collection.segments {
            let kind = Kind::Segment(collection.name.clone(), Box::new(entry.clone()));
            if known.get(&entry.id) == Some(&kind) {
                continue;
            }
            let whole = store
                .segment(entry, &manifest.site, &collection.name, &cache)
                .and_then(|segment| {
                    for item in segment.iter(..) {
                        if let (_, Entry::Blob(blob)) = item? {
                            want_blob(store, &blob, blobs);
                        }
                    }
                    Ok(())
                });
            if whole.is_err() {
                wants.insert(entry.id, kind);
            }
        }
    }
}

fn want_blob(store: &Store, blob: &BlobRef, blobs: &mut BTreeMap<Digest, Kind>) {
    if store.blob(blob).is_err() {
        blobs.insert(blob.digest, Kind::Blob(blob.bytes));
    }
}
