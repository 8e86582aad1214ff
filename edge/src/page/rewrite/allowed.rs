//! Which of an origin's answers may be rewritten at all.

use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};

/// What is known of a page's encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// It says UTF-8.
    Utf8,
    /// It agrees with ASCII, or says nothing: what is inserted stays within ASCII and so reads
    /// the same whatever the encoding is.
    AsciiCompatible,
}

/// Labels (WHATWG Encoding, section 4.2) of encodings in which every byte below 0x80 that could
/// be mark-up is mark-up: none of these has `<`, `>`, `"`, `'`, `=` or `/` as a second byte.
const ASCII_COMPATIBLE: [&str; 24] = [
    "us-ascii",
    "ascii",
    "euc-kr",
    "ks_c_5601-1987",
    "ksc5601",
    "windows-949",
    "cp949",
    "euc-jp",
    "shift_jis",
    "sjis",
    "windows-31j",
    "big5",
    "gbk",
    "gb2312",
    "gb18030",
    "iso-8859-1",
    "latin1",
    "iso-8859-2",
    "iso-8859-15",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1254",
    "koi8-r",
];

/// The charset of an answer that may be rewritten. `None`: untouched, for it is no complete page
/// (status other than 200), no HTML, forbids it (`no-transform`, RFC 9111 section 5.2.2.6), came
/// in a coding nobody asked for, or is in an encoding that is not known to agree with ASCII.
#[must_use]
pub fn may_rewrite(status: StatusCode, headers: &HeaderMap) -> Option<Charset> {
    if status != StatusCode::OK || is_coded(headers) || forbids(headers) {
        return None;
    }
    let mut kinds = headers.get_all(CONTENT_TYPE).iter();
    let kind = kinds.next()?.to_str().ok()?;
    if kinds.next().is_some() {
        return None;
    }
    let mut parts = kind.split(';');
    if !parts.next()?.trim().eq_ignore_ascii_case("text/html") {
        return None;
    }
    let label = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.to_ascii_lowercase())
    });
    match label.as_deref() {
        Some("utf-8" | "utf8") => Some(Charset::Utf8),
        None => Some(Charset::AsciiCompatible),
        Some(label) if ASCII_COMPATIBLE.contains(&label) => Some(Charset::AsciiCompatible),
        Some(_) => None,
    }
}

fn is_coded(headers: &HeaderMap) -> bool {
    let coded = |value: &http::HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    headers.get_all(CONTENT_ENCODING).iter().any(coded)
        // Only `chunked` is undone by the client before we see the body.
        || headers
            .get_all(TRANSFER_ENCODING)
            .iter()
            .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

fn forbids(headers: &HeaderMap) -> bool {
    headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("no-transform"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::HeaderName;

    fn verdict(status: u16, fields: &[(&'static str, &'static str)]) -> Option<Charset> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        may_rewrite(StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn only_whole_plain_pages_in_known_encodings() {
        let utf8 = ("content-type", "text/html; charset=utf-8");
        assert_eq!(verdict(200, &[utf8]), Some(Charset::Utf8));
        for kind in [
            "text/html",
            "TEXT/HTML;charset=\"EUC-KR\"",
            "text/html; a=b; charset=cp949",
        ] {
            assert_eq!(
                verdict(200, &[("content-type", kind)]),
                Some(Charset::AsciiCompatible),
                "{kind}"
            );
        }
        for kind in [
            "text/html; charset=utf-16le",
            "text/html; charset=iso-2022-jp",
            "text/html; charset=",
            "text/html; charset=x-user-defined",
            "application/xhtml+xml",
            "text/plain",
            "",
        ] {
            assert_eq!(verdict(200, &[("content-type", kind)]), None, "{kind}");
        }
        for status in [201, 204, 206, 304, 404, 500] {
            assert_eq!(verdict(status, &[utf8]), None, "{status}");
        }
        for field in [
            ("cache-control", "max-age=1, No-Transform"),
            ("content-encoding", "gzip"),
            ("transfer-encoding", "gzip, chunked"),
            ("content-type", "text/html"),
        ] {
            assert_eq!(verdict(200, &[utf8, field]), None, "{field:?}");
        }
        assert_eq!(
            verdict(200, &[utf8, ("content-encoding", "identity")]),
            Some(Charset::Utf8)
        );
        assert_eq!(verdict(200, &[]), None);
    }
}
