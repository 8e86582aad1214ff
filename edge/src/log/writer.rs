//! Writes one book: from its queue to its files.

use std::path::PathBuf;
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
    let mut files = None;
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
                Message::Entry(entry) => entries.push(entry),
                Message::Flush(done) => told.push(done),
            }
        }
        let (dir, shared) = (dir.clone(), Arc::clone(&state));
        let work = spawn_blocking(move || {
            let mut files = files;
            put(&mut files, &dir, book, &entries, &shared);
            files
        });
        files = work.await.unwrap_or_default();
        for done in told {
            // Who asked may have gone.
            let _ = done.send(());
        }
    }
}

/// Writes `entries`, and first what there is to say about those before them. Blocking.
fn put(
    files: &mut Option<Files>,
    dir: &std::path::Path,
    book: Book,
    entries: &[Box<Entry>],
    state: &State,
) {
    let mut own = Vec::new();
    if files.is_none() {
        match Files::open(dir) {
            Ok((opened, torn)) => {
                own.extend(torn);
                *files = Some(opened);
            }
            Err(error) => return lose(entries.len(), &error, dir, state),
        }
    }
    let Some(files) = files else {
        return;
    };
    let lost = state.lost.swap(0, Ordering::Relaxed);
    own.extend((lost > 0).then_some(Event::Lost { entries: lost }));
    let own = own
        .into_iter()
        .map(|event| Entry::new(wall_clock(), None, event));
    let own: Vec<Entry> = own.collect();
    let lines = own.iter().chain(entries.iter().map(|entry| &**entry));
    let lines: Vec<u8> = lines.flat_map(Entry::line).collect();
    match files.append(&lines, book.is_durable()) {
        Ok(()) => {
            state.took(None);
        }
        Err(error) => {
            state.lost.fetch_add(lost, Ordering::Relaxed);
            lose(entries.len(), &error, dir, state);
        }
    }
}

fn lose(entries: usize, error: &std::io::Error, dir: &std::path::Path, state: &State) {
    state.lost.fetch_add(entries as u64, Ordering::Relaxed);
    if state.failing().is_none() {
        tracing::error!("the log loses entries: {error}");
    }
    state.took(Some(format!("the log in {}: {error}", dir.display())));
}
