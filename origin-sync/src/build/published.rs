//! Content that was published already, here or elsewhere, to be released once more: nothing is built.

use std::collections::{BTreeMap, BTreeSet};

use snapshot::manifest::{Collection, Privacy};
use snapshot::{Manifest, NodeCache, Store};

use super::{BuildError, Built, CACHE_BYTES, Change, compare, finish, open};
use crate::mirror::of_manifest;

/// `manifest` as it is, its objects in `store`, to follow `before`, which is there too. Only whether
/// fewer records are meant is told of the step between the two. Blocks.
///
/// # Errors
/// See [`BuildError`].
pub(crate) fn published(
    manifest: Manifest,
    before: Option<&Manifest>,
    accepts_shrink: bool,
    store: &Store,
) -> Result<Built, BuildError> {
    let (manifest, bytes, digest) = finish(manifest, before, accepts_shrink, store)?;
    let cache = NodeCache::new(CACHE_BYTES);
    let stacks = |manifest: &Manifest| -> Result<BTreeMap<_, _>, BuildError> {
        let open = |collection: &Collection| {
            let (name, segments) = (&collection.name, &collection.segments);
            Ok((
                name.clone(),
                open(store, &cache, &manifest.site, name, segments)?,
            ))
        };
        manifest.collections.iter().map(open).collect()
    };
    let mut changes = Vec::new();
    for collection in &manifest.collections {
        let was = before.and_then(|before| before.collection(&collection.name));
        let mut change = Change {
            collection: collection.name.clone(),
            records: collection.records,
            upserts: 0,
            removed: 0,
            segments: collection.segments.len(),
        };
        let none = Collection {
            privacy: Privacy::Public,
            segments: Vec::new(),
            ..collection.clone()
        };
        let was = was.unwrap_or(&none);
        compare(
            store,
            &manifest.site,
            was,
            collection,
            |_, _, is| match is {
                Some(_) => change.upserts += 1,
                None => change.removed += 1,
            },
        )?;
        changes.push(change);
    }
    let of_it = stacks(&manifest)?;
    let mut new_objects = of_manifest(digest, &manifest, &of_it)?;
    if let Some(before) = before {
        // Its own manifest is named by nothing in it.
        let held = of_manifest(digest, before, &stacks(before)?)?;
        let held: BTreeSet<_> = held
            .into_iter()
            .map(|object| object.digest)
            .filter(|held| *held != digest)
            .collect();
        new_objects.retain(|object| !held.contains(&object.digest));
    }
    Ok(Built {
        manifest,
        bytes,
        digest,
        new_objects,
        changes,
        stacks: of_it,
        kept: Vec::new(),
    })
}
