//! A release with records changed by hand: everything else is taken from the release as it is.

use std::collections::BTreeMap;

use snapshot::manifest::{Collection, Privacy};
use snapshot::{CollectionName, Key, Manifest, NodeCache, Store, Timestamp, Value};

use super::delta::{Done, Job};
use super::error::listed;
use super::marks::{self, AMENDED, Mark, Marks, State, key_text};
use super::{BuildError, Built, CACHE_BYTES, Given, compare, finish, open};
use crate::mirror::Object;
use crate::source::{Content, Rows};

/// What is to be changed by hand.
pub type ByHand = BTreeMap<CollectionName, BTreeMap<Key, Content>>;

/// What cannot be amended.
#[derive(Debug, thiserror::Error)]
pub enum AmendError {
    /// No such collection in the release.
    #[error("the release has no collection {name}; it has: {known}")]
    NoCollection {
        /// The name given.
        name: String,
        /// Those there are.
        known: String,
    },
    /// Records to be deleted that are not there.
    #[error("there is nothing to delete, these do not exist:{}", listed(.0))]
    Absent(Vec<String>),
}

/// A record that was changed by hand.
#[derive(Clone, Debug)]
pub struct Amendment {
    /// Its collection.
    pub collection: CollectionName,
    /// Who may read it at rest.
    pub privacy: Privacy,
    /// Its key at rest.
    pub key: Key,
    /// Its value before, if it had one.
    pub was: Option<Value>,
    /// Its value now, if it has one.
    pub is: Option<Value>,
}

/// `base`, whose objects are in `store`, with what `by_hand` says of its collections. Blocks.
///
/// # Errors
/// See [`BuildError`].
pub fn amend(
    base: &Manifest,
    by_hand: &ByHand,
    at: Timestamp,
    accepts_shrink: bool,
    store: &Store,
) -> Result<(Built, Vec<Amendment>), BuildError> {
    let cache = NodeCache::new(CACHE_BYTES);
    let marks = Marks::of(base, store, &cache)?;
    let mut building = Building::new(base, store, &cache);
    let (mut amendments, mut absent) = (Vec::new(), Vec::new());
    let mut changed = BTreeMap::new();
    for collection in &base.collections {
        let Some(records) = by_hand.get(&collection.name) else {
            building.keep(collection)?;
            continue;
        };
        let amended = marks.open(&collection.name);
        let stack = open(
            store,
            &cache,
            &base.site,
            &collection.name,
            &collection.segments,
        )?;
        for (key, content) in records {
            // What an earlier amendment deleted is gone as it should be.
            if *content == Content::Gone && stack.get(key)?.is_none() && !amended.contains_key(key)
            {
                absent.push(format!("{}/{}", collection.name, key_text(key)));
            }
        }
        let done = building.change(collection, records)?;
        compare(store, &base.site, collection, &done, |key, was, is| {
            changed.insert(
                (collection.name.clone(), key.clone()),
                Mark {
                    state: State::Amended,
                    at,
                },
            );
            amendments.push(Amendment {
                collection: collection.name.clone(),
                privacy: collection.privacy,
                key: key.clone(),
                was,
                is,
            });
        })?;
    }
    if !absent.is_empty() {
        return Err(AmendError::Absent(absent).into());
    }
    building.mark(&changed)?;
    Ok((building.finish(accepts_shrink)?, amendments))
}

/// A release's content, made of one before it.
struct Building<'a> {
    base: &'a Manifest,
    store: &'a Store,
    cache: &'a NodeCache,
    built: Built,
}

impl<'a> Building<'a> {
    fn new(base: &'a Manifest, store: &'a Store, cache: &'a NodeCache) -> Self {
        let manifest = Manifest {
            collections: Vec::new(),
            accepts_shrink: false,
            ..base.clone()
        };
        let built = Built {
            manifest,
            bytes: Vec::new(),
            digest: snapshot::Digest::of(b""),
            new_objects: Vec::new(),
            changes: Vec::new(),
            stacks: BTreeMap::new(),
            kept: Vec::new(),
        };
        Self {
            base,
            store,
            cache,
            built,
        }
    }

    fn keep(&mut self, collection: &Collection) -> Result<(), BuildError> {
        if collection.name.as_str() == AMENDED {
            return Ok(());
        }
        self.take(collection.clone())
    }

    fn change(
        &mut self,
        collection: &Collection,
        records: &BTreeMap<Key, Content>,
    ) -> Result<Collection, BuildError> {
        let done = change(
            self.base,
            Some(collection),
            &collection.name,
            records,
            (self.store, self.cache),
        )?;
        let changed = Collection {
            records: done.change.records,
            segments: done.segments,
            ..collection.clone()
        };
        self.built.new_objects.extend(done.objects);
        self.built.changes.push(done.change);
        self.take(changed.clone())?;
        Ok(changed)
    }

    fn mark(&mut self, changed: &BTreeMap<(CollectionName, Key), Mark>) -> Result<(), BuildError> {
        let marked = mark(self.base, changed, (self.store, self.cache))?;
        let Some((collection, objects)) = marked else {
            return Ok(());
        };
        self.built.new_objects.extend(objects);
        self.take(collection)
    }

    fn take(&mut self, collection: Collection) -> Result<(), BuildError> {
        let (name, site) = (collection.name.clone(), &self.base.site);
        let stack = open(self.store, self.cache, site, &name, &collection.segments)?;
        self.built.stacks.insert(name, stack);
        self.built.manifest.collections.push(collection);
        Ok(())
    }

    fn finish(mut self, accepts_shrink: bool) -> Result<Built, BuildError> {
        let mut manifest = self.built.manifest;
        manifest.collections.sort_by(|a, b| a.name.cmp(&b.name));
        let (manifest, bytes, digest) =
            finish(manifest, Some(self.base), accepts_shrink, self.store)?;
        self.built.new_objects.push(Object::raw(digest));
        Ok(Built {
            manifest,
            bytes,
            digest,
            ..self.built
        })
    }
}

/// The collection of marks after these changed, with its new objects; none where there never was a
/// mark. Blocks.
pub(super) fn mark(
    base: &Manifest,
    changed: &BTreeMap<(CollectionName, Key), Mark>,
    (store, cache): (&Store, &NodeCache),
) -> Result<Option<(Collection, Vec<Object>)>, BuildError> {
    let before = marks::collection(base);
    if changed.is_empty() {
        return Ok(before.map(|before| (before.clone(), Vec::new())));
    }
    let records = changed
        .iter()
        .map(|((collection, key), mark)| marks::record(collection, key, *mark))
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    let Some(mut marked) = marks::declared(Vec::new(), 0) else {
        return Ok(None);
    };
    let done = change(base, before, &marked.name, &records, (store, cache))?;
    marked.records = done.change.records;
    marked.segments = done.segments;
    Ok(Some((marked, done.objects)))
}

fn change(
    base: &Manifest,
    before: Option<&Collection>,
    name: &CollectionName,
    records: &BTreeMap<Key, Content>,
    (store, cache): (&Store, &NodeCache),
) -> Result<Done, BuildError> {
    let job = Job {
        store,
        cache,
        site: &base.site,
        name,
        before,
        amended: BTreeMap::new(),
        wish: None,
    };
    job.run(Given::Changes(Rows::given(records, &store.scratch())?))
}
