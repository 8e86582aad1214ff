//! A folder that somebody meddles with while a publisher or a sweeper works on it.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What somebody does there; nothing, unless told.
pub(crate) trait Meddler: Debug + Send + Sync + 'static {
    /// Before anything is written.
    fn write(&self) -> Result<()> {
        Ok(())
    }

    /// What is put under that name right before, by somebody else.
    fn quicker(&self, _name: &str) -> Option<Vec<u8>> {
        None
    }

    /// Whether what was just put under that name is taken away.
    fn takes(&self, _name: &str) -> bool {
        false
    }

    /// Before anything is taken away.
    fn remove(&self) {}

    /// Whether it is not told what lies there, and not told no.
    fn is_mute(&self) -> bool {
        false
    }
}

/// The folder.
#[derive(Debug)]
pub(crate) struct Meddled<M>(pub(crate) M);

/// It goes away after so many writes, as a killed publisher sees it.
#[derive(Debug)]
pub(crate) struct Dying(AtomicI64);

impl Dying {
    pub(crate) fn after(writes: i64) -> Meddled<Self> {
        Meddled(Self(AtomicI64::new(writes)))
    }

    /// Writes that were tried after it went away.
    pub(crate) fn tried(&self) -> i64 {
        -self.0.load(Ordering::Relaxed)
    }
}

impl Meddler for Dying {
    fn write(&self) -> Result<()> {
        if self.0.fetch_sub(1, Ordering::Relaxed) > 0 {
            return Ok(());
        }
        Err(object_store::Error::Generic {
            store: "meddled",
            source: "dead".into(),
        })
    }
}

/// It takes connections, and never answers.
#[derive(Debug)]
pub(crate) struct Mute;

impl Meddler for Mute {
    fn is_mute(&self) -> bool {
        true
    }
}

#[async_trait::async_trait]
impl<M: Meddler> ObjectStore for Meddled<M> {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.0.write()?;
        let folder = LocalFileSystem::new();
        if let Some(theirs) = self.0.quicker(location.as_ref()) {
            let theirs = folder.put_opts(location, theirs.into(), options.clone());
            theirs.await.ok();
        }
        let put = folder.put_opts(location, payload, options).await?;
        if self.0.takes(location.as_ref()) {
            folder.delete(location).await?;
        }
        Ok(put)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.write()?;
        let folder = LocalFileSystem::new();
        folder.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        LocalFileSystem::new().get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.0.remove();
        LocalFileSystem::new().delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        LocalFileSystem::new().list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        if self.0.is_mute() {
            std::future::pending::<()>().await;
        }
        LocalFileSystem::new().list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        LocalFileSystem::new().copy_opts(from, to, options).await
    }
}

impl<M: Meddler> std::fmt::Display for Meddled<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("meddled")
    }
}
