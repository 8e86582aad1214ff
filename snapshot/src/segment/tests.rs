//! Segments as a whole: what goes in comes out, by every way of reading.

use std::collections::BTreeMap;
use std::io::Write;

use super::*;
use crate::manifest::SegmentEntry;
use crate::{BlobRef, CollectionName, Entry, Key, SiteName, limits};

pub(crate) fn site() -> SiteName {
    "dasom".parse().unwrap()
}

pub(crate) fn collection() -> CollectionName {
    "clubs".parse().unwrap()
}

pub(crate) fn key(bytes: impl Into<Vec<u8>>) -> Key {
    Key::new(bytes).unwrap()
}

pub(crate) type Rows = BTreeMap<Key, Entry>;

/// Builds the nodes of `rows`, which must not be empty.
pub(crate) fn build(rows: &Rows) -> (Vec<u8>, SegmentEntry) {
    let mut builder = SegmentBuilder::new(Vec::new(), site(), collection());
    for (key, entry) in rows {
        builder.push(key, entry).unwrap();
    }
    builder.finish().unwrap().unwrap()
}

pub(crate) fn open(bytes: &[u8], entry: &SegmentEntry) -> Result<Segment, SegmentError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let cache = NodeCache::new(1 << 20);
    Segment::open(file, "clubs/test", entry, &site(), &collection(), &cache)
}

pub(crate) fn numbered(count: u32, value: usize) -> Rows {
    let row = |i: u32| {
        let value = vec![i.to_le_bytes()[0]; value];
        (key(i.to_be_bytes()), Entry::Inline(value))
    };
    (0..count).map(row).collect()
}

fn collect(iter: SegmentIter) -> Vec<(Key, Entry)> {
    iter.collect::<Result<_, _>>().unwrap()
}

#[test]
fn no_entries_no_segment() {
    let builder = SegmentBuilder::new(Vec::new(), site(), collection());
    assert!(builder.finish().unwrap().is_none());
}

#[test]
fn every_size_of_tree_reads_back() {
    // One leaf; leaves under a root; three levels.
    for (count, value, levels) in [(1, 0, 1), (25, 300, 1), (500, 300, 2), (9_000, 4_000, 3)] {
        let rows = numbered(count, value);
        let (bytes, entry) = build(&rows);
        let segment = open(&bytes, &entry).unwrap();
        assert_eq!(segment.levels().unwrap(), levels, "{count} rows");
        segment.verify().unwrap();
        segment.verify_on(3).unwrap();
        assert!(collect(segment.iter(..)).into_iter().eq(rows.clone()));
        for at in [0, 1, count / 2, count - 1] {
            let key = key(at.to_be_bytes());
            assert_eq!(segment.get(&key).unwrap().as_ref(), rows.get(&key));
        }
        assert_eq!(segment.get(&key(u32::MAX.to_be_bytes())).unwrap(), None);
        assert_eq!(segment.get(&key([0])).unwrap(), None);
    }
}

#[test]
fn a_spool_on_disk_changes_nothing() {
    let rows = numbered(2_000, 1_000);
    let dir = tempfile::tempdir().unwrap();
    let mut builder = SegmentBuilder::new(Vec::new(), site(), collection()).spool_in(dir.path());
    for (key, entry) in &rows {
        builder.push(key, entry).unwrap();
    }
    assert_eq!(builder.finish().unwrap().unwrap(), build(&rows));
}

#[test]
fn the_builder_refuses_what_breaks_the_rules() {
    let mut builder = SegmentBuilder::new(Vec::new(), site(), collection());
    builder.push(&key("b"), &Entry::Tombstone).unwrap();
    let push = |builder: &mut SegmentBuilder<Vec<u8>>, k: &str, entry: Entry| {
        builder.push(&key(k), &entry).unwrap_err().to_string()
    };
    assert_eq!(
        push(&mut builder, "b", Entry::Tombstone),
        "key b is there twice"
    );
    assert_eq!(
        push(&mut builder, "a", Entry::Tombstone),
        "key a after b: keys must ascend"
    );
    let long = Entry::Inline(vec![0; limits::INLINE_VALUE_BYTES + 1]);
    assert_eq!(
        push(&mut builder, "c", long),
        "inline value of 4097 bytes at key c, the limit is 4096"
    );
    for bytes in [0, 4096, limits::BLOB_BYTES + 1] {
        let blob = Entry::Blob(BlobRef {
            bytes,
            ..BlobRef::of(b"x")
        });
        assert!(push(&mut builder, "c", blob).contains("blob"), "{bytes}");
    }
}
