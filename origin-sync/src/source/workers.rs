//! Rows on all cores: the thread that reads a source hands its rows on in batches, and workers make
//! of them what is wanted. Each worker sees its rows in the source's order.

use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use serde_json::Value;

use super::fault::{At, Faults};
use super::{Fault, Fields, Place, SourceError, SourceLimits};

/// Most workers for one source; the reading thread feeds no more.
const WORKERS: usize = 8;
/// A batch is handed on beyond this much text, bytes.
const BATCH_BYTES: usize = 256 << 10;
/// A batch is handed on beyond this many rows.
const BATCH_ROWS: usize = 512;
/// Batches that wait for a worker.
const QUEUE: usize = 4;

/// Makes something of rows.
pub(super) trait Worker: Send {
    /// Takes one row.
    fn take(&mut self, place: &Place, fields: Fields) -> Result<(), Trouble>;
}

/// Why a row was not taken.
pub(super) enum Trouble {
    /// The row is wrong.
    Fault(Fault),
    /// The own disk is.
    Disk(io::Error),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// How many workers a source gets.
pub(super) fn count() -> usize {
    thread::available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .min(WORKERS)
}

/// Lets workers take all rows that `read` reads from `path`, and gives them back.
pub(super) fn run<W: Worker>(
    what: &str,
    path: &Path,
    limits: SourceLimits,
    workers: Vec<W>,
    read: impl FnOnce(&mut Reading<'_>) -> Result<(), SourceError>,
) -> Result<Vec<W>, SourceError> {
    let (send, receive) = sync_channel(QUEUE);
    let shared = Shared {
        batches: Mutex::new(receive),
        broken: OnceLock::new(),
        file: Arc::new(path.to_owned()),
    };
    let (read, mut faults, workers) = thread::scope(|scope| {
        let work = |worker| scope.spawn(|| shared.work(worker));
        let working: Vec<_> = workers.into_iter().map(work).collect();
        let mut reading = Reading {
            path,
            limits,
            file: &shared.file,
            count: 0,
            faults: Faults::default(),
            batch: Batch::default(),
            send,
            broken: &shared.broken,
        };
        let done = read(&mut reading);
        reading.hand_on();
        let faults = reading.faults;
        drop(reading.send);
        let workers: Vec<_> = working.into_iter().map(|w| w.join()).collect();
        (done, faults, workers)
    });
    let mut all = Vec::new();
    for done in workers {
        let (worker, found) = done.map_err(|_| SourceError::Unreadable {
            path: path.to_owned(),
            why: "a worker failed".to_owned(),
        })?;
        faults = faults.and(found);
        all.push(worker);
    }
    if let Some(error) = shared.broken.into_inner() {
        return Err(SourceError::Sorting(error));
    }
    read?;
    faults.into_error(what).map_or(Ok(all), Err)
}

/// A source being read.
pub(super) struct Reading<'a> {
    pub(super) path: &'a Path,
    pub(super) limits: SourceLimits,
    file: &'a Arc<PathBuf>,
    count: usize,
    faults: Faults,
    batch: Batch,
    send: SyncSender<Batch>,
    broken: &'a OnceLock<io::Error>,
}

#[derive(Default)]
struct Batch {
    bytes: usize,
    text: Vec<u8>,
    rows: Vec<(At, Raw)>,
}

enum Raw {
    /// JSON, as a part of the batch's text.
    Line(Range<usize>),
    Fields(Fields),
}

impl Reading<'_> {
    pub(super) fn fault(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    pub(super) fn unreadable(&self, error: impl std::fmt::Display) -> SourceError {
        SourceError::Unreadable {
            path: self.path.to_owned(),
            why: error.to_string(),
        }
    }

    /// Where a row stands.
    pub(super) fn place(&self, at: At) -> Place {
        Place {
            file: Arc::clone(self.file),
            at,
        }
    }

    /// Counts one row; called before it is looked at.
    pub(super) fn begin_row(&mut self) -> Result<(), SourceError> {
        if self.count >= self.limits.rows {
            return Err(SourceError::TooManyRows {
                path: self.path.to_owned(),
                limit: self.limits.rows,
            });
        }
        if self.broken.get().is_some() {
            return Err(SourceError::Sorting(io::Error::other("stopped")));
        }
        self.count += 1;
        Ok(())
    }

    /// Hands on a row that is one line of JSON.
    pub(super) fn line(&mut self, at: At, text: &[u8]) {
        let start = self.batch.text.len();
        self.batch.text.extend_from_slice(text);
        self.batch.bytes += text.len();
        let line = Raw::Line(start..self.batch.text.len());
        self.push(at, line);
    }

    /// Hands on a row of about `bytes` bytes.
    pub(super) fn fields(&mut self, at: At, fields: Fields, bytes: usize) {
        self.batch.bytes += bytes;
        self.push(at, Raw::Fields(fields));
    }

    fn push(&mut self, at: At, raw: Raw) {
        self.batch.rows.push((at, raw));
        if self.batch.bytes >= BATCH_BYTES || self.batch.rows.len() >= BATCH_ROWS {
            self.hand_on();
        }
    }

    fn hand_on(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        // The receiver lives as long as this: nothing is lost.
        let _ = self.send.send(batch);
    }
}

/// What workers share.
struct Shared {
    batches: Mutex<Receiver<Batch>>,
    file: Arc<PathBuf>,
    broken: OnceLock<io::Error>,
}

impl Shared {
    fn work<W: Worker>(&self, mut worker: W) -> (W, Faults) {
        let mut faults = Faults::default();
        while let Some(batch) = self.next() {
            for (at, raw) in batch.rows {
                let place = Place {
                    file: Arc::clone(&self.file),
                    at,
                };
                let fields = match raw {
                    Raw::Fields(fields) => Ok(fields),
                    Raw::Line(range) => parse(&place, batch.text.get(range).unwrap_or_default()),
                };
                let taken = fields.map_err(Trouble::from);
                match taken.and_then(|fields| worker.take(&place, fields)) {
                    Ok(()) => {}
                    Err(Trouble::Fault(fault)) => faults.add(fault),
                    Err(Trouble::Disk(error)) => {
                        // The first one is told; the reader stops at its next row.
                        let _ = self.broken.set(error);
                        break;
                    }
                }
            }
        }
        (worker, faults)
    }

    fn next(&self) -> Option<Batch> {
        let batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        batches.recv().ok()
    }
}

fn parse(place: &Place, line: &[u8]) -> Result<Fields, Fault> {
    match serde_json::from_slice(line) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Fault::of_row(place, "is JSON, but not an object")),
        Err(error) => Err(Fault::of_row(
            place,
            format!("is not a JSON object: {error}"),
        )),
    }
}
