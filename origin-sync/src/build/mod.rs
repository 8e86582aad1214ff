//! From records to a release's objects: what changed since the last release becomes one small
//! segment on top of each changed collection's stack. Nothing here signs, and nothing is sent.

mod amend;
mod amended;
mod changed;
mod content;
mod delta;
mod error;
mod marks;
mod published;
mod shrink;
mod tiers;
mod without;

use std::collections::BTreeMap;

use snapshot::manifest::{self, Collection, Component, SegmentEntry};
use snapshot::segment::NodeCache;
use snapshot::{CollectionName, Digest, Manifest, SiteName, Stack, Store, encode, limits};

use crate::config::{self, Site};
use crate::mirror::Object;
use crate::source::{Rows, SourceError};

use amended::Amended;

pub use amend::{AmendError, Amendment, ByHand, amend};
pub(crate) use changed::{changed_keys, compare};
pub use delta::Change;
pub use error::BuildError;
pub use marks::{AMENDED, AmendedKey, Wish, key_text};
pub(crate) use published::published;
pub use shrink::{SHRINK_PERCENT, Shrunk, shrunk};
pub use tiers::STACK_DEPTH;
pub(crate) use without::{holds, places, without};

/// A release's content, built but not signed.
#[derive(Debug)]
pub struct Built {
    /// What the release will name.
    pub manifest: Manifest,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their name.
    pub digest: Digest,
    /// Objects that the release before did not have, the manifest last.
    pub new_objects: Vec<Object>,
    /// What changed, for each collection.
    pub changes: Vec<Change>,
    /// Every collection's stack, to be read.
    pub stacks: BTreeMap<CollectionName, Stack>,
    /// Records that stay as they were amended by hand, although the sources say otherwise.
    pub kept: Vec<AmendedKey>,
}

impl Built {
    /// Whether this is the release before, word for word.
    #[must_use]
    pub fn is_same_as(&self, base: Option<&Manifest>) -> bool {
        base == Some(&self.manifest)
    }
}

/// What is known of one collection.
#[derive(Debug)]
pub enum Given {
    /// All its records.
    All(Rows),
    /// What changed since the release that is built upon.
    Changes(Rows),
    /// The same, found in a source that has so many records.
    Found(Rows, u64),
    /// That nothing did.
    Same,
}

/// How a collection is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// By the way that costs least.
    First,
    /// As if nothing were remembered of it: what was does not fit.
    Afresh,
}

/// The release that is built upon.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// Its manifest; its segments and components are in the store.
    pub manifest: &'a Manifest,
    /// What is to become of records that were amended by hand, where that is not decided yet.
    pub wish: Option<Wish>,
}

/// Builds the content of `site` from what `give` gives of each collection, upon `base` if there is
/// one. A collection for which it gave [`Given::Found`] may be asked for once more, as [`Ask::Afresh`].
/// Blocks.
///
/// # Errors
/// See [`BuildError`].
pub fn build(
    site: &Site,
    give: &mut dyn FnMut(&config::Collection, Ask) -> Result<Given, SourceError>,
    base: Option<Base<'_>>,
    accepts_shrink: bool,
    store: &Store,
) -> Result<Built, BuildError> {
    let cache = NodeCache::new(CACHE_BYTES);
    let mut new_objects = Vec::new();
    let mut changes = Vec::new();
    let mut stacks = BTreeMap::new();
    let mut collections = Vec::new();
    let mut amended = match base {
        Some(base) => Amended::of(base.manifest, store, &cache)?,
        None => Amended::default(),
    };
    for declared in &site.collections {
        let name = declared.name.clone();
        let before = base.and_then(|base| base.manifest.collection(&name));
        // Records sealed otherwise have other names, and the old ones must not stay readable.
        let before = before.filter(|before| before.privacy == declared.privacy);
        let given = give(declared, Ask::First)?;
        if before.is_none() && !matches!(given, Given::All(_)) {
            return Err(BuildError::NothingBefore(name));
        }
        let job = delta::Job {
            store,
            cache: &cache,
            site: &site.site,
            name: &name,
            before,
            amended: before.map_or_else(BTreeMap::new, |_| amended.open(&name)),
            wish: base.and_then(|base| base.wish),
        };
        let done = match job.run(given) {
            Err(BuildError::Miscounted(_)) => job.run(give(declared, Ask::Afresh)?),
            done => done,
        }?;
        amended.learn(&job, &done.outcome);
        let stack = open(store, &cache, &site.site, &name, &done.segments)?;
        collections.push(Collection {
            name: name.clone(),
            privacy: declared.privacy,
            complete: declared.complete,
            records: done.change.records,
            segments: done.segments,
        });
        new_objects.extend(done.objects);
        changes.push(done.change);
        stacks.insert(name, stack);
    }
    let kept = amended.kept();
    if let Some(base) = base
        && let Some((marks, objects)) = amended.finish(base.manifest, (store, &cache))?
    {
        let stack = open(store, &cache, &site.site, &marks.name, &marks.segments)?;
        stacks.insert(marks.name.clone(), stack);
        new_objects.extend(objects);
        collections.push(marks);
    }
    // One content, one manifest, in whatever order the file has it.
    collections.sort_by(|a, b| a.name.cmp(&b.name));
    let mut components = Vec::new();
    for component in &site.components {
        let (component, object) = content::component(store, component)?;
        let before = base.iter().flat_map(|base| &base.manifest.components);
        if !before
            .into_iter()
            .any(|known| known.digest == object.digest)
        {
            new_objects.push(object);
        }
        components.push(component);
    }
    components.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = manifest(site, collections, components);
    let before = base.map(|base| base.manifest);
    let (manifest, bytes, digest) = finish(manifest, before, accepts_shrink, store)?;
    new_objects.push(Object::raw(digest));
    Ok(Built {
        manifest,
        bytes,
        digest,
        new_objects,
        changes,
        stacks,
        kept,
    })
}

/// The manifest as a release will name it: judged, encoded, and kept.
fn finish(
    mut manifest: Manifest,
    before: Option<&Manifest>,
    accepts_shrink: bool,
    store: &Store,
) -> Result<(Manifest, Vec<u8>, Digest), BuildError> {
    let fell = shrunk(&manifest, before);
    if let Some(first) = fell.first()
        && !accepts_shrink
    {
        return Err(BuildError::Shrunk {
            first: first.clone(),
            more: fell.len() - 1,
        });
    }
    manifest.accepts_shrink |= !fell.is_empty();
    // That a release accepts a shrink is about the step to it, and no content of its own.
    if let Some(before) = before
        && (Manifest {
            accepts_shrink: before.accepts_shrink,
            ..manifest.clone()
        }) == *before
    {
        manifest.accepts_shrink = before.accepts_shrink;
    }
    // The edge's own judgement, so that nothing is published that it refuses.
    edge::copy::check_manifest(&manifest, &manifest.site)?;
    let bytes = encode(&manifest)?;
    if bytes.len() > limits::MANIFEST_BYTES {
        return Err(BuildError::ManifestTooLarge(bytes.len()));
    }
    let digest = Digest::of(&bytes);
    store.put_bytes(&digest, &bytes)?;
    Ok((manifest, bytes, digest))
}

/// Memory for verified inner nodes while building, bytes.
const CACHE_BYTES: u64 = 64 << 20;

fn manifest(site: &Site, collections: Vec<Collection>, components: Vec<Component>) -> Manifest {
    Manifest {
        version: Manifest::VERSION,
        site: site.site.clone(),
        title: site.title.clone(),
        languages: site.languages.clone(),
        presets: site.presets.clone(),
        services: site.services.clone(),
        collections,
        components,
        routes: routes(site),
        canaries: site.canaries.clone(),
        accepts_shrink: false,
    }
}

fn routes(site: &Site) -> Vec<manifest::Route> {
    site.routes
        .iter()
        .map(|route| route.route.clone())
        .collect()
}

/// The stack of `entries`, newest first, from `store`.
///
/// # Errors
/// A segment that is absent or damaged.
pub fn open(
    store: &Store,
    cache: &NodeCache,
    site: &SiteName,
    collection: &CollectionName,
    entries: &[SegmentEntry],
) -> Result<Stack, BuildError> {
    let segments = entries
        .iter()
        .map(|entry| store.segment(entry, site, collection, cache));
    Ok(Stack::new(segments.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests;
