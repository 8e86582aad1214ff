//! Which header fields cross the edge, in either direction; a component's answer is held to the
//! same.
//!
//! Fields about one connection end here (RFC 9110 section 7.6.1), and so does everything under
//! the name `holdfast-`: only the edge itself speaks to guests and readers in that name. Trailers
//! are dropped whole, as section 6.5.1 allows, so nothing hides in them.

use std::net::IpAddr;

use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, RANGE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::{HeaderValue, Version};

/// The start of every field name that is the edge's own.
pub const OWN_PREFIX: &str = "holdfast-";
/// The name under which an edge stands in `Via` (RFC 9110 section 7.6.3).
pub const PSEUDONYM: &str = "holdfast";
/// As often may a request have passed an edge; more is a loop.
pub const MAX_HOPS: usize = 4;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Fields about one connection, named in `Connection` or not.
pub(crate) const HOP_BY_HOP: [HeaderName; 11] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    // Answered by the edge: it reads the body when the origin does.
    EXPECT,
    HeaderName::from_static("http2-settings"),
];

/// Who asked, and how.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The address of the connection's other end.
    pub address: IpAddr,
    /// The host asked for, as it was sent.
    pub host: &'a str,
    /// The protocol it was asked in.
    pub version: Version,
}

/// Removes what may not cross: fields about the connection, also those that `Connection` names,
/// and all in the edge's own name.
pub fn strip(headers: &mut HeaderMap) {
    let mut named: Vec<HeaderName> = Vec::new();
    for value in headers.get_all(CONNECTION) {
        let tokens = value.as_bytes().split(|b| *b == b',');
        named.extend(tokens.filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok()));
    }
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
    let own: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with(OWN_PREFIX))
        .cloned()
        .collect();
    for name in own {
        headers.remove(name);
    }
}

/// The fields of a reader's request as the origin gets them.
#[must_use]
pub fn towards_origin(reader: &HeaderMap, client: &Client<'_>) -> HeaderMap {
    let mut headers = reader.clone();
    strip(&mut headers);
    // The client library frames the body itself.
    headers.remove(CONTENT_LENGTH);
    set(&mut headers, HOST, client.host);
    set(&mut headers, FORWARDED_HOST, client.host);
    let proto = headers
        .get(FORWARDED_PROTO)
        .filter(|proto| matches!(proto.as_bytes(), b"http" | b"https"));
    let proto = proto.cloned().unwrap_or(HeaderValue::from_static("http"));
    headers.insert(FORWARDED_PROTO, proto);
    append_member(&mut headers, FORWARDED_FOR, &client.address.to_string());
    let version = if client.version == Version::HTTP_2 {
        "2"
    } else {
        "1.1"
    };
    append_member(&mut headers, VIA, &format!("{version} {PSEUDONYM}"));
    headers
}

/// Asks for a page that can be rewritten: whole, uncoded, and on the condition given, if any.
pub fn for_rewriting(headers: &mut HeaderMap, condition: Option<HeaderValue>) {
    for name in [
        RANGE,
        IF_RANGE,
        IF_MATCH,
        IF_NONE_MATCH,
        IF_MODIFIED_SINCE,
        IF_UNMODIFIED_SINCE,
    ] {
        headers.remove(name);
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(condition) = condition {
        headers.insert(IF_NONE_MATCH, condition);
    }
}

/// True when the request has passed edges so often that it must be going in circles.
#[must_use]
pub fn loops(headers: &HeaderMap) -> bool {
    let hops = headers
        .get_all(VIA)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter(|member| member.split_whitespace().nth(1) == Some(PSEUDONYM));
    hops.count() >= MAX_HOPS
}

fn append_member(headers: &mut HeaderMap, name: HeaderName, member: &str) {
    let before: Vec<&str> = headers
        .get_all(&name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let list = [before, vec![member]].concat().join(", ");
    set(headers, name, &list);
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    fn client() -> Client<'static> {
        Client {
            address: IpAddr::from([192, 0, 2, 7]),
            host: "dasom.example",
            version: Version::HTTP_11,
        }
    }

    #[test]
    fn what_is_about_the_connection_stays_behind() {
        let mut headers = map(&[
            ("connection", "close, X-Private ,holdfast-mode"),
            ("connection", "x-second"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("trailer", "holdfast-mode"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("proxy-connection", "close"),
            ("proxy-authorization", "Basic x"),
            ("x-private", "1"),
            ("x-second", "1"),
            ("holdfast-mode", "normal"),
            ("holdfast-capability", "x"),
            ("x-kept", "1"),
            ("cookie", "a=b"),
        ]);
        strip(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["cookie", "x-kept"]);
    }

    #[test]
    fn the_origin_learns_who_asked_and_how() {
        let asked = map(&[
            ("host", "evil.example"),
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-for", "198.51.100.2"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "gopher"),
            ("via", "1.1 cdn"),
            ("content-length", "3"),
        ]);
        let headers = towards_origin(&asked, &client());
        for (name, expected) in [
            ("host", "dasom.example"),
            ("x-forwarded-host", "dasom.example"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-for", "198.51.100.1, 198.51.100.2, 192.0.2.7"),
            ("via", "1.1 cdn, 1.1 holdfast"),
        ] {
            let values: Vec<_> = headers.get_all(name).iter().collect();
            assert_eq!(values, [expected], "{name}");
        }
        assert!(!headers.contains_key("content-length"));
    }

    #[test]
    fn a_page_to_be_rewritten_is_asked_for_whole_and_plain() {
        let mut headers = map(&[
            ("range", "bytes=0-9"),
            ("if-range", "\"a\""),
            ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("if-none-match", "\"a\""),
            ("accept-encoding", "br"),
        ]);
        for_rewriting(&mut headers, None);
        assert_eq!(headers, map(&[("accept-encoding", "identity")]));
        for_rewriting(&mut headers, Some(HeaderValue::from_static("\"o\"")));
        assert_eq!(headers.get("if-none-match").unwrap(), "\"o\"");
    }

    #[test]
    fn going_in_circles_is_noticed() {
        assert!(!loops(&map(&[(
            "via",
            "1.1 holdfast, 2 holdfast, 1.1 cdn"
        )])));
        assert!(loops(&map(&[
            ("via", "1.1 holdfast, 1.1 holdfast"),
            ("via", "1.1 holdfast, 2 holdfast"),
        ])));
    }
}
