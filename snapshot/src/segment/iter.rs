//! Walking a segment's entries in key order.

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use std::vec;

use crate::node::{Inner, Place, Row};
use crate::segment::{Segment, SegmentError};
use crate::{Entry, Key};

/// Entries of a segment, keys ascending. It holds one leaf and the inner nodes above it; an error
/// ends it.
#[derive(Debug)]
pub struct SegmentIter {
    segment: Segment,
    start: Bound<Key>,
    end: Bound<Key>,
    /// The inner nodes above the current leaf, the root first.
    path: Vec<Step>,
    leaf: vec::IntoIter<(Key, Entry)>,
    state: State,
}

#[derive(Debug)]
struct Step {
    inner: Inner,
    /// The child to visit next.
    next: usize,
    /// What all keys below this node are below.
    below: Option<Arc<[u8]>>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    New,
    Walking,
    Done,
}

impl SegmentIter {
    pub(super) fn new(segment: Segment, range: impl RangeBounds<Key>) -> Self {
        Self {
            segment,
            start: range.start_bound().cloned(),
            end: range.end_bound().cloned(),
            path: Vec::new(),
            leaf: Vec::new().into_iter(),
            state: State::New,
        }
    }

    /// Goes down to the leaf at or below `place`: at first to where the range starts, then leftmost.
    fn descend(&mut self, place: &Place<'_>) -> Result<(), SegmentError> {
        let opened = Arc::clone(&self.segment.0);
        if place.level > 0 {
            let inner = opened.inner(place)?;
            inner
                .check_span(place)
                .map_err(|fault| opened.error(place.at, fault))?;
            let index = match (&self.state, &self.start) {
                (State::New, Bound::Included(key) | Bound::Excluded(key)) => {
                    inner.child_for(key.as_bytes()).unwrap_or(0)
                }
                _ => 0,
            };
            self.path.push(Step {
                inner: inner.clone(),
                next: index + 1,
                below: place.below.map(Arc::from),
            });
            let child = inner.place(index, place.below);
            return child.map_or(Ok(()), |child| self.descend(&child));
        }
        let start = &self.start;
        let wanted = |row: &Row<'_>| match start {
            Bound::Included(key) => row.key >= key.as_bytes(),
            Bound::Excluded(key) => row.key > key.as_bytes(),
            Bound::Unbounded => true,
        };
        self.leaf = opened
            .with_rows(place, |rows| {
                let mut entries = Vec::with_capacity(rows.len());
                for row in rows.iter().filter(|row| wanted(row)) {
                    entries.push((row.to_key()?, row.to_entry()));
                }
                Ok(entries)
            })?
            .into_iter();
        Ok(())
    }

    /// Moves to the next leaf; `false` if there is none.
    fn advance(&mut self) -> Result<bool, SegmentError> {
        if self.state == State::New {
            let opened = Arc::clone(&self.segment.0);
            self.descend(opened.root()?)?;
            self.state = State::Walking;
            return Ok(true);
        }
        while let Some(step) = self.path.last_mut() {
            let (inner, below) = (step.inner.clone(), step.below.clone());
            let place = inner.place(step.next, below.as_deref());
            step.next += 1;
            match place {
                Some(place) => {
                    self.descend(&place)?;
                    return Ok(true);
                }
                None => {
                    self.path.pop();
                }
            }
        }
        Ok(false)
    }
}

impl Iterator for SegmentIter {
    type Item = Result<(Key, Entry), SegmentError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.state != State::Done {
            if let Some((key, entry)) = self.leaf.next() {
                let past = match &self.end {
                    Bound::Included(end) => &key > end,
                    Bound::Excluded(end) => &key >= end,
                    Bound::Unbounded => false,
                };
                if past {
                    break;
                }
                return Some(Ok((key, entry)));
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.state = State::Done;
                    return Some(Err(error));
                }
            }
        }
        self.state = State::Done;
        None
    }
}
