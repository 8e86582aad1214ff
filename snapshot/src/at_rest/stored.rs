//! A segment at rest that nobody compressed: what an edge gives other edges of the uncompressed
//! segments it holds.
//!
//! Its frames hold one raw block each, so where every byte stands follows from where the nodes end. Any
//! range is read from the file as it is: nothing is compressed for a request, nothing is kept but where
//! frames end, and the bytes are the same at every request and every edge, so that a range asked for
//! tomorrow fits the one that came today.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use super::Table;
use crate::{Segment, SegmentError, limits};

/// Magic number of a zstd frame.
const FRAME_MAGIC: u32 = 0xFD2F_B528;
/// Frame header descriptor: a single segment, its length in four bytes, nothing else.
const DESCRIPTOR: u8 = 0b1010_0000;
/// Before the bytes of a frame: magic, descriptor, length, block header.
const HEAD_BYTES: u64 = 12;

/// Where the frames of a segment end.
#[derive(Debug)]
pub struct Stored {
    ends: Vec<u64>,
}

impl Stored {
    /// Cuts `segment` into frames: as many whole nodes as fit. Reads its inner nodes. Blocking.
    ///
    /// # Errors
    /// A node that does not verify.
    pub fn of(segment: &Segment) -> Result<Self, SegmentError> {
        let mut ends: Vec<u64> = Vec::new();
        let (mut start, mut end) = (0_u64, 0_u64);
        segment.nodes(|at, bytes| {
            let next = at.saturating_add(bytes);
            if next.saturating_sub(start) > limits::FRAME_BYTES as u64 && end > start {
                ends.push(end);
                start = end;
            }
            end = next;
        })?;
        ends.push(end);
        Ok(Self { ends })
    }

    /// How many bytes it has at rest.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let table = (self.ends.len() as u64).saturating_mul(8) + super::FOOTER_BYTES + 8;
        self.at_rest(self.ends.len()).saturating_add(table)
    }

    /// A range of it; `file` is the segment's. Takes as much memory as the range is long, and as the
    /// table if that is in it. Blocking.
    ///
    /// # Errors
    /// Reading failed.
    pub fn read(&self, file: &File, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let frames = self
            .ends
            .iter()
            .enumerate()
            .skip(self.frame_at(range.start));
        for (frame, end) in frames {
            let at = self.at_rest(frame);
            if at >= range.end {
                return Ok(out);
            }
            let start = self.expanded(frame);
            let bytes = end.saturating_sub(start);
            push(&mut out, &head(bytes), part(&range, at, HEAD_BYTES));
            let nodes = part(&range, at.saturating_add(HEAD_BYTES), bytes);
            let (from, begun) = (start.saturating_add(nodes.start), out.len());
            let more = usize::try_from(nodes.end.saturating_sub(nodes.start));
            out.resize(begun.saturating_add(more.map_err(io::Error::other)?), 0);
            file.read_exact_at(out.get_mut(begun..).unwrap_or_default(), from)?;
        }
        let table = self.at_rest(self.ends.len());
        if range.end > table {
            let bytes = self.table().to_bytes();
            let length = bytes.len() as u64;
            push(&mut out, &bytes, part(&range, table, length));
        }
        Ok(out)
    }

    /// Where frame `n` starts among the segment's bytes.
    fn expanded(&self, n: usize) -> u64 {
        let before = n.checked_sub(1).and_then(|before| self.ends.get(before));
        before.copied().unwrap_or(0)
    }

    /// Where frame `n` starts at rest; for the number of frames, where they end.
    fn at_rest(&self, n: usize) -> u64 {
        let heads = (n as u64).saturating_mul(HEAD_BYTES);
        self.expanded(n).saturating_add(heads)
    }

    /// The frame that byte `at` is in; the number of frames beyond them.
    fn frame_at(&self, at: u64) -> usize {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at_rest(middle + 1) <= at {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn table(&self) -> Table {
        let mut table = Table::default();
        for n in 0..self.ends.len() {
            let bytes = self.expanded(n + 1).saturating_sub(self.expanded(n));
            table.add_seen(bytes.saturating_add(HEAD_BYTES), bytes);
        }
        table
    }
}

/// What of `range` is in a piece of `length` bytes that starts `at`, counted within the piece.
fn part(range: &Range<u64>, at: u64, length: u64) -> Range<u64> {
    let end = at.saturating_add(length);
    range.start.clamp(at, end) - at..range.end.clamp(at, end) - at
}

fn push(out: &mut Vec<u8>, piece: &[u8], part: Range<u64>) {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let bytes = piece.get(place(part.start)..place(part.end));
    out.extend_from_slice(bytes.unwrap_or_default());
}

/// Magic, descriptor, length, and the head of the one raw block, which is the last.
fn head(bytes: u64) -> Vec<u8> {
    let short = u32::try_from(bytes).unwrap_or(u32::MAX);
    let mut head = Vec::with_capacity(12);
    head.extend(FRAME_MAGIC.to_le_bytes());
    head.push(DESCRIPTOR);
    head.extend(short.to_le_bytes());
    let block = (short << 3) | 1;
    head.extend(block.to_le_bytes().get(..3).unwrap_or_default());
    head
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::at_rest::{border, expand};
    use crate::segment::tests::{build, numbered, open};

    #[test]
    fn an_edge_gives_a_segment_as_a_mirror_would_and_any_range_of_it() {
        for records in [1, 5000] {
            let (nodes, entry) = build(&numbered(records, 200));
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&nodes).unwrap();
            let stored = Stored::of(&open(&nodes, &entry).unwrap()).unwrap();
            let all = stored.read(&file, 0..stored.bytes()).unwrap();
            assert_eq!(all.len() as u64, stored.bytes());
            let mut out = Vec::new();
            expand(&mut all.as_slice(), &entry, &mut out).unwrap();
            assert!(out == nodes);
            // Cuts within heads, frames and table; at each byte of a small one.
            let step = stored.bytes().div_ceil(9973) as usize;
            for until in (0..=all.len()).step_by(step) {
                let from = until.saturating_sub(3 * step);
                let range = from as u64..until as u64;
                assert!(stored.read(&file, range).unwrap() == all[from..until]);
            }
            for at in 0..stored.ends.len() {
                let at = stored.at_rest(at);
                for (from, until) in [(0, 1), (0, 5), (3, 12), (11, 12), (11, 13), (12, 13)] {
                    let range = at + from..at + until;
                    let expected = &all[range.start as usize..range.end as usize];
                    assert_eq!(stored.read(&file, range).unwrap(), expected);
                }
            }
            let last = border(&all, u64::MAX).unwrap();
            assert_eq!(last.expanded, nodes.len() as u64);
        }
    }
}
