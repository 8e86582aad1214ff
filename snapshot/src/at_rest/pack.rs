//! Compressing a segment's frames, a batch at a time and on all cores. Frames are independent, so
//! their bytes do not depend on how many cores there are.

use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::thread;

use zstd::bulk::Compressor;

use super::{AtRestError, AtRestFault, Table};
use crate::{limits, node};

/// Compression level: the usual trade of time for size.
const LEVEL: i32 = 3;
/// Frames in a batch, for each core: work enough to be worth a thread's start.
const FRAMES: usize = 16;
/// Most cores that are used.
const CORES: usize = 8;

/// Compresses a segment: `nodes` are its uncompressed bytes. Memory: a batch of frames, 2 MiB a core.
///
/// # Errors
/// Bytes that are no row of nodes, or a failed read or write.
pub fn compress(nodes: &mut impl Read, out: &mut impl Write) -> Result<(), AtRestError> {
    let mut table = Table::default();
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let compressors = (0..cores.min(CORES)).map(|_| Compressor::new(LEVEL));
    let compressors: Result<Vec<_>, _> = compressors.collect();
    let mut compressors = compressors.map_err(|e| table.fail(e))?;
    let batch = compressors.len() * FRAMES * limits::FRAME_BYTES;
    let mut pending = Vec::with_capacity(batch);
    loop {
        let wanted = batch.saturating_sub(pending.len()) as u64;
        nodes
            .take(wanted)
            .read_to_end(&mut pending)
            .map_err(|e| table.fail(e))?;
        if pending.is_empty() {
            break;
        }
        let frames = cut(&pending, pending.len() < batch).map_err(|fault| table.fail(fault))?;
        let used: usize = frames.iter().map(|frame| frame.len()).sum();
        for packed in pack(&mut compressors, &frames) {
            for (frame, packed) in packed.map_err(|e| table.fail(e))? {
                out.write_all(&packed).map_err(|e| table.fail(e))?;
                table.add(packed.len(), frame);
            }
        }
        pending.drain(..used);
    }
    out.write_all(&table.to_bytes()).map_err(|e| table.fail(e))
}

/// Compressed frames of one core, each after its length before.
type Packed = std::io::Result<Vec<(usize, Vec<u8>)>>;

/// Each core takes a run of frames, so that they come back in order.
fn pack(compressors: &mut [Compressor<'_>], frames: &[&[u8]]) -> Vec<Packed> {
    let share = frames.len().div_ceil(compressors.len().max(1)).max(1);
    let pack_all = |compressor: &mut Compressor<'_>, frames: &[&[u8]]| {
        let pack = |frame: &&[u8]| Ok((frame.len(), compressor.compress(frame)?));
        frames.iter().map(pack).collect()
    };
    let mut work = compressors.iter_mut().zip(frames.chunks(share));
    let Some((mine, first)) = work.next() else {
        return Vec::new();
    };
    thread::scope(|scope| {
        let others: Vec<_> = work
            .map(|(compressor, frames)| scope.spawn(move || pack_all(compressor, frames)))
            .collect();
        let mut all = vec![pack_all(mine, first)];
        let failed = || Err(std::io::Error::other("a compressing thread failed"));
        all.extend(
            others
                .into_iter()
                .map(|other| other.join().unwrap_or_else(|_| failed())),
        );
        all
    })
}

/// The frames that `pending` begins with. Unless this is the `end`, what could be a part of a frame
/// or of the node after it stays.
fn cut(pending: &[u8], end: bool) -> Result<Vec<&[u8]>, AtRestFault> {
    let mut frames = Vec::new();
    let mut rest = pending;
    while !rest.is_empty() && (end || rest.len() >= 2 * limits::FRAME_BYTES) {
        let length = frame_of(rest)?;
        let Some((frame, after)) = rest.split_at_checked(length) else {
            return Err(AtRestFault::Nodes {
                at: length,
                bytes: rest.len(),
            });
        };
        frames.push(frame);
        rest = after;
    }
    Ok(frames)
}

/// The length of the next frame: whole nodes, cut before the one that would pass the limit.
/// `pending` holds a frame and a node more, or all that is left, so no node in question is partial.
fn frame_of(pending: &[u8]) -> Result<usize, AtRestFault> {
    let mut length = 0;
    while let Some(rest) = pending.get(length..)
        && !rest.is_empty()
    {
        match node::length(rest) {
            Some(next) if length == 0 || length + next <= limits::FRAME_BYTES => length += next,
            Some(_) => break,
            None => {
                return Err(AtRestFault::Nodes {
                    at: length,
                    bytes: pending.len(),
                });
            }
        }
    }
    Ok(length)
}
