//! Answers with 100 MB, as many as it says.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use spin_sdk::http::{Error, IntoResponse as _, Response};

use super::{Outcome, Request};

const PIECES: usize = 1_600;
const PIECE: &[u8] = &[b'x'; 62_500];

pub(super) async fn run(_: &Request) -> Outcome {
    Response::builder()
        .header("content-length", PIECES * PIECE.len())
        .body(Pieces(PIECES))
        .map_err(Error::from)
        .into_response()
}

struct Pieces(usize);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(left) = self.0.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.0 = left;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(PIECE)))))
    }
}
