//! Damage, and manifests or heads that say something else than the nodes.

use std::io::Write;

use super::{Forge, head, leaf, lone_root, raw_root, refused};
use crate::manifest::SegmentEntry;
use crate::node::Head;
use crate::segment::tests::{build, collection, key, numbered, open, site};
use crate::segment::{Fault, NodeCache, Segment};
use crate::{Digest, codec, limits};

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
