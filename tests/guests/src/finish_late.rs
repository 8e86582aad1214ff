//! Starts its answer at once, then computes beyond any deadline, and finishes as it should.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use spin_sdk::http::{IntoResponse as _, Response};

use super::{Outcome, Request};

/// Many seconds on any machine, and yet an end.
const TURNS: u64 = 20_000_000_000;

pub(super) async fn run(_: &Request) -> Outcome {
    Response::new(Halves(["at ", "last"].iter())).into_response()
}

struct Halves(std::slice::Iter<'static, &'static str>);

impl Body for Halves {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let half = self.0.next();
        if self.0.len() == 0 {
            for turn in 0..TURNS {
                black_box(turn);
            }
        }
        Poll::Ready(half.map(|half| Ok(Frame::data(Bytes::from_static(half.as_bytes())))))
    }
}
