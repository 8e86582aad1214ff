//! The segments of a collection, newest first, read as one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io::Write;
use std::ops::RangeBounds;

use crate::manifest::SegmentEntry;
use crate::segment::{BuildError, Segment, SegmentBuilder, SegmentError, SegmentIter};
use crate::{Entry, Key, Value, node};

/// A collection's segments, newest first. The empty stack holds nothing.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    segments: Vec<Segment>,
}

impl Stack {
    /// Stacks `segments`, the newest first.
    #[must_use]
    pub fn new(segments: Vec<Segment>) -> Self {
        Self { segments }
    }

    /// The segments, newest first.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The newest value of `key`; `None` proves that no segment holds one.
    ///
    /// # Errors
    /// A segment on the way cannot be read: an older one's value would be a guess.
    pub fn get(&self, key: &Key) -> Result<Option<Value>, SegmentError> {
        let tag = node::tag(key.as_bytes());
        for segment in &self.segments {
            if let Some(entry) = segment.find(key, tag)? {
                return Ok(entry.into_value());
            }
        }
        Ok(None)
    }

    /// All records in `range`, keys ascending, the newest value of each. An error ends the iteration.
    #[must_use]
    pub fn iter(&self, range: impl RangeBounds<Key>) -> StackIter {
        StackIter(self.entries(range))
    }

    /// Like [`Stack::iter`], with the tombstones.
    #[must_use]
    pub fn entries(&self, range: impl RangeBounds<Key>) -> Merge {
        let bounds = (range.start_bound().cloned(), range.end_bound().cloned());
        let sources: Vec<_> = self
            .segments
            .iter()
            .map(|s| s.iter(bounds.clone()))
            .collect();
        Merge {
            waiting: (0..sources.len()).collect(),
            sources,
            heads: BinaryHeap::new(),
            done: false,
        }
    }

    /// How many records a reader can find.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub fn count(&self) -> Result<u64, SegmentError> {
        let mut count = 0;
        for record in self.iter(..) {
            record?;
            count += 1;
        }
        Ok(count)
    }

    /// Writes the merge of this run of segments: the newest entry of each key; tombstones stay
    /// unless the run is at the `bottom` of its stack, then all go. The same segments give the same
    /// bytes everywhere. `None` if nothing is left.
    ///
    /// # Errors
    /// A segment cannot be read, or the result not be written.
    pub fn merge<W: Write>(
        &self,
        mut builder: SegmentBuilder<W>,
        bottom: bool,
    ) -> Result<Option<(W, SegmentEntry)>, MergeError> {
        for item in self.entries(..) {
            let (key, entry) = item?;
            if !(bottom && entry == Entry::Tombstone) {
                builder.push(&key, &entry)?;
            }
        }
        let from = self
            .segments
            .iter()
            .map(|segment| segment.entry().into())
            .collect();
        Ok(builder.finish()?.map(|(out, entry)| {
            (
                out,
                SegmentEntry {
                    from,
                    bottom,
                    ..entry
                },
            )
        }))
    }
}

/// A run of segments that cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// One of them cannot be read.
    #[error(transparent)]
    Read(#[from] SegmentError),
    /// The result cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Records of a stack, keys ascending.
#[derive(Debug)]
pub struct StackIter(Merge);

impl Iterator for StackIter {
    type Item = Result<(Key, Value), SegmentError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.find_map(|item| match item {
            Ok((key, entry)) => entry.into_value().map(|value| Ok((key, value))),
            Err(error) => Some(Err(error)),
        })
    }
}

/// Entries of several segments as one, keys ascending, the newest of each key.
#[derive(Debug)]
pub struct Merge {
    sources: Vec<SegmentIter>,
    /// Sources that have no entry in `heads` yet.
    waiting: Vec<usize>,
    heads: BinaryHeap<Reverse<Head>>,
    done: bool,
}

/// The next entry of one source; ordered by key, then newest source first.
#[derive(Debug)]
struct Head {
    key: Key,
    source: usize,
    entry: Entry,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.key, self.source).cmp(&(&other.key, other.source))
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

impl Merge {
    fn refill(&mut self) -> Result<(), SegmentError> {
        while let Some(source) = self.waiting.pop() {
            if let Some(next) = self.sources.get_mut(source).and_then(Iterator::next) {
                let (key, entry) = next?;
                self.heads.push(Reverse(Head { key, source, entry }));
            }
        }
        Ok(())
    }
}

impl Iterator for Merge {
    type Item = Result<(Key, Entry), SegmentError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        if let Err(error) = self.refill() {
            self.done = true;
            return Some(Err(error));
        }
        let Reverse(newest) = self.heads.pop()?;
        self.waiting.push(newest.source);
        while let Some(shadowed) = self.heads.peek_mut() {
            if shadowed.0.key != newest.key {
                break;
            }
            self.waiting.push(PeekMut::pop(shadowed).0.source);
        }
        Some(Ok((newest.key, newest.entry)))
    }
}
