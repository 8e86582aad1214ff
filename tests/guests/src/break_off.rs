//! Starts an answer and then reports that the rest is lost.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use spin_sdk::http::{IntoResponse as _, Response};

use super::{Outcome, Request};

pub(super) async fn run(_: &Request) -> Outcome {
    Response::new(Broken { started: false }).into_response()
}

struct Broken {
    started: bool,
}

impl Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if std::mem::replace(&mut self.started, true) {
            Poll::Ready(Some(Err(std::io::Error::other("the rest is lost"))))
        } else {
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"half an ")))))
        }
    }
}
