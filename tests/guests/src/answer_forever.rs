//! Answers without end, in pieces.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use spin_sdk::http::{IntoResponse as _, Response};

use super::{Outcome, Request};

const PIECE: &[u8] = &[b'x'; 64 << 10];

pub(super) async fn run(_: &Request) -> Outcome {
    Response::new(Endless).into_response()
}

struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(PIECE)))))
    }
}
