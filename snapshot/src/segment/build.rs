//! Building a segment from a sorted stream.
//!
//! Leaves go out as they fill. What the levels above need of a closed node, its first key, hash
//! and place, waits in a spool, about a half to three percent of the leaves: in memory, or beyond
//! [`SPOOL_BYTES`] in an unnamed file if a directory was given. Then each level is built from the
//! spool of the one below. So memory holds one open node and one bounded spool buffer.

use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use tempfile::SpooledTempFile;

use crate::manifest::SegmentEntry;
use crate::node::{self, Child, Head, Row};
use crate::segment::Fault;
use crate::{CodecError, CollectionName, Digest, Entry, Key, SiteName, codec, limits};

/// What a spool keeps in memory before it uses a file, bytes (about 1 GiB of leaves).
const SPOOL_BYTES: usize = 4 << 20;

/// Builds one segment out of entries pushed in ascending order of keys.
#[derive(Debug)]
pub struct SegmentBuilder<W> {
    out: Out<W>,
    head: Head,
    leaf: OpenNode,
    spool: Spool,
    last: Option<Key>,
}

/// A segment that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The same key twice.
    #[error("key {0} is there twice")]
    Duplicate(Key),
    /// A key below the one before it.
    #[error("key {got} after {after}: keys must ascend")]
    Order {
        /// The key before.
        after: Key,
        /// The key in question.
        got: Key,
    },
    /// An entry that breaks a limit.
    #[error(transparent)]
    Entry(Fault),
    /// More than one segment may hold.
    #[error("the segment would have {got} bytes where at most {limit} are allowed")]
    TooLarge {
        /// Bytes so far.
        got: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// An entry that cannot be encoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The nodes cannot be written.
    #[error("the segment cannot be written: {0}")]
    Io(#[from] io::Error),
}

impl<W: Write> SegmentBuilder<W> {
    /// A builder that writes uncompressed nodes to `out`, one write a node.
    #[must_use]
    pub fn new(out: W, site: SiteName, collection: CollectionName) -> Self {
        Self {
            out: Out { out, at: 0 },
            head: Head {
                version: node::VERSION,
                site,
                collection,
                records: 0,
            },
            leaf: OpenNode::new(0),
            spool: Spool::in_memory(),
            last: None,
        }
    }

    /// Lets a very large build keep what it must remember of closed nodes in an unnamed file in
    /// `dir` instead of in memory.
    #[must_use]
    pub fn spool_in(mut self, dir: &Path) -> Self {
        self.spool.file = SpooledTempFile::new_in(SPOOL_BYTES, dir);
        self.spool.dir = Some(dir.to_owned());
        self
    }

    /// Adds an entry. Its key must be above all keys before.
    ///
    /// # Errors
    /// A key out of order, an entry that breaks a limit, or a failed write.
    pub fn push(&mut self, key: &Key, entry: &Entry) -> Result<(), BuildError> {
        match &self.last {
            Some(last) if last == key => return Err(BuildError::Duplicate(key.clone())),
            Some(last) if last > key => {
                return Err(BuildError::Order {
                    after: last.clone(),
                    got: key.clone(),
                });
            }
            _ => {}
        }
        let row = Row::new(key, entry);
        row.check().map_err(BuildError::Entry)?;
        let encoded = codec::encode(&row)?;
        if !self.leaf.fits(&encoded) {
            let child = self.leaf.close(&mut self.out)?;
            self.spool.push(&child)?;
        }
        self.leaf.add(key, &encoded);
        self.head.records += 1;
        self.last = Some(key.clone());
        Ok(())
    }

    /// Writes what is open and all levels above, and flushes. `None` if nothing was pushed: there
    /// is no empty segment.
    ///
    /// # Errors
    /// A failed write.
    pub fn finish(mut self) -> Result<Option<(W, SegmentEntry)>, BuildError> {
        if self.head.records == 0 {
            return Ok(None);
        }
        let mut open = self.leaf;
        let mut spool = self.spool;
        while spool.nodes > 0 {
            let level = open.level.saturating_add(1);
            spool.push(&open.close(&mut self.out)?)?;
            let mut above = spool.above();
            open = OpenNode::new(level);
            for child in spool.drain()? {
                let child = child?;
                let encoded = codec::encode(&child)?;
                if !open.fits(&encoded) {
                    above.push(&open.close(&mut self.out)?)?;
                }
                open.add(&child.key, &encoded);
            }
            spool = above;
        }
        // A level of one node is the root.
        let root = open.close_as(&mut self.out, Some(&self.head))?;
        self.out.out.flush()?;
        let entry = SegmentEntry {
            id: root.digest,
            bytes: self.out.at,
            root_at: root.at,
            records: self.head.records,
            from: Vec::new(),
            bottom: false,
        };
        Ok(Some((self.out.out, entry)))
    }
}

#[derive(Debug)]
struct Out<W> {
    out: W,
    at: u64,
}

/// The one node of a level that still takes entries.
#[derive(Debug)]
struct OpenNode {
    level: u8,
    count: usize,
    body: Vec<u8>,
    first: Option<Key>,
    /// Of a leaf, the tag of each of its keys.
    tags: Vec<u8>,
}

impl OpenNode {
    fn new(level: u8) -> Self {
        Self {
            level,
            count: 0,
            body: Vec::with_capacity(limits::NODE_BYTES),
            first: None,
            tags: Vec::new(),
        }
    }

    fn fits(&self, entry: &[u8]) -> bool {
        node::plain_len(self.count + 1, self.body.len() + entry.len()) <= limits::NODE_BYTES
    }

    fn add(&mut self, key: &Key, entry: &[u8]) {
        self.first.get_or_insert_with(|| key.clone());
        if self.level == 0 {
            self.tags.push(node::tag(key.as_bytes()));
        }
        self.body.extend_from_slice(entry);
        self.count += 1;
    }

    fn close<W: Write>(&mut self, out: &mut Out<W>) -> Result<Child, BuildError> {
        self.close_as(out, None)
    }

    fn close_as<W: Write>(
        &mut self,
        out: &mut Out<W>,
        head: Option<&Head>,
    ) -> Result<Child, BuildError> {
        let bytes = node::assemble(head, self.level, self.count, &self.body)?;
        let (at, length) = (out.at, bytes.len() as u64);
        if at + length > limits::SEGMENT_BYTES {
            return Err(BuildError::TooLarge {
                got: at + length,
                limit: limits::SEGMENT_BYTES,
            });
        }
        out.out.write_all(&bytes)?;
        out.at += length;
        self.count = 0;
        self.body.clear();
        let Some(key) = self.first.take() else {
            return Err(BuildError::Io(io::Error::other(
                "a node without entries was closed",
            )));
        };
        Ok(Child {
            key,
            digest: Digest::of_node(&bytes),
            at,
            bytes: length,
            tags: (self.level == 0).then(|| std::mem::take(&mut self.tags)),
        })
    }
}

/// What the next level needs of the nodes closed so far.
#[derive(Debug)]
struct Spool {
    file: SpooledTempFile,
    dir: Option<std::path::PathBuf>,
    nodes: u64,
}

impl Spool {
    fn in_memory() -> Self {
        Self {
            file: SpooledTempFile::new(usize::MAX),
            dir: None,
            nodes: 0,
        }
    }

    /// An empty spool for the level above, kept in the same place.
    fn above(&self) -> Self {
        let file = match &self.dir {
            Some(dir) => SpooledTempFile::new_in(SPOOL_BYTES, dir),
            None => SpooledTempFile::new(usize::MAX),
        };
        Self {
            file,
            dir: self.dir.clone(),
            nodes: 0,
        }
    }

    fn push(&mut self, child: &Child) -> Result<(), BuildError> {
        self.file.write_all(&codec::encode(child)?)?;
        self.nodes += 1;
        Ok(())
    }

    fn drain(mut self) -> Result<impl Iterator<Item = Result<Child, BuildError>>, BuildError> {
        self.file.rewind()?;
        let mut reader = BufReader::new(self.file);
        Ok((0..self.nodes).map(move |_| read_child(&mut reader)))
    }
}

fn read_child(reader: impl Read) -> Result<Child, BuildError> {
    rmp_serde::from_read(reader).map_err(|e| BuildError::Codec(e.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_larger_than_any_may_be_is_not_built() {
        let (site, collection) = ("dasom".parse().unwrap(), "clubs".parse().unwrap());
        let mut builder = SegmentBuilder::new(Vec::new(), site, collection);
        builder.out.at = limits::SEGMENT_BYTES - 10;
        builder
            .push(&Key::new("a").unwrap(), &Entry::Tombstone)
            .unwrap();
        let error = builder.finish().unwrap_err();
        assert!(matches!(error, BuildError::TooLarge { .. }), "{error}");
    }
}
