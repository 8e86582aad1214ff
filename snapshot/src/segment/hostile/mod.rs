//! Segments made to deceive: each is refused by the step that is there for it, by name and place.

macro_rules! assert_fault {
    ($error:expr, $fault:pat $(if $guard:expr)?) => {
        let error = $error;
        assert!(matches!(&error.fault, $fault $(if $guard)?), "{error}");
    };
}

mod claims;
mod entries;
mod tree;

use super::SegmentError;
use super::tests::{collection, key, open, site};
use crate::manifest::SegmentEntry;
use crate::node::{Child, Entries, Head, Node, Row, RowValue, VERSION, tag};
use crate::{Digest, codec};

/// Writes nodes that no builder would write.
#[derive(Default)]
struct Forge {
    bytes: Vec<u8>,
}

impl Forge {
    fn node(&mut self, first: &str, node: &Node<'_>) -> Child {
        let tags = match &node.entries {
            Entries::Leaf(rows) => Some(rows.iter().map(|row| tag(row.key)).collect()),
            Entries::Inner(_) => None,
        };
        Child {
            tags,
            ..self.raw(first, &codec::encode(node).unwrap())
        }
    }

    fn raw(&mut self, first: &str, bytes: &[u8]) -> Child {
        let at = self.bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        Child {
            key: key(first),
            digest: Digest::of_node(bytes),
            at,
            bytes: bytes.len() as u64,
            tags: None,
        }
    }

    fn leaf(&mut self, keys: &[&str]) -> Child {
        self.node(keys[0], &leaf(None, keys))
    }

    /// What a manifest would say of it, had its publisher been the forger.
    fn sign(self, root: &Child, records: u64) -> (Vec<u8>, SegmentEntry) {
        let entry = SegmentEntry {
            id: root.digest,
            bytes: self.bytes.len() as u64,
            root_at: root.at,
            records,
            from: vec![],
            bottom: false,
        };
        (self.bytes, entry)
    }
}

fn head(records: u64) -> Option<Head> {
    Some(Head {
        version: VERSION,
        site: site(),
        collection: collection(),
        records,
    })
}

fn leaf<'a>(head: Option<Head>, keys: &[&'a str]) -> Node<'a> {
    rows(head, keys.iter().map(|key| (*key, RowValue::Tombstone)))
}

fn rows<'a>(
    head: Option<Head>,
    rows: impl IntoIterator<Item = (&'a str, RowValue<'a>)>,
) -> Node<'a> {
    let rows = rows.into_iter().map(|(key, value)| Row {
        key: key.as_bytes(),
        value,
    });
    Node {
        head,
        level: 0,
        entries: Entries::Leaf(rows.collect()),
    }
}

fn inner(head: Option<Head>, level: u8, children: &[Child]) -> Node<'static> {
    Node {
        head,
        level,
        entries: Entries::Inner(children.to_vec()),
    }
}

/// Opens and verifies, and gives what is found wrong; the error must name the segment.
fn refused((bytes, entry): (Vec<u8>, SegmentEntry)) -> SegmentError {
    let error = match open(&bytes, &entry) {
        Ok(segment) => {
            let error = segment.verify().unwrap_err();
            let on_two = segment.verify_on(2).unwrap_err();
            assert_eq!(on_two.to_string(), error.to_string());
            error
        }
        Err(error) => error,
    };
    assert!(
        error
            .to_string()
            .starts_with("segment clubs/test, node at "),
        "{error}"
    );
    error
}

fn lone_root(node: &Node<'_>, records: u64) -> SegmentError {
    let mut forge = Forge::default();
    let root = forge.node("a", node);
    refused(forge.sign(&root, records))
}

fn raw_root(bytes: &[u8]) -> String {
    let mut forge = Forge::default();
    let root = forge.raw("a", bytes);
    refused(forge.sign(&root, 1)).to_string()
}
