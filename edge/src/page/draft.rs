//! An answer before its form is settled.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, StatusCode};

use super::body::BodyError;
use super::encoding::is_compressible;

/// Largest blob that is read whole so that it can be rewritten or compressed, bytes. A larger one
/// streams as it is.
pub const WHOLE_BLOB_BYTES: u64 = 4 << 20;

/// What an asset, a guest or an emergency page gives; [`super::finish`] makes the answer of it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The status.
    pub status: StatusCode,
    /// What only the maker knows: content type, content language, `Retry-After`. Fields about
    /// length, encoding, caching and conditions are set by `finish`.
    pub headers: HeaderMap,
    /// The content.
    pub body: DraftBody,
    /// Whether the content is a page that passes the rewriter.
    pub html: bool,
}

/// The content of a draft.
#[derive(Clone)]
pub enum DraftBody {
    /// In memory.
    Bytes(Bytes),
    /// On disk, verified while it is read.
    Blob(Arc<dyn VerifiedBytes>),
}

/// Content that is handed out only after it was hashed.
pub trait VerifiedBytes: Send + Sync + 'static {
    /// Its length, bytes.
    fn len(&self) -> u64;
    /// True when there is nothing in it.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Its digest: names exactly these bytes.
    fn digest(&self) -> snapshot::Digest;
    /// The bytes of `range`. Blocks.
    ///
    /// # Errors
    /// The disk failed, or what it gave is not what the digest names.
    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, BodyError>;
}

impl Draft {
    /// A draft of `body` with the content type `kind`.
    #[must_use]
    pub fn new(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Self {
            status,
            headers,
            body: DraftBody::Bytes(body.into()),
            html: false,
        }
    }

    /// A page that passes the rewriter.
    #[must_use]
    pub fn page(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self {
            html: true,
            ..Self::new(status, "text/html; charset=utf-8", body)
        }
    }

    /// Reads a blob of bounded size into memory where `finish` needs it whole: pages to rewrite,
    /// text to compress. Everything else is left as it is.
    ///
    /// # Errors
    /// The blob cannot be read or is not what its digest names.
    pub async fn load(mut self) -> Result<Self, BodyError> {
        let DraftBody::Blob(blob) = &self.body else {
            return Ok(self);
        };
        let whole = self.html || is_compressible(&self.headers);
        if !whole || blob.len() > WHOLE_BLOB_BYTES {
            return Ok(self);
        }
        let blob = Arc::clone(blob);
        let read = tokio::task::spawn_blocking(move || blob.read(0..blob.len())).await;
        self.body = DraftBody::Bytes(read.map_err(BodyError::new)??.into());
        Ok(self)
    }
}

impl DraftBody {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Blob(blob) => blob.len(),
        }
    }

    /// True when there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for DraftBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Pages may show what a capability opened: lengths only.
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Blob(blob) => write!(f, "Blob({}, {} bytes)", blob.digest(), blob.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::body::samples::Memory;
    use super::*;

    async fn whole(len: u64) -> bool {
        let len = u32::try_from(len).unwrap();
        let mut draft = Draft::page(StatusCode::OK, "");
        draft.body = DraftBody::Blob(Memory::counting(len));
        matches!(draft.load().await.unwrap().body, DraftBody::Bytes(_))
    }

    #[tokio::test]
    async fn a_blob_larger_than_the_limit_is_left_on_disk() {
        assert!(whole(WHOLE_BLOB_BYTES).await);
        assert!(!whole(WHOLE_BLOB_BYTES + 1).await);
    }
}
