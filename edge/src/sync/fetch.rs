//! One object, from one mirror, onto this disk: bounded while it comes, and nameless until every
//! byte of it was checked against its name.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::StreamExt;
use snapshot::{SiteName, Store, StoreError, at_rest};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::layout::Place;
use super::mirror::{Mirror, MirrorError};
use super::work::Unbrought;
use crate::copy::{Kind, Want};

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
    Store(#[from] StoreError),
    #[error("cannot be written: {0}")]
    Write(io::Error),
    #[error("stopped")]
    Stopped,
}

impl From<FetchError> for Unbrought {
    fn from(error: FetchError) -> Self {
        let disk = match &error {
            FetchError::Write(_) | FetchError::Store(StoreError::Io(_)) => true,
            // What arrives comes out of memory: only writing it can fail.
            FetchError::AtRest(error) => matches!(error.fault, at_rest::AtRestFault::Io(_)),
            _ => false,
        };
        let reason = error.to_string();
        Self { disk, reason }
    }
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
    let deadline = mirror.patience().for_object(limit);
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

#[cfg(test)]
mod tests {
    use object_store::chunked::ChunkedStore;
    use object_store::memory::InMemory;
    use object_store::throttle::{ThrottleConfig, ThrottledStore};
    use object_store::{ObjectStore, ObjectStoreExt};
    use snapshot::Digest;
    use url::Url;

    use super::*;
    use crate::sync::mirror::Patience;

    const BYTES: u64 = 4096;

    struct Stand {
        store: Arc<Store>,
        mirror: Mirror,
        want: Want,
        _dir: tempfile::TempDir,
    }

    /// An object in memory, given in small pieces, each after `pause`.
    async fn stand(pause: Duration, patience: Patience) -> Stand {
        let dir = tempfile::tempdir().unwrap();
        let memory = Arc::new(InMemory::new());
        let url = Url::from_file_path(dir.path()).unwrap();
        let mirror = Mirror::open(&url).unwrap();
        let mirror = mirror.with_store(Arc::clone(&memory) as Arc<dyn ObjectStore>);
        let object = vec![7; usize::try_from(BYTES).unwrap()];
        let digest = Digest::of(&object);
        let (store, path) = mirror.store(&Place::object(&site(), &digest));
        store.put(&path, object.into()).await.unwrap();
        let piece = 16;
        let config = ThrottleConfig {
            wait_get_per_byte: pause / 16,
            ..ThrottleConfig::default()
        };
        let pieces = ThrottledStore::new(ChunkedStore::new(memory, piece), config);
        let mirror = mirror.with_store(Arc::new(pieces)).with_patience(patience);
        let kind = Kind::Blob(BYTES);
        Stand {
            store: Arc::new(Store::open(dir.path().join("store")).unwrap()),
            mirror,
            want: Want { digest, kind },
            _dir: dir,
        }
    }

    fn site() -> SiteName {
        "dasom".parse().unwrap()
    }

    impl Stand {
        async fn bring(&self, want: Want) -> Result<(), FetchError> {
            let (store, mirror) = (Arc::clone(&self.store), self.mirror.clone());
            bring(store, mirror, site(), want).await
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_mirror_that_drips_is_given_up() {
        // 256 pieces with 10 ms between them: no silence, and far too slow all the same.
        let patience = Patience {
            object: Duration::from_millis(100),
            least_bytes_a_second: u64::MAX,
            ..Patience::default()
        };
        let stand = stand(Duration::from_millis(10), patience).await;
        let error = stand.bring(stand.want.clone()).await.unwrap_err();
        assert_eq!(error.to_string(), "not complete after 100ms");
        assert!(!stand.store.contains(&stand.want.digest));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_object_is_as_long_as_it_is_stated() {
        let stand = stand(Duration::ZERO, Patience::default()).await;
        let stated = |bytes| Want {
            kind: Kind::Blob(bytes),
            ..stand.want.clone()
        };
        let error = stand.bring(stated(BYTES - 1)).await.unwrap_err();
        assert!(
            error.to_string().ends_with(": more than 4095 bytes"),
            "{error}"
        );
        let error = stand.bring(stated(BYTES + 1)).await.unwrap_err();
        assert_eq!(error.to_string(), "ends after 4096 of 4097 bytes");
        assert!(!stand.store.contains(&stand.want.digest));
        stand.bring(stated(BYTES)).await.unwrap();
        assert!(stand.store.contains(&stand.want.digest));
    }
}
