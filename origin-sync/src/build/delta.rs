//! One collection: its records beside its stack, both in key order, and the difference as one
//! segment of upserts and tombstones.

use std::iter::Peekable;

use snapshot::manifest::{Collection, SegmentEntry};
use snapshot::segment::{NodeCache, SegmentBuilder};
use snapshot::{CollectionName, Entry, Key, SiteName, Stack, Staged, Store, Value};

use super::{BuildError, STACK_DEPTH, content, open};
use crate::mirror::Object;
use crate::source::Rows;

/// What changed in one collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The collection.
    pub collection: CollectionName,
    /// Records now.
    pub records: u64,
    /// Records that are new or have another value.
    pub upserts: u64,
    /// Records that are gone.
    pub removed: u64,
    /// Segments in its stack now.
    pub segments: usize,
}

/// One collection to be brought up to date.
pub(super) struct Job<'a> {
    pub(super) store: &'a Store,
    pub(super) cache: &'a NodeCache,
    pub(super) site: &'a SiteName,
    pub(super) name: &'a CollectionName,
    pub(super) before: Option<&'a Collection>,
}

/// The collection up to date.
pub(super) struct Done {
    pub(super) segments: Vec<SegmentEntry>,
    pub(super) objects: Vec<Object>,
    pub(super) change: Change,
}

impl Job<'_> {
    pub(super) fn run(&self, rows: Rows) -> Result<Done, BuildError> {
        let mut segments = self
            .before
            .map(|before| before.segments.clone())
            .unwrap_or_default();
        let stack = open(self.store, self.cache, self.site, self.name, &segments)?;
        let mut change = Change {
            collection: self.name.clone(),
            records: rows.len() as u64,
            upserts: 0,
            removed: 0,
            segments: 0,
        };
        let mut objects = Vec::new();
        let builder = self.builder()?;
        let mut known_before = false;
        if let Some(delta) = self.difference(rows, &stack, builder, &mut change, &mut objects)? {
            objects.push(Object::segment(self.name, &delta));
            // Whoever changes a record back makes the bytes of an earlier change once more, and a
            // stack names a segment once.
            known_before = segments.iter().any(|known| known.id == delta.id);
            segments.insert(0, delta);
        }
        if known_before || segments.len() > STACK_DEPTH {
            segments = self.as_one(&segments, known_before, &mut objects)?;
        }
        change.segments = segments.len();
        Ok(Done {
            segments,
            objects,
            change,
        })
    }

    fn builder(&self) -> Result<SegmentBuilder<Staged>, BuildError> {
        Ok(self.store.build(self.site.clone(), self.name.clone())?)
    }

    /// A merge-join: memory does not grow with the stack.
    fn difference(
        &self,
        rows: Rows,
        stack: &Stack,
        mut builder: SegmentBuilder<Staged>,
        change: &mut Change,
        objects: &mut Vec<Object>,
    ) -> Result<Option<SegmentEntry>, BuildError> {
        let mut push = |key: &Key, entry: &Entry| {
            builder
                .push(key, entry)
                .map_err(|source| self.build_error(source))
        };
        let mut old = stack.iter(..).peekable();
        for row in rows {
            while let Some(key) = take_before(&mut old, &row.key)? {
                push(&key, &Entry::Tombstone)?;
                change.removed += 1;
            }
            let before = take_at(&mut old, &row.key)?;
            let entry = content::entry(self.store, row.content)?;
            if before.map(Entry::from).as_ref() != Some(&entry) {
                if let Entry::Blob(blob) = &entry {
                    objects.push(Object::raw(blob.digest));
                }
                push(&row.key, &entry)?;
                change.upserts += 1;
            }
        }
        for record in old {
            push(&record?.0, &Entry::Tombstone)?;
            change.removed += 1;
        }
        self.finish(builder)
    }

    fn finish(&self, builder: SegmentBuilder<Staged>) -> Result<Option<SegmentEntry>, BuildError> {
        let finished = builder
            .finish()
            .map_err(|source| self.build_error(source))?;
        let Some((staged, entry)) = finished else {
            return Ok(None);
        };
        staged.persist_segment(&entry, self.site, self.name)?;
        Ok(Some(entry))
    }

    /// The whole stack as one segment, which an edge that holds the inputs makes by itself.
    fn as_one(
        &self,
        segments: &[SegmentEntry],
        forget_inputs: bool,
        objects: &mut Vec<Object>,
    ) -> Result<Vec<SegmentEntry>, BuildError> {
        let stack = open(self.store, self.cache, self.site, self.name, segments)?;
        let merged = stack
            .merge(self.builder()?, true)
            .map_err(|source| BuildError::Merge {
                collection: self.name.clone(),
                source,
            })?;
        let Some((staged, mut entry)) = merged else {
            return Ok(Vec::new());
        };
        if forget_inputs {
            entry.from = Vec::new();
            entry.bottom = false;
        }
        staged.persist_segment(&entry, self.site, self.name)?;
        objects.push(Object::segment(self.name, &entry));
        Ok(vec![entry])
    }

    fn build_error(&self, source: snapshot::segment::BuildError) -> BuildError {
        BuildError::Build {
            collection: self.name.clone(),
            source,
        }
    }
}

type Record = Result<(Key, Value), snapshot::segment::SegmentError>;

/// The stack's next key, if it is below `key`: a record that is gone.
fn take_before(
    old: &mut Peekable<impl Iterator<Item = Record>>,
    key: &Key,
) -> Result<Option<Key>, BuildError> {
    let below = old.next_if(|record| record.as_ref().map_or(true, |(k, _)| k < key));
    Ok(below.transpose()?.map(|(key, _)| key))
}

fn take_at(
    old: &mut Peekable<impl Iterator<Item = Record>>,
    key: &Key,
) -> Result<Option<Value>, BuildError> {
    let same = old.next_if(|record| record.as_ref().map_or(true, |(k, _)| k == key));
    Ok(same.transpose()?.map(|(_, value)| value))
}
