//! Header fields that cross the edge: a reader's on the way to the origin, and the origin's back.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use edge::origin::headers::{self, Client, OWN_PREFIX};
use edge::page::rewrite::may_rewrite;
use edge::page::rewrite::origin::{forwarded_condition, rewritten};
use http::header::{
    CONNECTION, CONTENT_LENGTH, ETAG, HOST, HeaderName, IF_NONE_MATCH, TE, TRANSFER_ENCODING,
    UPGRADE, VIA,
};
use http::{HeaderMap, HeaderValue, StatusCode, Version};

crate::decoders![to_origin, from_origin];

/// A field a line; what no field can hold is passed over.
fn fields(bytes: &[u8]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (parts.next(), parts.next().unwrap_or_default());
        let name = HeaderName::from_bytes(name.unwrap_or_default());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.trim_ascii())) {
            fields.try_append(name, value).ok();
        }
    }
    fields
}

/// True if nothing is left that ends at the edge.
fn stripped(fields: &HeaderMap) -> bool {
    let ended = [CONNECTION, TE, TRANSFER_ENCODING, UPGRADE];
    let own = |name: &HeaderName| name.as_str().starts_with(OWN_PREFIX);
    !fields.keys().any(|name| own(name) || ended.contains(name))
}

/// A reader's.
fn to_origin(bytes: &[u8]) -> bool {
    let asked = fields(bytes);
    black_box(headers::loops(&asked));
    let client = Client {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        host: "dasom.example",
        version: Version::HTTP_2,
    };
    let sent = headers::towards_origin(&asked, &client);
    assert!(stripped(&sent) && !sent.contains_key(CONTENT_LENGTH));
    assert!(sent.get_all(HOST).iter().eq(["dasom.example"]));
    for name in [VIA, HeaderName::from_static("x-forwarded-for")] {
        assert_eq!(sent.get_all(name).iter().count(), 1);
    }
    !asked.is_empty()
}

/// An origin's, with a page that may be rewritten.
fn from_origin(bytes: &[u8]) -> bool {
    let mut fields = fields(bytes);
    let charset = may_rewrite(StatusCode::OK, &fields);
    headers::strip(&mut fields);
    assert!(stripped(&fields));
    if charset.is_none() {
        return false;
    }
    let state = crate::requests::outage();
    rewritten(&mut fields, &state, true);
    assert!(!fields.contains_key(CONTENT_LENGTH));
    // The tag that a reader comes back with is understood.
    if let Some(tag) = fields.remove(ETAG) {
        let reader = HeaderMap::from_iter([(IF_NONE_MATCH, tag)]);
        assert!(forwarded_condition(&reader, &state).is_some());
    }
    true
}

mod valid {
    //! What browsers and origins send.

    pub(super) fn to_origin() -> Vec<Vec<u8>> {
        crate::texts([
            "host: dasom.example\ncookie: id=1; pass=x\nconnection: close, x-own\nx-own: 1\n\
             x-forwarded-for: 192.0.2.1\nx-forwarded-proto: https\nvia: 1.1 holdfast, 2 other\n\
             holdfast-capability: x\ncontent-length: 5\ntransfer-encoding: chunked\n\
             if-none-match: W/\"a\", \"b\"\nrange: bytes=0-1",
        ])
    }

    pub(super) fn from_origin() -> Vec<Vec<u8>> {
        crate::texts([
            "content-type: text/html; charset=\"EUC-KR\"\netag: W/\"abc-1\"\n\
             cache-control: public, max-age=600\nage: 7\nvary: Accept\ncontent-length: 100\n\
             last-modified: Sun, 22 Nov 2026 05:05:00 GMT\nconnection: keep-alive",
            "content-type: TEXT/HTML\ncontent-encoding: identity\ncache-control: no-store",
        ])
    }
}
