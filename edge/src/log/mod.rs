//! What happened at this edge, kept: orders and how they came, who answered for each service and
//! why, releases, alarms, refused writes, what readers were shown and how old it was.
//!
//! Lines of JSON ([`Entry`]; `docs/log.md` is the schema), only ever appended, in four books below
//! `log/` of the data directory, so that none pushes another out: *decisions*, what people and the
//! edge decided; *pages*, what readers were shown, counted by the minute, and which programs were run;
//! *writes*, the writes that were refused; *refusals*, orders and generations of trust that were not
//! believed, which anybody may cause, and which therefore get little room. Each book is a row of files,
//! the oldest of which goes when there are too many.
//!
//! Nobody waits for the log. Whoever has something to say puts it into a book's queue and goes on; a
//! task of the book writes it down, and syncs it if it is a decision. A queue that is full loses entries,
//! and so does a disk, but for the last decisions, which are tried again: no answer is lost by it, and how
//! many entries were is the first line that fits again. A crash loses what was queued, and may tear the
//! last line: it stays, is passed over, and named when the edge starts again.

mod book;
mod entry;
mod files;
mod pages;
mod read;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use snapshot::{SiteName, Timestamp};
use tokio::sync::{Semaphore, mpsc, oneshot};

pub use book::Book;
pub use entry::{Came, Entry, Event, OrderSaid, WORDS_BYTES, words};
pub use files::{FILE_BYTES, FILES, REFUSAL_FILES};
pub use pages::Shown;
pub use read::{Busy, LINE_BYTES, Range, STALL};
pub use writer::UNTAKEN;

use crate::config::OnChange;
use crate::on_change::Changes;
use crate::sync::wall_clock;
use pages::Pages;
use writer::Message;

/// Entries that wait to be written, for each book; more are lost, and counted.
pub const QUEUE: usize = 4096;
/// Readings of the log at once; more are sent away.
pub const READERS: usize = 2;
/// How long the end of an edge, and whoever reads, wait until all that was noted is written.
pub const LAST_WORDS: Duration = Duration::from_secs(2);

/// The log of an edge. Cloning shares it. One that keeps nothing stands where nobody would read it.
#[derive(Clone, Debug, Default)]
pub struct Log(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    queues: [Queue; Book::ALL.len()],
    pages: Mutex<Pages>,
    readers: Arc<Semaphore>,
    changes: Changes,
}

/// The way into a book.
#[derive(Clone, Debug)]
struct Queue {
    to: mpsc::Sender<Message>,
    state: Arc<State>,
}

/// What a book's writer and those who write share.
#[derive(Debug, Default)]
struct State {
    /// Entries that were lost since the last one that says so.
    lost: AtomicU64,
    /// Why the disk does not take it, while it does not.
    failing: Mutex<Option<String>>,
}

impl Log {
    /// One that keeps nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// The log below `data`, written by tasks of this runtime. A disk that takes nothing is told by
    /// [`Log::failing`].
    #[must_use]
    pub fn open(data: &Path) -> Self {
        Self::telling(data, Vec::new(), "")
    }

    /// The same; changes at the edge of this name are also told to `programs`.
    #[must_use]
    pub fn telling(data: &Path, programs: Vec<OnChange>, edge: &str) -> Self {
        let dir = data.join("log");
        let queues = Book::ALL.map(|book| {
            let (to, from) = mpsc::channel(QUEUE);
            let state = Arc::new(State::default());
            tokio::spawn(writer::write(dir.clone(), book, from, Arc::clone(&state)));
            Queue { to, state }
        });
        // Not the log: a program that runs keeps no log open.
        let own: Vec<Queue> = queues.to_vec();
        let changes = Changes::to(programs, edge, move |ran| {
            let entry = Entry::new(wall_clock(), None, Event::of(ran));
            if let Some(queue) = own.get(entry.event.book() as usize) {
                queue.put(entry);
            }
        });
        Self(Some(Arc::new(Shared {
            dir,
            changes,
            queues,
            pages: Mutex::default(),
            readers: Arc::new(Semaphore::new(READERS)),
        })))
    }

    /// Notes what happened at `at`, at a site or to the whole edge. Never waits.
    pub fn note(&self, at: Timestamp, site: Option<&SiteName>, event: Event) {
        let Some(shared) = &self.0 else {
            return;
        };
        let entry = Entry::new(at, site.map(ToString::to_string), event);
        shared.put(entry);
    }

    /// Counts an answer that a reader was given.
    pub fn shown(&self, site: &str, service: &str, shown: Shown) {
        if let Some(shared) = &self.0 {
            let mut pages = shared.pages.lock().unwrap_or_else(PoisonError::into_inner);
            pages.count(site, service, shown);
        }
    }

    /// Notes what was counted since the last time; `at` is the time at a site.
    pub fn turn_page(&self, at: impl Fn(&str) -> Timestamp) {
        let Some(shared) = &self.0 else {
            return;
        };
        let counted = {
            let mut pages = shared.pages.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *pages)
        };
        for (site, event) in counted.events() {
            shared.put(Entry::new(at(&site), Some(site), event));
        }
    }

    /// Why the disk does not take the log, while it does not.
    #[must_use]
    pub fn failing(&self) -> Option<String> {
        let queues = self.0.as_ref()?.queues.iter();
        let mut failing = queues.filter_map(|queue| queue.state.failing());
        failing.next()
    }

    /// Gives what lies within `range`, oldest first, in pieces of whole lines. Everything that was
    /// noted before is among it.
    ///
    /// # Errors
    /// [`Busy`] while enough others read.
    pub async fn read(&self, range: Range) -> Result<mpsc::Receiver<Bytes>, Busy> {
        let (to, pieces) = mpsc::channel(1);
        let Some(shared) = &self.0 else {
            return Ok(pieces);
        };
        let place = Arc::clone(&shared.readers).try_acquire_owned();
        let place = place.map_err(|_| Busy)?;
        // A disk that hangs hides what is not written yet, and nothing else.
        let _ = tokio::time::timeout(LAST_WORDS, shared.written()).await;
        let (dir, runtime) = (shared.dir.clone(), tokio::runtime::Handle::current());
        tokio::task::spawn_blocking(move || {
            read::read(&dir, &range, STALL, &runtime, &to);
            drop(place);
        });
        Ok(pieces)
    }

    /// Waits, but not for ever, until all that was noted is on disk.
    pub async fn end(&self) {
        if let Some(shared) = &self.0
            && tokio::time::timeout(LAST_WORDS, shared.written())
                .await
                .is_err()
        {
            tracing::warn!("the disk is too slow for the end of the log");
        }
    }
}

impl Shared {
    fn put(&self, entry: Entry) {
        self.changes.tell(&entry);
        if let Some(queue) = self.queues.get(entry.event.book() as usize) {
            queue.put(entry);
        }
    }

    async fn written(&self) {
        for queue in &self.queues {
            let (done, is_done) = oneshot::channel();
            if queue.to.send(Message::Flush(done)).await.is_ok() {
                // A writer that has gone has nothing left to write.
                let _ = is_done.await;
            }
        }
    }
}

impl Queue {
    fn put(&self, entry: Entry) {
        if self.to.try_send(Message::Entry(Box::new(entry))).is_err() {
            self.state.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl State {
    fn failing(&self) -> Option<String> {
        let failing = self.failing.lock();
        failing.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The disk took it, or why not.
    fn took(&self, failing: Option<String>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = failing;
    }
}

#[cfg(test)]
mod tests;
