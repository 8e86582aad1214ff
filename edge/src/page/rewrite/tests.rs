//! Pages in, pages out, judged as a browser would read them: parsed, never compared as text.

use scraper::{Html, Selector};

use super::*;
use crate::page::reserved::sheet_path;
use crate::page::state::Freshness;
use crate::page::state::samples::{calm, notice, outage};

/// Rewrites whole and in pieces of several sizes, which must come out the same.
fn rewritten(page: &str, state: &PageState) -> String {
    let once = whole(
        Bytes::copy_from_slice(page.as_bytes()),
        state,
        Charset::Utf8,
    );
    for size in [1, 7, 1024] {
        let mut rewriter = Rewriter::new(state, Charset::Utf8);
        let mut out = Vec::new();
        for piece in page.as_bytes().chunks(size) {
            out.extend(rewriter.write(piece));
        }
        out.extend(rewriter.finish());
        assert!(
            out == once,
            "pieces of {size}: {}",
            String::from_utf8_lossy(&out)
        );
    }
    String::from_utf8(once.to_vec()).unwrap()
}

/// The text that `selector` finds, spaces folded.
fn text(page: &str, selector: &str) -> String {
    let parsed = Html::parse_document(page);
    let words: Vec<String> = parsed
        .select(&Selector::parse(selector).unwrap())
        .flat_map(|element| element.text().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    words
        .join(" ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn count(page: &str, selector: &str) -> usize {
    let parsed = Html::parse_document(page);
    parsed.select(&Selector::parse(selector).unwrap()).count()
}

/// The body's text without the banner.
fn rest(page: &str, state: &PageState) -> String {
    let banner = banner::banner(state);
    if banner.is_empty() {
        return text(page, "body");
    }
    assert_eq!(page.matches(&banner).count(), 1);
    text(&page.replace(&banner, ""), "body")
}

const PAGE: &str = "<!doctype html><html lang=ko><head><title>t</title></head>\
     <body class=a><h1>Invitation</h1><a data-needs=pay href=/gift>gift</a>\
     <section data-without=\"pay club\">account</section></body></html>";

#[test]
fn the_dead_button_becomes_the_account() {
    let state = outage("ko");
    let page = rewritten(PAGE, &state);
    assert_eq!(rest(&page, &state), "Invitation account");
    let state = calm("ko");
    let page = rewritten(PAGE, &state);
    assert_eq!(rest(&page, &state), "Invitation gift");
    assert_eq!(count(&page, ".holdfast-banner"), 0);
}

#[test]
fn the_banner_speaks_the_readers_language() {
    for (language, says) in [
        (
            "ko",
            [
                "일부 서비스가 멈춰 있습니다",
                "11월 22일 14:05(KST) 기준",
                "11월 22일 13:20(KST)부터",
            ],
        ),
        (
            "en",
            [
                "Some services are down",
                "as of 14:05 KST, 22 Nov",
                "since 13:20 KST, 22 Nov",
            ],
        ),
        (
            "ja",
            [
                "Some services are down",
                "as of 14:05 KST",
                "since 13:20 KST",
            ],
        ),
    ] {
        let page = rewritten(PAGE, &outage(language));
        let banner = text(&page, "body > .holdfast-banner[role=status]");
        for words in says.iter().chain(&["Dasom pay", "Meanwhile for pay"]) {
            assert!(banner.contains(words), "{words} in {banner}");
        }
        assert!(!banner.contains("club"));
        let lang = if language == "ko" { "ko" } else { "en" };
        assert_eq!(count(&page, &format!(".holdfast-banner[lang={lang}]")), 1);
        assert_eq!(
            count(&page, &format!(".holdfast-banner b[lang={language}]")),
            1
        );
        assert_eq!(count(&page, &format!("link[href=\"{}\"]", sheet_path())), 1);
        assert_eq!(count(&page, "script"), 0);
    }
}

#[test]
fn the_banner_comes_first_in_the_body() {
    for page in [
        "<body><p>x</p></body>",
        "<html><head><meta charset=utf-8><script>\"<p>\"</script></head><BODY onload=a><p>x</p>",
        "<!doctype html><title>t</title><link rel=x><p>x</p>",
        "<head><noscript><p>no</p></noscript><template><p>no</p></template></head><p>x</p>",
        "<p>x</p>",
        "<!-- <body> --><p>x</p>",
    ] {
        let out = rewritten(page, &outage("en"));
        let parsed = Html::parse_document(&out);
        let first = parsed
            .select(&Selector::parse("body > *").unwrap())
            .find(|element| !matches!(element.value().name(), "noscript" | "template" | "link"))
            .unwrap();
        assert_eq!(
            first.value().attr("class"),
            Some("holdfast-banner"),
            "{out}"
        );
        assert_eq!(text(&out, "body > p"), "x");
    }
}

#[test]
fn a_page_without_an_element_gets_its_banner_last() {
    for page in ["just words", "", "<!-- nothing -->"] {
        let out = rewritten(page, &outage("en"));
        assert!(out.starts_with(page));
        assert_eq!(count(&out, ".holdfast-banner"), 1, "{out}");
    }
    let frames = "<html><frameset><frame src=a></frameset></html>";
    assert_eq!(rewritten(frames, &outage("en")), frames);
}

#[test]
fn only_the_marked_element_goes_where_end_tags_are_left_out() {
    for (page, left) in [
        ("<ul><li>a<li data-needs=pay>gift<li>b</ul><p>c", "a b c"),
        (
            "<ul><li data-needs=pay>gift<ul><li>in<li>in</ul>gift<li>b</ul>c",
            "b c",
        ),
        ("<ul><li data-needs=pay>gift</ul>c", "c"),
        ("<ul><li data-needs=pay>gift<div>deep<li>b</ul>c", "b c"),
        ("<p data-needs=pay>gift<p>b<p>c", "b c"),
        ("<p data-needs=pay>gift <b>bold</b><div>b</div>c", "b c"),
        ("<div><p data-needs=pay>gift</div>c", "c"),
        (
            "<table><tr data-needs=pay><td>gift<tr><td>b</table>c",
            "b c",
        ),
        (
            "<table><tr><td data-needs=pay>gift<table><tr><td>in</table>gift<td>b</table>c",
            "b c",
        ),
        (
            "<table><tbody data-needs=pay><tr><td>gift<tbody><tr><td>b</table>c",
            "b c",
        ),
        (
            "<dl><dt data-needs=pay>gift<dd data-needs=pay>gift<dl><dt>in</dl><dt>b<dd>c</dl>d",
            "b c d",
        ),
        (
            "<select><option data-needs=pay>gift<option>b</select>c",
            "b c",
        ),
        ("<div data-needs=pay>gift<div>gift</div></div>b", "b"),
        ("<main><div data-needs=pay>gift</main>b", "b"),
        (
            "<form method=post data-needs=pay><p>gift<input><button>pay</button></form>b",
            "b",
        ),
        (
            "<p>a<img data-needs=pay alt=gift>b<br data-needs=pay>c",
            "abc",
        ),
        (
            "a<svg><path data-needs=pay /><text data-needs=pay>gift</text></svg>b",
            "a b",
        ),
        (
            "<div data-needs=pay><script>'</div>'</script>gift<!-- </div> --></div>b",
            "b",
        ),
        ("<div data-needs=pay>gift", ""),
        ("<p data-needs=pay>gift</p><p data-needs=pay>gift</p>b", "b"),
        (
            "<div data-needs=pay>gift<i data-needs=pay>gift</i>gift</div>b",
            "b",
        ),
    ] {
        let state = outage("en");
        let out = rewritten(&format!("<body>{page}</body>"), &state);
        assert_eq!(rest(&out, &state), left, "{page}\n{out}");
        assert_eq!(count(&out, "[data-needs]"), 0, "{out}");
    }
}

#[test]
fn marks_on_the_page_itself_do_not_remove_it() {
    for page in [
        "<html data-needs=pay><head><title>t</title><body>x</body></html>",
        "<body data-needs=pay>x</body>",
    ] {
        let state = outage("en");
        assert_eq!(rest(&rewritten(page, &state), &state), "x");
    }
}

#[test]
fn what_ops_and_publishers_wrote_stays_text() {
    let mut state = outage("en");
    let hostile = "</span></div><script>alert(1)</script><img src=x onerror=alert(1)>&\"'";
    state.notices.push(notice(3, hostile));
    state.notices[0].language = "\"><script>".to_owned();
    state.services[0].title = hostile.to_owned();
    state.services[0].meanwhile = hostile.to_owned();
    state.language = "en\"><script>".to_owned();
    state.offset.name = "<script>".into();
    let page = rewritten(PAGE, &state);
    assert_eq!(count(&page, "script, img"), 0, "{page}");
    let banner = text(&page, ".holdfast-banner");
    assert_eq!(banner.matches(hostile).count(), 3, "{banner}");
    assert_eq!(text(&page, "h1"), "Invitation");
}

#[test]
fn notices_stand_newest_first_with_their_time() {
    let mut state = calm("ko");
    for minute in [5, 9, 1, 7] {
        state
            .notices
            .push(notice(minute, &format!("소식 {minute}")));
    }
    let page = rewritten(PAGE, &state);
    assert_eq!(text(&page, ".hf-title"), "알림");
    let all = text(&page, ".hf-notices li");
    let order = [
        "14:09 소식 9",
        "14:07 소식 7",
        "14:05 소식 5",
        "14:01 소식 1",
    ];
    let places: Vec<_> = order.iter().map(|line| all.find(line).unwrap()).collect();
    assert!(places.is_sorted(), "{all}");
    assert_eq!(count(&page, "details .hf-notices li"), 2);
    assert_eq!(
        count(&page, ".hf-notices time[datetime=\"2026-11-22T05:09:00Z\"]"),
        1
    );
    // Nothing is down: the gift stays.
    assert_eq!(text(&page, "a"), "gift");
}

#[test]
fn a_page_prints_a_bounded_number_of_notices() {
    let mut state = calm("ko");
    state.notices = (0..60).map(|minute| notice(minute, "x")).collect();
    let page = rewritten(PAGE, &state);
    assert_eq!(count(&page, ".hf-notices li"), crate::page::NOTICES);
}

#[test]
fn an_old_copy_says_so_though_nothing_is_down() {
    let mut state = outage("en");
    state.services[0].degraded = false;
    if let Source::Snapshot { freshness, .. } = &mut state.source {
        *freshness = Freshness::Stale;
    }
    let page = rewritten(PAGE, &state);
    assert_eq!(text(&page, ".hf-title"), "You are reading a saved copy");
    assert!(text(&page, ".hf-age").contains("What changed after that is not shown"));
}

#[test]
fn in_calm_an_unmarked_page_is_not_touched() {
    let page = Bytes::from_static(b"<p>x");
    let out = whole(page.clone(), &calm("ko"), Charset::Utf8);
    assert_eq!(out.as_ptr(), page.as_ptr());
}

#[test]
fn a_tag_beyond_the_memory_limit_costs_the_banners_place_but_no_byte() {
    let long = "y".repeat(3 << 20);
    for page in [
        format!("<html><head><meta content=\"{long}\"></head><body><p>x</p></body>"),
        format!("<body><p>x</p><p title=\"{long}\" data-needs=pay>gift</p><p>z</p></body>"),
        format!("<body><p>x</p><p title=\"{long}"),
    ] {
        let state = outage("en");
        let mut rewriter = Rewriter::new(&state, Charset::Utf8);
        let mut out = Vec::new();
        for piece in page.as_bytes().chunks(16 * 1024) {
            out.extend(rewriter.write(piece));
        }
        out.extend(rewriter.finish());
        let out = String::from_utf8(out).unwrap();
        let banner = banner::banner(&state);
        assert_eq!(out.matches(&banner).count(), 1);
        assert!(out.replace(&banner, "") == page);
    }
}

#[test]
fn elements_nested_beyond_the_memory_limit_do_not_cut_the_page() {
    let page = format!("<body>{}end", "<b>".repeat(200_000));
    let out = whole(page.clone().into(), &outage("en"), Charset::Utf8);
    assert!(out.ends_with(b"end"));
    assert!(out.len() > page.len());
}

#[test]
fn mark_up_that_cannot_be_read_surely_does_not_cut_the_page() {
    let page = "<body><select><xmp><script>\"use strict\";</script></select><p>end";
    let state = outage("en");
    let out = rewritten(page, &state);
    assert_eq!(out.replace(&banner::banner(&state), ""), page);
}

#[test]
fn bytes_of_another_encoding_pass_unchanged() {
    // "가" in EUC-KR, and a byte that is no UTF-8 in an attribute and a comment.
    let page = b"<body title=\xb0\xa1><!-- \xff --><p>\xb0\xa1</p><b data-needs=pay>\xb0\xa1</b>";
    let state = outage("ko");
    let out = whole(Bytes::from_static(page), &state, Charset::AsciiCompatible);
    let inserted = ascii(&banner::banner(&state));
    assert!(inserted.is_ascii());
    let expected = [
        &b"<body title=\xb0\xa1>"[..],
        inserted.as_bytes(),
        b"<!-- \xff --><p>\xb0\xa1</p>",
    ]
    .concat();
    assert!(out == expected, "{}", out.escape_ascii());
    let shown = String::from_utf8_lossy(&out);
    assert!(text(&shown, ".hf-title").contains("일부 서비스"));
}

#[test]
fn copies_with_copy_buttons_get_their_script_once() {
    let page =
        "<body><p>x<button data-copy=1 hidden>a</button><button data-copy=2 hidden>b</button>";
    let out = rewritten(page, &outage("ko"));
    let script = format!("script[defer][src=\"{}\"]", script_path());
    assert_eq!(count(&out, &script), 1);
    assert_eq!(count(&rewritten(PAGE, &outage("ko")), "script"), 0);
    let removed = "<body><div data-needs=pay><button data-copy=1>a</button></div>";
    assert_eq!(count(&rewritten(removed, &outage("ko")), "script"), 0);
    let mut living = outage("ko");
    living.source = Source::Origin;
    assert_eq!(count(&rewritten(page, &living), "script"), 0);
}

#[test]
fn the_rewrite_state_follows_what_pages_show() {
    let tag = origin::state_tag(&outage("ko"));
    assert_eq!(tag, origin::state_tag(&outage("ko")));
    let mut other = outage("ko");
    other.services[1].degraded = true;
    for other in [other, outage("en"), calm("ko")] {
        assert_ne!(tag, origin::state_tag(&other));
    }
}

#[test]
fn many_marks_on_a_large_page_stay_cheap() {
    let page = format!(
        "<body>{}end",
        "<p data-needs=pay>gift</p><i>x</i>".repeat(60_000)
    );
    let state = outage("en");
    let out = String::from_utf8(whole(page.into(), &state, Charset::Utf8).to_vec()).unwrap();
    assert!(out.ends_with("<i>x</i>end") && !out.contains("gift"));
}

#[test]
fn an_unmarked_page_is_whole_wherever_its_banner_goes() {
    for before in [0, 4000, 4090, 4096, 9000] {
        let page = format!(
            "<!--{}--><body><p>x</p>{}",
            "y".repeat(before),
            "z".repeat(20_000)
        );
        let state = outage("en");
        let banner = banner::banner(&state);
        let expected = page.replace("<body>", &format!("<body>{banner}"));
        assert_eq!(rewritten(&page, &state), expected);
    }
}
