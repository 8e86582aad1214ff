//! One collection: its records beside its stack, both in key order, and the difference as one
//! segment of upserts and tombstones. Whether the difference was found by looking at every record or
//! was given as a list of changes, the segment is the same: of a list, what is so already drops out.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::ops::Range;

use snapshot::manifest::{Collection, SegmentEntry};
use snapshot::segment::{NodeCache, SegmentBuilder};
use snapshot::{CollectionName, Digest, Entry, Key, SiteName, Stack, Staged, Store, Value};

use super::marks::{Mark, State, Wish};
use super::{BuildError, Given, content, open, tiers};
use crate::mirror::Object;
use crate::source::{Content, Row, Rows};

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
    /// Records that were amended by hand, and what is to become of them.
    pub(super) amended: BTreeMap<Key, Mark>,
    pub(super) wish: Option<Wish>,
}

/// What became of amended records: of those that are in none of these, nothing was said.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The source counts, or says the same.
    pub(super) settled: BTreeSet<Key>,
    /// They stay, although the source says otherwise.
    pub(super) kept: BTreeSet<Key>,
    /// The source says otherwise, and nobody said which of them is right.
    pub(super) disputed: BTreeSet<Key>,
}

/// The collection up to date.
pub(super) struct Done {
    pub(super) segments: Vec<SegmentEntry>,
    pub(super) objects: Vec<Object>,
    pub(super) change: Change,
    pub(super) outcome: Outcome,
}

impl Job<'_> {
    pub(super) fn run(&self, given: Given) -> Result<Done, BuildError> {
        let mut segments = self
            .before
            .map(|before| before.segments.clone())
            .unwrap_or_default();
        let stack = open(self.store, self.cache, self.site, self.name, &segments)?;
        let mut differing = Differing {
            job: self,
            builder: self.store.build(self.site.clone(), self.name.clone())?,
            objects: Vec::new(),
            outcome: Outcome::default(),
            change: Change {
                collection: self.name.clone(),
                records: self.before.map_or(0, |before| before.records),
                upserts: 0,
                removed: 0,
                segments: 0,
            },
        };
        match given {
            Given::All(rows) => differing.all(rows, &stack)?,
            Given::Changes(rows) => differing.listed(rows, &stack)?,
            Given::Found(rows, records) => {
                differing.listed(rows, &stack)?;
                if differing.change.records != records {
                    return Err(BuildError::Miscounted(self.name.clone()));
                }
            }
            Given::Same => {}
        }
        let Differing {
            builder,
            mut objects,
            mut change,
            outcome,
            ..
        } = differing;
        if let Some(delta) = self.finish(builder)? {
            let records = self.before.map_or(0, |before| before.records);
            objects.push(Object::segment(self.name, &delta));
            objects.extend(self.make_room(&mut segments, records, &delta)?);
            segments.insert(0, delta);
        }
        change.segments = segments.len();
        Ok(Done {
            segments,
            objects,
            change,
            outcome,
        })
    }

    fn finish(&self, builder: SegmentBuilder<Staged>) -> Result<Option<SegmentEntry>, BuildError> {
        let finished = builder
            .finish()
            .map_err(|source| self.build_error(source))?;
        let Some((staged, entry)) = finished else {
            return Ok(None);
        };
        staged
            .on_all_cores()
            .persist_segment(&entry, self.site, self.name)?;
        Ok(Some(entry))
    }

    /// Merges what [`tiers`] says, before `delta` comes on top; gives the objects that are new.
    fn make_room(
        &self,
        segments: &mut Vec<SegmentEntry>,
        records: u64,
        delta: &SegmentEntry,
    ) -> Result<Option<Object>, BuildError> {
        let ids: Vec<Digest> = segments.iter().map(|known| known.id).collect();
        let at = |id: Digest| ids.iter().position(|known| *known == id);
        // Whoever changes a record back makes the bytes of an earlier change once more, and a stack
        // names a segment once: that change and what lies above it become another segment.
        let run = match at(delta.id) {
            Some(at) => Some(0..at + 1),
            None => tiers::run(&segments.iter().map(size).collect::<Vec<_>>(), records),
        };
        let Some(mut run) = run else {
            return Ok(None);
        };
        loop {
            let merged = self.merge(segments, run.clone())?;
            let id = merged.as_ref().map(|merged| merged.id);
            // Never the new one's: the run begins with the newest, so that it says what is so, and
            // the new one says otherwise.
            match id.and_then(at) {
                // The same bytes lie further down: then as far as there.
                Some(at) if at >= run.end => run.end = at + 1,
                // One of the run was all of it.
                Some(at) => {
                    let kept = segments.get(at).cloned();
                    segments.splice(run, kept);
                    return Ok(None);
                }
                None => {
                    let object = merged.as_ref().map(|m| Object::segment(self.name, m));
                    segments.splice(run, merged);
                    return Ok(object);
                }
            }
        }
    }

    /// That run of the stack as one segment, which an edge that holds the inputs makes by itself.
    fn merge(
        &self,
        segments: &[SegmentEntry],
        run: Range<usize>,
    ) -> Result<Option<SegmentEntry>, BuildError> {
        let bottom = run.end == segments.len();
        let inputs = segments.get(run).unwrap_or_default();
        let stack = open(self.store, self.cache, self.site, self.name, inputs)?;
        let builder = self.store.build(self.site.clone(), self.name.clone())?;
        let merged = stack.merge(builder, bottom);
        let merged = merged.map_err(|source| BuildError::Merge {
            collection: self.name.clone(),
            source,
        })?;
        let Some((staged, entry)) = merged else {
            return Ok(None);
        };
        staged
            .on_all_cores()
            .persist_segment(&entry, self.site, self.name)?;
        Ok(Some(entry))
    }

    fn build_error(&self, source: snapshot::segment::BuildError) -> BuildError {
        BuildError::Build {
            collection: self.name.clone(),
            source,
        }
    }
}

fn size(entry: &SegmentEntry) -> tiers::Size {
    tiers::Size {
        bytes: entry.bytes,
        entries: entry.records,
    }
}

impl Outcome {
    fn knows(&self, key: &Key) -> bool {
        [&self.settled, &self.kept, &self.disputed]
            .iter()
            .any(|keys| keys.contains(key))
    }
}

/// The difference, growing.
struct Differing<'a> {
    job: &'a Job<'a>,
    builder: SegmentBuilder<Staged>,
    objects: Vec<Object>,
    outcome: Outcome,
    change: Change,
}

impl Differing<'_> {
    /// A merge-join: memory does not grow with the stack.
    fn all(&mut self, rows: Rows, stack: &Stack) -> Result<(), BuildError> {
        let mut old = stack.iter(..).peekable();
        for row in rows {
            let row = row?;
            while let Some(key) = take_before(&mut old, &row.key)? {
                self.remove(&key)?;
            }
            let before = take_at(&mut old, &row.key)?;
            self.set(row, before)?;
        }
        for record in old {
            self.remove(&record?.0)?;
        }
        // What was not met is neither held nor in the source.
        let job = self.job;
        for key in job.amended.keys() {
            if !self.outcome.knows(key) {
                self.outcome.settled.insert(key.clone());
            }
        }
        Ok(())
    }

    /// Whether what the source says of `key` counts, beside what is held: of a record that was
    /// amended by hand it may not.
    fn counts(&mut self, key: &Key, same: bool) -> bool {
        let Some(mark) = self.job.amended.get(key) else {
            return !same;
        };
        let (into, counts) = match (same, self.job.wish, mark.state) {
            (true, _, _) => (&mut self.outcome.settled, false),
            (false, Some(Wish::Take), _) => (&mut self.outcome.settled, true),
            (false, Some(Wish::Keep), _) | (false, None, State::Kept) => {
                (&mut self.outcome.kept, false)
            }
            (false, None, _) => (&mut self.outcome.disputed, false),
        };
        into.insert(key.clone());
        counts
    }

    /// A look-up for each change: the cost is the change's.
    fn listed(&mut self, rows: Rows, stack: &Stack) -> Result<(), BuildError> {
        for row in rows {
            let row = row?;
            match (stack.get(&row.key)?, &row.content) {
                (None, Content::Gone) => {
                    self.counts(&row.key, true);
                }
                (Some(_), Content::Gone) => self.remove(&row.key)?,
                (before, _) => self.set(row, before)?,
            }
        }
        Ok(())
    }

    fn set(&mut self, row: Row, before: Option<Value>) -> Result<(), BuildError> {
        let entry = content::entry(self.job.store, row.content)?;
        let is_new = before.is_none();
        let same = before.map(Entry::from).as_ref() == Some(&entry);
        if !self.counts(&row.key, same) {
            return Ok(());
        }
        if let Entry::Blob(blob) = &entry {
            self.objects.push(Object::raw(blob.digest));
        }
        self.change.upserts += 1;
        self.change.records += u64::from(is_new);
        self.push(&row.key, &entry)
    }

    fn remove(&mut self, key: &Key) -> Result<(), BuildError> {
        if !self.counts(key, false) {
            return Ok(());
        }
        self.change.removed += 1;
        self.change.records = self.change.records.saturating_sub(1);
        self.push(key, &Entry::Tombstone)
    }

    fn push(&mut self, key: &Key, entry: &Entry) -> Result<(), BuildError> {
        let pushed = self.builder.push(key, entry);
        pushed.map_err(|source| self.job.build_error(source))
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
