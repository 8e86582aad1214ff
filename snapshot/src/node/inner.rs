//! Inner nodes: as they are written, and as they are kept in memory once checked.

use std::cmp::Ordering;
use std::sync::Arc;

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
///
/// A look-up comes to one that lies in no cache of the processor, so what counts is how few lines
/// of memory it touches: the heads are searched, then one entry and the bytes behind it read.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) level: u8,
    /// How many bytes all of the keys begin with.
    shared: usize,
    /// What each key goes on with ([`head`]).
    heads: Box<[u32]>,
    below: Box<[Below]>,
    /// Each child's key and tags, behind one another.
    bytes: Box<[u8]>,
    /// Where the first child starts; the others lie behind it.
    start: u64,
    /// Where the last child ends.
    end: u64,
}

/// One child.
#[derive(Debug)]
struct Below {
    digest: Digest,
    /// Where it ends, counted from where the first child starts.
    end: u32,
    /// Where its key starts in the node's bytes, and where it ends and the tags start.
    key: (u16, u16),
}

/// A key of an inner node, where it lies.
#[derive(Clone, Debug)]
pub(crate) struct ChildKey {
    node: Arc<Inner>,
    index: usize,
}

impl ChildKey {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.node.key(self.index).unwrap_or_default()
    }
}

impl Inner {
    /// Keeps the children of a node that was checked.
    pub(crate) fn new(level: u8, children: &[Child]) -> Self {
        let (first, last) = (children.first(), children.last());
        let start = first.map_or(0, |child| child.at);
        let end = |child: &Child| child.at.saturating_add(child.bytes);
        let (mut below, mut bytes) = (Vec::with_capacity(children.len()), Vec::new());
        for child in children {
            // Never more than a node's bytes.
            let at = |bytes: &Vec<u8>| u16::try_from(bytes.len()).unwrap_or(u16::MAX);
            let key = at(&bytes);
            bytes.extend_from_slice(child.key.as_bytes());
            let key = (key, at(&bytes));
            bytes.extend_from_slice(child.tags.as_deref().unwrap_or_default());
            below.push(Below {
                digest: child.digest,
                // Never more than a node's bytes for each.
                end: u32::try_from(end(child).saturating_sub(start)).unwrap_or(u32::MAX),
                key,
            });
        }
        let shared = first.zip(last).map_or(0, |(first, last)| {
            let pairs = first.key.as_bytes().iter().zip(last.key.as_bytes());
            pairs.take_while(|(a, b)| a == b).count()
        });
        let heads = children.iter();
        let heads = heads.map(|child| head(child.key.as_bytes().get(shared..).unwrap_or_default()));
        Self {
            level,
            shared,
            heads: heads.collect(),
            below: below.into(),
            bytes: bytes.into(),
            start,
            end: last.map_or(0, end),
        }
    }

    /// The child whose keys may include `key`; `None` if `key` is below them all.
    pub(crate) fn child_for(&self, key: &[u8]) -> Option<usize> {
        let shared = self.key(0)?.get(..self.shared)?;
        let (before, behind) = key.split_at_checked(self.shared).unwrap_or((key, &[]));
        match before.cmp(shared) {
            Ordering::Less => return None,
            Ordering::Greater => return self.count().checked_sub(1),
            Ordering::Equal => {}
        }
        let head = head(behind);
        // All of them, for that goes by without waiting for memory at each step.
        let lower = self.heads.iter().map(|other| u32::from(*other < head));
        let mut at = lower.sum::<u32>() as usize;
        // Whole keys decide only among those that go on alike.
        while self.heads.get(at) == Some(&head) && self.key(at)? <= key {
            at += 1;
        }
        at.checked_sub(1)
    }

    /// The tags of the keys in the leaf `index`; other nodes have none.
    pub(crate) fn tags(&self, index: usize) -> Option<&[u8]> {
        if self.level != 1 {
            return None;
        }
        let (_, start) = self.below.get(index)?.key;
        let next = self.below.get(index + 1);
        let end = next.map_or(self.bytes.len(), |next| next.key.0.into());
        self.bytes.get(start.into()..end)
    }

    /// `false` proves that the leaf `index` holds no key of this tag; of other nodes it is not known.
    pub(crate) fn may_hold(&self, index: usize, tag: u8) -> bool {
        self.tags(index).is_none_or(|tags| tags.contains(&tag))
    }

    /// The place of child `index` of a node whose keys are all below `below`.
    pub(crate) fn place(self: &Arc<Self>, index: usize, below: Option<&ChildKey>) -> Option<Place> {
        let child = self.below.get(index)?;
        let key = |index| {
            let node = Arc::clone(self);
            (index < self.count()).then_some(ChildKey { node, index })
        };
        let at = match index.checked_sub(1) {
            None => 0,
            Some(before) => self.below.get(before)?.end,
        };
        Some(Place {
            level: self.level.checked_sub(1)?,
            digest: child.digest,
            at: self.start.saturating_add(at.into()),
            bytes: child.end.saturating_sub(at).into(),
            first: key(index),
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
        check_span(self.key(0), last.and_then(|last| self.key(last)), place)
    }

    /// How many children it has.
    pub(crate) fn count(&self) -> usize {
        self.below.len()
    }

    /// About what it takes in memory, bytes.
    pub(crate) fn weight(&self) -> u64 {
        let rows = size_of_val(&*self.heads) + size_of_val(&*self.below);
        (rows + self.bytes.len() + size_of::<Self>()) as u64
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        let (start, end) = self.below.get(index)?.key;
        self.bytes.get(start.into()..end.into())
    }
}

/// The first four bytes as a number, so that numbers compare as bytes do; zeros where there are
/// fewer, so that different ones may come out equal.
fn head(bytes: &[u8]) -> u32 {
    let mut head = [0; 4];
    for (to, from) in head.iter_mut().zip(bytes) {
        *to = *from;
    }
    u32::from_be_bytes(head)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Keys that begin alike, and end where others go on with zeros.
    fn key() -> impl Strategy<Value = Vec<u8>> {
        (0..3usize, prop::collection::vec(0..3u8, 1..12)).prop_map(|(shared, mut key)| {
            key.splice(..0, b"shared".repeat(shared));
            key
        })
    }

    proptest! {
        #[test]
        fn a_child_is_found_as_if_all_keys_were_compared(
            keys in prop::collection::btree_set(key(), 1..80),
            others in prop::collection::vec(key(), 1..20),
        ) {
            let child = |key: &Vec<u8>| Child {
                key: Key::new(key.clone()).unwrap(),
                digest: Digest::of(key),
                at: 0,
                bytes: 1,
                tags: Some(key.iter().rev().copied().collect()),
            };
            let children: Vec<Child> = keys.iter().map(child).collect();
            let inner = Arc::new(Inner::new(1, &children));
            let asked: BTreeSet<&Vec<u8>> = keys.iter().chain(&others).collect();
            for key in asked {
                let expected = keys.range(..=key.clone()).count().checked_sub(1);
                prop_assert_eq!(inner.child_for(key), expected);
            }
            for (at, child) in children.iter().enumerate() {
                let place = inner.place(at, None).unwrap();
                let first = place.first.as_ref().map(ChildKey::as_bytes);
                prop_assert_eq!(first, Some(child.key.as_bytes()));
                let next = children.get(at + 1).map(|next| next.key.as_bytes());
                prop_assert_eq!(place.below.as_ref().map(ChildKey::as_bytes), next);
                prop_assert_eq!(inner.tags(at), child.tags.as_deref());
            }
        }
    }
}
