//! What a reader asked for, as far as it shapes the answer's form.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, HeaderMap, HeaderName, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderValue, Method};
use snapshot::Language;

use super::language::negotiate;
use super::qvalue::weighted;

/// Longest field value that is taken over, bytes; a longer one is treated as absent.
pub(super) const FIELD_BYTES: usize = 4096;

/// The parts of a request that decide an answer's form. Its content is decided elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    pub(super) method: Method,
    pub(super) accept: String,
    pub(super) languages: String,
    pub(super) encodings: String,
    pub(super) if_none_match: Option<String>,
    pub(super) range: Option<String>,
    pub(super) if_range: Option<String>,
}

impl Default for Reader {
    /// A plain GET without wishes.
    fn default() -> Self {
        Self::new(&Method::GET, &HeaderMap::new())
    }
}

impl Reader {
    /// Takes over what matters from a request.
    #[must_use]
    pub fn new(method: &Method, headers: &HeaderMap) -> Self {
        Self {
            method: method.clone(),
            accept: joined(headers, &ACCEPT).unwrap_or_default(),
            languages: joined(headers, &ACCEPT_LANGUAGE).unwrap_or_default(),
            encodings: joined(headers, &ACCEPT_ENCODING).unwrap_or_default(),
            if_none_match: joined(headers, &IF_NONE_MATCH),
            range: single(headers, &RANGE),
            if_range: single(headers, &IF_RANGE),
        }
    }

    /// The language of the site that this reader gets.
    #[must_use]
    pub fn language<'a>(&self, languages: &'a [Language]) -> &'a str {
        negotiate(&self.languages, languages)
    }

    /// True when the reader is a program that asked for JSON rather than for a page: a JSON type
    /// weighs more than HTML. Wildcards do not count as asking.
    #[must_use]
    pub fn wants_json(&self) -> bool {
        let (mut json, mut html) = (0, 0);
        for member in weighted(&self.accept) {
            let kind = member.value.to_ascii_lowercase();
            if kind == "application/json"
                || kind.ends_with("+json") && kind.starts_with("application/")
            {
                json = json.max(member.weight);
            } else if matches!(kind.as_str(), "text/html" | "application/xhtml+xml") {
                html = html.max(member.weight);
            }
        }
        json > html
    }

    /// True when the answer goes without its body.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    /// Conditions and ranges are defined for these alone here (RFC 9110 sections 13.1.2, 14.2).
    #[must_use]
    pub fn reads(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }
}

/// All lines of a list field as one (RFC 9110 section 5.3).
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut whole = String::new();
    for value in headers.get_all(name) {
        let text = value.to_str().ok()?;
        if whole.len() + text.len() > FIELD_BYTES {
            return None;
        }
        if !whole.is_empty() {
            whole.push_str(", ");
        }
        whole.push_str(text);
    }
    (!whole.is_empty()).then_some(whole)
}

/// A field that may stand once; several lines are treated as absent.
fn single(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(HeaderValue::to_str)?.ok()?;
    (values.next().is_none() && first.len() <= FIELD_BYTES).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(fields: &[(&'static str, &str)]) -> Reader {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        Reader::new(&Method::GET, &headers)
    }

    #[test]
    fn programs_get_json_and_browsers_pages() {
        for (accept, json) in [
            ("", false),
            ("*/*", false),
            ("text/html,application/xhtml+xml,*/*;q=0.8", false),
            ("application/json", true),
            ("application/problem+json", true),
            ("application/json, text/html", false),
            ("application/json, text/html;q=0.5", true),
            ("application/json;q=0", false),
        ] {
            assert_eq!(reader(&[("accept", accept)]).wants_json(), json, "{accept}");
        }
    }

    #[test]
    fn lines_of_a_list_are_one_list() {
        let both = reader(&[("accept-language", "fr"), ("accept-language", "en")]);
        assert_eq!(both.language(&["ko".into(), "en".into()]), "en");
    }

    #[test]
    fn what_is_too_long_or_doubled_is_absent() {
        let long = "x".repeat(FIELD_BYTES + 1);
        let odd = reader(&[
            ("if-none-match", &long),
            ("range", "bytes=0-"),
            ("range", "bytes=1-"),
        ]);
        assert_eq!((odd.if_none_match, odd.range), (None, None));
    }
}
