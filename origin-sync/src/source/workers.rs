//! Rows on all cores: the thread that reads a source hands its rows on in batches, and workers make
//! of them what is wanted. Each worker sees its rows in the source's order.

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use super::fault::{At, Faults};
use super::{Fault, Fields, Place, SourceError, SourceLimits, ndjson};

/// Most workers for one source; the reading thread feeds no more.
const WORKERS: usize = 8;
/// Rows are handed on beyond this much of them, bytes.
const BATCH_BYTES: usize = 256 << 10;
/// Rows are handed on beyond this many.
const BATCH_ROWS: usize = 512;
/// Batches that wait for a worker.
const QUEUE: usize = 4;

/// Makes something of rows.
pub(super) trait Worker: Send {
    /// Whether nothing new can come of that line, so that it need not be taken. Each line is asked
    /// about before its row is taken.
    fn knows(&mut self, _line: &[u8]) -> bool {
        false
    }

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
        row_bytes: limits.row_bytes,
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
            rows: (0, Vec::new()),
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
    /// To be handed on: how many bytes they are, and the rows.
    rows: (usize, Vec<(At, Fields)>),
    send: SyncSender<Batch>,
    broken: &'a OnceLock<io::Error>,
}

enum Batch {
    /// Whole lines of JSON, and the number of the first.
    Lines(u64, Vec<u8>),
    Rows(Vec<(At, Fields)>),
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
        self.begin_rows(1)
    }

    fn begin_rows(&mut self, count: usize) -> Result<(), SourceError> {
        if self.count + count > self.limits.rows {
            return Err(SourceError::TooManyRows {
                path: self.path.to_owned(),
                limit: self.limits.rows,
            });
        }
        if self.broken.get().is_some() {
            return Err(SourceError::Sorting(io::Error::other("stopped")));
        }
        self.count += count;
        Ok(())
    }

    /// Hands on `count` whole lines of JSON, of which the first has the number `first`; empty ones
    /// count as rows.
    pub(super) fn lines(
        &mut self,
        first: u64,
        count: usize,
        text: Vec<u8>,
    ) -> Result<(), SourceError> {
        self.begin_rows(count)?;
        self.send(Batch::Lines(first, text));
        Ok(())
    }

    /// Hands on a row of about `bytes` bytes.
    pub(super) fn fields(&mut self, at: At, fields: Fields, bytes: usize) {
        let (held, rows) = &mut self.rows;
        *held += bytes;
        rows.push((at, fields));
        if *held >= BATCH_BYTES || rows.len() >= BATCH_ROWS {
            self.hand_on();
        }
    }

    fn hand_on(&mut self) {
        let (_, rows) = std::mem::take(&mut self.rows);
        self.send(Batch::Rows(rows));
    }

    fn send(&self, batch: Batch) {
        // The receiver lives as long as this: nothing is lost.
        let _ = self.send.send(batch);
    }
}

/// What workers share.
struct Shared {
    batches: Mutex<Receiver<Batch>>,
    file: Arc<PathBuf>,
    broken: OnceLock<io::Error>,
    row_bytes: usize,
}

impl Shared {
    fn work<W: Worker>(&self, mut worker: W) -> (W, Faults) {
        let mut faults = Faults::default();
        while let Some(batch) = self.next() {
            match batch {
                Batch::Lines(first, text) => {
                    for (number, line) in ndjson::lines(first, &text) {
                        if worker.knows(line) {
                            continue;
                        }
                        let place = self.place(At::Line(number));
                        let fields = ndjson::fields(&place, line, self.row_bytes);
                        let taken = fields.map_err(Trouble::from);
                        let taken = taken.and_then(|fields| worker.take(&place, fields));
                        self.settle(taken, &mut faults);
                    }
                }
                Batch::Rows(rows) => {
                    for (at, fields) in rows {
                        let taken = worker.take(&self.place(at), fields);
                        self.settle(taken, &mut faults);
                    }
                }
            }
        }
        (worker, faults)
    }

    fn place(&self, at: At) -> Place {
        Place {
            file: Arc::clone(&self.file),
            at,
        }
    }

    fn settle(&self, taken: Result<(), Trouble>, faults: &mut Faults) {
        match taken {
            Ok(()) => {}
            Err(Trouble::Fault(fault)) => faults.add(fault),
            // The first one is told; the reader stops at its next row.
            Err(Trouble::Disk(error)) => drop(self.broken.set(error)),
        }
    }

    fn next(&self) -> Option<Batch> {
        let batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        batches.recv().ok()
    }
}
