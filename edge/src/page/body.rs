//! The body of an answer, and a blob as one: read in verified groups, off the runtime's threads.

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use tokio::task::JoinHandle;

use super::draft::VerifiedBytes;

/// How much of a blob is read and verified at a time, bytes. Reads start at multiples of it, so
/// that no group of the blob's tree is hashed twice.
pub(super) const READ_BYTES: u64 = 256 * 1024;

/// The body of every answer.
pub type AnswerBody = UnsyncBoxBody<Bytes, BodyError>;

/// A body that ended before it was whole: the connection is aborted, nothing is padded.
#[derive(Debug)]
pub struct BodyError(Box<dyn Error + Send + Sync>);

impl BodyError {
    /// Wraps what went wrong.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body broke off: {}", self.0)
    }
}

impl Error for BodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// A body that is in memory.
#[must_use]
pub fn from_bytes(bytes: impl Into<Bytes>) -> AnswerBody {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// `range` of a blob as a body.
pub(super) fn from_blob(blob: Arc<dyn VerifiedBytes>, range: Range<u64>) -> AnswerBody {
    BlobBody {
        blob,
        left: range,
        reading: None,
    }
    .boxed_unsync()
}

struct BlobBody {
    blob: Arc<dyn VerifiedBytes>,
    left: Range<u64>,
    reading: Option<JoinHandle<Result<Vec<u8>, BodyError>>>,
}

impl Body for BlobBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.left.is_empty() {
            return Poll::Ready(None);
        }
        let group = next_group(&this.left);
        let reading = this.reading.get_or_insert_with(|| {
            let (blob, group) = (Arc::clone(&this.blob), group.clone());
            tokio::task::spawn_blocking(move || blob.read(group))
        });
        let read = ready!(Pin::new(reading).poll(context));
        this.reading = None;
        let read = read.map_err(BodyError::new).flatten().and_then(|bytes| {
            let expected = group.end - group.start;
            if bytes.len() as u64 == expected {
                Ok(bytes)
            } else {
                Err(BodyError::new(format!(
                    "a blob gave {} bytes where {expected} were expected",
                    bytes.len()
                )))
            }
        });
        // After an error nothing more comes.
        this.left.start = if read.is_ok() {
            group.end
        } else {
            this.left.end
        };
        Poll::Ready(Some(read.map(|bytes| Frame::data(Bytes::from(bytes)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.end - self.left.start)
    }
}

fn next_group(left: &Range<u64>) -> Range<u64> {
    let boundary = (left.start / READ_BYTES + 1).saturating_mul(READ_BYTES);
    left.start..boundary.min(left.end)
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;

    /// A blob in memory; `broken` from that offset on.
    pub(in crate::page) struct Memory {
        pub(in crate::page) bytes: Vec<u8>,
        pub(in crate::page) broken: Option<u64>,
    }

    impl Memory {
        pub(in crate::page) fn counting(len: u32) -> Arc<Self> {
            let bytes = (0..len)
                .flat_map(u32::to_le_bytes)
                .take(len as usize)
                .collect();
            Arc::new(Self {
                bytes,
                broken: None,
            })
        }
    }

    impl VerifiedBytes for Memory {
        fn len(&self) -> u64 {
            self.bytes.len() as u64
        }

        fn digest(&self) -> snapshot::Digest {
            snapshot::Digest::of(&self.bytes)
        }

        fn read(&self, range: Range<u64>) -> Result<Vec<u8>, BodyError> {
            if self.broken.is_some_and(|at| range.end > at) {
                return Err(BodyError::new("bad sector"));
            }
            Ok(self.bytes[range.start as usize..range.end as usize].to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::Memory;
    use super::*;

    #[tokio::test]
    async fn a_blob_streams_whole_and_in_part() {
        let blob = Memory::counting(700_000);
        for range in [0..700_000_u64, 5..262_149, 262_144..262_145, 9..9] {
            let body = from_blob(Arc::clone(&blob) as _, range.clone());
            assert_eq!(body.size_hint().exact(), Some(range.end - range.start));
            let bytes = body.collect().await.unwrap().to_bytes();
            assert!(bytes == blob.bytes[range.start as usize..range.end as usize]);
        }
    }

    #[tokio::test]
    async fn a_bad_sector_ends_the_body_with_an_error() {
        let blob = Arc::new(Memory {
            bytes: vec![7; 600_000],
            broken: Some(300_000),
        });
        let mut body = from_blob(blob, 0..600_000);
        assert!(body.frame().await.unwrap().is_ok());
        let error = body.frame().await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the body broke off: bad sector");
        assert!(body.frame().await.is_none());
    }
}
