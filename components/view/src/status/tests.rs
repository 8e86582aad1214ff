//! The page, the document and the feed, of a site in trouble and of one that is well.

use kit::{Context, PAGE_BYTES};
use serde_json::Value;

use super::status;
use crate::{Records, Step, Templates, render};

const SERVICES: &str = r#"[
{"name":"pay","title":"다솜페이","meanwhile":"현금을 쓰세요.","state":"degraded","mode":"degraded","since":"2026-11-22T04:20:00Z",
 "titles":[["ko","다솜페이"],["en","Dasom Pay"]],"meanwhiles":[["ko","현금을 쓰세요."],["en","Use cash."]]},
{"name":"talk","title":"다솜톡","meanwhile":"","state":"normal","mode":"normal","back":"2026-11-22T12:05:00Z",
 "titles":[["ko","다솜톡"],["en","Dasom Talk"]],"meanwhiles":[]},
{"name":"map","title":"다솜지도","meanwhile":"","state":"normal","mode":"normal",
 "titles":[["ko","다솜지도"],["en","Dasom Maps"]],"meanwhiles":[]}]"#;
const NOTICES: &str = r#"[
{"scope":"service:pay","at":"2026-11-22T08:30:00Z","language":"ko","text":"<b>곧</b> & 'x'",
 "texts":[["ko","<b>곧</b> & 'x'"],["en","soon ]]> <script>"]]},
{"scope":"site","at":"2026-11-22T04:30:00Z","language":"en","text":"only English","texts":[["en","only English"]]}]"#;

fn context(language: &str, services: &str, notices: &str) -> Context {
    let escaped = |json: &str| json.replace('%', "%25").replace('\n', "");
    let (services, notices) = (escaped(services), escaped(notices));
    let headers = [
        ("holdfast-site", "dasom"),
        ("holdfast-route", "/status.html"),
        ("holdfast-language", language),
        ("holdfast-languages", "ko,en"),
        ("holdfast-as-of", "2026-11-22T05:05:00Z"),
        ("holdfast-now", "2026-11-22T05:08:00Z"),
        ("holdfast-release", "12"),
        ("holdfast-title", r#"[["ko","다솜"],["en","Dasom"]]"#),
        ("holdfast-services", &services),
        ("holdfast-notices", &notices),
    ];
    Context::read("/status.html", headers).unwrap()
}

fn page_of(context: &Context, own: Option<&str>) -> String {
    let templates = Templates::new();
    loop {
        match render(
            context,
            "status.html",
            &Records::List(Vec::new()),
            &templates,
        ) {
            Step::Done(answer) => {
                assert_eq!(answer.status, 200, "{}", answer.body);
                return answer.body;
            }
            Step::Needs(wanted) => {
                for name in wanted {
                    let own = own.filter(|_| name == "status.html");
                    templates.insert(&name, own.map(str::to_owned));
                }
            }
        }
    }
}

fn page(language: &str, services: &str, notices: &str) -> String {
    page_of(&context(language, services, notices), None)
}

#[test]
fn people_see_what_is_down_and_what_is_back_first() {
    let english = page("en", SERVICES, NOTICES);
    for part in [
        "<html lang=\"en\">",
        "<title>Dasom: service status</title>",
        "Some services are down",
        "since Sun 22 November 2026, 1:20 pm KST",
        "since Sun 22 November 2026, 9:05 pm KST",
        "<p class=\"words\" lang=\"en\">only English</p>",
        "As of 2026-11-22 14:05 Seoul time",
    ] {
        assert!(english.contains(part), "{part}\n{english}");
    }
    let korean = page("ko", SERVICES, NOTICES);
    let at = |part: &str| {
        korean
            .find(part)
            .unwrap_or_else(|| panic!("{part}\n{korean}"))
    };
    let rows = [
        "class=\"degraded\"><span",
        "class=\"back\"",
        "class=\"normal\"><span",
    ];
    assert!(rows.map(at).is_sorted(), "{korean}");
    at("일부 서비스가 멈춰 있습니다");
    at("<p>현금을 쓰세요.</p>");
    at("2026년 11월 22일 (일) 오후 9:05부터");
    // What is not in the reader's language says which it is in; the rest unfolds.
    at("<p class=\"words\" lang=\"en\">only English</p>");
    at("<summary lang=\"en\">English</summary>");
    for page in [&english, &korean] {
        assert!(
            !page.contains("<script") && !page.contains("<b>곧"),
            "{page}"
        );
        assert!(page.len() < PAGE_BYTES, "{} bytes", page.len());
    }
}

#[test]
fn calm_is_told_in_a_line() {
    let calm = SERVICES.replace("\"mode\":\"degraded\"", "\"mode\":\"normal\"");
    let page = page(
        "en",
        &calm.replace("\"back\":\"2026-11-22T12:05:00Z\"", "\"back\":null"),
        "[]",
    );
    assert!(
        page.contains("<h1 class=\"normal\">All services are working</h1>"),
        "{page}"
    );
    assert!(!page.contains("Notices"), "{page}");
}

#[test]
fn a_site_may_make_the_page_its_own() {
    let own = "{% extends \"status\" %}{% block title %}Ours{% endblock %}";
    let page = page_of(&context("en", SERVICES, "[]"), Some(own));
    assert!(
        page.contains("<title>Ours</title>") && page.contains("Some services"),
        "{page}"
    );
}

#[test]
fn the_document_tells_programs_everything() {
    let answer = status("status.json", &context("en", SERVICES, NOTICES)).unwrap();
    assert_eq!(answer.content_type, "application/json");
    let json: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(json["mode"], "degraded");
    assert_eq!(json["age_s"], 180);
    assert_eq!(json["title"]["en"], "Dasom");
    assert_eq!(json["services"][0]["since"], "2026-11-22T04:20:00Z");
    assert_eq!(json["services"][1]["back_since"], "2026-11-22T12:05:00Z");
    assert_eq!(json["services"][2]["since"], Value::Null);
    assert_eq!(json["notices"][0]["service"], "pay");
    assert_eq!(json["notices"][0]["text"]["en"], "soon ]]> <script>");
    assert_eq!(json["notices"][1]["service"], Value::Null);
    // The same for every reader.
    let korean = status("status.json", &context("ko", SERVICES, NOTICES)).unwrap();
    assert_eq!(answer.body, korean.body);
}

/// What stands in each of these elements.
fn each<'x>(xml: &'x str, element: &str) -> Vec<&'x str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let parts = xml.split(open.as_str()).skip(1);
    parts
        .map(|part| part.split(close.as_str()).next().unwrap())
        .collect()
}

#[test]
fn the_feed_has_an_entry_for_each_notice_and_each_change() {
    let answer = status("status.atom", &context("en", SERVICES, NOTICES)).unwrap();
    assert!(answer.content_type.starts_with("application/atom+xml"));
    let feed = &answer.body;
    let titles = each(feed, "title");
    assert_eq!(
        titles,
        [
            "다솜: 서비스 상태",
            "다솜톡: 다시 됩니다",
            "다솜페이: &lt;b&gt;곧&lt;/b&gt; &amp; &#39;x&#39;",
            "only English",
            "다솜페이: 멈췄습니다",
        ]
    );
    assert_eq!(each(feed, "updated")[0], "2026-11-22T12:05:00Z");
    let ids = each(feed, "id");
    assert!(
        ids.iter()
            .all(|id| id.starts_with("urn:uuid:") && id.len() == 45),
        "{ids:?}"
    );
    let mut distinct = ids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), ids.len());
    assert!(feed.contains("<p lang=\"en\" xml:lang=\"en\">soon ]]&gt; &lt;script&gt;</p>"));
    assert!(feed.contains("Dasom Pay: down since Sun 22 November 2026, 1:20 pm KST. Use cash."));
    // An entry keeps its name while others come and go, and whoever reads.
    let fewer = status("status.atom", &context("ko", "[]", NOTICES)).unwrap();
    for id in each(&fewer.body, "id") {
        assert!(ids.contains(&id), "{id}");
    }
}

#[test]
fn a_notice_said_twice_is_one_entry_and_a_long_one_has_a_short_title() {
    let words = "가".repeat(400);
    let one = format!(
        r#"{{"scope":"site","at":"2026-11-22T08:30:00Z","language":"ko","text":"{words}","texts":[["ko","{words}"]]}}"#
    );
    let feed = status(
        "status.atom",
        &context("ko", "[]", &format!("[{one},{one}]")),
    )
    .unwrap();
    let titles = each(&feed.body, "title");
    assert_eq!(titles.len(), 2);
    assert_eq!(titles[1], format!("{}…", "가".repeat(79)));
}
