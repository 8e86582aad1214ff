//! `/log` of the control listener: the log of this edge, as it is kept.

use std::convert::Infallible;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use percent_encoding::percent_decode_str;
use snapshot::{SiteName, Timestamp};

use super::control::{Body, TEXT, respond};
use super::edge::Edge;
use crate::log::Range;

/// Lines of JSON.
const NDJSON: &str = "application/x-ndjson";

/// Answers with what `query` asks of the log.
pub(super) async fn history(edge: &Edge, query: &str) -> Response<Body> {
    let range = match range(query) {
        Ok(range) => range,
        Err(why) => return respond(StatusCode::BAD_REQUEST, TEXT, format!("{why}\n")),
    };
    edge.turn_page();
    let pieces = match edge.log.read(range).await {
        Ok(pieces) => pieces,
        Err(busy) => {
            let words = format!("{busy}\n");
            let mut answer = respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, words);
            let again = HeaderValue::from_static("5");
            answer.headers_mut().insert(RETRY_AFTER, again);
            return answer;
        }
    };
    let pieces = stream::unfold(pieces, |mut pieces| async move {
        let piece: Bytes = pieces.recv().await?;
        Some((piece, pieces))
    });
    let frames = pieces.map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
    let mut answer = respond(StatusCode::OK, TEXT, String::new());
    let kind = HeaderValue::from_static(NDJSON);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    *answer.body_mut() = StreamBody::new(frames).boxed_unsync();
    answer
}

/// `from=`, `to=`, `site=` and `standing`, in any order.
fn range(query: &str) -> Result<Range, String> {
    let mut range = Range::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy();
        let moment = || {
            let moment = Timestamp::parse(&value);
            moment.ok_or_else(|| format!("{key}={value}: expected a time, as in 2026-11-30T14:00Z"))
        };
        match key {
            "from" => range.from = Some(moment()?),
            "to" => range.to = Some(moment()?),
            "site" => {
                let site: SiteName = value.parse().map_err(|error| format!("site: {error}"))?;
                range.site = Some(site);
            }
            "standing" => range.standing = true,
            _ => return Err(format!("{key}: expected from, to, site or standing")),
        }
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_and_what_is_none_is_named() {
        let read = range("from=2026-11-22T14:05%2B09:00&site=small&standing").unwrap();
        assert_eq!(read.from, Some(Timestamp(1_795_323_900_000)));
        assert_eq!(read.site.unwrap().as_str(), "small");
        assert!(read.standing && read.to.is_none());
        for (query, word) in [
            ("from=noon", "expected a time"),
            ("form=1", "form"),
            ("site=A B", "site"),
        ] {
            assert!(range(query).unwrap_err().contains(word), "{query}");
        }
    }
}
