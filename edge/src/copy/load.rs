//! A release whose objects are all on disk, opened for answering.
//!
//! Opening is quick: the manifest and the components are hashed, of each segment the root is
//! checked, and nothing else is read. What an answer needs later is hashed when it is read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use snapshot::manifest::SegmentEntry;
use snapshot::segment::Nodes;
use snapshot::{
    CollectionName, ComponentName, Digest, Manifest, NodeCache, Release, Segment, Stack, Store,
    StoreError, limits,
};

use super::{Damage, Lazy, ManifestFault, check_manifest, read_manifest};
use crate::answer::Routes;
use crate::host::{Guest, Host, HostError};

/// One release of a site, ready to answer. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct LoadedRelease {
    /// What was signed.
    pub release: Release,
    /// What it names.
    pub manifest: Arc<Manifest>,
    /// Every collection.
    pub stacks: Arc<BTreeMap<CollectionName, Stack>>,
    /// Every component.
    pub guests: Arc<BTreeMap<ComponentName, Arc<Guest>>>,
    /// Its routes, ready to be looked up.
    pub routes: Arc<Routes>,
    /// Where the objects lie; for blobs.
    pub store: Arc<Store>,
    /// What of it could not be read.
    pub damage: Arc<Damage>,
    /// What of it is not on disk, and where that comes from.
    pub lazy: Lazy,
}

/// Why a release that should be on disk does not open.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestFault),
    /// An object: which, and what is wrong with it.
    #[error("{object}: {source}")]
    Object {
        /// The object in words.
        object: String,
        /// What is wrong.
        source: Box<StoreError>,
    },
    /// A component that the host does not take.
    #[error("component {name}: {}", chain(source))]
    Component {
        /// Its name in the manifest.
        name: ComponentName,
        /// What the host said.
        source: HostError,
    },
    /// The runtime is going down.
    #[error("stopped while loading")]
    Stopped,
}

impl LoadedRelease {
    /// Opens the release that `release` states. Nothing is fetched: what is absent is an error.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub async fn open(
        store: Arc<Store>,
        host: &Host,
        cache: &NodeCache,
        release: Release,
    ) -> Result<Self, LoadError> {
        Self::open_with(store, host, cache, release, Lazy::default()).await
    }

    /// The same, but for what is `lazy`: that need not be on disk, and is not looked at.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub async fn open_with(
        store: Arc<Store>,
        host: &Host,
        cache: &NodeCache,
        release: Release,
        lazy: Lazy,
    ) -> Result<Self, LoadError> {
        let (from, nodes, statement) = (Arc::clone(&store), cache.clone(), release.clone());
        let far = lazy.clone();
        let read = move || Opened::read(&from, &nodes, &statement, &far);
        let opened = tokio::task::spawn_blocking(read).await;
        let opened = opened.map_err(|_| LoadError::Stopped)??;
        let mut guests = BTreeMap::new();
        for (component, wasm) in opened.manifest.components.iter().zip(opened.wasm) {
            let guest = host.load(&component.digest, wasm).await;
            let guest = guest.map_err(|source| LoadError::Component {
                name: component.name.clone(),
                source,
            })?;
            guests.insert(component.name.clone(), guest);
        }
        Ok(Self {
            release,
            manifest: Arc::new(opened.manifest),
            stacks: Arc::new(opened.stacks),
            guests: Arc::new(guests),
            routes: Arc::new(opened.routes),
            store,
            damage: Arc::default(),
            lazy,
        })
    }

    /// The same release with the objects in `repaired` opened anew: reads go to the files that lie
    /// there now. Blocks.
    ///
    /// # Errors
    /// One of them does not open.
    pub fn reopened(
        &self,
        repaired: &BTreeSet<Digest>,
        cache: &NodeCache,
    ) -> Result<Self, LoadError> {
        let mut stacks = BTreeMap::new();
        for (name, stack) in self.stacks.iter() {
            let segments = stack.segments().iter().map(|segment| {
                if repaired.contains(&segment.entry().id) {
                    open_segment(&self.store, &self.manifest, name, segment.entry(), cache)
                } else {
                    Ok(segment.clone())
                }
            });
            let segments = segments.collect::<Result<Vec<Segment>, LoadError>>()?;
            stacks.insert(name.clone(), Stack::new(segments));
        }
        let mut known = self.damage.list();
        known.retain(|damaged| !repaired.contains(&damaged.want.digest));
        Ok(Self {
            stacks: Arc::new(stacks),
            damage: Arc::new(Damage::of(known)),
            ..self.clone()
        })
    }

    /// The same content under a later statement: a heartbeat.
    #[must_use]
    pub fn restated(&self, release: Release) -> Self {
        Self {
            release,
            ..self.clone()
        }
    }
}

struct Opened {
    manifest: Manifest,
    routes: Routes,
    stacks: BTreeMap<CollectionName, Stack>,
    wasm: Vec<Vec<u8>>,
}

impl Opened {
    fn read(
        store: &Store,
        cache: &NodeCache,
        release: &Release,
        lazy: &Lazy,
    ) -> Result<Self, LoadError> {
        let manifest = read_manifest(store, release)?;
        let routes = check_manifest(&manifest, &release.site)?;
        let mut stacks = BTreeMap::new();
        for collection in &manifest.collections {
            let mut segments = Vec::new();
            let name = &collection.name;
            for entry in &collection.segments {
                segments.push(match lazy.far(name) {
                    Some(far) => far_segment(far.nodes(entry), &manifest, name, entry, cache)?,
                    None => open_segment(store, &manifest, name, entry, cache)?,
                });
            }
            stacks.insert(collection.name.clone(), Stack::new(segments));
        }
        let mut wasm = Vec::new();
        for component in &manifest.components {
            let bytes = store.read(&component.digest, limits::COMPONENT_BYTES);
            wasm.push(bytes.map_err(|source| LoadError::Object {
                object: format!("component {}", component.digest),
                source: Box::new(source),
            })?);
        }
        Ok(Self {
            manifest,
            routes,
            stacks,
            wasm,
        })
    }
}

fn open_segment(
    store: &Store,
    manifest: &Manifest,
    collection: &CollectionName,
    entry: &SegmentEntry,
    cache: &NodeCache,
) -> Result<Segment, LoadError> {
    let segment = store.segment(entry, &manifest.site, collection, cache);
    segment.map_err(|source| LoadError::Object {
        object: format!("segment {}", entry.id),
        source: Box::new(source),
    })
}

fn far_segment(
    nodes: Arc<dyn Nodes>,
    manifest: &Manifest,
    collection: &CollectionName,
    entry: &SegmentEntry,
    cache: &NodeCache,
) -> Result<Segment, LoadError> {
    let name = format!("{collection}/{}", entry.id.short());
    let segment = Segment::far(nodes, &name, entry, &manifest.site, collection, cache);
    segment.map_err(|source| LoadError::Object {
        object: format!("segment {}", entry.id),
        source: Box::new(source.into()),
    })
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
