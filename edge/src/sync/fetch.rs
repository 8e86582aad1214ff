//! One object, from one mirror, onto this disk: bounded while it comes, and nameless until every
//! byte of it was checked against its name.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::StreamExt;
use snapshot::{SiteName, Store, at_rest};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::layout::Place;
use super::mirror::{Mirror, MirrorError};
use crate::copy::{Kind, Want};

/// How long any object may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The least a mirror must give, bytes a second: one that drips is as good as dead.
const LEAST_BYTES_A_SECOND: u64 = 64 * 1024;
/// Chunks that may wait for the disk.
const CHUNKS: usize = 16;

/// Why an object did not come.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    #[error("not there")]
    Absent,
    #[error("not complete after {0:?}")]
    Slow(Duration),
    #[error("ends after {got} of {expected} bytes")]
    Truncated { got: u64, expected: u64 },
    #[error("{0}")]
    AtRest(#[from] at_rest::AtRestError),
    #[error("{0}")]
    Store(#[from] snapshot::StoreError),
    #[error("cannot be written: {0}")]
    Write(io::Error),
    #[error("stopped")]
    Stopped,
}

/// Brings `want` of `site` from `mirror` into `store`.
pub(super) async fn bring(
    store: Arc<Store>,
    mirror: Mirror,
    site: SiteName,
    want: Want,
) -> Result<(), FetchError> {
    let limit = match &want.kind {
        Kind::Manifest(bytes) | Kind::Component(bytes) | Kind::Blob(bytes) => *bytes,
        Kind::Segment(_, entry) => at_rest::limit(entry.bytes),
    };
    let deadline = PATIENCE + Duration::from_secs(limit / LEAST_BYTES_A_SECOND);
    let whole = stream(store, mirror, site, want, limit);
    timeout(deadline, whole)
        .await
        .unwrap_or(Err(FetchError::Slow(deadline)))
}

async fn stream(
    store: Arc<Store>,
    mirror: Mirror,
    site: SiteName,
    want: Want,
    limit: u64,
) -> Result<(), FetchError> {
    let place = Place::object(&site, &want.digest);
    let Some(mut chunks) = mirror.stream(&place, limit).await? else {
        return Err(FetchError::Absent);
    };
    let (send, receive) = mpsc::channel(CHUNKS);
    let mut input = Chunks {
        receive,
        current: Bytes::new(),
    };
    let written = tokio::task::spawn_blocking(move || write(&store, &site, &want, &mut input));
    let mut broken = None;
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(chunk) => {
                // A writer that has gone has found something wrong and says so below.
                if send.send(chunk).await.is_err() {
                    break;
                }
            }
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    drop(send);
    let written = written.await.unwrap_or(Err(FetchError::Stopped));
    match broken {
        Some(error) => Err(error.into()),
        None => written,
    }
}

fn write(
    store: &Store,
    site: &SiteName,
    want: &Want,
    input: &mut impl Read,
) -> Result<(), FetchError> {
    let mut staged = store.stage()?;
    let expected = match &want.kind {
        Kind::Segment(collection, entry) => {
            at_rest::expand(input, entry, &mut staged)?;
            return Ok(staged.persist_segment(entry, site, collection)?);
        }
        Kind::Manifest(bytes) | Kind::Component(bytes) | Kind::Blob(bytes) => *bytes,
    };
    let got = io::copy(input, &mut staged).map_err(FetchError::Write)?;
    if got != expected {
        return Err(FetchError::Truncated { got, expected });
    }
    Ok(staged.persist(&want.digest)?)
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
