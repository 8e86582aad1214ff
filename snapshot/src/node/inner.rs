//! Inner nodes: as they are written, and as they are kept in memory once checked. A large
//! collection has a hundred thousand children in the cache, so what is kept lies close together.

use super::{Place, check_span};
use crate::segment::Fault;
use crate::{Digest, Key};

/// One entry of an inner node: `[key, digest, at, bytes]`, with the tags behind if it is a leaf's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Child {
    /// The first key below it.
    pub(crate) key: Key,
    pub(crate) digest: Digest,
    /// Where it starts, an offset in the uncompressed segment.
    pub(crate) at: u64,
    /// Its length.
    pub(crate) bytes: u64,
    /// The tag of each of its keys, if it is a leaf.
    pub(crate) tags: Option<Vec<u8>>,
}

/// An inner node that was read, hashed and checked.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) level: u8,
    keys: Slices,
    tags: Slices,
    /// Each child's name, and where it ends.
    below: Box<[(Digest, u64)]>,
    /// Where the first child starts; the others lie behind it.
    start: u64,
    /// Where the last child ends.
    end: u64,
}

/// Byte strings behind one another.
#[derive(Debug)]
struct Slices {
    bytes: Box<[u8]>,
    ends: Box<[u32]>,
}

impl Inner {
    /// Keeps the children of a node that was checked.
    pub(crate) fn new(level: u8, children: &[Child]) -> Self {
        let end = |child: &Child| child.at.saturating_add(child.bytes);
        let below = children.iter().map(|child| (child.digest, end(child)));
        Self {
            level,
            keys: Slices::new(children.iter().map(|child| child.key.as_bytes())),
            tags: Slices::new(children.iter().filter_map(|child| child.tags.as_deref())),
            below: below.collect(),
            start: children.first().map_or(0, |child| child.at),
            end: children.last().map_or(0, end),
        }
    }

    /// The child whose keys may include `key`; `None` if `key` is below them all.
    pub(crate) fn child_for(&self, key: &[u8]) -> Option<usize> {
        self.keys
            .partition_point(|first| first <= key)
            .checked_sub(1)
    }

    /// The tags of the keys in the leaf `index`; other nodes have none.
    pub(crate) fn tags(&self, index: usize) -> Option<&[u8]> {
        self.tags.get(index)
    }

    /// `false` proves that the leaf `index` holds no key of this tag; of other nodes it is not known.
    pub(crate) fn may_hold(&self, index: usize, tag: u8) -> bool {
        self.tags(index).is_none_or(|tags| tags.contains(&tag))
    }

    /// The place of child `index` of a node whose keys are all below `below`.
    pub(crate) fn place(&self, index: usize, below: Option<&Key>) -> Option<Place> {
        let key = |index| self.keys.get(index).and_then(|key| Key::new(key).ok());
        let at = match index.checked_sub(1) {
            None => self.start,
            Some(before) => self.below.get(before)?.1,
        };
        let (digest, end) = *self.below.get(index)?;
        Some(Place {
            level: self.level.checked_sub(1)?,
            digest,
            at,
            bytes: end.saturating_sub(at),
            first: Some(key(index)?),
            below: key(index + 1).or_else(|| below.cloned()),
            tags: self.tags(index).map(<[u8]>::len),
        })
    }

    /// Checks of a node from the cache what tells on a look-up at the place it is used for now; all
    /// else was checked when it was read.
    pub(crate) fn check(&self, place: &Place) -> Result<(), Fault> {
        if self.level != place.level {
            return Err(Fault::Level {
                expected: place.level,
                got: self.level,
            });
        }
        let (end, limit) = (self.end, place.at);
        if end > limit {
            return Err(Fault::ChildEnd { end, limit });
        }
        Ok(())
    }

    /// Checks that its keys are those of the place it is used for now: who walks over them all goes
    /// by their order.
    pub(crate) fn check_span(&self, place: &Place) -> Result<(), Fault> {
        let last = self.count().checked_sub(1);
        let last = last.and_then(|last| self.keys.get(last));
        check_span(self.keys.get(0), last, place)
    }

    /// How many children it has.
    pub(crate) fn count(&self) -> usize {
        self.below.len()
    }

    /// About what it takes in memory, bytes.
    pub(crate) fn weight(&self) -> u64 {
        let slices = self.keys.weight() + self.tags.weight();
        (slices + size_of_val(&*self.below) + size_of::<Self>()) as u64
    }
}

impl Slices {
    fn new<'a>(slices: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for slice in slices {
            bytes.extend_from_slice(slice);
            // Never more than a node's bytes.
            ends.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        Self {
            bytes: bytes.into(),
            ends: ends.into(),
        }
    }

    fn get(&self, index: usize) -> Option<&[u8]> {
        let start = match index.checked_sub(1) {
            None => 0,
            Some(before) => *self.ends.get(before)?,
        };
        let end = *self.ends.get(index)?;
        self.bytes.get(start as usize..end as usize)
    }

    /// How many come first that `holds` is true of; it must be false of all others.
    fn partition_point(&self, holds: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle).is_some_and(&holds) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn weight(&self) -> usize {
        self.bytes.len() + size_of_val(&*self.ends)
    }
}

pub(super) fn check_places(children: &[Child], place: &Place) -> Result<(), Fault> {
    let mut next = None;
    for child in children {
        // 3.11 Children lie one behind the other, and before this node.
        if let Some(expected) = next
            && child.at != expected
        {
            return Err(Fault::ChildPlace {
                expected,
                got: child.at,
            });
        }
        let end = child.at.saturating_add(child.bytes);
        if child.bytes == 0 || end > place.at {
            return Err(Fault::ChildEnd {
                end,
                limit: place.at,
            });
        }
        next = Some(end);
    }
    Ok(())
}

pub(super) fn check_tags(children: &[Child], level: u8) -> Result<(), Fault> {
    for child in children {
        // 3.13 Of a leaf there are tags, of no other node.
        let (got, expected) = match (level, &child.tags) {
            (1, None) => (0, 1),
            (2.., Some(tags)) => (tags.len(), 0),
            _ => continue,
        };
        return Err(Fault::Tags { expected, got });
    }
    Ok(())
}
