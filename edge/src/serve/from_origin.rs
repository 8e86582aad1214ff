//! The living origin's answer as its reader gets it: pages pass the rewriter, everything else
//! passes as it is.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;

use crate::origin::{OriginAnswer, OriginBody, Streaming};
use crate::page::rewrite::{self, Charset, Rewriter, depends_on_services, may_rewrite};
use crate::page::{AnswerBody, BodyError, CacheStatus, Outcome, PageState, Reader, from_bytes};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// The reader's answer. `rewriting`: what pages must say, where the route is rewritten.
pub(super) fn answer(
    answer: OriginAnswer,
    reader: &Reader,
    edge: &str,
    rewriting: Option<&PageState>,
) -> Response<AnswerBody> {
    let OriginAnswer {
        status,
        mut headers,
        body,
    } = answer;
    explain(&mut headers, edge, status);
    let body = match rewriting {
        Some(state) if status == StatusCode::NOT_MODIFIED => {
            rewrite::origin::not_modified(&mut headers, state);
            body.into_answer()
        }
        Some(state) => match may_rewrite(status, &headers) {
            Some(charset) => rewritten(&mut headers, body, reader, state, charset),
            None => body.into_answer(),
        },
        None => body.into_answer(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn rewritten(
    headers: &mut HeaderMap,
    body: OriginBody,
    reader: &Reader,
    state: &PageState,
    charset: Charset,
) -> AnswerBody {
    // What a page that streams will hold is not known yet, nor what a HEAD would have held.
    let depends = match &body {
        OriginBody::Whole(page) if !reader.is_head() => depends_on_services(page),
        _ => true,
    };
    rewrite::origin::rewritten(headers, state, state.has_banner() || depends);
    match body {
        OriginBody::Whole(page) if reader.is_head() => from_bytes(page),
        OriginBody::Whole(page) => from_bytes(rewrite::whole(page, state, charset)),
        OriginBody::Streaming(page) => Rewriting {
            page,
            rewriter: Some(Rewriter::new(state, charset)),
        }
        .boxed_unsync(),
    }
}

/// Says that the origin was asked, and what it said (RFC 9211).
fn explain(headers: &mut HeaderMap, edge: &str, status: StatusCode) {
    let member = CacheStatus {
        cache: edge.to_owned(),
        outcome: Outcome::Forwarded("bypass", Some(status.as_u16())),
        ttl_s: None,
        detail: None,
    };
    if let Ok(member) = HeaderValue::from_str(&member.to_string()) {
        headers.append(CACHE_STATUS, member);
    }
}

/// A page that is rewritten while it comes.
struct Rewriting {
    page: Streaming,
    rewriter: Option<Rewriter>,
}

impl Body for Rewriting {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            let Some(rewriter) = &mut this.rewriter else {
                return Poll::Ready(None);
            };
            let out = match ready!(Pin::new(&mut this.page).poll_frame(context)) {
                Some(Err(error)) => {
                    // Broken off: no end is made up for it.
                    this.rewriter = None;
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) => rewriter.write(&piece),
                    Err(_) => continue,
                },
                None => match this.rewriter.take() {
                    Some(rewriter) => rewriter.finish(),
                    None => Vec::new(),
                },
            };
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
            }
        }
    }
}
