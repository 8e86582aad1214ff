//! One node of a segment: its bytes, and what must hold of it wherever it stands.
//!
//! The bytes are fixed by `FORMAT.md` sections 3 and 4; the numbers at the comments are its steps.

mod encoding;
mod inner;
mod leaf;
mod row;
mod scan;

use serde::{Deserialize, Serialize};

use crate::segment::Fault;
use crate::{CodecError, CollectionName, Digest, SiteName, codec, limits};

pub(crate) use inner::{Child, Inner};
pub(crate) use row::{Row, RowValue, tag};
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

/// What the place of a node lets one expect of it.
#[derive(Clone, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) level: u8,
    pub(crate) digest: Digest,
    pub(crate) at: u64,
    pub(crate) bytes: u64,
    /// The first key it must have; `None` for a root.
    pub(crate) first: Option<&'a [u8]>,
    /// A key that all of its keys are below; `None` at the right edge.
    pub(crate) below: Option<&'a [u8]>,
    /// How many entries its parent tells the tags of; only a leaf's parent does.
    pub(crate) tags: Option<usize>,
}

impl<'a> Node<'a> {
    /// Decodes bytes whose hash was compared.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, CodecError> {
        // Almost every node is a leaf below a root; the other way is several times slower, and finds
        // the words for what is wrong.
        if let Some(rows) = leaf::rows(bytes) {
            return Ok(Self {
                head: None,
                level: 0,
                entries: Entries::Leaf(rows),
            });
        }
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
    pub(crate) fn check(&self, place: &Place<'_>) -> Result<(), Fault> {
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
                inner::check_places(children, place)?;
                inner::check_tags(children, self.level)?;
            }
        }
        check_span(self.first_key(), self.last_key(), place)?;
        // 3.13 As many tags as entries.
        match place.tags {
            Some(got) if got != self.count() => Err(Fault::Tags {
                expected: self.count(),
                got,
            }),
            _ => Ok(()),
        }
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
fn check_span(first: Option<&[u8]>, last: Option<&[u8]>, place: &Place<'_>) -> Result<(), Fault> {
    // 3.12 The first key is the one its parent names; all keys are below the next sibling's.
    if let (Some(expected), Some(got)) = (place.first, first)
        && expected != got
    {
        return Err(Fault::FirstKey {
            expected: show(expected),
            got: show(got),
        });
    }
    if let (Some(below), Some(got)) = (place.below, last)
        && got >= below
    {
        return Err(Fault::Above {
            below: show(below),
            got: show(got),
        });
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

/// A key for a message.
pub(crate) fn show(key: &[u8]) -> String {
    let mut text: String = key.escape_ascii().to_string();
    text.truncate(80);
    text
}
