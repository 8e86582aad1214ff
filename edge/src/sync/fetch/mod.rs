//! One object, from one source, onto this disk: bounded while it comes, and nameless until every byte
//! of it was checked against its name.
//!
//! **What arrived stays.** Of an object beyond [`RESUMED_BYTES`] what has come lies in the store's
//! `partial/`, whatever ends it: a broken connection, a slow source that is left, a restart. The next
//! source goes on from there. Of a segment the unit is the frame: the next source's own table of frame
//! lengths, a hint that is not trusted, says which of *its* frames begins at or before the end of what
//! is here; what is here is cut back to that border and its frames follow from there. So the bytes of
//! two sources are never joined inside a frame, and a mirror that compresses otherwise is no trouble. A
//! source without ranges, or without a table, begins anew.
//!
//! **Who lied.** A frame gives at most what its nodes claim, and the object is verified whole before it
//! has a name. If one that came from several sources does not verify, nobody knows who lied: it is
//! fetched once more, whole, from the source at hand, and only if that does not verify either, that
//! source lies.
//!
//! **Large objects** come in several ranges at once, joined in order, from one source. Several objects
//! come at once, from several sources: that is the core's business ([`super::core`]).
//!
//! **Slow.** A source that gives less than the floor in a while (`mirror/patience.rs`) is left, unless nobody else is left
//! to ask. Time that this edge itself takes, for its bandwidth cap or its disk, does not count.

mod receive;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use snapshot::at_rest::{self, AtRestFault, Border};
use snapshot::{SiteName, Store, StoreError};
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::layout::Place;
use super::mirror::{Mirror, MirrorError};
use super::pace::Pace;
use super::tally::Tally;
use super::work::{Fault, Unbrought};
use crate::copy::{Kind, Want};

use receive::{Incoming, receive};

/// From so many bytes on, what has arrived of an object is kept when the rest does not come.
pub const RESUMED_BYTES: u64 = 1 << 20;

/// Why an object did not come.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    #[error("not there")]
    Absent,
    #[error("not complete after {0:?}")]
    Late(Duration),
    #[error("slow: {got} bytes in {window:?}, less than the floor of {floor} bytes a second")]
    Slow {
        got: u64,
        window: Duration,
        floor: u64,
    },
    #[error("ends after {got} of {expected} bytes")]
    Truncated { got: u64, expected: u64 },
    #[error("{0}")]
    AtRest(#[from] at_rest::AtRestError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("cannot be written: {0}")]
    Write(io::Error),
    #[error("stopped")]
    Stopped,
}

impl FetchError {
    const fn fault(&self) -> Fault {
        match self {
            Self::Write(_) => Fault::Disk,
            Self::Store(error) if error.is_disk() => Fault::Disk,
            Self::Absent => Fault::Absent,
            Self::Stopped => Fault::Stopped,
            Self::Mirror(MirrorError::TooLarge { .. } | MirrorError::Unasked { .. })
            | Self::Store(_) => Fault::Lying,
            Self::Mirror(_) => Fault::Dead,
            Self::Late(_) | Self::Slow { .. } => Fault::Slow,
            Self::Truncated { .. } => Fault::Short,
            // What arrives comes out of memory: only writing it can fail.
            Self::AtRest(error) => match error.fault {
                AtRestFault::Io(_) => Fault::Disk,
                AtRestFault::Short { .. } => Fault::Short,
                _ => Fault::Lying,
            },
        }
    }
}

impl From<FetchError> for Unbrought {
    fn from(error: FetchError) -> Self {
        let (fault, reason) = (error.fault(), error.to_string());
        Self { fault, reason }
    }
}

/// One object, and all it takes to bring it.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    pub(super) store: Arc<Store>,
    pub(super) mirror: Mirror,
    pub(super) site: SiteName,
    pub(super) want: Want,
    /// Slow is better than nothing.
    pub(super) patient: bool,
    pub(super) pace: Arc<Pace>,
    pub(super) tally: Arc<Tally>,
    /// Nobody wants it any more.
    pub(super) stop: CancellationToken,
}

/// Brings the object into the store. To be ended by `stop` and waited for: dropped, it may still write.
pub(super) async fn bring(fetch: Fetch) -> Result<(), FetchError> {
    let deadline = fetch.mirror.patience().for_object(fetch.limit());
    let until = Instant::now() + deadline;
    if fetch.want.bytes() <= RESUMED_BYTES {
        let place = fetch.place();
        let whole = fetch.mirror.stream(&place, fetch.limit());
        let whole = fetch.stop.run_until_cancelled(whole).await;
        let stream = whole.ok_or(FetchError::Stopped)??;
        let stream = stream.ok_or(FetchError::Absent)?;
        let incoming = Incoming { stream, from: None };
        return receive(&fetch, incoming, deadline, until).await;
    }
    let held = fetch.held().await?;
    let begun = fetch.begin(held).await?;
    let resumed = begun.from.is_some_and(|from| from.expanded > 0);
    let result = receive(&fetch, begun, deadline, until).await;
    match result {
        // Verified whole and wrong, and gone: the bytes were not all of this source.
        Err(FetchError::Store(error)) if resumed && !error.is_disk() => {
            let begun = fetch.begin(0).await?;
            receive(&fetch, begun, deadline, until).await
        }
        result => result,
    }
}

impl Fetch {
    fn limit(&self) -> u64 {
        match &self.want.kind {
            Kind::Manifest(bytes) | Kind::Component(bytes) | Kind::Blob(bytes) => *bytes,
            Kind::Segment(_, entry) => at_rest::limit(entry.bytes),
        }
    }

    fn place(&self) -> Place {
        Place::object(&self.site, &self.want.digest)
    }

    /// How many bytes of it are here.
    async fn held(&self) -> Result<u64, FetchError> {
        let (store, digest) = (Arc::clone(&self.store), self.want.digest);
        let held = spawn_blocking(move || store.partial_bytes(&digest)).await;
        Ok(held
            .map_err(|_| FetchError::Stopped)?
            .min(self.want.bytes()))
    }

    /// Asks for what follows the first `held` bytes of it.
    async fn begin(&self, held: u64) -> Result<Incoming, FetchError> {
        let begun = self.stop.run_until_cancelled(self.ask(held)).await;
        begun.unwrap_or(Err(FetchError::Stopped))
    }

    async fn ask(&self, held: u64) -> Result<Incoming, FetchError> {
        let (place, limit) = (self.place(), self.limit());
        let mut border = Border {
            at_rest: held,
            expanded: held,
        };
        if let Kind::Segment(..) = &self.want.kind {
            border = Border::default();
            if held > 0 {
                let tail = at_rest::tail(self.want.bytes());
                let tail = match self.mirror.tail(&place, tail, limit).await {
                    Err(lie @ MirrorError::Unasked { .. }) => return Err(lie.into()),
                    tail => tail.ok(),
                };
                let found = tail.and_then(|tail| at_rest::border(&tail, held));
                border = found.unwrap_or_default();
            }
        }
        if border.expanded >= self.want.bytes() {
            border = Border::default();
        }
        let stream = self
            .mirror
            .stream_from(&place, border.at_rest, limit)
            .await?;
        let (at, stream) = stream.ok_or(FetchError::Absent)?;
        if at != border.at_rest {
            border = Border::default();
        }
        let from = Some(border);
        Ok(Incoming { stream, from })
    }
}
