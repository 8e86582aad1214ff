//! The whole answers, over rows as the example publishes them.

use kit::{Context, PAGE_BYTES};

use super::answer;

const ROW: &str = r#"{"address_en":"21 Handeul-ro, Saemi","address_ko":"새미시 한들로 21","bride_en":"Sua Lim","bride_ko":"임수아","bride_parents_en":"Jungho Lim and Misook Oh","bride_parents_ko":"임정호 · 오미숙","date":"2026-12-05","directions_en":"Take line 2 to Handeul, leave by exit 4; walk 200 metres.","directions_ko":"지하철 2호선 한들역 4번 출구로 나와 왼쪽으로 200미터 걸으면 흰색 건물이 보입니다. 주차는 지하 2층, 두 시간 무료입니다.","family_phone":"010-2345-6789","groom_en":"Doyun Kim","groom_ko":"김도윤","groom_parents_en":"Youngsoo Kim and Kyunghee Park","groom_parents_ko":"김영수 · 박경희","hall_en":"Grand Ballroom, 3rd floor","hall_ko":"3층 그랜드볼룸","id":"k3v9q2m7x4ab","message_en":"We have chosen to be each other's seasons.","message_ko":"서로의 계절이 되어 주기로 했습니다. 귀한 걸음으로 축복해 주시면 더없는 기쁨으로 간직하겠습니다.","phone":"02-1234-5678","photos":"day-01.jpg,day-07.jpg,day-11.jpg","time":"13:30","venue_en":"Handeul Wedding Hall","venue_ko":"한들웨딩홀"}"#;

fn context(path: &str, route: &str, language: &str) -> Context {
    Context::read(
        path,
        [
            ("holdfast-site", "dasom"),
            ("holdfast-route", route),
            ("holdfast-param-id", "k3v9q2m7x4ab"),
            ("holdfast-language", language),
            ("holdfast-as-of", "2026-11-22T05:05:00Z"),
            ("holdfast-privacy", "invitations=unlisted"),
        ],
    )
    .unwrap()
}

fn page(route: &str, language: &str) -> String {
    let answer = answer(
        &context("/i/k3v9q2m7x4ab/", route, language),
        ROW.as_bytes(),
    );
    assert_eq!(answer.status, 200);
    assert_eq!(answer.content_type, "text/html; charset=utf-8");
    answer.body
}

#[test]
fn the_page_holds_what_a_guest_needs() {
    let korean = page("/i/{id}/{cap}/", "ko");
    for text in [
        "<html lang=\"ko\">",
        "김도윤",
        "임수아",
        "2026년 12월 5일 (토) 오후 1:30",
        "한들웨딩홀",
        "3층 그랜드볼룸",
        "새미시 한들로 21",
        "한들역 4번 출구",
        "김영수 · 박경희의 아들",
        "src=\"/photos/day-07.jpg\" width=\"900\" height=\"600\" alt=\"신랑과 신부의 사진 2\" loading=\"lazy\"",
        "href=\"tel:0212345678\"",
        "href=\"sms:01023456789?body=%EA%B9%80",
        "href=\"/i/k3v9q2m7x4ab/event.ics\"",
        "data-copy=\"새미시 한들로 21\"",
        "2026-11-22 14:05",
    ] {
        assert!(korean.contains(text), "{text}");
    }
    let english = page("/i/{id}/{cap}/", "en");
    for text in [
        "<html lang=\"en\">",
        "Sat 5 December 2026, 1:30 pm",
        "each other&#39;s seasons",
        "<b>Sua Lim</b>, daughter of Jungho Lim and Misook Oh",
    ] {
        assert!(english.contains(text), "{text}");
    }
    assert!(korean.len() < PAGE_BYTES, "{} bytes", korean.len());
}

#[test]
fn the_gift_is_linked_only_below_a_capability() {
    let below = page("/i/{id}/{cap}/", "ko");
    assert!(
        below.contains("<p data-needs=\"pay\"><a class=\"button\" href=\"gift\">선물 보내기</a>")
    );
    assert!(below.contains(
        "<p data-without=\"pay\"><a class=\"button\" href=\"gift\">계좌번호로 마음 전하기</a>"
    ));
    assert!(!page("/i/{id}/", "ko").contains("gift"));
}

#[test]
fn every_value_is_escaped() {
    let hostile = "\"'><script>alert(1)</script>&";
    let fields: Vec<String> = [
        "address",
        "bride",
        "bride_parents",
        "date",
        "directions",
        "family_phone",
        "groom",
        "groom_parents",
        "hall",
        "message",
        "phone",
        "photos",
        "time",
        "venue",
    ]
    .iter()
    .map(|name| format!("\"{name}\":{}", quoted(hostile)))
    .collect();
    let row = format!("{{{}}}", fields.join(","));
    let context = context("/i/k3v9q2m7x4ab/", "/i/{id}/{cap}/", "ko");
    let page = answer(&context, row.as_bytes()).body;
    assert!(!page.contains("<script"));
    assert!(!page.contains("\"'>"));
    assert!(page.contains("&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;"));
}

#[test]
fn a_page_of_the_longest_texts_stays_small_enough() {
    let long = "가".repeat(1_000);
    let fields: Vec<String> = ["message", "directions", "venue", "hall", "address"]
        .iter()
        .map(|name| format!("\"{name}_ko\":\"{long}\""))
        .collect();
    let row = format!("{{{}}}", fields.join(","));
    let context = context("/i/a/", "/i/{id}/{cap}/", "ko");
    let page = answer(&context, row.as_bytes()).body;
    assert!(page.len() < PAGE_BYTES, "{} bytes", page.len());
}

#[test]
fn the_calendar_holds_the_wedding_in_utc() {
    let context = context("/i/k3v9q2m7x4ab/event.ics", "/i/{id}/event.ics", "en");
    let answer = answer(&context, ROW.as_bytes());
    assert_eq!(answer.content_type, "text/calendar; charset=utf-8");
    let unfolded = answer.body.replace("\r\n ", "");
    for line in [
        "BEGIN:VCALENDAR",
        "DTSTAMP:20261122T050500Z",
        "DTSTART:20261205T043000Z",
        "DURATION:PT2H",
        "SUMMARY:Wedding of Doyun Kim ♥ Sua Lim",
        "LOCATION:Handeul Wedding Hall\\, Grand Ballroom\\, 3rd floor\\, 21 Handeul-ro\\, Saemi",
        "DESCRIPTION:Take line 2 to Handeul\\, leave by exit 4\\; walk 200 metres.",
        "END:VCALENDAR",
    ] {
        assert!(unfolded.contains(&format!("{line}\r\n")), "{line}");
    }
    let id = "k3v9q2m7x4ab";
    assert!(
        !unfolded.contains(id),
        "the entry must not give the link away"
    );
}

#[test]
fn a_bad_row_is_an_error_that_shows_nothing_of_it() {
    let page = context("/i/a/", "/i/{id}/", "ko");
    for record in ["[\"secret\"]", "\"secret\""] {
        let answer = answer(&page, record.as_bytes());
        assert_eq!(answer.status, 500);
        assert!(!answer.body.contains("secret"));
    }
    let calendar = context("/i/a/event.ics", "/i/{id}/event.ics", "ko");
    assert_eq!(answer(&calendar, b"{\"date\":\"soon\"}").status, 500);
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\\\""))
}
