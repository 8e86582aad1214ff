//! The one place where records are put in order. Sorts in memory: 20 million keys are its limit.
//! A source too large for that replaces this file by an external sort and nothing else.

use std::collections::BTreeSet;
use std::path::PathBuf;

use snapshot::Key;

use super::Place;

/// What a record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The bytes themselves.
    Bytes(Vec<u8>),
    /// A file too large to be kept in memory, with its length when it was listed, bytes.
    File(PathBuf, u64),
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
#[derive(Debug, Default)]
pub struct Rows(Vec<Row>);

impl Rows {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Rows {
    type Item = Row;
    type IntoIter = std::vec::IntoIter<Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A key that stands twice.
#[derive(Debug)]
pub(super) struct Duplicate {
    pub(super) key: Key,
    pub(super) first: Place,
    pub(super) second: Place,
}

/// Takes records in any order.
#[derive(Debug, Default)]
pub(super) struct Sorter {
    records: Vec<(Row, Place)>,
}

impl Sorter {
    pub(super) fn push(&mut self, key: Key, content: Content, place: Place) {
        self.records.push((Row { key, content }, place));
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// The records in order, and every key that stood twice. The sort is stable, so that the
    /// first place is the one that comes first in the source.
    pub(super) fn finish(mut self) -> (Rows, Vec<Duplicate>) {
        self.records.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
        let mut duplicates = Vec::new();
        let mut named = BTreeSet::new();
        for pair in self.records.windows(2) {
            let [(a, first), (b, second)] = pair else {
                continue;
            };
            if a.key == b.key && named.insert(a.key.clone()) {
                duplicates.push(Duplicate {
                    key: a.key.clone(),
                    first: first.clone(),
                    second: second.clone(),
                });
            }
        }
        let rows = self.records.into_iter().map(|(row, _)| row).collect();
        (Rows(rows), duplicates)
    }
}
