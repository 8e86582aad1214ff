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

/// An inner node that was read, hashed and checked. Cloning shares its bytes.
///
/// A look-up comes to one that lies in no cache of the processor, so what counts is how few lines
/// of memory it must wait for. Of its children, therefore, all lies in one piece: what their keys have
/// in common, then the leads, which are searched and say where the rest is, then the places, and last
/// each child's key and tags.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub(crate) level: u8,
    children: u16,
    /// How many bytes all of the keys begin with.
    shared: u16,
    /// Where the first child starts; the others lie behind it.
    start: u64,
    /// Where the last child ends.
    end: u64,
    bytes: Arc<[u8]>,
}

/// How a child is found: what its key goes on with behind what all share ([`head`], four bytes), where
/// its key starts, and where its key ends and its tags start (two bytes each).
const LEAD: usize = 8;
/// Where a child lies: its digest, and where it ends, counted from where the first child starts (four
/// bytes).
const BELOW: usize = Digest::LEN + 4;

impl Inner {
    /// Keeps the children of a node that was checked.
    pub(crate) fn new(level: u8, children: &[Child]) -> Self {
        let (first, last) = (children.first(), children.last());
        let start = first.map_or(0, |child| child.at);
        let end = |child: &Child| child.at.saturating_add(child.bytes);
        let prefix = first.zip(last).map_or(&[][..], |(first, last)| {
            let (first, last) = (first.key.as_bytes(), last.key.as_bytes());
            let pairs = first.iter().zip(last);
            let shared = pairs.take_while(|(a, b)| a == b).count();
            first.get(..shared).unwrap_or_default()
        });
        let mut bytes = prefix.to_vec();
        let mut at = prefix.len() + children.len() * (LEAD + BELOW);
        for child in children {
            let key = child.key.as_bytes();
            let behind = key.get(prefix.len()..).unwrap_or_default();
            bytes.extend(head(behind).to_le_bytes());
            bytes.extend(short(at).to_le_bytes());
            at += key.len();
            bytes.extend(short(at).to_le_bytes());
            at += child.tags.as_ref().map_or(0, Vec::len);
        }
        for child in children {
            bytes.extend(child.digest.as_bytes());
            // Never more than a node's bytes for each.
            let end = u32::try_from(end(child).saturating_sub(start)).unwrap_or(u32::MAX);
            bytes.extend(end.to_le_bytes());
        }
        for child in children {
            bytes.extend(child.key.as_bytes());
            bytes.extend(child.tags.iter().flatten());
        }
        Self {
            level,
            children: short(children.len()),
            shared: short(prefix.len()),
            start,
            end: last.map_or(0, end),
            bytes: bytes.into(),
        }
    }

    /// The child whose keys may include `key`; `None` if `key` is below them all.
    pub(crate) fn child_for(&self, key: &[u8]) -> Option<usize> {
        let shared = self.bytes.get(..self.shared.into())?;
        let (before, behind) = key.split_at_checked(shared.len()).unwrap_or((key, &[]));
        match before.cmp(shared) {
            Ordering::Less => return None,
            Ordering::Greater => return self.count().checked_sub(1),
            Ordering::Equal => {}
        }
        let (head, leads) = (head(behind), self.leads());
        // All of them, for that goes by without waiting for memory at each step.
        let lower = leads.iter().map(|lead| u32::from(head_of(lead) < head));
        let mut at = lower.sum::<u32>() as usize;
        // Whole keys decide only among those that go on alike.
        while leads.get(at).is_some_and(|lead| head_of(lead) == head) && self.key(at)? <= key {
            at += 1;
        }
        at.checked_sub(1)
    }

    /// The tags of the keys in the leaf `index`; other nodes have none.
    pub(crate) fn tags(&self, index: usize) -> Option<&[u8]> {
        if self.level != 1 {
            return None;
        }
        let (_, start) = self.places(index)?;
        let end = self
            .places(index + 1)
            .map_or(self.bytes.len(), |(key, _)| key);
        self.bytes.get(start..end)
    }

    /// `false` proves that the leaf `index` holds no key of this tag; of other nodes it is not known.
    pub(crate) fn may_hold(&self, index: usize, tag: u8) -> bool {
        self.tags(index).is_none_or(|tags| tags.contains(&tag))
    }

    /// The place of child `index` of a node whose keys are all below `below`.
    pub(crate) fn place<'a>(&'a self, index: usize, below: Option<&'a [u8]>) -> Option<Place<'a>> {
        let (digest, end) = self.below(index)?;
        let at = match index.checked_sub(1) {
            None => 0,
            Some(before) => self.below(before)?.1,
        };
        Some(Place {
            level: self.level.checked_sub(1)?,
            digest,
            at: self.start.saturating_add(at.into()),
            bytes: end.saturating_sub(at).into(),
            first: self.key(index),
            below: self.key(index + 1).or(below),
            tags: self.tags(index).map(<[u8]>::len),
        })
    }

    /// Checks of a node from the cache what tells on a look-up at the place it is used for now; all
    /// else was checked when it was read.
    pub(crate) fn check(&self, place: &Place<'_>) -> Result<(), Fault> {
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
    pub(crate) fn check_span(&self, place: &Place<'_>) -> Result<(), Fault> {
        let last = self.count().checked_sub(1);
        check_span(self.key(0), last.and_then(|last| self.key(last)), place)
    }

    /// How many children it has.
    pub(crate) fn count(&self) -> usize {
        self.children.into()
    }

    /// About what it takes in memory, bytes.
    pub(crate) fn weight(&self) -> u64 {
        (self.bytes.len() + size_of::<Self>()) as u64
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        let (start, end) = self.places(index)?;
        self.bytes.get(start..end)
    }

    fn leads(&self) -> &[[u8; LEAD]] {
        let rest = self.bytes.get(self.shared.into()..).unwrap_or_default();
        let (leads, _) = rest.as_chunks();
        leads.get(..self.count()).unwrap_or_default()
    }

    /// Where a child's key starts, and where it ends and the tags start.
    fn places(&self, index: usize) -> Option<(usize, usize)> {
        let [_, _, _, _, a, b, c, d] = *self.leads().get(index)?;
        let place = |bytes| usize::from(u16::from_le_bytes(bytes));
        Some((place([a, b]), place([c, d])))
    }

    /// A child's digest, and where it ends.
    fn below(&self, index: usize) -> Option<(Digest, u32)> {
        let start = usize::from(self.shared) + self.count() * LEAD;
        let (below, _) = self.bytes.get(start..)?.as_chunks::<BELOW>();
        let below = below.get(..self.count())?.get(index)?;
        let (digest, end) = below.split_first_chunk()?;
        let end = u32::from_le_bytes(*end.first_chunk()?);
        Some((Digest::from_bytes(*digest), end))
    }
}

/// What counts in a node: never more than its bytes, and those that all of its keys share once more.
fn short(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

fn head_of(lead: &[u8; LEAD]) -> u32 {
    let [a, b, c, d, ..] = *lead;
    u32::from_le_bytes([a, b, c, d])
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

pub(super) fn check_places(children: &[Child], place: &Place<'_>) -> Result<(), Fault> {
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
            let inner = Inner::new(1, &children);
            let asked: BTreeSet<&Vec<u8>> = keys.iter().chain(&others).collect();
            for key in asked {
                let expected = keys.range(..=key.clone()).count().checked_sub(1);
                prop_assert_eq!(inner.child_for(key), expected);
            }
            for (at, child) in children.iter().enumerate() {
                let place = inner.place(at, None).unwrap();
                prop_assert_eq!(place.first, Some(child.key.as_bytes()));
                let next = children.get(at + 1).map(|next| next.key.as_bytes());
                prop_assert_eq!(place.below, next);
                prop_assert_eq!(inner.tags(at), child.tags.as_deref());
            }
        }
    }
}
