//! One node of a segment: its bytes, and what must hold of it wherever it stands.
//!
//! The bytes are fixed by `FORMAT.md` sections 3 and 4; the numbers at the comments are its steps.

mod encoding;
mod scan;

use serde::{Deserialize, Serialize};

use crate::segment::Fault;
use crate::{BlobRef, CodecError, CollectionName, Digest, Entry, Key, SiteName, codec, limits};

pub(crate) use scan::length;

/// The one format version this code reads and writes.
pub(crate) const VERSION: u16 = 1;

const PLAIN: u8 = 0;
const ROOT: u8 = 1;

/// A decoded node; keys and values still lie in the bytes it was decoded from.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// Only a root has one.
    pub(crate) head: Option<Head>,
    /// 0 for a leaf.
    pub(crate) level: u8,
    pub(crate) entries: Entries<'a>,
}

/// What a root says of its segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) version: u16,
    pub(crate) site: SiteName,
    pub(crate) collection: CollectionName,
    /// Entries in all leaves, tombstones included.
    pub(crate) records: u64,
}

#[derive(Debug)]
pub(crate) enum Entries<'a> {
    Leaf(Vec<Row<'a>>),
    Inner(Vec<Child>),
}

/// One entry of a leaf: `[key]`, `[key, value]` or `[key, digest, bytes]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) value: RowValue<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum RowValue<'a> {
    Tombstone,
    Inline(&'a [u8]),
    Blob(BlobRef),
}

/// One entry of an inner node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Child {
    /// The first key below it.
    pub(crate) key: Key,
    pub(crate) digest: Digest,
    /// Where it starts, an offset in the uncompressed segment.
    pub(crate) at: u64,
    /// Its length.
    pub(crate) bytes: u64,
}

/// What the place of a node lets one expect of it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) level: u8,
    pub(crate) digest: Digest,
    pub(crate) at: u64,
    pub(crate) bytes: u64,
    /// The first key it must have; `None` for a root.
    pub(crate) first: Option<Key>,
    /// A key that all of its keys are below; `None` at the right edge.
    pub(crate) below: Option<Key>,
}

/// An inner node that was read, hashed and checked.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) level: u8,
    pub(crate) children: Vec<Child>,
}

impl<'a> Node<'a> {
    /// Decodes bytes whose hash was compared.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, CodecError> {
        // 3.4 Within the limit, MessagePack of this shape. 3.5 Re-encoded, the same bytes.
        codec::decode(bytes, limits::NODE_BYTES + limits::ROOT_HEAD_BYTES)
    }

    pub(crate) fn count(&self) -> usize {
        match &self.entries {
            Entries::Leaf(rows) => rows.len(),
            Entries::Inner(children) => children.len(),
        }
    }

    pub(crate) fn first_key(&self) -> Option<&[u8]> {
        match &self.entries {
            Entries::Leaf(rows) => rows.first().map(|row| row.key),
            Entries::Inner(children) => children.first().map(|child| child.key.as_bytes()),
        }
    }

    fn last_key(&self) -> Option<&[u8]> {
        match &self.entries {
            Entries::Leaf(rows) => rows.last().map(|row| row.key),
            Entries::Inner(children) => children.last().map(|child| child.key.as_bytes()),
        }
    }

    /// Checks what the node says of itself, and against the place it was found at.
    pub(crate) fn check(&self, place: &Place) -> Result<(), Fault> {
        // 3.6 A root at the root's place and nowhere else, of the level that its parent has led to.
        if self.head.is_some() != place.first.is_none() {
            return Err(Fault::Kind {
                expected: if place.first.is_none() {
                    "a root"
                } else {
                    "a node below a root"
                },
            });
        }
        if self.level != place.level {
            return Err(Fault::Level {
                expected: place.level,
                got: self.level,
            });
        }
        // 3.7 At most the bytes of a node, the root's head not counted.
        let head = self.head.as_ref().map_or(Ok(0), Head::encoded_len)?;
        let plain = place.bytes.saturating_sub(head as u64);
        if plain > limits::NODE_BYTES as u64 {
            return Err(Fault::Length {
                got: plain,
                limit: limits::NODE_BYTES as u64,
            });
        }
        // 3.8 Not empty; a root above other nodes has at least two.
        let least = if self.head.is_some() && self.level > 0 {
            2
        } else {
            1
        };
        if self.count() < least {
            return Err(Fault::TooFew {
                got: self.count(),
                least,
            });
        }
        match &self.entries {
            Entries::Leaf(rows) => {
                self.check_order(rows.iter().map(|row| row.key))?;
                rows.iter().try_for_each(Row::check)?;
            }
            Entries::Inner(children) => {
                self.check_order(children.iter().map(|child| child.key.as_bytes()))?;
                check_places(children, place)?;
            }
        }
        check_span(self.first_key(), self.last_key(), place)
    }

    fn check_order<'k>(&self, mut keys: impl Iterator<Item = &'k [u8]>) -> Result<(), Fault> {
        let Some(mut before) = keys.next() else {
            return Ok(());
        };
        for key in keys {
            // 3.9 Keys strictly ascending, compared as bytes.
            if key <= before {
                return Err(Fault::Order {
                    after: show(before),
                    got: show(key),
                });
            }
            before = key;
        }
        Ok(())
    }
}

/// The span of keys, checked for a node just read and again for one from the cache.
fn check_span(first: Option<&[u8]>, last: Option<&[u8]>, place: &Place) -> Result<(), Fault> {
    // 3.12 The first key is the one its parent names; all keys are below the next sibling's.
    if let (Some(expected), Some(got)) = (&place.first, first)
        && expected.as_bytes() != got
    {
        return Err(Fault::FirstKey {
            expected: expected.to_string(),
            got: show(got),
        });
    }
    if let (Some(below), Some(got)) = (&place.below, last)
        && got >= below.as_bytes()
    {
        return Err(Fault::Above {
            below: below.to_string(),
            got: show(got),
        });
    }
    Ok(())
}

fn check_places(children: &[Child], place: &Place) -> Result<(), Fault> {
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

impl Head {
    /// What it adds to a node, bytes.
    pub(crate) fn encoded_len(&self) -> Result<usize, CodecError> {
        Ok(self.fields()?.len())
    }

    /// Its four fields as they stand in a root, without an array around them.
    pub(crate) fn fields(&self) -> Result<Vec<u8>, CodecError> {
        let mut fields = codec::encode(self)?;
        // The header of an array of four is one byte.
        fields.drain(..1.min(fields.len()));
        Ok(fields)
    }
}

impl<'a> Row<'a> {
    pub(crate) fn new(key: &'a Key, entry: &'a Entry) -> Self {
        let value = match entry {
            Entry::Tombstone => RowValue::Tombstone,
            Entry::Inline(bytes) => RowValue::Inline(bytes),
            Entry::Blob(blob) => RowValue::Blob(*blob),
        };
        Self {
            key: key.as_bytes(),
            value,
        }
    }

    /// Its key, owned.
    pub(crate) fn to_key(self) -> Result<Key, Fault> {
        Key::new(self.key).map_err(|_| Fault::Value {
            what: "key",
            key: show(self.key),
            got: self.key.len() as u64,
            limit: limits::KEY_BYTES as u64,
        })
    }

    pub(crate) fn to_entry(self) -> Entry {
        match self.value {
            RowValue::Tombstone => Entry::Tombstone,
            RowValue::Inline(bytes) => Entry::Inline(bytes.to_vec()),
            RowValue::Blob(blob) => Entry::Blob(blob),
        }
    }

    /// Its key and value keep their limits.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        // 3.10 Keys of 1 to 1,024 bytes, inline values up to 4 KiB, blobs above that and up to 1 GiB.
        let wrong = match self.value {
            _ if !(1..=limits::KEY_BYTES).contains(&self.key.len()) => {
                Some(("key", self.key.len() as u64, limits::KEY_BYTES as u64))
            }
            RowValue::Inline(value) if value.len() > limits::INLINE_VALUE_BYTES => Some((
                "inline value",
                value.len() as u64,
                limits::INLINE_VALUE_BYTES as u64,
            )),
            RowValue::Blob(blob) if !blob_range().contains(&blob.bytes) => {
                Some(("blob", blob.bytes, limits::BLOB_BYTES))
            }
            _ => None,
        };
        match wrong {
            None => Ok(()),
            Some((what, got, limit)) => Err(Fault::Value {
                what,
                key: show(self.key),
                got,
                limit,
            }),
        }
    }
}

/// The lengths that a blob may have.
pub(crate) fn blob_range() -> std::ops::RangeInclusive<u64> {
    limits::INLINE_VALUE_BYTES as u64 + 1..=limits::BLOB_BYTES
}

impl Inner {
    /// The child whose keys may include `key`; `None` if `key` is below them all.
    pub(crate) fn child_for(&self, key: &[u8]) -> Option<usize> {
        self.children
            .partition_point(|child| child.key.as_bytes() <= key)
            .checked_sub(1)
    }

    /// The place of child `index` of a node that itself is found at `own`.
    pub(crate) fn place(&self, index: usize, below: Option<&Key>) -> Option<Place> {
        child_place(&self.children, index, self.level, below)
    }

    /// Checks a node from the cache against the place it is used for now.
    pub(crate) fn check(&self, place: &Place) -> Result<(), Fault> {
        if self.level != place.level {
            return Err(Fault::Level {
                expected: place.level,
                got: self.level,
            });
        }
        check_places(&self.children, place)?;
        let first = self.children.first().map(|child| child.key.as_bytes());
        let last = self.children.last().map(|child| child.key.as_bytes());
        check_span(first, last, place)
    }

    /// About what it takes in memory, bytes.
    pub(crate) fn weight(&self) -> u64 {
        let keys: usize = self.children.iter().map(|c| c.key.as_bytes().len()).sum();
        (keys + self.children.len() * size_of::<Child>() + size_of::<Self>()) as u64
    }
}

impl Place {
    /// The places of all `children` of the node found here.
    pub(crate) fn children(&self, children: &[Child]) -> Vec<Self> {
        (0..children.len())
            .filter_map(|index| child_place(children, index, self.level, self.below.as_ref()))
            .collect()
    }
}

fn child_place(children: &[Child], index: usize, level: u8, below: Option<&Key>) -> Option<Place> {
    let child = children.get(index)?;
    let next = children.get(index + 1).map(|next| &next.key);
    Some(Place {
        level: level.checked_sub(1)?,
        digest: child.digest,
        at: child.at,
        bytes: child.bytes,
        first: Some(child.key.clone()),
        below: next.or(below).cloned(),
    })
}

/// The length of a node that is no root, from its count of entries and their encoded length.
pub(crate) fn plain_len(count: usize, body: usize) -> usize {
    let header = if count < 16 { 1 } else { 3 };
    // Array of three, kind, level, then the array of entries.
    3 + header + body
}

/// Writes a whole node around entries that are already encoded.
pub(crate) fn assemble(
    head: Option<&Head>,
    level: u8,
    count: usize,
    body: &[u8],
) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(limits::ROOT_HEAD_BYTES + plain_len(count, body.len()));
    match head {
        None => bytes.extend([0x93, PLAIN, level]),
        Some(head) => {
            bytes.extend([0x97, ROOT, level]);
            bytes.extend(head.fields()?);
        }
    }
    match u16::try_from(count).unwrap_or(u16::MAX) {
        few @ 0..16 => bytes.push(0x90 | few.to_le_bytes()[0]),
        many => {
            bytes.push(0xdc);
            bytes.extend(many.to_be_bytes());
        }
    }
    bytes.extend_from_slice(body);
    Ok(bytes)
}

fn show(key: &[u8]) -> String {
    let mut text: String = key.escape_ascii().to_string();
    text.truncate(80);
    text
}
