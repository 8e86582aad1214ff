//! The living origin's answer as its reader gets it: pages pass the rewriter, everything else
//! passes as it is.

use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};

use crate::origin::{OriginAnswer, OriginBody, Streaming};
use crate::page::rewrite::{self, Charset, Rewriter, depends_on_services, may_rewrite};
use crate::page::{AnswerBody, CacheOutcome, CacheStatus, PageState, Reader, from_bytes};

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
        OriginBody::Streaming(page) => rewriting(page, Rewriter::new(state, charset)),
    }
}

/// Says that the origin was asked, and what it said (RFC 9211).
fn explain(headers: &mut HeaderMap, edge: &str, status: StatusCode) {
    let member = CacheStatus {
        cache: edge.to_owned(),
        outcome: CacheOutcome::Forwarded("bypass", Some(status.as_u16())),
        ttl_s: None,
        detail: None,
    };
    if let Ok(member) = HeaderValue::from_str(&member.to_string()) {
        headers.append(CACHE_STATUS, member);
    }
}

/// A page that is rewritten while it comes. Where it breaks off, no end is made up for it.
fn rewriting(page: Streaming, rewriter: Rewriter) -> AnswerBody {
    let pieces = stream::try_unfold((page, Some(rewriter)), |(mut page, rewriter)| async move {
        let Some(mut rewriter) = rewriter else {
            return Ok(None);
        };
        while let Some(frame) = page.frame().await.transpose()? {
            let Ok(piece) = frame.into_data() else {
                continue;
            };
            let out = rewriter.write(&piece);
            if !out.is_empty() {
                return Ok(Some((Frame::data(out.into()), (page, Some(rewriter)))));
            }
        }
        let rest = rewriter.finish();
        Ok((!rest.is_empty()).then(|| (Frame::data(rest.into()), (page, None))))
    });
    StreamBody::new(pieces).boxed_unsync()
}
