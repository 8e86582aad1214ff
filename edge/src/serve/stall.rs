//! Readers who ask and then take nothing.
//!
//! Two things keep an answer from moving: a socket that is full, and on HTTP/2 a window that the
//! reader does not open. The second never reaches the socket, so neither a time-out on writes nor
//! one on the whole connection tells it from an origin that has nothing to say yet. What tells them
//! apart is whose turn it is: a body that is asked for its next piece, and has none, waits for us;
//! one that nobody asks waits for the reader. So each request under way is a [`Turn`], the socket
//! counts what it was rid of, and a [`Look`] now and then puts the two together.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

use crate::page::{AnswerBody, BodyError};

/// What a reader who takes something at all takes between two looks, bytes. Answers to pings are
/// bytes as well, and less.
pub(super) const LEAST_BYTES: u64 = 1024;

/// What the readers of one connection have taken, and who waits for whom.
#[derive(Debug, Default)]
pub(crate) struct Taking {
    written: AtomicU64,
    full: AtomicBool,
    /// Requests that wait for an answer, or for more of one.
    ours: AtomicUsize,
    /// Answers that have more, which nobody takes.
    theirs: AtomicUsize,
}

impl Taking {
    /// A request comes in: it is our turn.
    pub(super) fn begin(self: &Arc<Self>) -> Turn {
        self.ours.fetch_add(1, Ordering::Relaxed);
        Turn {
            taking: Arc::clone(self),
            ours: true,
        }
    }

    /// How it stands now. A connection that is `closing` and waits for nothing of ours still has
    /// something to be rid of.
    pub(crate) fn look(&self, closing: bool) -> Look {
        let ours = self.ours.load(Ordering::Relaxed) > 0;
        let theirs = self.theirs.load(Ordering::Relaxed) > 0;
        Look {
            written: self.written.load(Ordering::Relaxed),
            held_up: self.full.load(Ordering::Relaxed) || theirs || (closing && !ours),
        }
    }
}

impl Taking {
    /// Ends once the other side was to take something for the whole of a `stall`, and hardly did.
    pub(crate) async fn stalls(&self, stall: Duration) {
        let mut last = Look::default();
        loop {
            sleep(stall).await;
            let now = self.look(false);
            if now.stalls_since(last) {
                return;
            }
            last = now;
        }
    }
}

/// How a connection stood at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    written: u64,
    /// There was more, and it was the reader's turn.
    held_up: bool,
}

impl Look {
    /// True if the reader was to take something all the time since `before`, and hardly did.
    pub(crate) fn stalls_since(self, before: Self) -> bool {
        let taken = self.written.saturating_sub(before.written);
        before.held_up && self.held_up && taken < LEAST_BYTES
    }
}

/// Whose turn it is in one request under way.
#[derive(Debug)]
pub(super) struct Turn {
    taking: Arc<Taking>,
    ours: bool,
}

impl Turn {
    /// Lets `answer` go out under this turn: now it is the reader's.
    pub(super) fn over(mut self, answer: Response<AnswerBody>) -> Response<Offered> {
        self.pass(false);
        answer.map(|body| Offered { body, turn: self })
    }

    fn count(&self) -> &AtomicUsize {
        if self.ours {
            &self.taking.ours
        } else {
            &self.taking.theirs
        }
    }

    fn pass(&mut self, ours: bool) {
        if self.ours != ours {
            self.count().fetch_sub(1, Ordering::Relaxed);
            self.ours = ours;
            self.count().fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.count().fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body that tells whose turn it is.
#[derive(Debug)]
pub(super) struct Offered {
    body: AnswerBody,
    turn: Turn,
}

impl Body for Offered {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let next = Pin::new(&mut self.body).poll_frame(context);
        self.turn.pass(next.is_pending());
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket that counts what it is rid of.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    socket: S,
    taking: Arc<Taking>,
}

impl<S> Counted<S> {
    pub(crate) const fn new(socket: S, taking: Arc<Taking>) -> Self {
        Self { socket, taking }
    }

    fn count(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.taking
            .full
            .store(written.is_pending(), Ordering::Relaxed);
        let written = ready!(written)?;
        self.taking
            .written
            .fetch_add(written as u64, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, pieces);
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
