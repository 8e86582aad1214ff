//! A segment on a mirror: its nodes in independent zstd frames, then a table of frame lengths.
//!
//! The table is the Zstandard seekable format's, which stands in a skippable frame, so that
//! `zstd -d` alone gives the nodes back. Nothing here is trusted: what comes out is bounded while
//! it comes, and is a segment only once [`crate::Segment::verify`] says so. The numbers at
//! the comments are the steps of `FORMAT.md` section 5.

mod frame;
mod hint;
mod pack;
mod stored;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, BufReader, Read, Write};

use zstd::stream::read::Decoder;
use zstd::zstd_safe::{DCtx, DParameter, get_error_name};

use crate::manifest::SegmentEntry;
use crate::{limits, node};

/// The largest window a decoder may be asked for, a power of two: holds any frame.
const WINDOW_LOG: u32 = 18;
/// Magic number of the skippable frame that holds the table.
const TABLE_MAGIC: u32 = 0x184D_2A5E;
/// Magic number at the table's end.
const FOOTER_MAGIC: u32 = 0x8F92_EAB1;
/// Last bytes of a segment at rest: number of frames, descriptor, magic.
pub const FOOTER_BYTES: u64 = 9;

pub use frame::{Frame, Frames, expand_frame};
pub use hint::{Border, border, tail};
pub use pack::compress;
pub use stored::Stored;

/// A segment at rest that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("segment at rest, frame {frame}: {fault}")]
pub struct AtRestError {
    /// Counted from 0; the table counts as the last.
    pub frame: u64,
    /// What is wrong there.
    #[source]
    pub fault: AtRestFault,
}

/// What is wrong with a frame or the table.
#[derive(Debug, thiserror::Error)]
pub enum AtRestFault {
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Not a zstd frame, or a damaged one.
    #[error("cannot be expanded: {0}")]
    Frame(io::Error),
    /// Bytes that are not a row of nodes.
    #[error("no row of whole nodes: at {at} of {bytes} expanded bytes there is no node")]
    Nodes {
        /// Where the next node should start.
        at: usize,
        /// Bytes in the frame.
        bytes: usize,
    },
    /// A frame that expands to too much; it was stopped there.
    #[error("expands to more than the {limit} bytes allowed")]
    Expanded {
        /// Bytes allowed: a frame's limit, or what is left of the segment.
        limit: u64,
    },
    /// A frame that expands to nothing, as the table does where it comes too early.
    #[error("expands to nothing: {missing} bytes of nodes are still missing")]
    Nothing {
        /// What is left of the segment, bytes.
        missing: u64,
    },
    /// More bytes at rest than a segment of this length can take.
    #[error("longer at rest than the {limit} bytes allowed")]
    TooLong {
        /// Bytes allowed.
        limit: u64,
    },
    /// The frames end early.
    #[error("{got} bytes of nodes where {expected} are expected")]
    Short {
        /// The segment's length.
        expected: u64,
        /// What the frames gave.
        got: u64,
    },
    /// A table that is not the one these frames have.
    #[error("the table of frame lengths says otherwise than its frames")]
    Table,
    /// Bytes after the table.
    #[error("bytes after the table")]
    Trailing,
}

/// The most bytes that a segment of `bytes` bytes may take at rest; a fetch may stop there.
#[must_use]
pub const fn limit(bytes: u64) -> u64 {
    // zstd adds at most 1/256 and a few bytes a frame, the table eight; nodes of 8 KiB leave
    // room for a frame each.
    bytes.saturating_add(bytes / 64).saturating_add(4096)
}

/// Whether a file of `bytes` bytes that ends with `footer` may be a whole segment at rest: one that was
/// cut off does not end with a table. What lies before it only [`expand`] can tell.
#[must_use]
pub fn may_be_whole(footer: &[u8], bytes: u64) -> bool {
    hint::frames(footer).is_some_and(|frames| frames > 0 && bytes > 8 + frames * 8 + FOOTER_BYTES)
}

/// Expands a segment at rest, as far as `entry` lets it grow. Memory: one frame. What was written
/// is not verified yet: open it with [`crate::Segment::open`] and call `verify`.
///
/// # Errors
/// See [`AtRestFault`]; what was written before is to be thrown away.
pub fn expand(
    at_rest: &mut impl Read,
    entry: &SegmentEntry,
    out: &mut impl Write,
) -> Result<(), AtRestError> {
    expand_from(at_rest, entry, 0, out)
}

/// Expands the frames of a segment at rest that give its bytes from `from` on; `at_rest` starts with
/// the first of them ([`border`]). Each frame is written whole, by one call. The table, which tells of
/// all frames, is only compared when all are seen.
///
/// # Errors
/// As [`expand`]; the frames that were written before are as good as those before them.
pub fn expand_from(
    at_rest: &mut impl Read,
    entry: &SegmentEntry,
    from: u64,
    out: &mut impl Write,
) -> Result<(), AtRestError> {
    let mut table = Table::default();
    // 5.1 No more bytes at rest than a segment of the claimed length can take.
    let most = limit(entry.bytes);
    let mut input = Counted {
        input: BufReader::new(at_rest.take(most.saturating_add(1))),
        taken: 0,
    };
    let mut context = DCtx::create();
    context
        .set_parameter(DParameter::WindowLogMax(WINDOW_LOG))
        .map_err(|code| table.fail(io::Error::other(get_error_name(code))))?;
    let mut expanded = Vec::with_capacity(limits::FRAME_BYTES + 1);
    let mut total = from;
    while total < entry.bytes {
        let start = input.taken;
        if input.at_end().map_err(|e| table.fail(e))? {
            let (expected, got) = (entry.bytes, total);
            return Err(table.fail(AtRestFault::Short { expected, got }));
        }
        // 5.2 A frame expands to at least one byte, at most a frame's limit, and no more than
        // is missing of the segment.
        let left = entry.bytes - total;
        let most_here = left.min(limits::FRAME_BYTES as u64);
        expanded.clear();
        let decoder = Decoder::with_context(&mut input, &mut context).single_frame();
        decoder
            .take(most_here + 1)
            .read_to_end(&mut expanded)
            .map_err(|e| table.fail(AtRestFault::Frame(e)))?;
        let got = expanded.len() as u64;
        if input.taken > most {
            return Err(table.fail(AtRestFault::TooLong { limit: most }));
        }
        if got > most_here {
            return Err(table.fail(AtRestFault::Expanded { limit: most_here }));
        }
        if got == 0 {
            return Err(table.fail(AtRestFault::Nothing { missing: left }));
        }
        // 5.3 It holds whole nodes.
        whole_nodes(&expanded).map_err(|fault| table.fail(fault))?;
        out.write_all(&expanded).map_err(|e| table.fail(e))?;
        total += got;
        table.add_seen(input.taken - start, got);
    }
    if from > 0 {
        return Ok(());
    }
    // 5.4 The table says what was seen, and nothing follows.
    let expected = table.to_bytes();
    let mut found = Vec::new();
    (&mut input)
        .take(expected.len() as u64)
        .read_to_end(&mut found)
        .map_err(|e| table.fail(e))?;
    if found != expected {
        return Err(table.fail(AtRestFault::Table));
    }
    if !input.at_end().map_err(|e| table.fail(e))? {
        return Err(table.fail(AtRestFault::Trailing));
    }
    Ok(())
}

fn whole_nodes(bytes: &[u8]) -> Result<(), AtRestFault> {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..)
        && !rest.is_empty()
    {
        match node::length(rest) {
            Some(next) => at += next,
            None => {
                return Err(AtRestFault::Nodes {
                    at,
                    bytes: bytes.len(),
                });
            }
        }
    }
    Ok(())
}

/// Compressed and expanded length of each frame.
#[derive(Debug, Default)]
struct Table(Vec<(u32, u32)>);

impl Table {
    fn add(&mut self, packed: usize, expanded: usize) {
        self.add_seen(packed as u64, expanded as u64);
    }

    fn add_seen(&mut self, packed: u64, expanded: u64) {
        let short = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.0.push((short(packed), short(expanded)));
    }

    fn to_bytes(&self) -> Vec<u8> {
        let short = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        let content = self.0.len() as u64 * 8 + FOOTER_BYTES;
        let mut bytes = Vec::with_capacity(self.0.len() * 8 + 17);
        bytes.extend(TABLE_MAGIC.to_le_bytes());
        bytes.extend(short(content));
        for (packed, expanded) in &self.0 {
            bytes.extend(packed.to_le_bytes());
            bytes.extend(expanded.to_le_bytes());
        }
        bytes.extend(short(self.0.len() as u64));
        // Descriptor: no checksums; nodes have better ones.
        bytes.push(0);
        bytes.extend(FOOTER_MAGIC.to_le_bytes());
        bytes
    }

    fn fail(&self, fault: impl Into<AtRestFault>) -> AtRestError {
        AtRestError {
            frame: self.0.len() as u64,
            fault: fault.into(),
        }
    }
}

/// Counts the bytes that a decoder takes from its input.
#[derive(Debug)]
struct Counted<R> {
    input: R,
    taken: u64,
}

impl<R: BufRead> Counted<R> {
    fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.input.fill_buf()?.is_empty())
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.input.read(buf)?;
        self.taken += got as u64;
        Ok(got)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount as u64;
        self.input.consume(amount);
    }
}
