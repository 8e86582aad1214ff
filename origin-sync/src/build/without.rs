//! A release's content without some records, in no segment of it: the whole stack of a collection that
//! holds one becomes a single segment, and neither the record nor a tombstone of its key is left.

use snapshot::manifest::{Collection, SegmentEntry};
use snapshot::segment::NodeCache;
use snapshot::{CollectionName, Entry, Key, Manifest, SiteName, Store};

use super::marks::mark_key;
use super::{AMENDED, BuildError, CACHE_BYTES, open};
use crate::mirror::Object;

/// What is left, and what it was made by.
pub(crate) struct Without {
    /// The content, without the records.
    pub(crate) manifest: Manifest,
    /// What an edge needs to make the merged segments from those it holds, and then no more.
    pub(crate) recipes: Vec<Object>,
}

/// The places of a record: its own, and that of the mark that it was amended by hand, which tells its
/// key.
pub(crate) fn places(collection: &CollectionName, key: &Key) -> Vec<(CollectionName, Key)> {
    let mark = AMENDED.parse().ok().zip(mark_key(collection, key));
    let own = (collection.clone(), key.clone());
    std::iter::once(own).chain(mark).collect()
}

/// `manifest` without the records at `places`; its segments are in `store`. Blocks.
///
/// # Errors
/// See [`BuildError`].
pub(crate) fn without(
    mut manifest: Manifest,
    places: &[(CollectionName, Key)],
    store: &Store,
) -> Result<Without, BuildError> {
    let mut recipes = Vec::new();
    let site = manifest.site.clone();
    for (name, key) in places {
        let known = manifest.collections.iter_mut().find(|c| c.name == *name);
        if let Some(known) = known
            && in_segments(store, &site, known, key)?
        {
            recipes.push(rid(store, &site, known, key)?);
        }
    }
    Ok(Without { manifest, recipes })
}

/// Whether any segment of `manifest` has an entry at one of `places`, if only a tombstone. Blocks.
///
/// # Errors
/// A segment that is not in `store`, or damaged.
pub(crate) fn holds(
    manifest: &Manifest,
    places: &[(CollectionName, Key)],
    store: &Store,
) -> Result<bool, BuildError> {
    for (name, key) in places {
        let known = manifest.collections.iter().find(|c| c.name == *name);
        if let Some(known) = known
            && in_segments(store, &manifest.site, known, key)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn in_segments(
    store: &Store,
    site: &SiteName,
    collection: &Collection,
    key: &Key,
) -> Result<bool, BuildError> {
    let cache = NodeCache::new(CACHE_BYTES);
    for entry in &collection.segments {
        let segment = store.segment(entry, site, &collection.name, &cache)?;
        if segment.get(key)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Merges the stack without `key`.
fn rid(
    store: &Store,
    site: &SiteName,
    collection: &mut Collection,
    key: &Key,
) -> Result<Object, BuildError> {
    let name = collection.name.clone();
    let cache = NodeCache::new(CACHE_BYTES);
    let stack = open(store, &cache, site, &name, &collection.segments)?;
    let found = u64::from(stack.get(key)?.is_some());
    collection.records = collection.records.saturating_sub(found);
    let failed = |source| BuildError::Build {
        collection: name.clone(),
        source,
    };
    let mut builder = store.build(site.clone(), name.clone())?;
    builder.push(key, &Entry::Tombstone).map_err(failed)?;
    let Some((staged, tombstone)) = builder.finish().map_err(failed)? else {
        return Err(BuildError::NothingBefore(name));
    };
    staged.persist_segment(&tombstone, site, &name)?;
    // A stack names a segment once: that very tombstone may lie in it already.
    let below = collection.segments.iter().filter(|s| s.id != tombstone.id);
    let inputs: Vec<SegmentEntry> = std::iter::once(&tombstone).chain(below).cloned().collect();
    let stack = open(store, &cache, site, &name, &inputs)?;
    let builder = store.build(site.clone(), name.clone())?;
    let merged = stack
        .merge(builder, true)
        .map_err(|source| BuildError::Merge {
            collection: name.clone(),
            source,
        })?;
    collection.segments.clear();
    if let Some((staged, entry)) = merged {
        staged.persist_segment(&entry, site, &name)?;
        collection.segments.push(entry);
    }
    Ok(Object::segment(&name, &tombstone))
}

#[cfg(test)]
mod tests {
    use super::super::marks::{Mark, State, declared, record};
    use super::*;
    use crate::source::Content;
    use snapshot::Timestamp;
    use snapshot::manifest::Privacy;

    fn segment(store: &Store, name: &CollectionName, entries: &[(&str, Entry)]) -> SegmentEntry {
        let site: SiteName = "dasom".parse().unwrap();
        let mut builder = store.build(site.clone(), name.clone()).unwrap();
        for (key, entry) in entries {
            builder.push(&Key::new(*key).unwrap(), entry).unwrap();
        }
        let (staged, entry) = builder.finish().unwrap().unwrap();
        staged.persist_segment(&entry, &site, name).unwrap();
        entry
    }

    fn empty() -> Manifest {
        let text = "site = \"dasom\"\ntitle = \"Dasom\"\nlanguages = [\"en\"]\n";
        let site = crate::config::Site::parse(std::path::Path::new("site.toml"), text).unwrap();
        super::super::manifest(&site, Vec::new(), Vec::new())
    }

    fn inline(text: &str) -> Entry {
        Entry::of(text.as_bytes().to_vec(), |_, _| Ok::<_, ()>(())).unwrap()
    }

    #[test]
    fn the_record_its_past_and_its_mark_go_and_all_else_stays() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let clubs: CollectionName = "clubs".parse().unwrap();
        let (ant, bee) = (Key::new("ant").unwrap(), Key::new("bee").unwrap());
        // Removed, and once more than a tombstone.
        let top = segment(&store, &clubs, &[("ant", Entry::Tombstone)]);
        let old = [("ant", inline("hill")), ("bee", inline("mill"))];
        let bottom = segment(&store, &clubs, &old);
        let at = Timestamp(1);
        let state = State::Kept;
        let (mark, Content::Bytes(words)) = record(&clubs, &ant, Mark { state, at }).unwrap()
        else {
            panic!("a mark is bytes");
        };
        let marks: CollectionName = AMENDED.parse().unwrap();
        let words = String::from_utf8(words).unwrap();
        let name = std::str::from_utf8(mark.as_bytes()).unwrap();
        let marked = segment(&store, &marks, &[(name, inline(&words))]);
        let manifest = Manifest {
            collections: vec![
                declared(vec![marked], 1).unwrap(),
                Collection {
                    name: clubs.clone(),
                    privacy: Privacy::Public,
                    complete: true,
                    records: 1,
                    segments: vec![top, bottom],
                },
            ],
            ..empty()
        };
        let of_ant = places(&clubs, &ant);
        assert!(holds(&manifest, &of_ant, &store).unwrap());
        let done = without(manifest, &of_ant, &store).unwrap();
        assert!(!holds(&done.manifest, &of_ant, &store).unwrap());
        assert!(holds(&done.manifest, &places(&clubs, &bee), &store).unwrap());
        let [left, one] = &done.manifest.collections[..] else {
            panic!("{:?}", done.manifest.collections);
        };
        assert_eq!((left.records, left.segments.len()), (0, 0));
        assert_eq!((one.records, one.segments.len()), (1, 1));
        assert_eq!(done.recipes.len(), 2);
        let again = without(done.manifest.clone(), &of_ant, &store).unwrap();
        assert!(again.manifest == done.manifest && again.recipes.is_empty());
    }
}
