//! The one way to a mirror: a URL is opened here and nowhere else.
//!
//! A mirror is never trusted, so everything read from it is bounded and comes with a deadline of
//! our own; the store's retries stay off, because the next poll is the retry. A folder that is
//! absent is an error and is never made by a write: a mount that has gone must not be hidden
//! under a fresh, empty directory. Over HTTP a mirror is read only, and needs no TLS, since nothing
//! on the way is trusted. A bucket can be written to by whoever has a key.

mod address;
mod credentials;
mod date;
#[cfg(test)]
pub(super) mod endless;
mod error;
mod http;
mod patience;
mod pieces;
mod ranges;
mod s3;
mod settled;
mod shown;
#[cfg(test)]
mod tests;
mod tls;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetOptions, GetResult, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use tokio::time::{Instant, timeout};
use url::Url;

use self::settled::Settling;
use super::layout::Place;

pub use address::parse_url;
use date::ClockOff;
pub use error::MirrorError;
pub use patience::{
    FLOOR, LEAST_BYTES_A_SECOND, OBJECT_DEADLINE, Patience, SMALL_DEADLINE, STALL, WINDOW,
};
pub use ranges::{Bytestream, SPAN_BYTES, SPANS};
pub use settled::COARSE;
pub use shown::Shown;
pub(crate) use tls::authorities;

/// What a conditional read found.
#[derive(Debug)]
pub enum Fetched {
    /// The same bytes as before.
    Unchanged,
    /// Nothing there.
    Missing,
    /// New bytes.
    Found {
        /// The bytes.
        bytes: Vec<u8>,
        /// To ask with next time.
        etag: Option<String>,
    },
}

/// What may be done with a mirror.
#[derive(Clone, Debug)]
enum Access {
    /// Read and write, while the folder is there.
    Folder(PathBuf),
    /// Read and write.
    Bucket,
    /// Another edge: it takes orders, and nothing else.
    Edge,
    /// Read only; what to do who wants to write.
    Read(&'static str),
}

/// A place that holds objects.
#[derive(Clone, Debug)]
pub struct Mirror {
    url: Url,
    access: Access,
    base: Path,
    store: Arc<dyn ObjectStore>,
    patience: Patience,
    settling: Arc<Settling>,
    clock: ClockOff,
}

impl Mirror {
    /// Opens the mirror at `url`. Asks nothing of it: it may be out of reach now and back later.
    ///
    /// # Errors
    /// [`MirrorError::BadUrl`].
    pub fn open(url: &Url) -> Result<Self, MirrorError> {
        let bad = |why| MirrorError::BadUrl {
            url: url.to_string(),
            why,
        };
        let unusable = |why| MirrorError::Unusable {
            mirror: url.to_string(),
            why,
        };
        let mut clock = ClockOff::default();
        let (access, base, store): (_, _, Arc<dyn ObjectStore>) = match url.scheme() {
            "file" => {
                let root = url
                    .to_file_path()
                    .map_err(|()| bad("expected file:///PATH"))?;
                let base =
                    Path::from_absolute_path(&root).map_err(|_| bad("expected a plain path"))?;
                let store = LocalFileSystem::new().with_fsync(true);
                (Access::Folder(root), base, Arc::new(store))
            }
            "http" | "https" => {
                let store = http::store(url, &Shown::default(), &clock).map_err(unusable)?;
                let access = Access::Read("write to the folder or store behind it");
                (access, Path::default(), Arc::new(store))
            }
            "s3" => {
                let bucket = s3::bucket(url, |name| std::env::var(name).ok())?;
                let access = if bucket.has_key {
                    Access::Bucket
                } else {
                    Access::Read(
                        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file with \
                         both: ?credentials=FILE",
                    )
                };
                clock = bucket.clock;
                (access, bucket.base, Arc::new(bucket.store))
            }
            _ => {
                return Err(bad(
                    "expected file:///PATH, http://HOST/PATH or s3://BUCKET/PREFIX",
                ));
            }
        };
        Ok(Self {
            url: url.clone(),
            access,
            base,
            store,
            patience: Patience::default(),
            settling: Arc::default(),
            clock,
        })
    }

    /// The same mirror through another store, which must take the same paths: a wrapper that
    /// counts, slows down or breaks.
    #[must_use]
    pub fn with_store(self, store: Arc<dyn ObjectStore>) -> Self {
        Self { store, ..self }
    }

    /// The same mirror, waited for otherwise than by default.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The same mirror, which is shown who asks: another edge does not give to everybody.
    ///
    /// # Errors
    /// [`MirrorError::BadUrl`]: a mirror that is not read over HTTP.
    pub fn showing(self, shown: &Shown) -> Result<Self, MirrorError> {
        if !matches!(self.url.scheme(), "http" | "https") {
            return Err(MirrorError::BadUrl {
                url: self.url.to_string(),
                why: "who asks is only shown over http:// and https://",
            });
        }
        let store = http::store(&self.url, shown, &self.clock);
        let store = store.map_err(|why| MirrorError::Unusable {
            mirror: self.url.to_string(),
            why,
        })?;
        let access = Access::Edge;
        Ok(Self { access, ..self }.with_store(Arc::new(store)))
    }

    /// How long it is waited for.
    #[must_use]
    pub const fn patience(&self) -> &Patience {
        &self.patience
    }

    /// How far this machine's clock is behind the mirror's by its last answer, milliseconds; `None`
    /// where it does not say.
    #[must_use]
    pub fn clock_off_ms(&self) -> Option<i64> {
        self.clock.behind_ms()
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Reads a small document whole, unless it is still the one with `etag`. It comes without a tag
    /// while another could still be written under the same one ([`Settling`]).
    ///
    /// # Errors
    /// Out of reach, slow, or more than `limit` bytes.
    pub async fn fetch(
        &self,
        place: &Place,
        etag: Option<&str>,
        limit: usize,
    ) -> Result<Fetched, MirrorError> {
        let asked = Instant::now();
        let fetched = self.fetch_whole(place, etag, limit).await?;
        Ok(match fetched {
            Fetched::Found { bytes, etag } if matches!(self.access, Access::Read(_)) => {
                let etag = self.settling.settled(&self.path(place), etag, asked);
                Fetched::Found { bytes, etag }
            }
            other => other,
        })
    }

    async fn fetch_whole(
        &self,
        place: &Place,
        etag: Option<&str>,
        limit: usize,
    ) -> Result<Fetched, MirrorError> {
        let whole = async {
            let options = GetOptions {
                if_none_match: etag.map(str::to_owned),
                ..GetOptions::default()
            };
            let result = match self.store.get_opts(&self.path(place), options).await {
                Ok(result) => result,
                Err(object_store::Error::NotModified { .. }) => return Ok(Fetched::Unchanged),
                Err(object_store::Error::NotFound { .. }) => {
                    self.present().await?;
                    return Ok(Fetched::Missing);
                }
                Err(error) => return Err(self.failed(place, error)),
            };
            let etag = result.meta.e_tag.clone();
            let mut bytes = Vec::new();
            let mut chunks = self.chunks(place, result, limit as u64);
            while let Some(chunk) = chunks.next().await {
                bytes.extend_from_slice(&chunk?);
            }
            Ok(Fetched::Found { bytes, etag })
        };
        self.within(self.patience.small, place, whole).await
    }

    /// Reads a small document whole; `None` when nothing is there.
    ///
    /// # Errors
    /// Out of reach, slow, or more than `limit` bytes.
    pub async fn read(&self, place: &Place, limit: usize) -> Result<Option<Vec<u8>>, MirrorError> {
        match self.fetch_whole(place, None, limit).await? {
            Fetched::Found { bytes, .. } => Ok(Some(bytes)),
            Fetched::Missing | Fetched::Unchanged => Ok(None),
        }
    }

    /// Streams an object of at most `limit` bytes; `None` when nothing is there. The stream fails
    /// when the mirror falls silent or goes on past the limit.
    ///
    /// # Errors
    /// Out of reach or slow.
    pub async fn stream(
        &self,
        place: &Place,
        limit: u64,
    ) -> Result<Option<BoxStream<'static, Result<bytes::Bytes, MirrorError>>>, MirrorError> {
        let path = self.path(place);
        let get = async {
            match self.store.get(&path).await {
                Ok(result) => Ok(Some(self.chunks(place, result, limit))),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(self.failed(place, error)),
            }
        };
        self.within(self.patience.small, place, get).await
    }

    /// Writes a document, over an older one.
    ///
    /// # Errors
    /// Out of reach or slow; the folder is absent.
    pub async fn put(&self, place: &Place, bytes: Vec<u8>) -> Result<(), MirrorError> {
        self.write(place, bytes, PutMode::Overwrite).await
    }

    /// Writes a document where there is none.
    ///
    /// # Errors
    /// [`MirrorError::Exists`]; out of reach or slow; the folder is absent.
    pub async fn create(&self, place: &Place, bytes: Vec<u8>) -> Result<(), MirrorError> {
        self.write(place, bytes, PutMode::Create).await
    }

    /// The store and the path in it, for what this type does not do: multipart writes, listing.
    #[must_use]
    pub fn store(&self, place: &Place) -> (&Arc<dyn ObjectStore>, Path) {
        (&self.store, self.path(place))
    }

    /// Whether it is another edge.
    #[must_use]
    pub const fn is_edge(&self) -> bool {
        matches!(self.access, Access::Edge)
    }

    /// Whether what it holds can be listed: not over HTTP.
    #[must_use]
    pub fn can_list(&self) -> bool {
        !matches!(self.url.scheme(), "http" | "https")
    }

    /// Whether it may be written to.
    ///
    /// # Errors
    /// [`MirrorError::ReadOnly`], with what to do.
    pub fn writable(&self) -> Result<(), MirrorError> {
        match self.access {
            Access::Read(why) => Err(MirrorError::ReadOnly {
                mirror: self.url.to_string(),
                why,
            }),
            Access::Folder(_) | Access::Bucket | Access::Edge => Ok(()),
        }
    }

    /// Whether the mirror itself is there. One on the network says so by answering.
    ///
    /// # Errors
    /// [`MirrorError::Gone`].
    pub async fn present(&self) -> Result<(), MirrorError> {
        let Access::Folder(root) = &self.access else {
            return Ok(());
        };
        let root = root.clone();
        let is_dir = tokio::task::spawn_blocking(move || root.is_dir()).await;
        match is_dir {
            Ok(true) => Ok(()),
            _ => Err(MirrorError::Gone(self.url.to_string())),
        }
    }

    async fn write(&self, place: &Place, bytes: Vec<u8>, mode: PutMode) -> Result<(), MirrorError> {
        self.writable()?;
        self.present().await?;
        let path = self.path(place);
        let put = async {
            let put = self
                .store
                .put_opts(&path, PutPayload::from(bytes), mode.into());
            match put.await {
                Ok(_) => Ok(()),
                Err(object_store::Error::AlreadyExists { .. }) => Err(MirrorError::Exists {
                    mirror: self.url.to_string(),
                    place: place.clone(),
                }),
                Err(error) => Err(self.failed(place, error)),
            }
        };
        self.within(self.patience.small, place, put).await
    }

    fn chunks(
        &self,
        place: &Place,
        result: GetResult,
        limit: u64,
    ) -> BoxStream<'static, Result<bytes::Bytes, MirrorError>> {
        let (this, place) = (self.clone(), place.clone());
        let state = (pieces::pieces(result), 0u64, false);
        futures::stream::unfold(state, move |(mut chunks, mut got, ended)| {
            let (this, place) = (this.clone(), place.clone());
            async move {
                if ended {
                    return None;
                }
                let next = this.within(this.patience.stall, &place, async {
                    match chunks.next().await.transpose() {
                        Ok(chunk) => Ok(chunk),
                        Err(error) => Err(this.failed(&place, error)),
                    }
                });
                let item = match next.await {
                    Ok(None) => return None,
                    Ok(Some(chunk)) => {
                        got = got.saturating_add(chunk.len() as u64);
                        if got <= limit {
                            Ok(chunk)
                        } else {
                            Err(MirrorError::TooLarge {
                                mirror: this.url.to_string(),
                                place: place.clone(),
                                limit,
                            })
                        }
                    }
                    Err(error) => Err(error),
                };
                let ended = item.is_err();
                Some((item, (chunks, got, ended)))
            }
        })
        .boxed()
    }

    async fn within<T>(
        &self,
        limit: Duration,
        place: &Place,
        work: impl Future<Output = Result<T, MirrorError>>,
    ) -> Result<T, MirrorError> {
        timeout(limit, work)
            .await
            .unwrap_or_else(|_| Err(self.slow(place, limit)))
    }

    fn path(&self, place: &Place) -> Path {
        self.base
            .parts()
            .chain(Path::from(place.as_str()).parts())
            .collect()
    }

    /// The error for what did not answer within `limit`.
    #[must_use]
    pub fn slow(&self, place: &Place, limit: Duration) -> MirrorError {
        MirrorError::Slow {
            mirror: self.url.to_string(),
            place: place.clone(),
            limit,
        }
    }

    /// The error for what [`Mirror::store`] gave when it was used directly.
    #[must_use]
    pub fn failed(&self, place: &Place, source: object_store::Error) -> MirrorError {
        MirrorError::Store {
            mirror: self.url.to_string(),
            place: place.clone(),
            source: Box::new(source),
        }
    }
}
