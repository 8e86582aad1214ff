//! Orders and successions that are brought: by a person who gives one, or by an edge that accepted it.
//!
//! Nobody has to show who they are, since whoever signed them is what counts. So what a stranger
//! can make an edge do is bounded before a signature is looked at: in bytes, in time, and in how many a
//! second. A bundle of many that are not believed counts as that many.

use std::error::Error;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as HttpBody;
use snapshot::limits::{BUNDLE_BYTES, CHAIN_BYTES};
use tokio::time::timeout;

use super::answer::{Body, said, with};
use super::guard::Turn;
use super::limits::PeerLimits;
use super::shelf::Shelf;
use crate::log::Came;
use crate::sync::{Brought, Verdict};

/// Takes it in, and says once it is in force, or why it is not.
pub(super) async fn take<B>(
    shelf: &Shelf,
    (what, came): (Brought, Came),
    turn: &Turn,
    limits: &PeerLimits,
    body: B,
) -> Response<Body>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let Some(push) = turn.push() else {
        return busy(StatusCode::TOO_MANY_REQUESTS);
    };
    let most = match what {
        Brought::Orders => BUNDLE_BYTES,
        Brought::Trust => CHAIN_BYTES,
    };
    // Who says so beforehand need not send it.
    if body.size_hint().lower() > most as u64 {
        return too_large(most);
    }
    let body = Limited::new(body, most).collect();
    let statements = match timeout(limits.push_time, body).await {
        Ok(Ok(statements)) => statements.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return too_large(most),
        Ok(Err(_)) => return said(StatusCode::BAD_REQUEST, "it broke off\n"),
        Err(_) => return said(StatusCode::REQUEST_TIMEOUT, "it comes too slowly\n"),
    };
    match shelf.bring(what, statements, came).await {
        Verdict::InForce => said(StatusCode::OK, "in force\n"),
        Verdict::Refused { why, count } => {
            push.costs(count);
            said(StatusCode::FORBIDDEN, format!("{why}\n"))
        }
        Verdict::Unreadable(why) => said(StatusCode::BAD_REQUEST, format!("{why}\n")),
        Verdict::Busy => busy(StatusCode::SERVICE_UNAVAILABLE),
    }
}

fn too_large(most: usize) -> Response<Body> {
    let words = format!("more than the {most} bytes allowed\n");
    said(StatusCode::PAYLOAD_TOO_LARGE, words)
}

fn busy(status: StatusCode) -> Response<Body> {
    let again = HeaderValue::from_static("1");
    with(said(status, "too much at once\n"), RETRY_AFTER, again)
}
