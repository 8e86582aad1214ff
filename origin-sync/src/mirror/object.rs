//! What a release needs on every mirror.

use std::collections::BTreeMap;

use snapshot::manifest::SegmentEntry;
use snapshot::segment::SegmentError;
use snapshot::{CollectionName, Digest, Manifest, Stack, Value};

/// One object, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub digest: Digest,
    /// What it is.
    pub kind: Kind,
}

/// What an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A manifest, component or blob: the bytes themselves.
    Raw,
    /// A segment of that collection: compressed at rest.
    Segment(CollectionName, Box<SegmentEntry>),
}

impl Object {
    /// A manifest, component or blob.
    #[must_use]
    pub const fn raw(digest: Digest) -> Self {
        Self {
            digest,
            kind: Kind::Raw,
        }
    }

    /// A segment.
    #[must_use]
    pub fn segment(collection: &CollectionName, entry: &SegmentEntry) -> Self {
        Self {
            digest: entry.id,
            kind: Kind::Segment(collection.clone(), Box::new(entry.clone())),
        }
    }
}

/// Every object that a release of `manifest` needs, the manifest itself last. Reads every record,
/// to find the blobs. Blocks.
///
/// # Errors
/// A segment that cannot be read.
pub fn of_manifest(
    digest: Digest,
    manifest: &Manifest,
    stacks: &BTreeMap<CollectionName, Stack>,
) -> Result<Vec<Object>, SegmentError> {
    let mut objects = BTreeMap::new();
    for collection in &manifest.collections {
        for entry in &collection.segments {
            objects.insert(entry.id, Object::segment(&collection.name, entry));
        }
        let stack = stacks.get(&collection.name);
        for record in stack.into_iter().flat_map(|stack| stack.iter(..)) {
            if let (_, Value::Blob(blob)) = record? {
                objects.insert(blob.digest, Object::raw(blob.digest));
            }
        }
    }
    for component in &manifest.components {
        objects.insert(component.digest, Object::raw(component.digest));
    }
    let mut objects: Vec<Object> = objects.into_values().collect();
    objects.push(Object::raw(digest));
    Ok(objects)
}
