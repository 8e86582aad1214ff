//! The table of frame lengths, read before the frames it tells of: a hint that is not trusted.
//!
//! It says where to go on with a segment of which a part is held. A table that lies leads to bytes
//! that are no frame, or to nodes that do not verify; it never makes anything larger.

use super::{FOOTER_BYTES, FOOTER_MAGIC};

/// A frame that every segment at rest has one of, on average, within so many expanded bytes.
const FRAME_LEAST: u64 = 16 * 1024;
/// The longest table that is read, bytes.
const TAIL_MOST: u64 = 16 << 20;

/// Where a frame begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Border {
    /// Among the bytes at rest.
    pub at_rest: u64,
    /// Among the segment's bytes.
    pub expanded: u64,
}

/// How many bytes at the end of a segment of `bytes` bytes are sure to hold its table.
#[must_use]
pub const fn tail(bytes: u64) -> u64 {
    let most = (bytes / FRAME_LEAST).saturating_add(16).saturating_mul(8) + FOOTER_BYTES + 8;
    if most < TAIL_MOST { most } else { TAIL_MOST }
}

/// How many frames the table has that ends with `end`; `None` if no table ends so.
pub(super) fn frames(end: &[u8]) -> Option<u64> {
    // Descriptor 0: no checksums.
    let (_, [a, b, c, d, 0, magic @ ..]) = end.split_last_chunk::<9>()? else {
        return None;
    };
    let frames = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
    (*magic == FOOTER_MAGIC.to_le_bytes()).then_some(frames)
}

/// How long each frame is at rest and expanded, by the table at the end of `tail`; `None` if there is
/// no whole table.
pub(super) fn lengths(tail: &[u8]) -> Option<impl ExactSizeIterator<Item = (u64, u64)>> {
    let bytes = usize::try_from(frames(tail)? * 8).ok()?;
    let (rest, _) = tail.split_last_chunk::<9>()?;
    let table = rest.get(rest.len().checked_sub(bytes)?..)?;
    let length = |bytes: [u8; 4]| u64::from(u32::from_le_bytes(bytes));
    let frames = table.as_chunks::<8>().0.iter();
    Some(
        frames.map(move |[a, b, c, d, e, f, g, h]| {
            (length([*a, *b, *c, *d]), length([*e, *f, *g, *h]))
        }),
    )
}

/// The last border at or before `expanded`, by the table at the end of `tail`; `None` if there is no
/// whole table.
#[must_use]
pub fn border(tail: &[u8], expanded: u64) -> Option<Border> {
    let mut last = Border::default();
    for (packed, grown) in lengths(tail)? {
        let next = Border {
            at_rest: last.at_rest.checked_add(packed)?,
            expanded: last.expanded.checked_add(grown)?,
        };
        if next.expanded > expanded {
            break;
        }
        last = next;
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at_rest::Table;

    #[test]
    fn the_last_border_before_a_place_is_found_and_a_lie_is_none() {
        let mut table = Table::default();
        for (packed, expanded) in [(10, 100), (20, 50), (5, 70)] {
            table.add(packed, expanded);
        }
        let bytes = table.to_bytes();
        let at = |expanded| border(&bytes, expanded).map(|b| (b.at_rest, b.expanded));
        assert_eq!(at(0), Some((0, 0)));
        assert_eq!(at(99), Some((0, 0)));
        assert_eq!(at(100), Some((10, 100)));
        assert_eq!(at(219), Some((30, 150)));
        assert_eq!(at(u64::MAX), Some((35, 220)));
        let mut lies = bytes.clone();
        let count = lies.len() - 9;
        lies[count] = 200;
        assert_eq!(border(&lies, 0), None);
        assert_eq!(border(&bytes[..bytes.len() - 1], 0), None);
        let mut checksums = bytes.clone();
        checksums[count + 4] = 0x80;
        assert_eq!(border(&checksums, 0), None);
        assert_eq!(border(b"", 0), None);
    }

    #[test]
    fn a_tail_is_bounded() {
        assert_eq!(tail(u64::MAX), TAIL_MOST);
        assert!(tail(0) < 200);
    }
}
