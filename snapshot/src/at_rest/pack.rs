//! Compressing a segment's frames, a batch at a time and on all cores. Frames are independent, so
//! their bytes do not depend on how many cores there are.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use zstd::bulk::Compressor;

use super::{AtRestError, AtRestFault, Table};
use crate::{limits, node};

/// Compression level: the usual trade of time for size.
const LEVEL: i32 = 3;
/// Frames in a batch: work enough to be worth handing on.
const FRAMES: usize = 16;
/// Most cores that are used.
const CORES: usize = 8;

/// Compresses a segment: `nodes` are its uncompressed bytes. Memory: 4 MiB a core.
///
/// # Errors
/// Bytes that are no row of nodes, or a failed read or write.
pub fn compress(nodes: &mut impl Read, out: &mut impl Write) -> Result<(), AtRestError> {
    let mut table = Table::default();
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let cores = cores.min(CORES);
    let compressors = (0..cores).map(|_| Compressor::new(LEVEL));
    let compressors: Result<Vec<_>, _> = compressors.collect();
    let compressors = compressors.map_err(|e| table.fail(e))?;
    let (jobs, waiting) = sync_channel(cores);
    let waiting = Mutex::new(waiting);
    thread::scope(|scope| {
        for compressor in compressors {
            scope.spawn(|| work(compressor, &waiting));
        }
        // This thread reads and writes, while those compress.
        let packed = feed(nodes, out, &mut table, &jobs, cores);
        drop(jobs);
        packed
    })?;
    out.write_all(&table.to_bytes()).map_err(|e| table.fail(e))
}

/// A batch of frames to be compressed.
struct Job {
    /// The frames, one after another, and perhaps more.
    nodes: Vec<u8>,
    /// How long each is.
    frames: Vec<usize>,
    done: SyncSender<Packed>,
}

/// Compressed frames, each after its length before.
type Packed = std::io::Result<Vec<(usize, Vec<u8>)>>;

/// Compresses what is waiting, until nothing more will come.
fn work(mut compressor: Compressor<'_>, waiting: &Mutex<Receiver<Job>>) {
    let next = || {
        let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.recv().ok()
    };
    while let Some(job) = next() {
        let mut rest = job.nodes.as_slice();
        let pack = |length: &usize| {
            let frame = rest.split_off(..*length).unwrap_or_default();
            Ok((frame.len(), compressor.compress(frame)?))
        };
        let packed = job.frames.iter().map(pack).collect();
        // Nobody waits for it only where all has failed.
        let _ = job.done.send(packed);
    }
}

fn feed(
    nodes: &mut impl Read,
    out: &mut impl Write,
    table: &mut Table,
    jobs: &SyncSender<Job>,
    cores: usize,
) -> Result<(), AtRestError> {
    let batch = FRAMES * limits::FRAME_BYTES;
    let mut under_way = VecDeque::new();
    let mut rest = Vec::new();
    loop {
        let mut pending = Vec::with_capacity(batch);
        pending.append(&mut rest);
        let wanted = batch.saturating_sub(pending.len()) as u64;
        nodes
            .take(wanted)
            .read_to_end(&mut pending)
            .map_err(|e| table.fail(e))?;
        let ended = pending.is_empty();
        if !ended {
            let frames = cut(&pending, pending.len() < batch).map_err(|fault| table.fail(fault))?;
            let frames: Vec<usize> = frames.iter().map(|frame| frame.len()).collect();
            let used: usize = frames.iter().sum();
            rest.extend_from_slice(pending.get(used..).unwrap_or_default());
            let (done, packed) = sync_channel(1);
            let job = Job {
                nodes: pending,
                frames,
                done,
            };
            jobs.send(job).map_err(|_| table.fail(failed()))?;
            under_way.push_back(packed);
        }
        while under_way.len() > if ended { 0 } else { 2 * cores } {
            let packed = under_way.pop_front().map(|packed| packed.recv());
            let packed = packed.and_then(Result::ok).unwrap_or_else(|| Err(failed()));
            for (frame, packed) in packed.map_err(|e| table.fail(e))? {
                out.write_all(&packed).map_err(|e| table.fail(e))?;
                table.add(packed.len(), frame);
            }
        }
        if ended {
            return Ok(());
        }
    }
}

fn failed() -> std::io::Error {
    std::io::Error::other("a compressing thread failed")
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
