//! What a release still needs before it can be opened.

use std::collections::{BTreeMap, BTreeSet};

use snapshot::manifest::SegmentEntry;
use snapshot::{
    BlobRef, CollectionName, Digest, Entry, Manifest, NodeCache, Release, SiteName, Store, limits,
};

use super::{ManifestFault, check_manifest, held_whole, read_manifest};

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
    /// A segment of that collection.
    #[must_use]
    pub fn segment(collection: &CollectionName, entry: SegmentEntry) -> Self {
        Self {
            digest: entry.id,
            kind: Kind::Segment(collection.clone(), Box::new(entry)),
        }
    }

    /// How many bytes it has on this disk, as is claimed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match &self.kind {
            Kind::Manifest(bytes) | Kind::Component(bytes) | Kind::Blob(bytes) => *bytes,
            Kind::Segment(_, entry) => entry.bytes,
        }
    }

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

/// What a release lacks next, and how it comes here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// Objects that the release names, to be fetched.
    pub objects: Vec<Want>,
    /// Segments to be fetched because others are merged from them. If they cannot be, the others can.
    pub inputs: Vec<Want>,
    /// Segments to be merged from what is held, as the manifest says.
    pub merges: Vec<Want>,
}

impl Lacking {
    fn of_objects(objects: BTreeMap<Digest, Kind>) -> Self {
        let wants = objects.into_iter();
        Self {
            objects: wants.map(|(digest, kind)| Want { digest, kind }).collect(),
            ..Self::default()
        }
    }

    /// Whether the release has all that it needs.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.objects.is_empty() && self.inputs.is_empty() && self.merges.is_empty()
    }
}

/// What `release` needs next: its manifest; else segments and components; else blobs; else
/// nothing. Segments in `known` are taken as complete with their blobs: a release that is in use
/// holds them. One of which this manifest says anything else is read like a stranger. A merged
/// segment is not fetched if what it is merged from is here, or what is lacking of that is together
/// smaller; but for those in `barred`, and those merged from such. Of the collections in `lazy` nothing
/// is needed. Blocking.
///
/// # Errors
/// The manifest can never be used.
pub fn lacking(
    store: &Store,
    release: &Release,
    known: &BTreeMap<Digest, Kind>,
    barred: &BTreeSet<Digest>,
    lazy: &BTreeSet<CollectionName>,
) -> Result<Lacking, ManifestFault> {
    let manifest = match read_manifest(store, release) {
        Ok(manifest) => manifest,
        // Absent, or damaged on this disk: fetching it repairs it.
        Err(ManifestFault::Unreadable { digest, .. }) => {
            let kind = Kind::Manifest(release.manifest_bytes);
            return Ok(Lacking::of_objects(BTreeMap::from([(digest, kind)])));
        }
        Err(fault) => return Err(fault),
    };
    check_manifest(&manifest, &release.site)?;
    let manifest = held_whole(manifest, lazy);
    let mut wants = BTreeMap::new();
    components(store, &manifest, &mut wants);
    let (mut segments, mut blobs) = (Vec::new(), BTreeMap::new());
    for collection in &manifest.collections {
        for entry in &collection.segments {
            let want = Want::segment(&collection.name, entry.clone());
            if known.get(&want.digest) != Some(&want.kind)
                && !scan(store, &manifest.site, &collection.name, entry, &mut blobs)
            {
                segments.push((&collection.name, entry));
            }
        }
    }
    if wants.is_empty() && segments.is_empty() {
        return Ok(Lacking::of_objects(blobs));
    }
    let mut lacking = Lacking::of_objects(wants);
    for (collection, entry) in segments {
        let held = |input: &SegmentEntry| {
            let opened = store.segment(input, &manifest.site, collection, &NodeCache::new(0));
            known.contains_key(&input.id) || opened.is_ok()
        };
        match way(entry, held, barred) {
            Way::Merge => lacking
                .merges
                .push(Want::segment(collection, entry.clone())),
            Way::Inputs(inputs) => {
                let inputs = inputs.into_iter();
                let wants = inputs.map(|input| Want::segment(collection, input));
                lacking.inputs.extend(wants);
            }
            Way::Fetch => lacking
                .objects
                .push(Want::segment(collection, entry.clone())),
        }
    }
    Ok(lacking)
}

/// How a segment comes here.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    Fetch,
    /// By merging, once these are fetched.
    Inputs(Vec<SegmentEntry>),
    Merge,
}

fn way(
    entry: &SegmentEntry,
    held: impl Fn(&SegmentEntry) -> bool,
    barred: &BTreeSet<Digest>,
) -> Way {
    let from = entry.from.iter();
    let inputs: Vec<SegmentEntry> = from.map(|input| (*input).into()).collect();
    let is_barred =
        |id| barred.contains(id) || inputs.iter().any(|input| barred.contains(&input.id));
    if inputs.is_empty() || is_barred(&entry.id) {
        return Way::Fetch;
    }
    let missing: Vec<SegmentEntry> = inputs.into_iter().filter(|input| !held(input)).collect();
    let bytes = missing.iter().map(|input| input.bytes);
    if missing.is_empty() {
        Way::Merge
    } else if bytes.fold(0, u64::saturating_add) < entry.bytes {
        Way::Inputs(missing)
    } else {
        Way::Fetch
    }
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

/// Reads a segment for its blobs and notes those that are not here; false if it is not here itself.
fn scan(
    store: &Store,
    site: &SiteName,
    collection: &CollectionName,
    entry: &SegmentEntry,
    blobs: &mut BTreeMap<Digest, Kind>,
) -> bool {
    // Each node is read once: nothing is worth keeping.
    let opened = store.segment(entry, site, collection, &NodeCache::new(0));
    let scanned = opened.and_then(|segment| {
        for item in segment.iter(..) {
            if let (_, Entry::Blob(blob)) = item? {
                want_blob(store, &blob, blobs);
            }
        }
        Ok(())
    });
    scanned.is_ok()
}

fn want_blob(store: &Store, blob: &BlobRef, blobs: &mut BTreeMap<Digest, Kind>) {
    if store.blob(blob).is_err() {
        blobs.insert(blob.digest, Kind::Blob(blob.bytes));
    }
}

#[cfg(test)]
mod tests {
    use snapshot::manifest::Input;

    use super::*;

    fn input(n: u8, bytes: u64) -> Input {
        Input {
            id: Digest::of(&[n]),
            bytes,
            root_at: 0,
            records: 1,
        }
    }

    /// A segment of 100 bytes, merged from three.
    fn merged() -> SegmentEntry {
        SegmentEntry {
            from: vec![input(1, 40), input(2, 40), input(3, 70)],
            ..input(0, 100).into()
        }
    }

    #[test]
    fn a_merged_segment_is_made_here_if_that_is_cheaper() {
        let none = BTreeSet::new();
        let holding = |held: &[u8]| {
            let held: Vec<Digest> = held.iter().map(|n| Digest::of(&[*n])).collect();
            way(&merged(), |input| held.contains(&input.id), &none)
        };
        assert_eq!(holding(&[1, 2, 3]), Way::Merge);
        assert_eq!(
            holding(&[3]),
            Way::Inputs(vec![input(1, 40).into(), input(2, 40).into()])
        );
        assert_eq!(holding(&[1]), Way::Fetch);
        assert_eq!(holding(&[]), Way::Fetch);
        // As small as the result is not smaller.
        let even = SegmentEntry {
            from: vec![input(1, 100)],
            ..merged()
        };
        assert_eq!(way(&even, |_| false, &none), Way::Fetch);
        let plain = SegmentEntry {
            from: Vec::new(),
            ..merged()
        };
        assert_eq!(way(&plain, |_| true, &none), Way::Fetch);
    }

    #[test]
    fn what_could_not_be_made_or_had_is_fetched_as_it_is() {
        for barred in [0, 3] {
            let barred = BTreeSet::from([Digest::of(&[barred])]);
            assert_eq!(way(&merged(), |_| true, &barred), Way::Fetch);
        }
    }
}
