//! What of one site may be given, and how it is read.
//!
//! An object is given because a retained release names it, never because it lies on this disk: what was
//! erased, refused or only begun stays here. Manifest, components and segments are found in manifests;
//! of blobs, of which there may be millions, eight bytes a name are kept while their segment is given.
//! What reads found damaged here is not given.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use snapshot::at_rest::Stored;
use snapshot::manifest::SegmentEntry;
use snapshot::{CollectionName, Digest, NodeCache, Sequence, SiteName, Store, StoreError};

use crate::log::Came;
use crate::sync::{Brought, GivenRelease, Pushes, SiteState, Verdict};

/// What stops the reading of a segment: nothing.
static NEVER: AtomicBool = AtomicBool::new(false);

/// One site, as other edges see it.
#[derive(Debug)]
pub struct Shelf {
    state: Arc<SiteState>,
    store: Arc<Store>,
    cache: NodeCache,
    pushes: Pushes,
    known: Mutex<Known>,
}

/// What was worked out for the segments of the releases that are given at the moment: a publish every
/// second leaves most of them as they are.
#[derive(Debug, Default)]
struct Known {
    releases: Vec<Digest>,
    stored: HashMap<Digest, Arc<Stored>>,
    /// The blobs that a segment names, sorted.
    blobs: HashMap<Digest, Arc<[u64]>>,
}

/// An object that may be given.
#[derive(Debug)]
pub(super) struct Object {
    file: File,
    bytes: u64,
    stored: Option<Arc<Stored>>,
}

impl Shelf {
    /// What `state` says may be given, out of `store`; orders are brought to `pushes`.
    #[must_use]
    pub fn new(state: Arc<SiteState>, store: Arc<Store>, cache: NodeCache, pushes: Pushes) -> Self {
        Self {
            state,
            store,
            cache,
            pushes,
            known: Mutex::default(),
        }
    }

    /// The site.
    #[must_use]
    pub fn site(&self) -> &SiteName {
        self.state.name()
    }

    /// The statement of the release in use, or of the one of that number.
    pub(super) fn release(&self, sequence: Option<Sequence>) -> Option<Bytes> {
        let releases = self.state.given().releases();
        let mut releases = releases.iter();
        let wanted = releases.find(|known| sequence.is_none_or(|wanted| known.sequence == wanted));
        wanted.map(|release| release.statement.clone())
    }

    /// The orders in force, or how the generation in force came to be.
    pub(super) fn statements(&self, what: Brought) -> Option<Bytes> {
        match what {
            Brought::Orders => self.state.given().orders(),
            Brought::Trust => self.state.given().trust(),
        }
    }

    /// The order before one that is in force.
    pub(super) fn past(&self, order: Digest) -> Option<Bytes> {
        self.state.given().past(order)
    }

    /// Brings orders or successions here.
    pub(super) async fn bring(&self, what: Brought, statements: Bytes, came: Came) -> Verdict {
        // Those in force come back from every peer they were passed on to.
        if self
            .statements(what)
            .is_some_and(|known| known == statements)
        {
            return Verdict::InForce;
        }
        self.pushes.bring(what, statements, came).await
    }

    /// The object of that name; `None` if nobody is to have it from here. Blocking.
    ///
    /// # Errors
    /// This disk does not give it.
    pub(super) fn object(&self, name: &Digest) -> Result<Option<Object>, StoreError> {
        match self.find(name) {
            Err(StoreError::Missing(_)) => Ok(None),
            found => found,
        }
    }

    fn find(&self, name: &Digest) -> Result<Option<Object>, StoreError> {
        let releases = self.state.given().releases();
        let damaged = self.state.current().map(|current| current.damage.list());
        if damaged.is_some_and(|all| all.iter().any(|known| known.want.digest == *name)) {
            return Ok(None);
        }
        for release in &releases {
            for collection in &release.manifest.collections {
                if let Some(entry) = collection.segments.iter().find(|entry| entry.id == *name) {
                    return self.segment(&releases, &collection.name, entry).map(Some);
                }
            }
        }
        let is_named = |release: &Arc<GivenRelease>| {
            let mut components = release.manifest.components.iter();
            release.digest == *name || components.any(|component| component.digest == *name)
        };
        if !releases.iter().any(is_named) && !self.has_blob(&releases, name)? {
            return Ok(None);
        }
        let file = self.store.file(name)?;
        let bytes = file.metadata()?.len();
        let stored = None;
        Ok(Some(Object {
            file,
            bytes,
            stored,
        }))
    }

    fn segment(
        &self,
        releases: &[Arc<GivenRelease>],
        collection: &CollectionName,
        entry: &SegmentEntry,
    ) -> Result<Object, StoreError> {
        let known = self.known(releases, |known| known.stored.get(&entry.id).cloned());
        let stored = match known {
            Some(stored) => stored,
            None => {
                let segment = self
                    .store
                    .segment(entry, self.site(), collection, &self.cache)?;
                let stored = Arc::new(Stored::of(&segment)?);
                self.known(releases, |known| {
                    known.stored.insert(entry.id, Arc::clone(&stored))
                });
                stored
            }
        };
        Ok(Object {
            file: self.store.file(&entry.id)?,
            bytes: stored.bytes(),
            stored: Some(stored),
        })
    }

    /// Whether a segment of these releases names that blob. Each segment is read once in its life, and
    /// what it names once while it is given.
    fn has_blob(&self, releases: &[Arc<GivenRelease>], name: &Digest) -> Result<bool, StoreError> {
        for (at, release) in releases.iter().enumerate() {
            for collection in &release.manifest.collections {
                for entry in &collection.segments {
                    match self.blobs(releases, &collection.name, entry) {
                        Ok(blobs) if blobs.binary_search(&name.front()).is_ok() => return Ok(true),
                        Ok(_) => {}
                        // What is no longer in use may be on its way out.
                        Err(_) if at > 0 => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(false)
    }

    fn blobs(
        &self,
        releases: &[Arc<GivenRelease>],
        collection: &CollectionName,
        entry: &SegmentEntry,
    ) -> Result<Arc<[u64]>, StoreError> {
        if let Some(blobs) = self.known(releases, |known| known.blobs.get(&entry.id).cloned()) {
            return Ok(blobs);
        }
        let names = self.store.blobs(entry, self.site(), collection, &NEVER)?;
        let mut blobs: Vec<u64> = names.iter().map(Digest::front).collect();
        blobs.sort_unstable();
        let blobs: Arc<[u64]> = blobs.into();
        self.known(releases, |known| {
            known.blobs.insert(entry.id, Arc::clone(&blobs))
        });
        Ok(blobs)
    }

    /// Looks at, or adds to, what is known of the segments of exactly these releases.
    fn known<T>(&self, releases: &[Arc<GivenRelease>], look: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<Digest> = releases.iter().map(|release| release.digest).collect();
        if known.releases != names {
            let collections = releases
                .iter()
                .flat_map(|known| &known.manifest.collections);
            let segments = collections.flat_map(|collection| &collection.segments);
            let given: HashSet<Digest> = segments.map(|entry| entry.id).collect();
            known.stored.retain(|segment, _| given.contains(segment));
            known.blobs.retain(|segment, _| given.contains(segment));
            known.releases = names;
        }
        look(&mut known)
    }
}

impl Object {
    /// How many bytes there are of it.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A range of it. Blocking.
    ///
    /// # Errors
    /// This disk does not give it.
    pub(super) fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if let Some(stored) = &self.stored {
            return Ok(stored.read(&self.file, range)?.into());
        }
        let bytes = usize::try_from(range.end.saturating_sub(range.start));
        let mut bytes = vec![0; bytes.map_err(io::Error::other)?];
        self.file.read_exact_at(&mut bytes, range.start)?;
        Ok(bytes.into())
    }
}
