//! Segments and stacks against the map that they stand for.

use std::io::Cursor;
use std::ops::Bound;

use proptest::prelude::*;

use super::tests::{Rows, build, collection, key, open, site};
use super::{SegmentBuilder, SegmentIter};
use crate::manifest::SegmentEntry;
use crate::{BlobRef, Digest, Entry, Key, Stack, at_rest, limits};

fn collect(iter: SegmentIter) -> Vec<(Key, Entry)> {
    iter.collect::<Result<_, _>>().unwrap()
}

fn keys() -> impl Strategy<Value = Key> {
    // Few letters, so that prefixes and near misses are common.
    prop_oneof![
        prop::collection::vec(0u8..4, 1..6),
        prop::collection::vec(any::<u8>(), 1..40),
        prop::collection::vec(any::<u8>(), 1000..=limits::KEY_BYTES),
    ]
    .prop_map(key)
}

fn entries() -> impl Strategy<Value = Entry> {
    prop_oneof![
        Just(Entry::Tombstone),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Entry::Inline),
        (any::<u8>(), 0..=limits::INLINE_VALUE_BYTES)
            .prop_map(|(byte, length)| Entry::Inline(vec![byte; length])),
        (any::<[u8; 32]>(), 4097..limits::BLOB_BYTES).prop_map(|(digest, bytes)| {
            Entry::Blob(BlobRef {
                digest: Digest::from_bytes(digest),
                bytes,
            })
        }),
    ]
}

fn rows(most: usize) -> impl Strategy<Value = Rows> {
    prop::collection::btree_map(keys(), entries(), 1..most)
}

fn bounds() -> impl Strategy<Value = (Bound<Key>, Bound<Key>)> {
    let bound = || {
        prop_oneof![
            Just(Bound::Unbounded),
            keys().prop_map(Bound::Included),
            keys().prop_map(Bound::Excluded),
        ]
    };
    (bound(), bound())
}

fn inside(range: &(Bound<Key>, Bound<Key>), key: &Key) -> bool {
    std::ops::RangeBounds::contains(range, key)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_segment_is_its_rows(rows in rows(120), probes in prop::collection::vec(keys(), 8), range in bounds()) {
        let (bytes, entry) = build(&rows);
        let segment = open(&bytes, &entry).unwrap();
        segment.verify().unwrap();
        segment.verify_on(3).unwrap();
        prop_assert_eq!(entry.records, rows.len() as u64);
        for key in rows.keys().chain(&probes) {
            let got = segment.get(key).unwrap();
            prop_assert_eq!(got.as_ref(), rows.get(key));
        }
        let expected: Vec<_> = rows.clone().into_iter().filter(|(k, _)| inside(&range, k)).collect();
        prop_assert_eq!(collect(segment.iter(range)), expected);

        let mut at_rest = Vec::new();
        at_rest::compress(&mut Cursor::new(&bytes), &mut at_rest).unwrap();
        prop_assert!((at_rest.len() as u64) < at_rest::limit(entry.bytes));
        let mut expanded = Vec::new();
        at_rest::expand(&mut Cursor::new(&at_rest), &entry, &mut expanded).unwrap();
        prop_assert_eq!(expanded, bytes);
    }

    #[test]
    fn a_stack_is_the_merged_map(layers in prop::collection::vec(rows(60), 1..5), range in bounds()) {
        let mut merged = Rows::new();
        for layer in &layers {
            merged.extend(layer.clone());
        }
        let segments: Vec<_> = layers.iter().rev().map(|rows| {
            let (bytes, entry) = build(rows);
            open(&bytes, &entry).unwrap()
        }).collect();
        let stack = Stack::new(segments);
        for (key, entry) in &merged {
            prop_assert_eq!(stack.get(key).unwrap(), entry.clone().into_value());
        }
        let live: Vec<_> = merged.iter()
            .filter_map(|(key, entry)| Some((key.clone(), entry.clone().into_value()?)))
            .collect();
        prop_assert_eq!(stack.count().unwrap(), live.len() as u64);
        let expected: Vec<_> = live.into_iter().filter(|(k, _)| inside(&range, k)).collect();
        let got: Vec<_> = stack.iter(range).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(got, expected);

        // A merge is the segment of the merged rows.
        let merge = |bottom| {
            let builder = SegmentBuilder::new(Vec::new(), site(), collection());
            stack.merge(builder, bottom).unwrap().map(|(bytes, entry)| (bytes, entry.id))
        };
        let plain = |rows: &Rows| (!rows.is_empty()).then(|| build(rows)).map(|(b, e)| (b, e.id));
        prop_assert_eq!(merge(false), plain(&merged));
        merged.retain(|_, entry| *entry != Entry::Tombstone);
        prop_assert_eq!(merge(true), plain(&merged));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(
        rows in rows(20),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        garbage in prop::collection::vec(any::<u8>(), 1..300),
    ) {
        // Signed garbage: the hash is right, so only what is inside can be refused.
        let (mut bytes, entry) = build(&rows);
        let at = usize::try_from(entry.root_at).unwrap();
        for (index, byte) in flips {
            let place = at + index.index(bytes.len() - at);
            bytes[place] = byte;
        }
        for bytes in [bytes, garbage] {
            let at = at.min(bytes.len() - 1);
            let claims = SegmentEntry {
                id: Digest::of(&bytes[at..]),
                bytes: bytes.len() as u64,
                root_at: at as u64,
                ..entry.clone()
            };
            if let Ok(segment) = open(&bytes, &claims) {
                let _ = segment.verify();
                let _ = segment.get(&key("k"));
                segment.iter(..).for_each(drop);
            }
            let mut out = Vec::new();
            let _ = at_rest::expand(&mut Cursor::new(&bytes), &claims, &mut out);
            let _ = at_rest::compress(&mut Cursor::new(&bytes), &mut out);
        }
    }
}
