//! Writes one book: from its queue to its files.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::files::Files;
use super::{Book, Entry, Event, State};
use crate::sync::wall_clock;

/// Entries that are written at once.
const BATCH: usize = 256;
/// Decisions that are kept while the disk does not take them; the oldest are lost when there are more.
pub const UNTAKEN: usize = 256;
/// How long a disk that failed is left alone when there is nothing to write.
const AGAIN: Duration = Duration::from_secs(2);

/// What goes into a queue.
#[derive(Debug)]
pub(super) enum Message {
    /// To be written.
    Entry(Box<Entry>),
    /// To be told once everything before it was written.
    Flush(oneshot::Sender<()>),
}

/// Writes until nobody is left to give anything.
pub(super) async fn write(
    dir: PathBuf,
    book: Book,
    mut from: mpsc::Receiver<Message>,
    state: Arc<State>,
) {
    let dir = dir.join(book.as_str());
    let mut own = Own::default();
    let mut batch = Vec::new();
    loop {
        let is_whole = state.failing().is_none() && state.lost.load(Ordering::Relaxed) == 0;
        let receiving = from.recv_many(&mut batch, BATCH);
        let received = if is_whole {
            receiving.await
        } else {
            // Tried now and then also when nothing comes: a disk that is well again is to be known.
            timeout(AGAIN, receiving).await.unwrap_or(1)
        };
        if received == 0 {
            return;
        }
        let (mut entries, mut told) = (Vec::new(), Vec::new());
        for message in batch.drain(..) {
            match message {
                Message::Entry(entry) => entries.push(*entry),
                Message::Flush(done) => told.push(done),
            }
        }
        let (dir, shared) = (dir.clone(), Arc::clone(&state));
        let work = spawn_blocking(move || {
            own.put(&dir, book, entries, &shared);
            own
        });
        own = work.await.unwrap_or_default();
        for done in told {
            // Who asked may have gone.
            let _ = done.send(());
        }
    }
}

/// What a writer has of its own.
#[derive(Default)]
struct Own {
    files: Option<Files>,
    /// Decisions that the disk did not take, to be tried again.
    untaken: VecDeque<Entry>,
}

impl Own {
    /// Writes `entries`, and first what there is to say about those before them. Blocking.
    fn put(&mut self, dir: &Path, book: Book, entries: Vec<Entry>, state: &State) {
        let room = if book.is_durable() { UNTAKEN } else { 0 };
        self.untaken.extend(entries);
        let lost = state.lost.swap(0, Ordering::Relaxed);
        match self.append(dir, book, lost) {
            Ok(()) => {
                self.untaken.clear();
                state.took(None);
            }
            Err(error) => {
                let beyond = self.untaken.len().saturating_sub(room);
                self.untaken.drain(..beyond);
                let lost = lost.saturating_add(beyond as u64);
                state.lost.fetch_add(lost, Ordering::Relaxed);
                if state.failing().is_none() {
                    tracing::error!("the log is not written: {error}");
                }
                state.took(Some(format!("the log in {}: {error}", dir.display())));
            }
        }
    }

    fn append(&mut self, dir: &Path, book: Book, lost: u64) -> std::io::Result<()> {
        let mut told = Vec::new();
        let files = match &mut self.files {
            Some(files) => files,
            None => {
                let (files, torn) = Files::open(dir, book.files())?;
                told.extend(torn);
                self.files.insert(files)
            }
        };
        told.extend((lost > 0).then_some(Event::Lost { entries: lost }));
        let told = told.into_iter();
        let told = told.map(|event| Entry::new(wall_clock(), None, event).line());
        let lines: Vec<u8> = told
            .chain(self.untaken.iter().map(Entry::line))
            .flatten()
            .collect();
        files.append(&lines, book.is_durable())
    }
}
