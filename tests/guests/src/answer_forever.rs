//! Answers with 100 MB, in pieces.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use spin_sdk::http::{IntoResponse as _, Response};

use super::Outcome;

const PIECES: usize = 1_600;
const PIECE: &[u8] = &[b'x'; 64 << 10];

pub(super) fn run() -> Outcome {
    Response::new(Pieces(PIECES)).into_response()
}

struct Pieces(usize);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(PIECE)))))
            }
            None => Poll::Ready(None),
        }
    }
}
