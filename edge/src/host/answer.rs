//! What a guest said, held against what an answer may be.

use std::fmt;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt as _;

use super::error::GuestError;
use super::limits::{HEADER_BYTES, HEADERS};
use super::records::Read;
use super::words::Words;
use crate::origin::headers::{HOP_BY_HOP, OWN_PREFIX};

/// A component's answer, whole and checked.
#[derive(Clone)]
pub struct GuestAnswer {
    /// A final status, 200 to 599.
    pub status: StatusCode,
    /// Without `Content-Length`, which the body tells better.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// What the answer depends on.
    pub reads: Vec<Read>,
}

/// The body can hold what was sealed until now.
impl fmt::Debug for GuestAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestAnswer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

pub(super) fn check_status(status: StatusCode) -> Result<StatusCode, GuestError> {
    match status.as_u16() {
        200..=599 => Ok(status),
        _ => Err(GuestError::Nonsense("its status is not a final one")),
    }
}

pub(super) fn check_headers(mut headers: HeaderMap) -> Result<HeaderMap, GuestError> {
    headers.remove(header::CONTENT_LENGTH);
    if headers.len() > HEADERS {
        return Err(GuestError::Nonsense("it has too many headers"));
    }
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len().saturating_add(value.len()))
        .sum();
    if bytes > HEADER_BYTES {
        return Err(GuestError::Nonsense("its headers are too long"));
    }
    for name in headers.keys() {
        // Some are already refused where the guest sets them.
        if HOP_BY_HOP.contains(name) {
            return Err(GuestError::Nonsense("it sets headers of the connection"));
        }
        if name.as_str().starts_with(OWN_PREFIX) {
            return Err(GuestError::Nonsense("it sets headers of the host"));
        }
    }
    Ok(headers)
}

pub(super) async fn collect<B>(mut body: B, limit: usize, words: Words) -> Result<Bytes, GuestError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: fmt::Debug,
{
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let reason = words.logged(&error);
            tracing::warn!(reason, "a component broke off its answer");
            GuestError::Nonsense("it breaks off")
        })?;
        // Trailers are dropped: nothing that caches or rewrites pages would carry them on.
        if let Ok(data) = frame.into_data() {
            if data.len() > limit.saturating_sub(collected.len()) {
                return Err(GuestError::Output);
            }
            collected.extend_from_slice(&data);
        }
    }
    Ok(collected.freeze())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn only_final_statuses_are_answers() {
        for (status, fine) in [
            (100, false),
            (103, false),
            (200, true),
            (404, true),
            (599, true),
            (600, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(check_status(status).is_ok(), fine, "{status}");
        }
    }

    #[test]
    fn a_guest_sets_neither_the_connection_s_headers_nor_the_host_s() {
        for name in ["connection", "te", "transfer-encoding", "holdfast-mode"] {
            assert!(check_headers(headers(&[(name, "x")])).is_err(), "{name}");
        }
        let kept = check_headers(headers(&[
            ("content-type", "text/html"),
            ("content-length", "7"),
        ]));
        assert_eq!(kept, Ok(headers(&[("content-type", "text/html")])));
    }

    #[test]
    fn headers_are_counted_and_weighed() {
        let many = |count: usize, value: &str| -> HeaderMap {
            (0..count)
                .map(|i| {
                    let name = HeaderName::try_from(format!("x-{i:04}")).unwrap();
                    (name, HeaderValue::from_str(value).unwrap())
                })
                .collect()
        };
        assert!(check_headers(many(HEADERS, "v")).is_ok());
        assert!(check_headers(many(HEADERS + 1, "v")).is_err());
        assert!(check_headers(many(1, &"v".repeat(HEADER_BYTES - 6))).is_ok());
        assert!(check_headers(many(1, &"v".repeat(HEADER_BYTES - 5))).is_err());
    }

    #[tokio::test]
    async fn a_body_is_taken_up_to_its_limit() {
        let body =
            |text: &'static str| http_body_util::Full::new(Bytes::from_static(text.as_bytes()));
        assert_eq!(
            collect(body("12345"), 5, Words::Told).await,
            Ok(Bytes::from_static(b"12345"))
        );
        assert_eq!(
            collect(body("123456"), 5, Words::Told).await,
            Err(GuestError::Output)
        );
    }
}
