//! What each kind says, to people and to programs.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, Method};
use scraper::{Html, Selector};

use super::*;
use crate::page::draft::DraftBody;
use crate::page::state::samples::{calm, notice, outage};

fn body(draft: &Draft) -> String {
    match &draft.body {
        DraftBody::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        DraftBody::Blob(_) => panic!("an emergency page never needs the disk"),
    }
}

fn program() -> Reader {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    Reader::new(&Method::POST, &headers)
}

fn text(page: &str, selector: &str) -> String {
    let parsed = Html::parse_document(page);
    let selector = Selector::parse(selector).unwrap();
    let found = parsed.select(&selector);
    found.flat_map(|e| e.text().collect::<Vec<_>>()).collect()
}

#[test]
fn every_kind_makes_a_small_page_that_needs_nothing_else() {
    for kind in Kind::ALL {
        for language in ["ko", "en"] {
            let draft = emergency(
                kind,
                &Reader::default(),
                &outage(language),
                Some("/notice/"),
            );
            assert_eq!(draft.status, kind.status());
            assert!(!draft.html, "it says what a banner would say");
            let page = body(&draft);
            assert!(page.len() < 6_000, "{kind:?}: {}", page.len());
            for outside in ["<link", "<script", "src=", "url(", "@import"] {
                assert!(!page.contains(outside), "{kind:?}: {outside}");
            }
            assert!(!text(&page, "h1").is_empty());
            assert_eq!(text(&page, "h1"), text(&page, "title"));
            assert!(page.contains(&format!("<html lang=\"{language}\">")));
        }
    }
}

#[test]
fn only_what_may_be_repeated_is_invited_back() {
    for (kind, status, invited) in [
        (Kind::Unavailable, 503, true),
        (Kind::NotInOurCopy, 503, true),
        (Kind::NotFound, 404, false),
        (Kind::WriteRefused, 503, true),
        (Kind::WriteUnknown, 502, false),
        (Kind::ComponentFailed, 503, true),
        (Kind::BadGateway, 502, false),
        (Kind::GatewayTimeout, 504, true),
        (Kind::TooOld, 503, true),
        (Kind::Overloaded, 503, true),
        (Kind::Misdirected, 421, false),
        (Kind::HeadersTooLarge, 431, false),
    ] {
        let draft = emergency(kind, &Reader::default(), &outage("ko"), None);
        assert_eq!(draft.status.as_u16(), status, "{kind:?}");
        assert_eq!(draft.headers.contains_key(RETRY_AFTER), invited, "{kind:?}");
    }
}

#[test]
fn a_refused_write_says_what_to_do_instead() {
    let page = body(&emergency(
        Kind::WriteRefused,
        &Reader::default(),
        &outage("en"),
        None,
    ));
    assert_eq!(text(&page, "h1"), "Nothing was saved");
    assert!(text(&page, "main").contains("Meanwhile for pay"));

    let draft = emergency(Kind::WriteRefused, &program(), &outage("en"), None);
    assert_eq!(
        draft.headers.get(CONTENT_TYPE).unwrap(),
        "application/problem+json"
    );
    let problem: serde_json::Value = serde_json::from_str(&body(&draft)).unwrap();
    assert_eq!(problem["type"], "urn:holdfast:problem:write-refused");
    assert_eq!(problem["status"], 503);
    assert_eq!(problem["title"], "Nothing was saved");
    assert_eq!(problem["services"][0]["meanwhile"], "Meanwhile for pay");
    assert_eq!(problem["services"][0]["since"], "2026-11-22T04:20:00Z");
    assert_eq!(problem["as_of"], "2026-11-22T05:05:00Z");
}

#[test]
fn a_reference_is_shown_with_its_time_to_people_and_programs() {
    let receipt = Receipt {
        reference: "BDFG-HJKL".to_owned(),
        at: Timestamp(1_795_323_959_000),
    };
    let (kind, receipt) = (Kind::WriteRefused, Some(&receipt));
    for (language, words) in [
        (
            "ko",
            "이 번호를 알려 주세요: BDFG-HJKL 11월 22일 14:05(KST)",
        ),
        ("en", "tell us: BDFG-HJKL 14:05 KST, 22 Nov"),
    ] {
        let draft = with_receipt(kind, &Reader::default(), &outage(language), None, receipt);
        let shown = text(&body(&draft), ".receipt");
        assert!(shown.contains(words), "{shown}");
    }
    let draft = with_receipt(kind, &program(), &outage("en"), None, receipt);
    let problem: serde_json::Value = serde_json::from_str(&body(&draft)).unwrap();
    assert_eq!(problem["reference"], "BDFG-HJKL");
    assert_eq!(problem["at"], "2026-11-22T05:05:59Z");
}

#[test]
fn absence_from_the_copy_names_the_copys_time() {
    for (language, words) in [
        ("ko", "11월 22일 14:05(KST)"),
        ("en", "as of 14:05 KST, 22 Nov"),
    ] {
        let page = body(&emergency(
            Kind::NotInOurCopy,
            &Reader::default(),
            &outage(language),
            None,
        ));
        assert!(text(&page, ".age").contains(words), "{page}");
    }
}

#[test]
fn a_mistaken_request_is_not_told_of_the_sites_troubles() {
    let page = body(&emergency(
        Kind::BadRequest,
        &Reader::default(),
        &outage("en"),
        Some("/n/"),
    ));
    assert!(!page.contains("Dasom pay") && !page.contains("/n/"));
}

#[test]
fn the_notice_page_is_linked_and_everything_is_escaped() {
    let mut state = calm("en");
    state.site_title = "<script>a</script>".to_owned();
    state.notices.push(notice(1, "</main><script>b</script>"));
    let path = "/n/\"><script>c</script>";
    let page = body(&emergency(
        Kind::ComponentFailed,
        &Reader::default(),
        &state,
        Some(path),
    ));
    let parsed = Html::parse_document(&page);
    assert_eq!(
        parsed.select(&Selector::parse("script").unwrap()).count(),
        0
    );
    let link = parsed
        .select(&Selector::parse(".links a").unwrap())
        .next()
        .unwrap();
    assert_eq!(link.value().attr("href"), Some(path));
    assert_eq!(text(&page, ".site"), "<script>a</script>");
    assert!(text(&page, ".hf-notices").contains("</main><script>b</script>"));
}
