//! Segments at rest that were made to deceive, or cut, or damaged on the way.

use std::io::{Cursor, repeat};

use super::*;
use crate::segment::tests::{build, numbered};

fn packed() -> (Vec<u8>, Vec<u8>, SegmentEntry) {
    let (nodes, entry) = build(&numbered(1_500, 300));
    let mut packed = Vec::new();
    compress(&mut Cursor::new(&nodes), &mut packed).unwrap();
    (nodes, packed, entry)
}

fn refused(at_rest: &[u8], entry: &SegmentEntry) -> AtRestError {
    let mut out = Vec::new();
    let error = expand(&mut Cursor::new(at_rest), entry, &mut out).unwrap_err();
    assert!(
        out.len() as u64 <= entry.bytes,
        "more than the manifest claims"
    );
    assert!(
        error.to_string().starts_with("segment at rest, frame "),
        "{error}"
    );
    error
}

fn claims(bytes: u64) -> SegmentEntry {
    let id = crate::Digest::of(b"");
    SegmentEntry {
        id,
        bytes,
        root_at: 0,
        records: 1,
        from: vec![],
        bottom: false,
    }
}

macro_rules! assert_fault {
    ($error:expr, $fault:pat) => {
        let error = $error;
        assert!(matches!(&error.fault, $fault), "{error}");
    };
}

#[test]
fn frames_hold_a_few_nodes_and_the_table_their_lengths() {
    let (nodes, packed, entry) = packed();
    let mut out = Vec::new();
    expand(&mut Cursor::new(&packed), &entry, &mut out).unwrap();
    assert!(out == nodes);

    let number = |four: &[u8]| u32::from_le_bytes(four.try_into().unwrap()) as usize;
    let frames = number(&packed[packed.len() - 9..packed.len() - 5]);
    let table = packed.len() - (frames * 8 + 17);
    assert_eq!(packed[table..table + 4], TABLE_MAGIC.to_le_bytes());
    // Each frame expands on its own.
    let mut start = 0;
    let mut at = 0;
    for row in packed[table + 8..packed.len() - 9].chunks(8) {
        let (length, expanded) = (number(&row[..4]), number(&row[4..]));
        assert!(
            (64 * 1024..=limits::FRAME_BYTES).contains(&expanded) || at + expanded == nodes.len()
        );
        let frame = &packed[start..start + length];
        assert!(zstd::bulk::decompress(frame, expanded).unwrap() == nodes[at..at + expanded]);
        (start, at) = (start + length, at + expanded);
    }
    assert_eq!((start, at), (table, nodes.len()));
}

#[test]
fn cut_anywhere_it_is_refused() {
    let (_, packed, entry) = packed();
    for cut in (0..packed.len())
        .step_by(61)
        .chain(packed.len() - 40..packed.len())
    {
        refused(&packed[..cut], &entry);
    }
    assert_fault!(refused(&[], &entry), AtRestFault::Short { got: 0, .. });
    assert_fault!(
        refused(&packed[..packed.len() - 1], &entry),
        AtRestFault::Table
    );
}

#[test]
fn a_flipped_byte_never_passes_unseen_and_verified() {
    let (nodes, packed, entry) = packed();
    for at in (0..packed.len()).step_by(37) {
        let mut flipped = packed.clone();
        flipped[at] ^= 0x04;
        let mut out = Vec::new();
        // Frames carry no checksum: what expands all the same is for the segment's hashes to find.
        if expand(&mut Cursor::new(&flipped), &entry, &mut out).is_ok() && out != nodes {
            let opened = crate::segment::tests::open(&out, &entry);
            assert!(
                opened.and_then(|segment| segment.verify()).is_err(),
                "byte {at}"
            );
        }
    }
}

#[test]
fn bombs_are_cut_short() {
    let bomb = |bytes| zstd::bulk::compress(&vec![0; bytes], 19).unwrap();
    // Larger than a frame may be; larger than what is left of the segment.
    let error = refused(&bomb(200 << 20), &claims(1 << 30));
    assert_fault!(
        error,
        AtRestFault::Frame(_) | AtRestFault::Expanded { limit: 131_072 }
    );
    assert_fault!(
        refused(&bomb(5_000), &claims(100)),
        AtRestFault::Expanded { limit: 100 }
    );
    let (_, packed, mut entry) = packed();
    entry.bytes -= 1;
    assert_fault!(refused(&packed, &entry), AtRestFault::Expanded { .. });
    entry.bytes += 2;
    assert_fault!(
        refused(&packed, &entry),
        AtRestFault::Nothing { missing: 1 }
    );
}

#[test]
fn endless_nothing_is_cut_short() {
    let most = limit(1 << 20) as usize;
    // Frames that expand to nothing, and a skippable frame.
    let empty = zstd::bulk::compress(&[], 3).unwrap();
    assert_fault!(
        refused(&empty.repeat(9), &claims(1 << 20)),
        AtRestFault::Nothing { missing: 1_048_576 }
    );
    let skip = [0x5e, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
    assert_fault!(
        refused(&skip, &claims(1 << 20)),
        AtRestFault::Nothing { missing: 1_048_576 }
    );
    // One frame with empty blocks for ever: magic, descriptor, 1 KiB window, raw blocks of 0 bytes.
    let header = [0x28, 0xb5, 0x2f, 0xfd, 0, 0];
    let mut endless = Cursor::new(header).chain(repeat(0));
    let mut out = Vec::new();
    let error = expand(&mut endless, &claims(1 << 20), &mut out).unwrap_err();
    assert_fault!(&error, AtRestFault::TooLong { .. } | AtRestFault::Frame(_));
    assert!(error.frame == 0 && out.is_empty());
    // A skippable frame of the whole allowance.
    let length = (most as u32).to_le_bytes();
    let skip = [&[0x5e, 0x2a, 0x4d, 0x18][..], &length, &vec![0; most + 9]].concat();
    refused(&skip, &claims(1 << 20));
}

#[test]
fn a_greedy_window_is_refused() {
    // A frame header that asks for a window of 2 GiB.
    let header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0, 0];
    assert_fault!(refused(&header, &claims(1 << 20)), AtRestFault::Frame(_));
}

#[test]
fn frames_that_are_no_nodes_are_refused() {
    let (nodes, _, entry) = packed();
    let halves: Vec<u8> = [&nodes[..1_000], &nodes[1_000..5_000]]
        .into_iter()
        .flat_map(|part| zstd::bulk::compress(part, 3).unwrap())
        .collect();
    assert_fault!(
        refused(&halves, &entry),
        AtRestFault::Nodes {
            at: 0,
            bytes: 1_000
        }
    );
    let text = b"<html>not found</html>";
    let mut out = Vec::new();
    let error = compress(&mut Cursor::new(text), &mut out).unwrap_err();
    assert_fault!(error, AtRestFault::Nodes { at: 0, .. });
    assert_fault!(refused(text, &entry), AtRestFault::Frame(_));
}

#[test]
fn a_lying_table_is_refused() {
    let (_, packed, entry) = packed();
    for back in 1..=40 {
        let mut lying = packed.clone();
        let at = lying.len() - back;
        lying[at] ^= 1;
        assert_fault!(refused(&lying, &entry), AtRestFault::Table);
    }
    let longer = [packed.as_slice(), &[0]].concat();
    assert_fault!(refused(&longer, &entry), AtRestFault::Trailing);
}

#[test]
fn many_batches_are_one_row_of_frames() {
    // More than the cores take at once, however many they are.
    let (nodes, entry) = build(&numbered(40_000, 1_000));
    assert!(nodes.len() > 34 << 20);
    let mut packed = Vec::new();
    compress(&mut Cursor::new(&nodes), &mut packed).unwrap();
    let mut out = Vec::new();
    expand(&mut Cursor::new(&packed), &entry, &mut out).unwrap();
    assert!(out == nodes);
}

#[test]
fn what_was_cut_off_does_not_end_like_a_whole_one() {
    let (_, packed, _) = packed();
    let ends = |file: &[u8]| {
        let at = file.len().saturating_sub(FOOTER_BYTES as usize);
        may_be_whole(&file[at..], file.len() as u64)
    };
    assert!(ends(&packed));
    for cut in 0..packed.len() {
        assert!(!ends(&packed[..cut]), "{cut}");
    }
    // A table of more frames than there is room for.
    let at = packed.len() - FOOTER_BYTES as usize;
    assert!(!may_be_whole(&packed[at..], 17));
    assert!(!may_be_whole(b"", 0));
}
