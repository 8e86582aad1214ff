//! Segments written node by node, as no builder would: keys in any order, counts that lie, nodes of
//! another tree. Each node is well spelt, so that only the check meant for the lie can find it.

use anyhow::{Context, Result};
use serde::Serialize;
use serde_bytes::ByteBuf;
use snapshot::manifest::SegmentEntry;
use snapshot::{BlobRef, Digest, Entry, Key, at_rest, encode};

/// What a root says of its segment.
#[derive(Clone, Debug)]
pub struct Head {
    /// The format version; 1 is the one there is.
    pub version: u16,
    /// The site it belongs to.
    pub site: String,
    /// The collection it belongs to.
    pub collection: String,
    /// How many entries its leaves hold.
    pub records: u64,
}

/// What a parent says of a node.
#[derive(Clone, Debug, Serialize)]
pub struct Child {
    /// The first key below it.
    pub key: Key,
    /// Its hash.
    pub digest: Digest,
    /// Where it starts, an offset in the uncompressed segment.
    pub at: u64,
    /// Its length.
    pub bytes: u64,
    /// The first byte of the hash of each of its keys: it is a leaf.
    pub tags: ByteBuf,
}

/// A segment while it is written: leaves first, its root last.
#[derive(Clone, Debug, Default)]
pub struct Nodes(Vec<u8>);

/// A segment, and what a manifest would say of it had its publisher been the forger.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its uncompressed nodes.
    pub nodes: Vec<u8>,
    /// What the manifest says.
    pub entry: SegmentEntry,
}

/// `[key]`, `[key, value]` or `[key, digest, bytes]`.
#[derive(Serialize)]
#[serde(untagged)]
enum Row {
    Tombstone((Key,)),
    Inline((Key, ByteBuf)),
    Blob((Key, Digest, u64)),
}

impl Nodes {
    /// Adds a leaf.
    ///
    /// # Errors
    /// A key of a length that no key has.
    pub fn leaf(&mut self, rows: &[(&str, Entry)]) -> Result<Child> {
        let node = encode(&(0, 0, encoded(rows)?))?;
        let tag = |(key, _): &(&str, Entry)| Digest::of(key.as_bytes()).as_bytes()[0];
        Ok(Child {
            tags: ByteBuf::from(rows.iter().map(tag).collect::<Vec<u8>>()),
            ..self.add(first(rows), &node)?
        })
    }

    /// Ends with a root that is a leaf.
    ///
    /// # Errors
    /// A key of a length that no key has.
    pub fn root_leaf(mut self, head: &Head, rows: &[(&str, Entry)]) -> Result<Segment> {
        let node = encode(&with_head(head, 0, encoded(rows)?))?;
        let root = self.add(first(rows), &node)?;
        Ok(self.end(&root, head.records))
    }

    /// Ends with a root right above leaves.
    ///
    /// # Errors
    /// A value that cannot be encoded.
    pub fn root(mut self, head: &Head, children: &[Child]) -> Result<Segment> {
        let node = encode(&with_head(head, 1, children))?;
        let root = self.add("root", &node)?;
        Ok(self.end(&root, head.records))
    }

    /// Ends with the node that was added last, whatever it is.
    #[must_use]
    pub fn end(self, root: &Child, records: u64) -> Segment {
        Segment {
            entry: SegmentEntry {
                id: root.digest,
                bytes: self.0.len() as u64,
                root_at: root.at,
                records,
                from: Vec::new(),
                bottom: false,
            },
            nodes: self.0,
        }
    }

    fn add(&mut self, first: &str, node: &[u8]) -> Result<Child> {
        let at = self.0.len() as u64;
        self.0.extend_from_slice(node);
        Ok(Child {
            key: Key::new(first).context("a key")?,
            digest: Digest::of_node(node),
            at,
            bytes: node.len() as u64,
            tags: ByteBuf::new(),
        })
    }
}

impl Segment {
    /// Its bytes on a mirror.
    ///
    /// # Errors
    /// Nodes that are none.
    pub fn at_rest(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        at_rest::compress(&mut self.nodes.as_slice(), &mut out)?;
        Ok(out)
    }
}

fn with_head<E: Serialize>(head: &Head, level: u8, entries: E) -> impl Serialize {
    let Head {
        version,
        site,
        collection,
        records,
    } = head.clone();
    (1, level, version, site, collection, records, entries)
}

fn encoded(rows: &[(&str, Entry)]) -> Result<Vec<Row>> {
    let row = |(key, entry): &(&str, Entry)| {
        let key = Key::new(*key).context("a key")?;
        Ok(match entry {
            Entry::Tombstone => Row::Tombstone((key,)),
            Entry::Inline(value) => Row::Inline((key, ByteBuf::from(value.clone()))),
            Entry::Blob(BlobRef { digest, bytes }) => Row::Blob((key, *digest, *bytes)),
        })
    };
    rows.iter().map(row).collect()
}

fn first<'a>(rows: &[(&'a str, Entry)]) -> &'a str {
    rows.first().map_or("none", |(key, _)| key)
}
