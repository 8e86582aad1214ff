//! Checking a whole segment: every node, and that nothing but its nodes is there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::Serialize;

use crate::node::{Entries, Inner, Place, Row, plain_len, show, tag};
use crate::segment::read::Opened;
use crate::segment::{Fault, Segment, SegmentError};
use crate::{codec, limits};

impl Segment {
    /// Reads and checks every node, from the file and never from the cache.
    ///
    /// # Errors
    /// The first thing that is not as `FORMAT.md` section 4 says.
    pub fn verify(&self) -> Result<(), SegmentError> {
        self.verify_on(1)
    }

    /// [`Segment::verify`] on so many threads.
    ///
    /// # Errors
    /// As there.
    pub fn verify_on(&self, threads: usize) -> Result<(), SegmentError> {
        let opened = &*self.0;
        let root = opened.root()?;
        let mut walk = Walk::new(opened, root);
        match walk.node(root, None)? {
            Below::Nodes(inner) if threads > 1 => walk.visit_on(threads, root, &inner)?,
            below => walk.below(root, &below)?,
        }
        // 4.10 Each level starts where the one below it ends, the leaves at 0.
        let mut expected = 0;
        for level in &walk.levels {
            let got = level.start.unwrap_or(0);
            if got != expected {
                return Err(opened.error(got, Fault::ChildPlace { expected, got }));
            }
            expected = level.end;
        }
        // 4.11 The leaves hold as many entries as the root claims.
        let claimed = self.entry().records;
        if walk.records != claimed {
            let fault = Fault::Records {
                expected: claimed,
                got: walk.records,
            };
            return Err(opened.error(root.at, fault));
        }
        Ok(())
    }
}

/// What was seen of one level, a run of its nodes.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    start: Option<u64>,
    end: u64,
    /// The encoded length of the first entry of the first node.
    first_entry: usize,
    /// Entries of the last node, and their encoded length.
    last: (usize, usize),
}

impl Level {
    /// These nodes and then those.
    fn then(self, next: Self) -> Result<Self, Fault> {
        let (Some(start), Some(got)) = (self.start, next.start) else {
            return Ok(if self.start.is_none() { next } else { self });
        };
        // 4.8 Nodes of a level lie one behind the other, across parents too.
        if got != self.end {
            let expected = self.end;
            return Err(Fault::ChildPlace { expected, got });
        }
        // 4.9 Cut greedily: a node's first entry had no room in the one before.
        let (count, body) = self.last;
        if plain_len(count + 1, body + next.first_entry) <= limits::NODE_BYTES {
            return Err(Fault::Cut);
        }
        Ok(Self {
            start: Some(start),
            first_entry: self.first_entry,
            ..next
        })
    }
}

struct Walk<'a> {
    opened: &'a Opened,
    levels: Vec<Level>,
    records: u64,
}

enum Below {
    Rows(u64),
    Nodes(Inner),
}

impl<'a> Walk<'a> {
    fn new(opened: &'a Opened, root: &Place<'_>) -> Self {
        Self {
            opened,
            levels: vec![Level::default(); usize::from(root.level) + 1],
            records: 0,
        }
    }

    /// Depth first; a segment has at most [`limits::LEVELS`] levels. `tags` are what the parent of a
    /// leaf tells of its keys.
    fn visit(&mut self, place: &Place<'_>, tags: Option<&[u8]>) -> Result<(), SegmentError> {
        let below = self.node(place, tags)?;
        self.below(place, &below)
    }

    /// One node; gives what is below it.
    fn node(&mut self, place: &Place<'_>, tags: Option<&[u8]>) -> Result<Below, SegmentError> {
        let (seen, below) = self.opened.with_node(place, |node| {
            let count = node.count();
            let (first_entry, below) = match node.entries {
                Entries::Leaf(rows) => {
                    check_tags(&rows, tags)?;
                    (length(rows.first())?, Below::Rows(rows.len() as u64))
                }
                Entries::Inner(children) => (
                    length(children.first())?,
                    Below::Nodes(Inner::new(node.level, &children)),
                ),
            };
            let bytes = usize::try_from(place.bytes).unwrap_or(usize::MAX);
            let seen = Level {
                start: Some(place.at),
                end: place.at.saturating_add(place.bytes),
                first_entry,
                last: (count, bytes.saturating_sub(plain_len(count, 0))),
            };
            Ok((seen, below))
        })?;
        self.add(usize::from(place.level), seen)?;
        Ok(below)
    }

    fn below(&mut self, place: &Place<'_>, below: &Below) -> Result<(), SegmentError> {
        match below {
            Below::Rows(rows) => self.records = self.records.saturating_add(*rows),
            Below::Nodes(inner) => {
                for index in 0..inner.count() {
                    if let Some(child) = inner.place(index, place.below) {
                        self.visit(&child, inner.tags(index))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What is below the root, each child a walk of its own.
    fn visit_on(
        &mut self,
        threads: usize,
        root: &Place<'_>,
        inner: &Inner,
    ) -> Result<(), SegmentError> {
        let (next, walked) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        let opened = self.opened;
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= inner.count() {
                    return;
                }
                let mut walk = Walk::new(opened, root);
                let child = inner.place(index, root.below);
                let visited = child.map(|child| walk.visit(&child, inner.tags(index)));
                let done = visited.unwrap_or(Ok(())).map(|()| walk);
                let mut walked = walked.lock().unwrap_or_else(PoisonError::into_inner);
                walked.insert(index, done);
            }
        };
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        let walked = walked.into_inner().unwrap_or_else(PoisonError::into_inner);
        for done in walked.into_values() {
            let done = done?;
            self.records = self.records.saturating_add(done.records);
            for (level, seen) in done.levels.into_iter().enumerate() {
                self.add(level, seen)?;
            }
        }
        Ok(())
    }

    /// What was seen next of a level.
    fn add(&mut self, level: usize, seen: Level) -> Result<(), SegmentError> {
        let at = seen.start.unwrap_or(0);
        let fail = |fault| self.opened.error(at, fault);
        let Some(so_far) = self.levels.get_mut(level) else {
            return Err(fail(Fault::TooDeep {
                got: u16::try_from(level).unwrap_or(u16::MAX),
                limit: limits::LEVELS,
            }));
        };
        *so_far = so_far.then(seen).map_err(fail)?;
        Ok(())
    }
}

/// The encoded length of an entry, bytes.
fn length<T: Serialize>(entry: Option<&T>) -> Result<usize, Fault> {
    let length = entry.map(|entry| codec::encode(entry).map(|bytes| bytes.len()));
    Ok(length.transpose()?.unwrap_or(0))
}

fn check_tags(rows: &[Row<'_>], tags: Option<&[u8]>) -> Result<(), Fault> {
    for (row, told) in rows.iter().zip(tags.unwrap_or_default()) {
        // 4.12 A tag is its key's; otherwise a key would seem absent that is there.
        if tag(row.key) != *told {
            return Err(Fault::Tag { key: show(row.key) });
        }
    }
    Ok(())
}
