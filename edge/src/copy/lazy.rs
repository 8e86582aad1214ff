//! Collections that are not held whole: what of them is read is fetched when it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use snapshot::manifest::SegmentEntry;
use snapshot::segment::Nodes;
use snapshot::{Blob, BlobRef, CollectionName, Manifest, StoreError};

/// Where what is not on this disk comes from.
pub trait Far: std::fmt::Debug + Send + Sync {
    /// The nodes of a segment.
    fn nodes(&self, entry: &SegmentEntry) -> Arc<dyn Nodes>;

    /// A blob, once it is here. Blocks.
    ///
    /// # Errors
    /// It cannot be had now.
    fn blob(&self, entry: &BlobRef) -> Result<Blob, StoreError>;

    /// Lets go of a blob that was not what its name says.
    fn drop_blob(&self, entry: &BlobRef);
}

/// Which collections are lazy, and where they come from.
#[derive(Clone, Debug, Default)]
pub struct Lazy {
    names: Arc<BTreeSet<CollectionName>>,
    far: Option<Arc<dyn Far>>,
}

impl Lazy {
    /// These collections, out of there.
    #[must_use]
    pub fn new(names: BTreeSet<CollectionName>, far: Arc<dyn Far>) -> Self {
        Self {
            names: Arc::new(names),
            far: Some(far),
        }
    }

    /// The collections.
    #[must_use]
    pub const fn names(&self) -> &Arc<BTreeSet<CollectionName>> {
        &self.names
    }

    /// Where `collection` comes from, if it is lazy.
    #[must_use]
    pub fn far(&self, collection: &CollectionName) -> Option<&Arc<dyn Far>> {
        self.far
            .as_ref()
            .filter(|_| self.names.contains(collection))
    }
}

/// What of `manifest` is held whole by who holds `lazy` lazily: the others with no segments.
#[must_use]
pub fn held_whole(mut manifest: Manifest, lazy: &BTreeSet<CollectionName>) -> Manifest {
    for collection in &mut manifest.collections {
        if lazy.contains(&collection.name) {
            collection.segments.clear();
        }
    }
    manifest
}
