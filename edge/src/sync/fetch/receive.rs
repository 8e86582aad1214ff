//! The bytes of one object on their way from the network to the disk.

use std::io::{self, Read};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::StreamExt;
use snapshot::Staged;
use snapshot::at_rest::{self, Border};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, timeout_at};

use super::{Fetch, FetchError};
use crate::copy::Kind;
use crate::sync::mirror::Bytestream;

/// Chunks that may wait for the disk.
const CHUNKS: usize = 16;

/// What a source gives of an object.
pub(super) struct Incoming {
    pub(super) stream: Bytestream,
    /// Of an object that is resumed, where this begins.
    pub(super) from: Option<Border>,
}

/// Takes in what comes until the object is verified and named. The writer is waited for whatever
/// happens: nobody else writes to a part while it does.
pub(super) async fn receive(
    fetch: &Fetch,
    incoming: Incoming,
    deadline: Duration,
    until: Instant,
) -> Result<(), FetchError> {
    let Incoming { mut stream, from } = incoming;
    let (send, receive) = mpsc::channel(CHUNKS);
    let mut input = Chunks {
        receive,
        current: Bytes::new(),
    };
    let writer = fetch.clone();
    let written = tokio::task::spawn_blocking(move || write(&writer, from, &mut input));
    let patience = fetch.mirror.patience();
    let (floor, window) = (patience.floor, patience.window);
    let least = u128::from(floor) * window.as_millis() / 1000;
    let mut look = interval_at(Instant::now() + window, window);
    let (mut got, mut held_up) = (0_u64, false);
    let pass = async {
        loop {
            tokio::select! {
                chunk = stream.next() => {
                    let Some(chunk) = chunk else {
                        return Ok::<(), FetchError>(());
                    };
                    let chunk = chunk?;
                    let bytes = chunk.len() as u64;
                    got = got.saturating_add(bytes);
                    fetch.tally.came(bytes);
                    held_up |= fetch.pace.take(bytes).await || send.capacity() == 0;
                    // A writer that has gone has found something wrong and says so below.
                    if send.send(chunk).await.is_err() {
                        return Ok(());
                    }
                }
                _ = look.tick() => {
                    if u128::from(got) < least && !held_up && !fetch.patient {
                        return Err(FetchError::Slow { got, window, floor });
                    }
                    (got, held_up) = (0, false);
                }
            }
        }
    };
    let passed = timeout_at(until, fetch.stop.run_until_cancelled(pass)).await;
    let broken = match passed {
        Ok(Some(passed)) => passed,
        Ok(None) => Err(FetchError::Stopped),
        Err(_) => Err(FetchError::Late(deadline)),
    };
    drop(send);
    let written = written.await.unwrap_or(Err(FetchError::Stopped));
    match broken {
        Err(error) => Err(error),
        Ok(()) => written,
    }
}

fn write(fetch: &Fetch, from: Option<Border>, input: &mut impl Read) -> Result<(), FetchError> {
    let Some(from) = from else {
        let mut staged = fetch.store.stage()?;
        expand(fetch, 0, input, &mut staged)?;
        return name(fetch, staged);
    };
    let mut partial = fetch.store.partial(&fetch.want.digest)?;
    partial.cut(from.expanded)?;
    expand(fetch, from.expanded, input, &mut partial)?;
    name(fetch, partial.finish()?)
}

/// Writes what comes after the first `from` bytes.
fn expand(
    fetch: &Fetch,
    from: u64,
    input: &mut impl Read,
    out: &mut impl io::Write,
) -> Result<(), FetchError> {
    let expected = match &fetch.want.kind {
        Kind::Segment(_, entry) => return Ok(at_rest::expand_from(input, entry, from, out)?),
        Kind::Manifest(bytes) | Kind::Component(bytes) | Kind::Blob(bytes) => *bytes,
    };
    let more = expected.saturating_sub(from);
    let got = io::copy(&mut input.take(more.saturating_add(1)), out).map_err(FetchError::Write)?;
    if got != more {
        let got = got.saturating_add(from);
        return Err(FetchError::Truncated { got, expected });
    }
    Ok(())
}

fn name(fetch: &Fetch, staged: Staged) -> Result<(), FetchError> {
    match &fetch.want.kind {
        Kind::Segment(collection, entry) => {
            staged.persist_segment(entry, &fetch.site, collection)?;
        }
        Kind::Manifest(_) | Kind::Component(_) | Kind::Blob(_) => {
            staged.persist(&fetch.want.digest)?;
        }
    }
    Ok(())
}

/// Chunks that arrive elsewhere, read where blocking is allowed.
struct Chunks {
    receive: mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receive.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let n = into.len().min(self.current.len());
        self.current
            .copy_to_slice(into.get_mut(..n).unwrap_or_default());
        Ok(n)
    }
}
