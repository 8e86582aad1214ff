//! Checking a whole segment: every node, and that nothing but its nodes is there.

use std::sync::Arc;

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
        let opened = &*self.0;
        let root = opened.root()?;
        let mut walk = Walk {
            opened,
            levels: vec![Level::default(); usize::from(root.level) + 1],
            records: 0,
        };
        walk.visit(root, None)?;
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

/// What was seen of one level so far.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    start: Option<u64>,
    end: u64,
    /// Entries of the last node seen, and their encoded length.
    last: (usize, usize),
}

struct Walk<'a> {
    opened: &'a Opened,
    levels: Vec<Level>,
    records: u64,
}

/// What remains of a node once its bytes are let go.
struct Seen {
    count: usize,
    /// The encoded length of its first entry.
    first_entry: usize,
    below: Below,
}

enum Below {
    Rows(u64),
    Nodes(Arc<Inner>),
}

impl Walk<'_> {
    /// Depth first; a segment has at most [`limits::LEVELS`] levels. `tags` are what the parent of a
    /// leaf tells of its keys.
    fn visit(&mut self, place: &Place, tags: Option<&[u8]>) -> Result<(), SegmentError> {
        let seen = self.opened.with_node(place, |node| {
            let count = node.count();
            Ok(match node.entries {
                Entries::Leaf(rows) => {
                    check_tags(&rows, tags)?;
                    Seen {
                        count,
                        first_entry: length(rows.first())?,
                        below: Below::Rows(rows.len() as u64),
                    }
                }
                Entries::Inner(children) => Seen {
                    count,
                    first_entry: length(children.first())?,
                    below: Below::Nodes(Arc::new(Inner::new(node.level, &children))),
                },
            })
        })?;
        self.place_in_level(place, &seen)
            .map_err(|fault| self.opened.error(place.at, fault))?;
        match &seen.below {
            Below::Rows(rows) => self.records = self.records.saturating_add(*rows),
            Below::Nodes(inner) => {
                for index in 0..inner.count() {
                    if let Some(child) = inner.place(index, place.below.as_ref()) {
                        self.visit(&child, inner.tags(index))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn place_in_level(&mut self, place: &Place, seen: &Seen) -> Result<(), Fault> {
        let Some(level) = self.levels.get_mut(usize::from(place.level)) else {
            return Err(Fault::TooDeep {
                got: u16::from(place.level),
                limit: limits::LEVELS,
            });
        };
        if level.start.is_some() {
            // 4.8 Nodes of a level lie one behind the other, across parents too.
            if place.at != level.end {
                return Err(Fault::ChildPlace {
                    expected: level.end,
                    got: place.at,
                });
            }
            // 4.9 Cut greedily: this node's first entry had no room in the one before.
            let (count, body) = level.last;
            if plain_len(count + 1, body + seen.first_entry) <= limits::NODE_BYTES {
                return Err(Fault::Cut);
            }
        }
        let overhead = plain_len(seen.count, 0);
        let bytes = usize::try_from(place.bytes).unwrap_or(usize::MAX);
        *level = Level {
            start: level.start.or(Some(place.at)),
            end: place.at.saturating_add(place.bytes),
            last: (seen.count, bytes.saturating_sub(overhead)),
        };
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
