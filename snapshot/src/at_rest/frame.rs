//! One frame of a segment at rest by itself, found by the table of frame lengths.
//!
//! The table is a hint: one that lies leads to bytes that are no frame, or to nodes that do not
//! have their names. So it decides what is asked for, and nothing about what is believed.

use std::io::{self, Read};

use zstd::stream::read::Decoder;
use zstd::zstd_safe::{DCtx, DParameter, get_error_name};

use super::hint::{frames, lengths};
use super::{AtRestFault, FOOTER_BYTES, WINDOW_LOG, tail, whole_nodes};
use crate::limits;

/// What a frame may take at rest beyond what it expands to: zstd stores what it cannot compress.
const PACKED_MORE: u64 = 1024;

/// Where one frame lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where it starts among the bytes at rest.
    pub at_rest: u64,
    /// How many bytes it takes there.
    pub packed: u64,
    /// Where it starts among the segment's bytes.
    pub start: u64,
    /// How many bytes it expands to.
    pub expanded: u64,
}

/// Where every frame of a segment lies, as its table says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frames {
    /// Where each ends, at rest and among the segment's bytes.
    ends: Vec<(u64, u64)>,
}

impl Frames {
    /// How many bytes at the end of a segment of `bytes` bytes its table takes, as its last bytes say;
    /// `None` if these are no table's, or one that no such segment has.
    #[must_use]
    pub fn table_bytes(end: &[u8], bytes: u64) -> Option<u64> {
        let whole = frames(end)? * 8 + FOOTER_BYTES;
        (whole <= tail(bytes)).then_some(whole)
    }

    /// What the table at the end of `tail` says of a segment of `bytes` bytes; `None` if it is not whole
    /// or cannot be true.
    #[must_use]
    pub fn read(tail: &[u8], bytes: u64) -> Option<Self> {
        Self::table_bytes(tail, bytes)?;
        let lengths = lengths(tail)?;
        let mut ends = Vec::with_capacity(lengths.len());
        let (mut at_rest, mut end) = (0_u64, 0_u64);
        for (packed, expanded) in lengths {
            let most = limits::FRAME_BYTES as u64;
            if !(1..=most).contains(&expanded) || !(1..=most + PACKED_MORE).contains(&packed) {
                return None;
            }
            at_rest = at_rest.checked_add(packed)?;
            end = end.checked_add(expanded)?;
            ends.push((at_rest, end));
        }
        (end == bytes).then_some(Self { ends })
    }

    /// The frame that byte `at` of the segment is in.
    #[must_use]
    pub fn holding(&self, at: u64) -> Option<Frame> {
        let n = self.ends.partition_point(|(_, end)| *end <= at);
        let (at_rest_end, end) = *self.ends.get(n)?;
        let before = n.checked_sub(1).and_then(|n| self.ends.get(n));
        let (at_rest, start) = before.copied().unwrap_or((0, 0));
        Some(Frame {
            at_rest,
            packed: at_rest_end - at_rest,
            start,
            expanded: end - start,
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// What one frame expands to: `expanded` bytes, and nothing but whole nodes. Memory is bounded by
/// that, whatever the frame says.
///
/// # Errors
/// Anything else.
pub fn expand_frame(packed: &[u8], expanded: u64) -> Result<Vec<u8>, AtRestFault> {
    let limit = expanded.min(limits::FRAME_BYTES as u64);
    let mut context = DCtx::create();
    context
        .set_parameter(DParameter::WindowLogMax(WINDOW_LOG))
        .map_err(|code| io::Error::other(get_error_name(code)))?;
    let mut rest = packed;
    let mut out = Vec::with_capacity(usize::try_from(limit).unwrap_or(0).saturating_add(1));
    Decoder::with_context(&mut rest, &mut context)
        .single_frame()
        .take(limit + 1)
        .read_to_end(&mut out)
        .map_err(AtRestFault::Frame)?;
    let got = out.len() as u64;
    if got > limit {
        return Err(AtRestFault::Expanded { limit });
    }
    if got < expanded {
        return Err(AtRestFault::Short {
            expected: expanded,
            got,
        });
    }
    if !rest.is_empty() {
        return Err(AtRestFault::Trailing);
    }
    whole_nodes(&out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::at_rest::{Table, compress};
    use crate::segment::tests::{build, numbered};

    #[test]
    fn every_byte_of_a_segment_is_in_the_frame_that_its_table_names() {
        let (nodes, _) = build(&numbered(5000, 200));
        let mut packed = Vec::new();
        compress(&mut Cursor::new(&nodes), &mut packed).unwrap();
        let bytes = nodes.len() as u64;
        let end = &packed[packed.len() - 9..];
        let whole = usize::try_from(Frames::table_bytes(end, bytes).unwrap()).unwrap();
        let frames = Frames::read(&packed[packed.len() - whole..], bytes).unwrap();
        assert!(frames.len() > 3);
        let mut at = 0;
        while at < bytes {
            let frame = frames.holding(at).unwrap();
            assert_eq!(frame.start, at);
            assert_eq!(frames.holding(at + frame.expanded - 1), Some(frame));
            let part = |from: u64, bytes: u64| from as usize..(from + bytes) as usize;
            let given = &packed[part(frame.at_rest, frame.packed)];
            let expanded = expand_frame(given, frame.expanded).unwrap();
            assert!(expanded == nodes[part(frame.start, frame.expanded)]);
            at += frame.expanded;
        }
        assert_eq!(frames.holding(bytes), None);
        let first = frames.holding(0).unwrap();
        let given = &packed[..first.packed as usize];
        let refused = |packed: &[u8], expanded| expand_frame(packed, expanded).unwrap_err();
        let less = refused(given, first.expanded - 1);
        assert!(matches!(less, AtRestFault::Expanded { .. }), "{less}");
        let more = refused(given, first.expanded + 1);
        assert!(matches!(more, AtRestFault::Short { .. }), "{more}");
        let longer = refused(&packed[..given.len() + 1], first.expanded);
        assert!(matches!(longer, AtRestFault::Trailing), "{longer}");
        let cut = refused(&given[..given.len() - 1], first.expanded);
        assert!(matches!(cut, AtRestFault::Frame(_)), "{cut}");
    }

    #[test]
    fn a_table_that_cannot_be_true_is_none() {
        let of = |frames: &[(usize, usize)]| {
            let mut table = Table::default();
            for (packed, expanded) in frames {
                table.add(*packed, *expanded);
            }
            table.to_bytes()
        };
        assert!(Frames::read(&of(&[(10, 100), (20, 50)]), 150).is_some());
        for lie in [
            of(&[(10, 100), (20, 51)]),
            of(&[(10, 100), (20, 50), (5, 0)]),
            of(&[(0, 100), (20, 50)]),
            of(&[(limits::FRAME_BYTES * 2, 150)]),
            of(&[]),
            vec![0; 40],
            Vec::new(),
        ] {
            assert_eq!(Frames::read(&lie, 150), None);
        }
        let many = of(&[(1, 1); 200]);
        assert_eq!(Frames::table_bytes(&many, 200), None);
    }
}
