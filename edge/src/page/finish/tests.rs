//! The whole way from a draft to an answer.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};
use http_body_util::BodyExt as _;

use super::*;
use crate::page::body::samples::Memory;
use crate::page::cache::{CacheOutcome, Lifetime};
use crate::page::draft::WHOLE_BLOB_BYTES;
use crate::page::state::samples::{calm, outage};

const KINDS: &str = "text/css; charset=utf-8";

struct Got {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Got {
    fn field(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn tag(&self) -> &str {
        self.field("etag").unwrap()
    }
}

fn reader(method: Method, fields: &[(HeaderName, &str)]) -> Reader {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.insert(name, HeaderValue::from_str(value).unwrap());
    }
    Reader::new(&method, &headers)
}

fn get(fields: &[(HeaderName, &str)]) -> Reader {
    reader(Method::GET, fields)
}

async fn got(reader: &Reader, draft: Draft, lifetime: Lifetime, state: &PageState) -> Got {
    let policy = CachePolicy::new(lifetime, "seoul-1", CacheOutcome::Hit);
    let (parts, body) = finish(reader, draft, &policy, state).into_parts();
    Got {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

fn page() -> Draft {
    let words = "<p>Account 110-2345 ".repeat(60);
    Draft::page(
        StatusCode::OK,
        format!("<!doctype html><body>{words}</body>"),
    )
}

fn asset() -> Draft {
    Draft::new(StatusCode::OK, KINDS, "a{b:c}".repeat(400))
}

fn photo(len: u32) -> Draft {
    let mut draft = Draft::new(StatusCode::OK, "image/jpeg", "");
    draft.body = DraftBody::Blob(Memory::counting(len));
    draft
}

#[tokio::test]
async fn a_page_from_the_copy_explains_itself() {
    let answer = got(&get(&[]), page(), Lifetime::Page, &outage("ko")).await;
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "public, max-age=0, s-maxage=5"),
        ("cache-status", "seoul-1; hit"),
        ("age", "0"),
        ("holdfast-as-of", "2026-11-22T05:05:00Z"),
        ("holdfast-release", "7"),
        ("x-content-type-options", "nosniff"),
        ("content-language", "ko"),
        ("content-security-policy", PAGE_POLICY),
    ] {
        assert_eq!(answer.field(name), Some(value), "{name}");
    }
    let vary: Vec<_> = answer.headers.get_all(VARY).iter().collect();
    assert_eq!(vary, ["Accept-Encoding", "Accept-Language"]);
    assert_eq!(
        answer.field("content-length"),
        Some(&*answer.body.len().to_string())
    );
    assert!(answer.field("accept-ranges").is_none() && answer.field("referrer-policy").is_none());
    assert!(answer.body.windows(15).any(|w| w == b"holdfast-banner"));
}

#[tokio::test]
async fn every_answer_in_a_header_test_carries_only_known_fields() {
    let known = [
        "accept-ranges",
        "age",
        "cache-control",
        "cache-status",
        "content-encoding",
        "content-language",
        "content-length",
        "content-range",
        "content-security-policy",
        "content-type",
        "etag",
        "holdfast-as-of",
        "holdfast-release",
        "referrer-policy",
        "vary",
        "x-content-type-options",
    ];
    for draft in [page(), asset(), photo(1000)] {
        for fields in [
            &[][..],
            &[(RANGE, "bytes=0-1")],
            &[(RANGE, "bytes=9999999-")],
            &[(IF_NONE_MATCH, "*")],
        ] {
            let answer = got(&get(fields), draft.clone(), Lifetime::Page, &outage("ko")).await;
            for name in answer.headers.keys() {
                assert!(known.contains(&name.as_str()), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn codings_are_negotiated_and_each_has_its_tag() {
    let accept = http::header::ACCEPT_ENCODING;
    let plain = got(&get(&[]), page(), Lifetime::Page, &calm("ko")).await;
    let gzip = got(
        &get(&[(accept.clone(), "gzip")]),
        page(),
        Lifetime::Page,
        &calm("ko"),
    )
    .await;
    let zstd = got(
        &get(&[(accept.clone(), "gzip, zstd")]),
        page(),
        Lifetime::Page,
        &calm("ko"),
    )
    .await;
    let refused = got(
        &get(&[(accept, "gzip;q=0, zstd;q=0")]),
        page(),
        Lifetime::Page,
        &calm("ko"),
    )
    .await;
    assert_eq!(plain.field("content-encoding"), None);
    assert_eq!(refused.field("content-encoding"), None);
    assert_eq!(refused.tag(), plain.tag());
    assert_eq!(gzip.field("content-encoding"), Some("gzip"));
    assert_eq!(zstd.field("content-encoding"), Some("zstd"));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&gzip.body[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, plain.body);
    assert_eq!(zstd::decode_all(&zstd.body[..]).unwrap(), plain.body);
    assert!(plain.tag() != gzip.tag() && gzip.tag() != zstd.tag() && plain.tag() != zstd.tag());
    for answer in [plain, gzip, zstd] {
        assert_eq!(answer.field("vary"), Some("Accept-Encoding"));
        let digest = Digest::of(&answer.body).to_string();
        assert_eq!(answer.tag(), format!("\"{}\"", &digest[..TAG_DIGITS]));
    }
}

#[tokio::test]
async fn small_and_packed_content_is_sent_as_it_is() {
    let all = get(&[(http::header::ACCEPT_ENCODING, "gzip, zstd")]);
    let small = Draft::new(StatusCode::OK, KINDS, "a{}");
    for draft in [small, photo(9000)] {
        let answer = got(&all, draft, Lifetime::Asset, &calm("ko")).await;
        assert_eq!(answer.field("content-encoding"), None);
    }
}

#[tokio::test]
async fn a_reader_that_has_it_gets_a_304() {
    let fresh = got(&get(&[]), page(), Lifetime::Page, &outage("ko")).await;
    let tag = fresh.tag().to_owned();
    for field in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        let asking = get(&[(IF_NONE_MATCH, &field), (RANGE, "bytes=0-1")]);
        let answer = got(&asking, page(), Lifetime::Page, &outage("ko")).await;
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{field}");
        for name in [
            "etag",
            "cache-control",
            "vary",
            "age",
            "cache-status",
            "holdfast-as-of",
        ] {
            assert_eq!(answer.field(name), fresh.field(name), "{name}");
        }
        for name in [
            "content-type",
            "content-length",
            "content-encoding",
            "content-language",
        ] {
            assert_eq!(answer.field(name), None, "{name}");
        }
    }
    // The mode changed, so the bytes did, so the tag did.
    let asking = get(&[(IF_NONE_MATCH, &tag)]);
    assert_eq!(
        got(&asking, page(), Lifetime::Page, &calm("ko"))
            .await
            .status,
        200
    );
    assert_eq!(
        got(&asking, page(), Lifetime::Page, &outage("en"))
            .await
            .status,
        200
    );
    // Other methods and other statuses have no such condition here.
    let post = reader(Method::POST, &[(IF_NONE_MATCH, "*")]);
    assert_eq!(
        got(&post, page(), Lifetime::Page, &outage("ko"))
            .await
            .status,
        200
    );
    let mut absent = page();
    absent.status = StatusCode::NOT_FOUND;
    let absent = got(
        &get(&[(IF_NONE_MATCH, "*")]),
        absent,
        Lifetime::Page,
        &calm("ko"),
    )
    .await;
    assert_eq!((absent.status, absent.field("etag")), (404, None));
}

#[tokio::test]
async fn head_says_what_get_would() {
    for draft in [page(), asset(), photo(700_000)] {
        for fields in [&[][..], &[(http::header::ACCEPT_ENCODING, "zstd")]] {
            let full = got(&get(fields), draft.clone(), Lifetime::Page, &outage("ko")).await;
            let head = reader(Method::HEAD, fields);
            let head = got(&head, draft.clone(), Lifetime::Page, &outage("ko")).await;
            assert_eq!((head.status, head.body.len()), (200, 0));
            assert_eq!(head.headers, full.headers);
        }
    }
    let ranged = reader(Method::HEAD, &[(RANGE, "bytes=0-1")]);
    assert_eq!(
        got(&ranged, photo(100), Lifetime::Asset, &calm("ko"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn one_range_of_a_file_is_served() {
    let bytes = Memory::counting(700_000).bytes.clone();
    for (field, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=262100-262200", 262_100, 262_200),
        ("bytes=699990-", 699_990, 699_999),
        ("bytes=-10", 699_990, 699_999),
        ("bytes=5-9999999", 5, 699_999),
    ] {
        let answer = got(
            &get(&[(RANGE, field)]),
            photo(700_000),
            Lifetime::Asset,
            &calm("ko"),
        )
        .await;
        assert_eq!(answer.status, 206, "{field}");
        assert!(answer.body == bytes[first..=last], "{field}");
        let range = format!("bytes {first}-{last}/700000");
        assert_eq!(answer.field("content-range"), Some(&*range));
        assert_eq!(
            answer.field("content-length"),
            Some(&*answer.body.len().to_string())
        );
        assert_eq!(answer.field("accept-ranges"), Some("bytes"));
    }
    let answer = got(
        &get(&[(RANGE, "bytes=700000-")]),
        photo(700_000),
        Lifetime::Asset,
        &calm("ko"),
    )
    .await;
    assert_eq!((answer.status, answer.body.len()), (416, 0));
    assert_eq!(answer.field("content-range"), Some("bytes */700000"));
    for field in ["bytes=0-1,4-5", "bytes=5-4", "chunks=0-1"] {
        let answer = got(
            &get(&[(RANGE, field)]),
            asset(),
            Lifetime::Asset,
            &calm("ko"),
        )
        .await;
        assert_eq!(
            (answer.status, answer.field("content-range")),
            (200, None),
            "{field}"
        );
    }
    let answer = got(
        &get(&[(RANGE, "bytes=0-1")]),
        page(),
        Lifetime::Page,
        &calm("ko"),
    )
    .await;
    assert_eq!(answer.status, 200, "pages change too often for ranges");
}

#[tokio::test]
async fn a_range_continues_only_the_same_bytes() {
    let whole = got(&get(&[]), photo(1000), Lifetime::Asset, &calm("ko")).await;
    let weak = format!("W/{}", whole.tag());
    for (tag, status) in [(whole.tag(), 206), ("\"other\"", 200), (&weak, 200)] {
        let asking = get(&[(RANGE, "bytes=5-6"), (IF_RANGE, tag)]);
        assert_eq!(
            got(&asking, photo(1000), Lifetime::Asset, &calm("ko"))
                .await
                .status,
            status
        );
    }
}

#[tokio::test]
async fn a_range_of_a_coded_file_is_one_of_the_coded_bytes() {
    let accept = http::header::ACCEPT_ENCODING;
    let whole = got(
        &get(&[(accept.clone(), "gzip")]),
        asset(),
        Lifetime::Asset,
        &calm("ko"),
    )
    .await;
    let asking = get(&[
        (accept, "gzip"),
        (RANGE, "bytes=2-9"),
        (IF_RANGE, whole.tag()),
    ]);
    let part = got(&asking, asset(), Lifetime::Asset, &calm("ko")).await;
    assert_eq!(
        (part.status, part.field("content-encoding")),
        (206, Some("gzip"))
    );
    assert_eq!(part.body, whole.body.slice(2..10));
}

#[tokio::test]
async fn lifetimes_follow_what_the_answer_is() {
    for (draft, lifetime, expected) in [
        (asset(), Lifetime::Asset, "public, max-age=60, s-maxage=300"),
        (
            asset(),
            Lifetime::Hashed,
            "public, max-age=31536000, immutable",
        ),
        (page(), Lifetime::Asset, "public, max-age=0, s-maxage=5"),
        (page(), Lifetime::Private, "private, no-store"),
    ] {
        let answer = got(&get(&[]), draft, lifetime, &calm("ko")).await;
        assert_eq!(answer.field("cache-control"), Some(expected));
    }
    let down = Draft::new(StatusCode::SERVICE_UNAVAILABLE, KINDS, "x");
    let answer = got(&get(&[]), down, Lifetime::Asset, &calm("ko")).await;
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert_eq!(answer.field("etag"), None);
}

#[tokio::test]
async fn a_file_that_is_a_page_depends_on_the_language_of_its_banner_alone() {
    let mut policy = CachePolicy::new(Lifetime::Asset, "seoul-1", CacheOutcome::Hit);
    policy.negotiated = false;
    for (draft, expected) in [
        (page(), &["Accept-Encoding", "Accept-Language"][..]),
        (asset(), &["Accept-Encoding"]),
        (photo(10), &[]),
    ] {
        let answer = finish(&get(&[]), draft, &policy, &outage("ko"));
        let vary: Vec<_> = answer.headers().get_all(VARY).iter().collect();
        assert_eq!(vary, expected);
        assert!(!answer.headers().contains_key("content-language"));
    }
}

#[tokio::test]
async fn below_a_capability_no_referrer_leaves() {
    let mut policy = CachePolicy::new(Lifetime::Private, "seoul-1", CacheOutcome::Hit);
    policy.below_capability = true;
    policy.negotiated = false;
    policy.age = Duration::from_millis(2900);
    let answer = finish(&get(&[]), page(), &policy, &calm("ko"));
    assert_eq!(
        answer.headers().get(REFERRER_POLICY).unwrap(),
        "no-referrer"
    );
    assert_eq!(answer.headers().get(AGE).unwrap(), "2");
    assert!(!answer.headers().contains_key("holdfast-release"));
}

#[tokio::test]
async fn a_guests_own_framing_is_not_believed() {
    let mut draft = page();
    for (name, value) in [
        ("content-length", "3"),
        ("etag", "\"x\""),
        ("content-encoding", "br"),
        ("transfer-encoding", "chunked"),
        ("cache-control", "public, max-age=9999"),
    ] {
        draft.headers.insert(name, HeaderValue::from_static(value));
    }
    let answer = got(&get(&[]), draft, Lifetime::Page, &calm("ko")).await;
    assert_eq!(
        answer.field("content-length"),
        Some(&*answer.body.len().to_string())
    );
    assert_ne!(answer.tag(), "\"x\"");
    assert_eq!(answer.field("content-encoding"), None);
    assert_eq!(answer.field("transfer-encoding"), None);
    assert_eq!(
        answer.field("cache-control"),
        Some("public, max-age=0, s-maxage=5")
    );
}

#[tokio::test]
async fn pages_and_text_are_loaded_whole_and_photos_stream() {
    let blob = Arc::new(Memory {
        bytes: b"<body><p data-needs=pay>gift</p>x".to_vec(),
        broken: None,
    });
    let mut draft = Draft::page(StatusCode::OK, "");
    draft.body = DraftBody::Blob(blob);
    let draft = draft.load().await.unwrap();
    let answer = got(&get(&[]), draft, Lifetime::Page, &outage("ko")).await;
    assert!(!answer.body.windows(4).any(|w| w == b"gift"));
    assert!(matches!(
        photo(9).load().await.unwrap().body,
        DraftBody::Blob(_)
    ));
    let mut broken = Draft::page(StatusCode::OK, "");
    broken.body = DraftBody::Blob(Arc::new(Memory {
        bytes: vec![1; 100],
        broken: Some(0),
    }));
    assert!(broken.load().await.is_err());
    let most = usize::try_from(WHOLE_BLOB_BYTES).unwrap();
    for (bytes, whole) in [(most, true), (most + 1, false)] {
        let mut page = Draft::page(StatusCode::OK, "");
        page.body = DraftBody::Blob(Arc::new(Memory {
            bytes: vec![b'x'; bytes],
            broken: None,
        }));
        let body = page.load().await.unwrap().body;
        assert_eq!(matches!(body, DraftBody::Bytes(_)), whole, "{bytes}");
    }
}
