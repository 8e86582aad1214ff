//! Segments made to deceive: each is refused by the step that is there for it, by name and place.

use std::io::Write;

use super::tests::{build, collection, key, numbered, open, site};
use super::{Fault, NodeCache, Segment, SegmentError};
use crate::manifest::SegmentEntry;
use crate::node::{Child, Entries, Head, Node, Row, RowValue, VERSION};
use crate::{BlobRef, Digest, codec, limits};

/// Writes nodes that no builder would write.
#[derive(Default)]
struct Forge {
    bytes: Vec<u8>,
}

impl Forge {
    fn node(&mut self, first: &str, node: &Node<'_>) -> Child {
        self.raw(first, &codec::encode(node).unwrap())
    }

    fn raw(&mut self, first: &str, bytes: &[u8]) -> Child {
        let at = self.bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        Child {
            key: key(first),
            digest: Digest::of(bytes),
            at,
            bytes: bytes.len() as u64,
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
        Ok(segment) => segment.verify().unwrap_err(),
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

macro_rules! assert_fault {
    ($error:expr, $fault:pat $(if $guard:expr)?) => {
        let error = $error;
        assert!(matches!(&error.fault, $fault $(if $guard)?), "{error}");
    };
}

#[test]
fn the_forge_can_make_a_good_one() {
    let mut forge = Forge::default();
    let root = forge.node("a", &leaf(head(2), &["a", "b"]));
    let (bytes, entry) = forge.sign(&root, 2);
    open(&bytes, &entry).unwrap().verify().unwrap();
}

#[test]
fn a_flipped_byte_is_found_where_it_is_and_spoils_nothing_else() {
    let rows = numbered(500, 300);
    let (good, entry) = build(&rows);
    for at in (0..good.len()).step_by(997) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        assert_fault!(refused((bytes, entry.clone())), Fault::Digest { .. });
    }
    let mut bytes = good;
    bytes[0] ^= 0x10;
    let segment = open(&bytes, &entry).unwrap();
    assert_fault!(
        segment.get(&key(0u32.to_be_bytes())).unwrap_err(),
        Fault::Digest { .. }
    );
    let last = key(499u32.to_be_bytes());
    assert_eq!(segment.get(&last).unwrap().as_ref(), rows.get(&last));
    let mut all = segment.iter(..);
    assert!(all.next().unwrap().is_err());
    assert!(all.next().is_none(), "an error ends the iteration");
    assert_eq!(segment.iter(last..).count(), 1);
}

#[test]
fn a_file_of_another_length_is_refused() {
    let (bytes, entry) = build(&numbered(500, 300));
    for cut in [0, 1, bytes.len() - 1] {
        assert_fault!(
            refused((bytes[..cut].to_vec(), entry.clone())),
            Fault::FileLength { .. }
        );
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_fault!(refused((longer, entry.clone())), Fault::FileLength { .. });

    // It shrinks while it is open.
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let other = file.try_clone().unwrap();
    let cache = NodeCache::new(0);
    let segment =
        Segment::open(file, "clubs/test", &entry, &site(), &collection(), &cache).unwrap();
    other.set_len(100).unwrap();
    assert_fault!(segment.verify().unwrap_err(), Fault::Short { .. });
}

#[test]
fn a_manifest_that_claims_something_else_is_refused() {
    let (bytes, entry) = build(&numbered(500, 300));
    let claim = |change: fn(&mut SegmentEntry)| {
        let mut lying = entry.clone();
        change(&mut lying);
        refused((bytes.clone(), lying))
    };
    assert_fault!(
        claim(|e| e.records += 1),
        Fault::Records {
            expected: 501,
            got: 500
        }
    );
    assert_fault!(
        claim(|e| e.root_at = e.bytes),
        Fault::RootPlace { got: 0, .. }
    );
    assert_fault!(
        claim(|e| e.root_at = u64::MAX),
        Fault::RootPlace { got: 0, .. }
    );
    assert_fault!(claim(|e| e.root_at = 0), Fault::RootPlace { .. });
    assert_fault!(claim(|e| e.root_at -= 1), Fault::Digest { .. });
    assert_fault!(claim(|e| e.id = Digest::of(b"other")), Fault::Digest { .. });
    assert_fault!(
        claim(|e| e.bytes = limits::SEGMENT_BYTES + 1),
        Fault::Length { .. }
    );
    assert_fault!(claim(|e| e.bytes = u64::MAX), Fault::Length { .. });
}

#[test]
fn another_sites_or_collections_segment_is_refused() {
    let other = |site: &str, collection: &str| Head {
        site: site.parse().unwrap(),
        collection: collection.parse().unwrap(),
        ..head(1).unwrap()
    };
    let error = lone_root(&leaf(Some(other("sori", "clubs")), &["a"]), 1);
    assert!(
        error
            .to_string()
            .ends_with("belongs to site sori where dasom is expected"),
        "{error}"
    );
    let error = lone_root(&leaf(Some(other("dasom", "pays")), &["a"]), 1);
    assert_fault!(error, Fault::Collection { got, .. } if got.as_str() == "pays");
}

#[test]
fn keys_out_of_order_are_refused() {
    for keys in [["b", "a"], ["a", "a"]] {
        let error = lone_root(&leaf(head(2), &keys), 2);
        assert_fault!(&error, Fault::Order { .. });
        assert!(error.to_string().contains("keys must ascend"), "{error}");
    }
}

#[test]
fn lengths_that_no_entry_may_have_are_refused() {
    let long = vec![7; limits::INLINE_VALUE_BYTES + 1];
    let blob = |bytes| {
        RowValue::Blob(BlobRef {
            bytes,
            ..BlobRef::of(b"x")
        })
    };
    let values = [
        RowValue::Inline(&long),
        blob(4096),
        blob(0),
        blob(limits::BLOB_BYTES + 1),
        blob(u64::MAX),
    ];
    for value in values {
        assert_fault!(
            lone_root(&rows(head(1), [("a", value)]), 1),
            Fault::Value { .. }
        );
    }
    assert_fault!(
        lone_root(&leaf(head(1), &[""]), 1),
        Fault::Value {
            what: "key",
            got: 0,
            ..
        }
    );
    let long = "k".repeat(limits::KEY_BYTES + 1);
    assert_fault!(
        lone_root(&leaf(head(1), &[&long]), 1),
        Fault::Value { got: 1025, .. }
    );
}

#[test]
fn nodes_of_a_wrong_size_are_refused() {
    assert_fault!(
        lone_root(&leaf(head(0), &[]), 0),
        Fault::TooFew { got: 0, least: 1 }
    );
    let mut forge = Forge::default();
    let only = forge.leaf(&["a"]);
    let root = forge.node("a", &inner(head(1), 1, &[only]));
    assert_fault!(
        refused(forge.sign(&root, 1)),
        Fault::TooFew { got: 1, least: 2 }
    );

    // By one byte: the head of this root is 14 bytes, a root of 16,398 is full.
    let full = [vec![7; 4096], vec![7; 4096], vec![7; 4096], vec![7; 4065]];
    let entries = ["1", "2", "3", "4"]
        .into_iter()
        .zip(&full)
        .map(|(k, v)| (k, RowValue::Inline(v)));
    let error = lone_root(&rows(head(4), entries), 4);
    assert_fault!(
        error,
        Fault::Length {
            got: 16_385,
            limit: 16_384
        }
    );

    let mut forge = Forge::default();
    let root = forge.raw(
        "a",
        &vec![0x93; limits::NODE_BYTES + limits::ROOT_HEAD_BYTES + 1],
    );
    assert_fault!(
        refused(forge.sign(&root, 1)),
        Fault::RootPlace {
            got: 16_525,
            limit: 16_524
        }
    );

    // A child that claims to be huge costs no memory.
    let mut forge = Forge::default();
    let (first, mut second) = (forge.leaf(&["a"]), forge.leaf(&["b"]));
    second.bytes = u64::MAX;
    let root = forge.node("a", &inner(head(2), 1, &[first, second]));
    assert_fault!(refused(forge.sign(&root, 2)), Fault::ChildEnd { .. });
}

#[test]
fn trees_of_a_wrong_depth_are_refused() {
    for level in [limits::LEVELS, 127, 255] {
        let mut forge = Forge::default();
        let children = [forge.leaf(&["a"]), forge.leaf(&["b"])];
        let root = forge.node("a", &inner(head(2), level, &children));
        assert_fault!(refused(forge.sign(&root, 2)), Fault::TooDeep { .. });
    }
    // A leaf where an inner node is due, and the other way round.
    let mut forge = Forge::default();
    let children = [forge.leaf(&["a"]), forge.leaf(&["b"])];
    let root = forge.node("a", &inner(head(2), 2, &children));
    let (bytes, entry) = forge.sign(&root, 2);
    assert_fault!(
        refused((bytes.clone(), entry.clone())),
        Fault::Level {
            expected: 1,
            got: 0
        }
    );
    let segment = open(&bytes, &entry).unwrap();
    assert_fault!(
        segment.get(&key("a")).unwrap_err(),
        Fault::Level {
            expected: 1,
            got: 0
        }
    );

    let mut forge = Forge::default();
    let leaves = [forge.leaf(&["a"]), forge.leaf(&["b"])];
    let inside = forge.node("a", &inner(None, 1, &leaves));
    let last = forge.leaf(&["c"]);
    let root = forge.node("a", &inner(head(3), 1, &[inside, last]));
    assert_fault!(
        refused(forge.sign(&root, 3)),
        Fault::Level {
            expected: 0,
            got: 1
        }
    );
}

#[test]
fn roots_stand_at_the_top_and_nowhere_else() {
    assert_fault!(
        lone_root(&leaf(None, &["a"]), 1),
        Fault::Kind { expected: "a root" }
    );
    let mut forge = Forge::default();
    let children = [forge.node("a", &leaf(head(1), &["a"])), forge.leaf(&["b"])];
    let root = forge.node("a", &inner(head(2), 1, &children));
    assert_fault!(
        refused(forge.sign(&root, 2)),
        Fault::Kind {
            expected: "a node below a root"
        }
    );
}

#[test]
fn a_node_of_another_segment_is_refused_wherever_it_is_hung() {
    // In the file in place of the right one: another hash.
    let (mut bytes, entry) = build(&numbered(500, 300));
    let (other, _) = build(&numbered(500, 299));
    bytes[..10_000].copy_from_slice(&other[..10_000]);
    assert_fault!(refused((bytes, entry)), Fault::Digest { .. });

    // Named by a parent that lies about its keys.
    let mut forge = Forge::default();
    let (mut first, second) = (forge.leaf(&["b"]), forge.leaf(&["c"]));
    first.key = key("a");
    let root = forge.node("a", &inner(head(2), 1, &[first, second]));
    assert_fault!(refused(forge.sign(&root, 2)), Fault::FirstKey { expected, got } if expected == "a" && got == "b");

    // Reaching into its sibling's span.
    let mut forge = Forge::default();
    let children = [forge.leaf(&["a", "d"]), forge.leaf(&["c"])];
    let root = forge.node("a", &inner(head(3), 1, &children));
    let (bytes, entry) = forge.sign(&root, 3);
    assert_fault!(refused((bytes.clone(), entry.clone())), Fault::Above { below, .. } if below == "c");
    let segment = open(&bytes, &entry).unwrap();
    assert_fault!(segment.get(&key("a")).unwrap_err(), Fault::Above { .. });

    // Its sibling is its parent's: the span goes down.
    let mut forge = Forge::default();
    let leaves = [
        forge.leaf(&["a"]),
        forge.leaf(&["b", "z"]),
        forge.leaf(&["c"]),
        forge.leaf(&["e"]),
    ];
    let left = forge.node("a", &inner(None, 1, &leaves[..2]));
    let right = forge.node("c", &inner(None, 1, &leaves[2..]));
    let root = forge.node("a", &inner(head(5), 2, &[left, right]));
    let (bytes, entry) = forge.sign(&root, 5);
    let segment = open(&bytes, &entry).unwrap();
    assert_fault!(segment.get(&key("b")).unwrap_err(), Fault::Above { .. });
}

#[test]
fn children_lie_in_a_row_before_their_parent() {
    let build = |change: fn(&mut [Child; 2])| {
        let mut forge = Forge::default();
        let mut children = [forge.leaf(&["a"]), forge.leaf(&["b"])];
        change(&mut children);
        let root = forge.node("a", &inner(head(2), 1, &children));
        refused(forge.sign(&root, 2))
    };
    assert_fault!(build(|c| c[1].at = 0), Fault::ChildPlace { .. });
    assert_fault!(build(|c| c[1].at += 1), Fault::ChildPlace { .. });
    assert_fault!(build(|c| c[0].bytes = 0), Fault::ChildEnd { .. });
    assert_fault!(build(|c| c[1].bytes += 1), Fault::ChildEnd { .. });
    assert_fault!(build(|c| c[0].at = u64::MAX), Fault::ChildEnd { .. });
}

#[test]
fn nothing_lies_between_nodes() {
    let mut forge = Forge::default();
    forge.raw("a", b"hidden");
    let children = [forge.leaf(&["a"]), forge.leaf(&["b"])];
    let root = forge.node("a", &inner(head(2), 1, &children));
    // 4.8 and 4.9 come first: these leaves are not cut by the rule either.
    assert_fault!(refused(forge.sign(&root, 2)), Fault::Cut);

    let mut forge = Forge::default();
    forge.raw("a", b"hidden");
    let value = vec![7; 4096];
    let full = |keys: [&'static str; 3]| keys.map(|key| (key, RowValue::Inline(&value)));
    let first = forge.node("1", &rows(None, full(["1", "2", "3"])));
    let second = forge.node("4", &rows(None, full(["4", "5", "6"])));
    let children = [first, second];
    let root = forge.node("1", &inner(head(6), 1, &children));
    assert_fault!(
        refused(forge.sign(&root, 6)),
        Fault::ChildPlace {
            expected: 0,
            got: 6
        }
    );

    let mut forge = Forge::default();
    let root = forge.raw("a", b"hidden");
    let root = Child {
        at: root.bytes,
        ..forge.node("a", &leaf(head(1), &["a"]))
    };
    assert_fault!(
        refused(forge.sign(&root, 1)),
        Fault::ChildPlace {
            expected: 0,
            got: 6
        }
    );
}

#[test]
fn a_lying_count_is_found() {
    let error = lone_root(&leaf(head(3), &["a", "b"]), 3);
    assert_fault!(
        error,
        Fault::Records {
            expected: 3,
            got: 2
        }
    );
}

#[test]
fn other_versions_kinds_and_spellings_are_refused() {
    let good = codec::encode(&leaf(head(1), &["a"])).unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        raw_root(&bytes)
    };
    assert!(
        with(3, 2).contains("format version 2 where 1 is expected"),
        "{}",
        with(3, 2)
    );
    assert!(
        with(1, 2).contains("node kind 2 where 0 or 1 is expected"),
        "{}",
        with(1, 2)
    );
    assert!(with(0, 0x96).contains("not readable"), "{}", with(0, 0x96));
    let trailing = [good.as_slice(), &[0]].concat();
    assert!(raw_root(&trailing).contains("not in canonical form"));
    // The same count, wider.
    let at = good.len() - 6;
    assert_eq!(good[at..at + 2], [1, 0x91]);
    let wide = [&good[..at], &[0xcc, 1], &good[at + 1..]].concat();
    assert!(
        raw_root(&wide).contains("not in canonical form"),
        "{}",
        raw_root(&wide)
    );
    for garbage in [
        &b"<html>"[..],
        &[0x97],
        &[0x97, 1, 0],
        &[0xdd, 255, 255, 255, 255],
        &[0x91; 999],
    ] {
        assert!(raw_root(garbage).contains("not readable"), "{garbage:?}");
    }
}
