//! Records in order, merged from what several sorters took.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BinaryHeap};
use std::io;
use std::path::{Path, PathBuf};

use snapshot::Key;

use super::fault::Faults;
use super::sorter::{Record, Run, Sorted, Sorter};
use super::{Fault, SourceError};

/// What a run is read through, at least and at most, bytes.
const BUFFER: (usize, usize) = (16 << 10, 256 << 10);
/// What all runs of a source are read through together, unless there are very many, bytes.
const BUFFERS: usize = 32 << 20;

/// What a record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The bytes themselves.
    Bytes(Vec<u8>),
    /// A file too large to be kept in memory, with its length when it was listed, bytes.
    File(PathBuf, u64),
    /// Nothing: the record goes. Only a list of changes says so.
    Gone,
}

/// A record on its way into a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its key at rest.
    pub key: Key,
    /// Its value at rest.
    pub content: Content,
}

/// Records in ascending order of their keys, each key once.
pub struct Rows {
    count: u64,
    runs: Vec<Run>,
    heads: BinaryHeap<Reverse<Head>>,
    faults: Faults,
    again: Again,
    begun: bool,
    ended: bool,
    watch: Option<Box<Watch>>,
}

/// Told each key that does not go; whether it is left out.
type Watch = dyn Fn(&Key) -> bool + Send;

/// What it means that a key stands once more.
pub(super) enum Again {
    /// The later row counts.
    Replaces,
    /// A fault, told after the last record: until then nobody knows all of them. That a key may
    /// be gone is none.
    Fault(Naming),
}

/// How a key that stands twice is told.
pub(super) struct Naming {
    /// The collection.
    pub(super) what: String,
    /// Names the second row.
    pub(super) twice: Box<Twice>,
}

/// From a key and its first two rows to what is wrong.
pub(super) type Twice = dyn Fn(&Key, [u64; 2]) -> Fault + Send;

impl Rows {
    /// All that these sorters took.
    pub(super) fn of(sorted: Vec<Sorted>, again: Again) -> Self {
        let runs: usize = sorted.iter().map(Sorted::len).sum();
        let buffer = (BUFFERS / runs.max(1)).clamp(BUFFER.0, BUFFER.1);
        Self {
            count: sorted.iter().map(|sorted| sorted.count).sum(),
            runs: sorted.into_iter().flat_map(|s| s.runs(buffer)).collect(),
            heads: BinaryHeap::new(),
            faults: Faults::default(),
            again,
            begun: false,
            ended: false,
            watch: None,
        }
    }

    /// These, without those that `watch` says.
    #[must_use]
    pub(crate) fn watched(self, watch: Box<Watch>) -> Self {
        Self {
            watch: Some(watch),
            ..self
        }
    }

    /// These, each key once anyway.
    ///
    /// # Errors
    /// They do not fit into memory, and not into `scratch`.
    pub fn given(records: &BTreeMap<Key, Content>, scratch: &Path) -> Result<Self, SourceError> {
        let mut sorter = Sorter::new(scratch, super::SORT_BYTES);
        for (row, (key, content)) in records.iter().enumerate() {
            let pushed = sorter.push(key, content, row as u64);
            pushed.map_err(SourceError::Sorting)?;
        }
        let sorted = sorter.finish().map_err(SourceError::Sorting)?;
        Ok(Self::of(vec![sorted], Again::Replaces))
    }

    /// How many there are, each time that a key stands counted.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The next record of all runs, equal keys in the order of their rows.
    fn record(&mut self) -> io::Result<Option<Record>> {
        if !self.begun {
            self.begun = true;
            for (run, records) in self.runs.iter_mut().enumerate() {
                let record = records.next()?;
                let head = record.map(|record| Reverse(Head { record, run }));
                self.heads.extend(head);
            }
        }
        let Some(mut head) = self.heads.peek_mut() else {
            return Ok(None);
        };
        let next = self.runs.get_mut(head.0.run).map(Run::next).transpose()?;
        Ok(Some(match next.flatten() {
            Some(next) => std::mem::replace(&mut head.0.record, next),
            None => PeekMut::pop(head).0.record,
        }))
    }

    /// The next key's record, whatever stands for it.
    fn settled(&mut self) -> io::Result<Option<Record>> {
        let Some(first) = self.record()? else {
            return Ok(None);
        };
        let mut counts = None;
        while self
            .heads
            .peek()
            .is_some_and(|head| head.0.record.key == first.key)
        {
            let Some(next) = self.record()? else {
                break;
            };
            match &self.again {
                // Of very many the second is named. What may be gone is no row of the source.
                Again::Fault(naming) if counts.is_none() && first.content != Content::Gone => {
                    let fault = (naming.twice)(&first.key, [first.row, next.row]);
                    self.faults.add(fault);
                }
                _ => {}
            }
            counts = Some(next);
        }
        Ok(Some(counts.unwrap_or(first)))
    }
}

impl Rows {
    /// The next record that is not left out.
    fn watched_for(&mut self) -> io::Result<Option<Record>> {
        loop {
            let settled = self.settled()?;
            let left_out = |record: &Record| {
                let watch = self.watch.as_ref();
                record.content != Content::Gone && watch.is_some_and(|watch| watch(&record.key))
            };
            if !settled.as_ref().is_some_and(left_out) {
                return Ok(settled);
            }
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.watched_for() {
            Ok(Some(Record { key, content, .. })) => Some(Ok(Row { key, content })),
            Ok(None) => {
                self.ended = true;
                let faults = std::mem::take(&mut self.faults);
                match &self.again {
                    Again::Replaces => None,
                    Again::Fault(naming) => faults.into_error(&naming.what).map(Err),
                }
            }
            Err(error) => {
                self.ended = true;
                Some(Err(SourceError::Sorting(error)))
            }
        }
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rows({})", self.count)
    }
}

/// The next record of one run; ordered by key, then by row.
struct Head {
    record: Record,
    run: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (a, b) = (&self.record, &other.record);
        (&a.key, a.row).cmp(&(&b.key, b.row))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}
