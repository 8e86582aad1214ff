//! Bodies on their way through the edge: the reader's to the origin, the origin's to the reader.

use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, timeout_at};

use super::failure::Failure;
use crate::page::{AnswerBody, BodyError, from_bytes};

/// An origin's answer's content.
pub enum OriginBody {
    /// All of it.
    Whole(Bytes),
    /// What was held back, and the rest as it comes.
    Streaming(Streaming),
}

impl fmt::Debug for OriginBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Whole({})", bytes.len()),
            Self::Streaming(_) => f.write_str("Streaming"),
        }
    }
}

impl OriginBody {
    /// As the body of an answer.
    #[must_use]
    pub fn into_answer(self) -> AnswerBody {
        match self {
            Self::Whole(bytes) => from_bytes(bytes),
            Self::Streaming(streaming) => streaming.boxed_unsync(),
        }
    }
}

/// Reads `body` until it is whole, or longer than `held_bytes`.
///
/// # Errors
/// [`Failure::Reset`] when it breaks, [`Failure::TooSlow`] at `deadline`.
pub(super) async fn hold(
    mut body: Incoming,
    held_bytes: usize,
    idle: Duration,
    deadline: Instant,
) -> Result<OriginBody, Failure> {
    let mut held = BytesMut::new();
    // A body that says it is long needs no waiting; one that streams events never ends.
    while body.size_hint().lower() <= held_bytes as u64 && held.len() <= held_bytes {
        let frame = timeout_at(deadline, body.frame()).await;
        match frame.map_err(|_| Failure::TooSlow)? {
            None => return Ok(OriginBody::Whole(held.freeze())),
            Some(Err(_)) => return Err(Failure::Reset),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    held.extend_from_slice(&data);
                }
            }
        }
    }
    Ok(OriginBody::Streaming(Streaming::new(
        held.freeze(),
        body,
        idle,
    )))
}

/// What was held back, then the rest as it comes. Breaking off, or a pause beyond its limit, is an
/// error, which aborts the reader's connection: nothing is padded.
pub struct Streaming {
    held: Option<Bytes>,
    rest: Incoming,
    idle: Duration,
    pause: Pin<Box<Sleep>>,
}

impl Streaming {
    pub(super) fn new(held: Bytes, rest: Incoming, idle: Duration) -> Self {
        Self {
            held: (!held.is_empty()).then_some(held),
            rest,
            idle,
            pause: Box::pin(tokio::time::sleep(idle)),
        }
    }
}

impl fmt::Debug for Streaming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Streaming")
    }
}

impl Body for Streaming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if let Some(held) = this.held.take() {
            this.pause.as_mut().reset(Instant::now() + this.idle);
            return Poll::Ready(Some(Ok(Frame::data(held))));
        }
        loop {
            match Pin::new(&mut this.rest).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.pause.as_mut().reset(Instant::now() + this.idle);
                    // Trailers end here.
                    if frame.is_data() {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(BodyError::new(error))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    ready!(this.pause.as_mut().poll(context));
                    return Poll::Ready(Some(Err(BodyError::new(Failure::TooSlow))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().map_or(0, |held| held.len() as u64);
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(held)) {
            hint.set_upper(upper);
        }
        hint.set_lower(rest.lower().saturating_add(held));
        hint
    }
}

/// A reader's body on its way to the origin: bounded, without trailers, and remembering how the
/// reader broke it, so that the reader's fault is never taken for the origin's.
pub(super) struct Upload {
    body: Incoming,
    left: u64,
    broken: Arc<AtomicU8>,
}

const WHOLE: u8 = 0;
const GONE: u8 = 1;
const TOO_LARGE: u8 = 2;

/// How an [`Upload`] ended.
#[derive(Clone, Debug, Default)]
pub(super) struct UploadFate(Arc<AtomicU8>);

impl UploadFate {
    /// What the reader did wrong, if anything.
    pub(super) fn fault(&self) -> Option<Failure> {
        match self.0.load(Ordering::Acquire) {
            GONE => Some(Failure::ReaderGone),
            TOO_LARGE => Some(Failure::ReaderTooLarge),
            _ => None,
        }
    }
}

impl Upload {
    pub(super) fn new(body: Incoming, limit: u64) -> (Self, UploadFate) {
        let broken = Arc::new(AtomicU8::new(WHOLE));
        let fate = UploadFate(Arc::clone(&broken));
        let upload = Self {
            body,
            left: limit,
            broken,
        };
        (upload, fate)
    }

    fn fail(&self, how: u8, failure: Failure) -> BodyError {
        self.broken.store(how, Ordering::Release);
        BodyError::new(failure)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            let Some(frame) = ready!(Pin::new(&mut this.body).poll_frame(context)) else {
                return Poll::Ready(None);
            };
            let Ok(frame) = frame else {
                return Poll::Ready(Some(Err(this.fail(GONE, Failure::ReaderGone))));
            };
            let Some(data) = frame.data_ref() else {
                // Trailers end here.
                continue;
            };
            return match this.left.checked_sub(data.len() as u64) {
                Some(left) => {
                    this.left = left;
                    Poll::Ready(Some(Ok(frame)))
                }
                None => Poll::Ready(Some(Err(this.fail(TOO_LARGE, Failure::ReaderTooLarge)))),
            };
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
