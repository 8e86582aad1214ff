//! What readers send, and pages of the living origin.

use std::hint::black_box;

use bytes::Bytes;
use edge::answer::path::{self, PATH_BYTES};
use edge::answer::{RequestPath, Routes};
use edge::page::rewrite::{self, Charset, Rewriter};
use edge::page::{
    CacheOutcome, CachePolicy, Draft, Lifetime, PageState, Reader, ServiceState, Source, UtcOffset,
    finish, negotiate,
};
use edge::serve::{authority, host_name};
use futures::FutureExt as _;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_RANGE, HOST, HeaderName, IF_NONE_MATCH,
    IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};
use http_body_util::BodyExt as _;

crate::decoders![target, route, host, range, accepted, languages, markup];

/// A site one of whose services is down.
pub(crate) fn outage() -> PageState {
    PageState {
        site_title: "Dasom".to_owned(),
        language: "en".into(),
        services: vec![ServiceState {
            name: "pay".parse().expect("a name"),
            title: "Dasom Pay".to_owned(),
            meanwhile: "Account numbers work.".to_owned(),
            degraded: true,
            mode: "degraded",
            back: None,
            since: None,
        }],
        notices: Vec::new(),
        source: Source::Origin,
        offset: UtcOffset::default(),
    }
}

/// A path and a query, as sent. A path has one spelling.
fn target(bytes: &[u8]) -> bool {
    let text = crate::text(bytes);
    let (sent, query) = match text.split_once('?') {
        Some((sent, query)) => (sent, Some(query)),
        None => (text.as_str(), None),
    };
    black_box(path::declared_query(
        query,
        &["page".to_owned(), "q".to_owned()],
    ));
    assert_eq!(path::decode(&path::encode(&text)).as_ref(), Some(&text));
    let Ok(read) = RequestPath::parse(sent) else {
        return false;
    };
    assert!(sent.len() <= PATH_BYTES);
    let again = RequestPath::parse(read.as_str());
    assert!(
        again == Ok(read.clone()) || read.as_str().len() > PATH_BYTES,
        "two spellings"
    );
    let mut segments = read.as_str().split('/');
    assert!(segments.all(|segment| segment != ".." && segment != "."));
    assert!(!read.as_str().contains("%00") && read.as_str().is_ascii());
    true
}

/// A route's template, as a manifest states it, and a path that may take it, a line each.
fn route(bytes: &[u8]) -> bool {
    let text = crate::text(bytes);
    let Some((template, sent)) = text.split_once('\n') else {
        return false;
    };
    let mut town = crate::formats::town();
    for route in &mut town.routes {
        route.path = template.to_owned();
        route.capability = template.contains("{cap}").then(|| "cap".to_owned());
    }
    town.routes.truncate(1);
    let (Ok(routes), Ok(path)) = (Routes::new(&town), RequestPath::parse(sent)) else {
        return false;
    };
    black_box(routes.template(&text));
    let Some(found) = routes.find(&path) else {
        return false;
    };
    assert!(found.path.is_ascii() && found.path.starts_with('/'));
    assert!(found.params.iter().all(|(name, _)| name != "cap"));
    assert_eq!(found.capability.is_some(), template.contains("{cap}"));
    true
}

/// The target's authority and a `Host` field, a line each.
fn host(bytes: &[u8]) -> bool {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (uri, field) = (lines.next().unwrap_or_default(), lines.next());
    let Ok(uri) = Uri::try_from(uri) else {
        return false;
    };
    let field = field.and_then(|field| HeaderValue::from_bytes(field).ok());
    let headers: HeaderMap = field.into_iter().map(|field| (HOST, field)).collect();
    let found = [Version::HTTP_11, Version::HTTP_2].map(|version| {
        let found = authority(version, &uri, &headers).ok()?;
        let name = host_name(&found);
        assert!(!name.contains('@') && !name.bytes().any(|b| b.is_ascii_uppercase()));
        Some(name)
    });
    found.iter().any(Option::is_some)
}

const CONTENT: &[u8] = &[b'x'; 1000];

/// What is answered to a GET of plain bytes with that field.
fn answered(fields: &[(HeaderName, &[u8])]) -> Option<(StatusCode, HeaderMap, Bytes)> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(name, HeaderValue::from_bytes(value).ok()?);
    }
    let reader = Reader::new(&Method::GET, &headers);
    let draft = Draft::new(StatusCode::OK, "image/png", CONTENT);
    let policy = CachePolicy::new(Lifetime::default(), "seoul-1", CacheOutcome::Hit);
    let (head, body) = finish(&reader, draft, &policy, &outage()).into_parts();
    let body = body.collect().now_or_never().expect("it is in memory");
    let body = body.expect("it is in memory").to_bytes();
    Some((head.status, head.headers, body))
}

/// A `Range` field.
fn range(bytes: &[u8]) -> bool {
    let Some((status, headers, body)) = answered(&[(RANGE, bytes)]) else {
        return false;
    };
    let stated = headers.get(CONTENT_RANGE).map(|field| field.as_bytes());
    match status {
        StatusCode::OK => assert!(stated.is_none() && body == CONTENT),
        StatusCode::RANGE_NOT_SATISFIABLE => assert_eq!(stated, Some(&b"bytes */1000"[..])),
        status => {
            assert_eq!(status, StatusCode::PARTIAL_CONTENT);
            let stated = crate::text(stated.expect("a part says which"));
            let part = stated
                .strip_prefix("bytes ")
                .and_then(|part| part.strip_suffix("/1000"));
            let ends = part
                .and_then(|part| part.split_once('-'))
                .expect("two ends");
            let first: usize = ends.0.parse().expect("a number");
            let last: usize = ends.1.parse().expect("a number");
            assert!(last < CONTENT.len() && body.len() == last + 1 - first);
        }
    }
    true
}

/// The other fields that shape an answer, each with the same value.
fn accepted(bytes: &[u8]) -> bool {
    let fields = [
        ACCEPT,
        ACCEPT_ENCODING,
        ACCEPT_LANGUAGE,
        IF_NONE_MATCH,
        IF_RANGE,
    ];
    let answered = answered(&fields.map(|name| (name, bytes)));
    answered.is_some_and(|(status, ..)| {
        assert!([StatusCode::OK, StatusCode::NOT_MODIFIED].contains(&status));
        true
    })
}

/// An `Accept-Language` field.
fn languages(bytes: &[u8]) -> bool {
    let site = ["ko".into(), "en".into(), "zh-hant".into()];
    let chosen = negotiate(&crate::text(bytes), &site);
    assert!(site.iter().any(|language| language == chosen));
    true
}

/// A page of the origin, whole and in two pieces.
fn markup(bytes: &[u8]) -> bool {
    let state = outage();
    let page = Bytes::copy_from_slice(bytes);
    black_box(rewrite::whole(page, &state, Charset::Utf8));
    for charset in [Charset::Utf8, Charset::AsciiCompatible] {
        let mut rewriter = Rewriter::new(&state, charset);
        let (one, other) = bytes.split_at(bytes.len() / 2);
        for piece in [one, other] {
            black_box(rewriter.write(piece));
        }
        black_box(rewriter.finish());
    }
    true
}

mod valid {
    //! What browsers send, and a page with everything the rewriter looks at.

    pub(super) fn target() -> Vec<Vec<u8>> {
        crate::texts([
            "/",
            "/i/a%20b/%EA%B0%80/gift?page=2&q=a+b&x",
            "/f/~a_b-c.html",
        ])
    }

    pub(super) fn route() -> Vec<Vec<u8>> {
        crate::texts([
            "/i/{id}/{cap}/gift\n/i/%EA%B0%80/k7Qp-2mXv-9sLd/gift",
            "/가/{*path}\n/%EA%B0%80/a/b",
            "/\n/",
        ])
    }

    pub(super) fn host() -> Vec<Vec<u8>> {
        crate::texts([
            "http://Dasom.example:8080/\ndasom.example:8080",
            "/\n[::1]:8080",
        ])
    }

    pub(super) fn range() -> Vec<Vec<u8>> {
        crate::texts(["bytes=0-99", "bytes=-5", "bytes=990-", "bytes=0-1,5-6"])
    }

    pub(super) fn accepted() -> Vec<Vec<u8>> {
        crate::texts([
            "text/html;q=0.8, application/problem+json, */*;q=0.1",
            "gzip;q=1.0, zstd, identity;q=0",
            "\"abc\", W/\"def\", *",
        ])
    }

    pub(super) fn languages() -> Vec<Vec<u8>> {
        crate::texts(["ko-KR,ko;q=0.9,en;q=0.8", "zh-Hant-TW, *;q=0.5", ""])
    }

    pub(super) fn markup() -> Vec<Vec<u8>> {
        crate::texts([
            "<!doctype html><html><head><title>x</title><style>a{}</style></head><body class=x>\
             <!-- c --><a data-needs=\"pay\" href=/gift>gift</a><div data-without='pay'>numbers\
             <p>one<li data-needs=pay>two</div><script>if(a<b){}</script><svg><a/></svg></body>",
            "<p data-needs=\"pay talk\">no body",
        ])
    }
}
