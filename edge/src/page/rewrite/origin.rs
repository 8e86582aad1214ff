//! The header fields of a living origin's page that was rewritten, and the reader's condition on
//! its way to the origin.
//!
//! A rewritten page is another representation than the origin's, so its tag is another: weak,
//! over the origin's tag and the [rewrite state](state_tag). When a reader comes back with it,
//! the condition goes on to the origin only while the rewrite state is still the same; else the
//! origin's 304 would leave an old banner standing.

use std::fmt::Write as _;

use http::HeaderValue;
use http::header::{
    ACCEPT_RANGES, AGE, CACHE_CONTROL, CONTENT_LENGTH, ETAG, EXPIRES, HeaderMap, HeaderName,
    IF_NONE_MATCH, LAST_MODIFIED,
};
use snapshot::Digest;

use super::banner::banner;
use super::marks::Down;
use crate::page::condition::{TAGS, tags};
use crate::page::finish::{set, vary_on};
use crate::page::state::PageState;

/// Fields that describe bytes which are no longer those.
const OF_THE_BYTES: [HeaderName; 8] = [
    CONTENT_LENGTH,
    ACCEPT_RANGES,
    LAST_MODIFIED,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("want-repr-digest"),
];
/// Starts every tag made here; the digit changes when rewriting itself does.
const PREFIX: &str = "hf1-";
/// Hex digits of a rewrite state in a tag.
const STATE_DIGITS: usize = 16;

/// Names everything that decides how a page is rewritten, in hex digits.
#[must_use]
pub fn state_tag(state: &PageState) -> String {
    let seen = format!("{:?}\n{}", Down::of(state), banner(state));
    let digest = Digest::of(seen.as_bytes()).to_string();
    digest.chars().take(STATE_DIGITS).collect()
}

/// Makes the header fields of an origin's 200 fit its rewritten page. `short_lived`: the page has
/// a banner or parts that depend on a service, so shared caches keep it for seconds at most.
pub fn rewritten(headers: &mut HeaderMap, state: &PageState, short_lived: bool) {
    for name in OF_THE_BYTES {
        headers.remove(name);
    }
    retag(headers, state);
    vary_on(headers, "Accept-Language");
    if short_lived {
        shorten(headers);
    }
}

/// Makes the header fields of an origin's 304 to a forwarded condition fit what the reader has.
pub fn not_modified(headers: &mut HeaderMap, state: &PageState) {
    rewritten(headers, state, true);
}

/// The reader's `If-None-Match` as the origin may be asked: its own tags, where the rewrite state
/// they were made under still stands. Everything else is left out; nothing left, no condition.
#[must_use]
pub fn forwarded_condition(reader: &HeaderMap, state: &PageState) -> Option<HeaderValue> {
    let current = format!("{PREFIX}{}-", state_tag(state));
    let mut own = String::new();
    let fields = reader.get_all(IF_NONE_MATCH).iter();
    for field in fields.filter_map(|field| field.to_str().ok()) {
        for tag in tags(field).take(TAGS) {
            let Some((kind, opaque)) = tag
                .opaque
                .strip_prefix(&current)
                .and_then(|rest| rest.split_once('-'))
            else {
                continue;
            };
            if !own.is_empty() {
                own.push_str(", ");
            }
            let weak = if kind == "w" { "W/" } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(own, "{weak}\"{opaque}\"");
        }
    }
    (!own.is_empty())
        .then(|| HeaderValue::from_str(&own).ok())
        .flatten()
}

fn retag(headers: &mut HeaderMap, state: &PageState) {
    let Some(field) = headers.remove(ETAG) else {
        return;
    };
    let Some(tag) = field.to_str().ok().and_then(|field| tags(field).next()) else {
        return;
    };
    let kind = if tag.weak { "w" } else { "s" };
    let made = format!("W/\"{PREFIX}{}-{kind}-{}\"", state_tag(state), tag.opaque);
    set(headers, ETAG, &made);
}

/// Keeps what forbids storing, and bounds what allows it.
fn shorten(headers: &mut HeaderMap) {
    let closed = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|directive| directive.split('=').next().unwrap_or_default().trim())
        .any(|name| {
            ["private", "no-store", "no-cache"]
                .iter()
                .any(|closed| name.eq_ignore_ascii_case(closed))
        });
    headers.remove(EXPIRES);
    headers.remove(AGE);
    if closed {
        return;
    }
    // An origin that says nothing may mean a page for one reader: nothing is made storable here
    // that was not.
    let public = headers.contains_key(CACHE_CONTROL);
    let value = if public {
        "public, max-age=0, s-maxage=5"
    } else {
        "max-age=0, s-maxage=5"
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::state::samples::{calm, notice, outage};

    fn page(tag: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, HeaderValue::from_static(tag));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("10"));
        headers.insert("repr-digest", HeaderValue::from_static("sha-256=:x:"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=600"));
        headers
    }

    fn asking(tag: &HeaderValue) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.append(IF_NONE_MATCH, HeaderValue::from_static("\"other\""));
        headers.append(IF_NONE_MATCH, tag.clone());
        headers
    }

    #[test]
    fn a_condition_goes_on_only_under_the_same_rewrite_state() {
        for origin in ["\"a-b\"", "W/\"a-b\""] {
            let mut headers = page(origin);
            rewritten(&mut headers, &outage("ko"), true);
            let made = headers.get(ETAG).unwrap();
            assert!(made.to_str().unwrap().starts_with("W/\"hf1-"));
            let asked = asking(made);
            assert_eq!(forwarded_condition(&asked, &outage("ko")).unwrap(), origin);
            for other in [calm("ko"), outage("en")] {
                assert_eq!(forwarded_condition(&asked, &other), None);
            }
            let mut told = outage("ko");
            told.notices.push(notice(1, "점검"));
            assert_eq!(forwarded_condition(&asked, &told), None);
        }
    }

    #[test]
    fn what_described_the_old_bytes_is_gone() {
        let mut headers = page("\"a\"");
        rewritten(&mut headers, &outage("ko"), true);
        for name in OF_THE_BYTES {
            assert!(!headers.contains_key(&name), "{name}");
        }
        assert_eq!(
            headers.get(CACHE_CONTROL).unwrap(),
            "public, max-age=0, s-maxage=5"
        );
    }

    #[test]
    fn what_may_not_be_kept_stays_so() {
        for kept in ["private, max-age=9", "no-store", "No-Cache=\"x\""] {
            let mut headers = page("\"a\"");
            headers.insert(CACHE_CONTROL, HeaderValue::from_str(kept).unwrap());
            rewritten(&mut headers, &outage("ko"), true);
            assert_eq!(headers.get(CACHE_CONTROL).unwrap(), kept);
        }
    }

    #[test]
    fn a_malformed_tag_is_dropped() {
        let mut headers = page("a");
        rewritten(&mut headers, &outage("ko"), false);
        assert!(!headers.contains_key(ETAG));
        assert_eq!(headers.get(CACHE_CONTROL).unwrap(), "max-age=600");
    }
}
