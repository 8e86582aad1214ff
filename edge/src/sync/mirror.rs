//! The one way to a mirror: a URL is opened here and nowhere else.
//!
//! A mirror is never trusted, so everything read from it is bounded and comes with a deadline of
//! our own; the store's retries stay off, because the next poll is the retry. A folder that is
//! absent is an error and is never made by a write: a mount that has gone must not be hidden
//! under a fresh, empty directory.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetOptions, GetResult, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use tokio::time::timeout;
use url::Url;

use super::layout::Place;

/// How long a pointer, a bundle or a write may take.
pub const SMALL_DEADLINE: Duration = Duration::from_secs(5);
/// How long a mirror may fall silent within an object.
pub const STALL: Duration = Duration::from_secs(10);

/// Why a mirror did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The URL cannot name a mirror.
    #[error("{url:?} is not a mirror: {why}")]
    BadUrl {
        /// What was given.
        url: String,
        /// What was expected.
        why: &'static str,
    },
    /// The folder itself is absent.
    #[error("mirror {0} is not there")]
    Gone(String),
    /// It did not answer in time.
    #[error("{place} on mirror {mirror}: no answer within {limit:?}")]
    Slow {
        /// The mirror.
        mirror: String,
        /// What was asked.
        place: Place,
        /// How long it was waited for.
        limit: Duration,
    },
    /// More bytes than such a document may have.
    #[error("{place} on mirror {mirror}: more than {limit} bytes")]
    TooLarge {
        /// The mirror.
        mirror: String,
        /// What was asked.
        place: Place,
        /// Bytes allowed.
        limit: u64,
    },
    /// Create-only found the place taken.
    #[error("{place} on mirror {mirror} exists already")]
    Exists {
        /// The mirror.
        mirror: String,
        /// What was to be created.
        place: Place,
    },
    /// Anything else, in the store's words.
    #[error("{place} on mirror {mirror}: {source}")]
    Store {
        /// The mirror.
        mirror: String,
        /// What was asked.
        place: Place,
        /// The store's error.
        source: Box<object_store::Error>,
    },
}

/// Reads a mirror's URL, or a folder's path meant from `base`.
///
/// # Errors
/// [`MirrorError::BadUrl`].
pub fn parse_url(text: &str, base: &FsPath) -> Result<Url, MirrorError> {
    let bad = |why| MirrorError::BadUrl {
        url: text.to_owned(),
        why,
    };
    if text.is_empty() {
        return Err(bad("expected file:///PATH or a folder"));
    }
    let path = if text.contains("://") {
        let url = Url::parse(text).map_err(|_| bad("expected file:///PATH or a folder"))?;
        if url.scheme() != "file" {
            return Err(bad(
                "expected file:///PATH: this build reaches no other store",
            ));
        }
        url.to_file_path()
            .map_err(|()| bad("expected file:///PATH, without a host"))?
    } else {
        std::path::absolute(base.join(text)).map_err(|_| bad("expected a folder"))?
    };
    // One folder, one spelling: two settings that mean the same compare equal.
    let tidy: PathBuf = path.components().collect();
    Url::from_file_path(tidy).map_err(|()| bad("expected an absolute path"))
}

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

/// A place that holds objects.
#[derive(Clone, Debug)]
pub struct Mirror {
    url: Url,
    root: PathBuf,
    base: Path,
    store: Arc<dyn ObjectStore>,
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
        if url.scheme() != "file" {
            return Err(bad(
                "expected file:///PATH: this build reaches no other store",
            ));
        }
        let root = url
            .to_file_path()
            .map_err(|()| bad("expected file:///PATH"))?;
        let base = Path::from_absolute_path(&root).map_err(|_| bad("expected a plain path"))?;
        Ok(Self {
            url: url.clone(),
            root,
            base,
            store: Arc::new(LocalFileSystem::new().with_fsync(true)),
        })
    }

    /// The same mirror through another store, which must take the same paths: a wrapper that
    /// counts, slows down or breaks.
    #[must_use]
    pub fn with_store(self, store: Arc<dyn ObjectStore>) -> Self {
        Self { store, ..self }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Reads a small document whole, unless it is still the one with `etag`.
    ///
    /// # Errors
    /// Out of reach, slow, or more than `limit` bytes.
    pub async fn fetch(
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
        self.within(SMALL_DEADLINE, place, whole).await
    }

    /// Reads a small document whole; `None` when nothing is there.
    ///
    /// # Errors
    /// Out of reach, slow, or more than `limit` bytes.
    pub async fn read(&self, place: &Place, limit: usize) -> Result<Option<Vec<u8>>, MirrorError> {
        match self.fetch(place, None, limit).await? {
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
        self.within(SMALL_DEADLINE, place, get).await
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

    /// Whether the mirror itself is there.
    ///
    /// # Errors
    /// [`MirrorError::Gone`].
    pub async fn present(&self) -> Result<(), MirrorError> {
        let root = self.root.clone();
        let is_dir = tokio::task::spawn_blocking(move || root.is_dir()).await;
        match is_dir {
            Ok(true) => Ok(()),
            _ => Err(MirrorError::Gone(self.url.to_string())),
        }
    }

    async fn write(&self, place: &Place, bytes: Vec<u8>, mode: PutMode) -> Result<(), MirrorError> {
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
        self.within(SMALL_DEADLINE, place, put).await
    }

    fn chunks(
        &self,
        place: &Place,
        result: GetResult,
        limit: u64,
    ) -> BoxStream<'static, Result<bytes::Bytes, MirrorError>> {
        let (this, place) = (self.clone(), place.clone());
        let state = (result.into_stream(), 0u64, false);
        futures::stream::unfold(state, move |(mut chunks, mut got, ended)| {
            let (this, place) = (this.clone(), place.clone());
            async move {
                if ended {
                    return None;
                }
                let next = this.within(STALL, &place, async {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror() -> (tempfile::TempDir, Mirror) {
        let dir = tempfile::tempdir().unwrap();
        let mirror = Mirror::open(&Url::from_file_path(dir.path()).unwrap()).unwrap();
        (dir, mirror)
    }

    fn place() -> Place {
        Place::release(&"dasom".parse().unwrap())
    }

    #[test]
    fn urls_and_folders_name_a_mirror_one_way() {
        let base = FsPath::new("/srv");
        let url = |text| parse_url(text, base).map(|url| url.to_string());
        for text in [
            "file:///srv/mirror",
            "file:///srv/mirror/",
            "mirror",
            "/srv/./mirror/",
        ] {
            assert_eq!(url(text).unwrap(), "file:///srv/mirror", "{text}");
        }
        for bad in ["", "s3://bucket", "http://host/", "file://host/srv"] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn conditional_reads_bring_bytes_once() {
        let (_dir, mirror) = mirror();
        let read = |etag: Option<String>| {
            let mirror = mirror.clone();
            async move { mirror.fetch(&place(), etag.as_deref(), 16).await }
        };
        assert!(matches!(read(None).await, Ok(Fetched::Missing)));
        mirror.put(&place(), b"one".to_vec()).await.unwrap();
        let Ok(Fetched::Found { bytes, etag }) = read(None).await else {
            panic!("expected bytes");
        };
        assert_eq!(bytes, b"one");
        assert!(matches!(read(etag).await, Ok(Fetched::Unchanged)));
    }

    #[tokio::test]
    async fn refuses_more_than_the_limit() {
        let (_dir, mirror) = mirror();
        mirror.put(&place(), vec![0; 17]).await.unwrap();
        let fetched = mirror.fetch(&place(), None, 16).await;
        assert!(
            matches!(fetched, Err(MirrorError::TooLarge { limit: 16, .. })),
            "{fetched:?}"
        );
    }

    #[tokio::test]
    async fn creates_only_once() {
        let (_dir, mirror) = mirror();
        mirror.create(&place(), b"one".to_vec()).await.unwrap();
        let again = mirror.create(&place(), b"two".to_vec()).await;
        assert!(matches!(again, Err(MirrorError::Exists { .. })));
    }

    #[tokio::test]
    async fn an_absent_folder_is_not_made() {
        let (dir, mirror) = mirror();
        drop(dir);
        let put = mirror.put(&place(), b"one".to_vec()).await;
        assert!(matches!(put, Err(MirrorError::Gone(_))));
        let read = mirror.read(&place(), 16).await;
        assert!(matches!(read, Err(MirrorError::Gone(_))));
        assert!(!mirror.root.exists());
    }
}
