//! A request's path and query in the one form that routes, guests and comparisons see.
//!
//! Two spellings of one path must not reach two answers, and no spelling may climb out of a
//! collection. So: percent-encoding is normalised (RFC 3986 section 6.2.2), and dot segments in any
//! spelling, NUL and broken escapes are refused rather than repaired.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Longest path, bytes as sent.
pub const PATH_BYTES: usize = 4096;
/// Longest query, bytes as sent.
pub const QUERY_BYTES: usize = 8192;

/// All but RFC 3986's unreserved characters (section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Why a path is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// Longer than [`PATH_BYTES`].
    #[error("the path is longer than {PATH_BYTES} bytes")]
    TooLong,
    /// It does not start with `/`.
    #[error("the path does not start with /")]
    NotAbsolute,
    /// A `%` without two hexadecimal digits.
    #[error("the path holds a broken escape")]
    BrokenEscape,
    /// A NUL byte.
    #[error("the path holds a NUL byte")]
    Nul,
    /// `.` or `..` as a segment, in any spelling.
    #[error("the path holds a dot segment")]
    DotSegment,
}

/// A normalised path. It may hold a capability, so it cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestPath(String);

impl RequestPath {
    /// Normalises `raw`, the path as sent.
    ///
    /// # Errors
    /// See [`BadPath`].
    pub fn parse(raw: &str) -> Result<Self, BadPath> {
        if raw.len() > PATH_BYTES {
            return Err(BadPath::TooLong);
        }
        if !raw.starts_with('/') {
            return Err(BadPath::NotAbsolute);
        }
        let decoded = decoded(raw)?;
        let dots = |segment: &[u8]| segment == b"." || segment == b"..";
        // A backslash is a separator to some servers behind us.
        if decoded.split(|b| matches!(b, b'/' | b'\\')).any(dots) {
            return Err(BadPath::DotSegment);
        }
        Ok(Self(normalised(raw)?))
    }

    /// `front` in place of `/`, the path of no page.
    #[must_use]
    pub fn or_front(self, front: &str) -> Self {
        if self.0 == "/" {
            return Self(front.to_owned());
        }
        self
    }

    /// The path, percent-encoded: unreserved characters bare, escapes in upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RequestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestPath(***)")
    }
}

/// The declared parameters of `query`, in declared order, each once (its first value), encoded
/// as RFC 3986 does. `None` when none of them was sent.
#[must_use]
pub fn declared_query(query: Option<&str>, declared: &[String]) -> Option<String> {
    let sent = query?;
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    let mut any = false;
    for name in declared {
        let value = url::form_urlencoded::parse(sent.as_bytes()).find(|(sent, _)| sent == name);
        if let Some((_, value)) = value {
            out.append_pair(name, &value);
            any = true;
        }
    }
    // The serialiser writes `+` for a space and `%2B` for a plus sign.
    any.then(|| out.finish().replace('+', "%20"))
}

/// `text` as percent-encoded UTF-8: visible ASCII, so fit for a header.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The text behind percent-encoded `encoded`, unless it is not UTF-8.
#[must_use]
pub fn decode(encoded: &str) -> Option<String> {
    let decoded = percent_decode_str(encoded).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

fn decoded(raw: &str) -> Result<Vec<u8>, BadPath> {
    let decoded: Vec<u8> = percent_decode_str(raw).collect();
    if decoded.contains(&0) {
        return Err(BadPath::Nul);
    }
    Ok(decoded)
}

fn normalised(raw: &str) -> Result<String, BadPath> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        if c == '%' {
            let byte = rest
                .get(1..3)
                .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or(BadPath::BrokenEscape)?;
            taken = 3;
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        } else if c.is_ascii_graphic() {
            out.push(c);
        } else {
            out.push_str(&encode(c.encode_utf8(&mut [0; 4])));
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(raw: &str) -> Result<String, BadPath> {
        RequestPath::parse(raw).map(|path| path.as_str().to_owned())
    }

    #[test]
    fn spellings_of_one_path_become_one() {
        for (raw, expected) in [
            ("/", "/"),
            ("/%69/%61bc/", "/i/abc/"),
            ("/a%2fb", "/a%2Fb"),
            ("/%ea%b0%80", "/%EA%B0%80"),
            ("/가", "/%EA%B0%80"),
            ("/a%20b", "/a%20b"),
            ("/~x/%7Ey", "/~x/~y"),
            ("/.well-known/x..y", "/.well-known/x..y"),
        ] {
            assert_eq!(normal(raw).as_deref(), Ok(expected), "{raw}");
        }
    }

    #[test]
    fn what_climbs_or_breaks_is_refused() {
        for (raw, expected) in [
            ("", BadPath::NotAbsolute),
            ("x", BadPath::NotAbsolute),
            ("/a/../b", BadPath::DotSegment),
            ("/a/./b", BadPath::DotSegment),
            ("/..", BadPath::DotSegment),
            ("/%2e%2E/x", BadPath::DotSegment),
            ("/a%2f..%2fb", BadPath::DotSegment),
            ("/a%5c..%5Cb", BadPath::DotSegment),
            ("/a\\..\\b", BadPath::DotSegment),
            ("/a%00b", BadPath::Nul),
            ("/a%0", BadPath::BrokenEscape),
            ("/a%", BadPath::BrokenEscape),
            ("/a%+1", BadPath::BrokenEscape),
            ("/a%가나", BadPath::BrokenEscape),
        ] {
            assert_eq!(normal(raw), Err(expected), "{raw}");
        }
        let longest = format!("/{}", "a".repeat(PATH_BYTES - 1));
        assert!(normal(&longest).is_ok());
        assert_eq!(normal(&format!("{longest}a")), Err(BadPath::TooLong));
    }

    #[test]
    fn only_declared_parameters_pass() {
        let declared = ["q".to_owned(), "page".to_owned()];
        for (sent, expected) in [
            (None, None),
            (Some("utm=1"), None),
            (
                Some("page=2&x=1&q=a+b%2B&q=second"),
                Some("q=a%20b%2B&page=2"),
            ),
            (Some("q=%EA%B0%80"), Some("q=%EA%B0%80")),
            (Some("q"), Some("q=")),
        ] {
            assert_eq!(declared_query(sent, &declared).as_deref(), expected);
        }
    }

    #[test]
    fn a_path_does_not_print() {
        let path = RequestPath::parse("/i/x/secret/").unwrap();
        assert!(!format!("{path:?}").contains("secret"));
    }
}
