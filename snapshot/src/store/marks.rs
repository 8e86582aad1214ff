//! What a set of releases names: what a sweep leaves alone.
//!
//! Of each name eight bytes are kept, so that ten million take some 150 MB and no more. Two names
//! that share them are both left alone: a mark too many keeps an object, and never loses one.
//!
//! A release names its manifest, its components, the segments of its stacks and the blobs of these.
//! It does not name what a segment was merged from: an edge that finds the inputs gone fetches the
//! result.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{Store, StoreError};
use crate::{Digest, Manifest};

/// Names of objects, as a set that may hold more than was put into it.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    names: HashSet<u64>,
    /// Segments whose blobs are marked too.
    segments: HashSet<u64>,
    stop: Arc<AtomicBool>,
}

impl Marks {
    /// No marks yet; once `stop` is set there are no more.
    #[must_use]
    pub fn until(stop: Arc<AtomicBool>) -> Self {
        Self {
            stop,
            ..Self::default()
        }
    }

    /// Marks one object.
    pub fn add(&mut self, name: &Digest) {
        self.names.insert(name.front());
    }

    /// Whether an object is marked.
    #[must_use]
    pub fn has(&self, name: &Digest) -> bool {
        self.names.contains(&name.front())
    }

    /// How many names are marked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Marks all that a release of `manifest` names; its segments are in `store`. Each segment is
    /// read once in its life: what it names is kept beside it. Blocks.
    ///
    /// # Errors
    /// A segment that is absent or damaged, or it was stopped.
    pub fn release(
        &mut self,
        store: &Store,
        name: &Digest,
        manifest: &Manifest,
    ) -> Result<(), StoreError> {
        self.add(name);
        for component in &manifest.components {
            self.add(&component.digest);
        }
        for collection in &manifest.collections {
            for entry in &collection.segments {
                if self.segments.contains(&entry.id.front()) {
                    continue;
                }
                let (site, name) = (&manifest.site, &collection.name);
                for blob in store.blobs(entry, site, name, &self.stop)? {
                    self.add(&blob);
                }
                self.add(&entry.id);
                self.segments.insert(entry.id.front());
            }
        }
        Ok(())
    }
}
