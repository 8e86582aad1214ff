//! The whole answers, over rows as the example publishes them.

use kit::{Context, PAGE_BYTES};

use super::accounts::ACCOUNTS;
use super::answer;

const ROW: &str = r#"{"a1_bank_en":"Handeul Bank","a1_bank_ko":"한들은행","a1_holder_en":"Doyun Kim","a1_holder_ko":"김도윤","a1_number":"110-234-567890","a1_relation_en":"Groom","a1_relation_ko":"신랑","a1_side":"groom","a2_bank_en":"Saemi Bank","a2_bank_ko":"새미은행","a2_holder_en":"Youngsoo Kim","a2_holder_ko":"김영수","a2_number":"302-118-904412","a2_relation_en":"Groom's father","a2_relation_ko":"신랑 아버지","a2_side":"groom","a3_bank_en":"Mulbit Bank","a3_bank_ko":"물빛은행","a3_holder_en":"Sua Lim","a3_holder_ko":"임수아","a3_number":"455-902-118273","a3_relation_en":"Bride","a3_relation_ko":"신부","a3_side":"bride","a4_bank_en":"Nuri Cooperative","a4_bank_ko":"누리협동조합","a4_holder_en":"Jungho Lim","a4_holder_ko":"임정호","a4_number":"620-771-330918","a4_relation_en":"Bride's father","a4_relation_ko":"신부 아버지","a4_side":"bride","bride_en":"Sua Lim","bride_ko":"임수아","groom_en":"Doyun Kim","groom_ko":"김도윤","id":"k3v9q2m7x4ab"}"#;

fn context(id: &'static str, language: &'static str, freshness: &'static str) -> Context {
    Context::read(
        "/i/k3v9q2m7x4ab/gift",
        [
            ("holdfast-site", "dasom"),
            ("holdfast-route", "/i/{id}/{cap}/gift"),
            ("holdfast-param-id", id),
            ("holdfast-capability", "k7Qp"),
            ("holdfast-language", language),
            ("holdfast-as-of", "2026-11-22T05:05:00Z"),
            ("holdfast-freshness", freshness),
            ("holdfast-privacy", "accounts=sealed"),
        ],
    )
    .unwrap()
}

fn page(language: &'static str, freshness: &'static str) -> String {
    let context = context("k3v9q2m7x4ab", language, freshness);
    let answer = answer(&context, ROW.as_bytes());
    assert_eq!(answer.status, 200);
    answer.body
}

#[test]
fn all_numbers_are_there_to_read_and_to_copy() {
    for (language, names) in [
        ("ko", ["신랑 측", "신부 아버지", "임정호", "누리협동조합"]),
        (
            "en",
            [
                "The groom&#39;s family",
                "Bride&#39;s father",
                "Jungho Lim",
                "Nuri Cooperative",
            ],
        ),
    ] {
        let page = page(language, "fresh");
        for number in [
            "110-234-567890",
            "302-118-904412",
            "455-902-118273",
            "620-771-330918",
        ] {
            assert!(page.contains(&format!("<p class=\"number\">{number}</p>")));
            assert!(page.contains(&format!("<button type=\"button\" data-copy=\"{number}\"")));
        }
        for name in names {
            assert!(page.contains(name), "{name}");
        }
        assert!(!page.contains("k7Qp"));
        assert!(!page.contains("class=\"old\""));
        assert!(page.len() < PAGE_BYTES, "{} bytes", page.len());
    }
}

#[test]
fn an_old_copy_says_so_and_what_to_do() {
    assert!(page("ko", "too-old").contains("오래된 사본입니다 (2026-11-22 14:05 기준)"));
    let english = page("en", "too-old");
    assert!(english.contains("do not send: call the family"));
    assert!(english.contains("110-234-567890"), "the numbers stay");
    assert!(page("en", "stale").contains("class=\"old\""));
}

#[test]
fn another_id_does_not_show_the_accounts() {
    for id in ["other", ""] {
        let answer = answer(&context(id, "ko", "fresh"), ROW.as_bytes());
        assert_eq!(answer.status, 404);
        assert!(!answer.body.contains("110"));
    }
    let without = answer(&context("", "ko", "fresh"), b"[]");
    assert_eq!(without.status, 500);
}

#[test]
fn every_value_is_escaped() {
    let hostile = "\\\"'><script>&";
    let fields: Vec<String> = ["relation", "holder", "bank", "number", "side"]
        .iter()
        .map(|name| format!("\"a1_{name}\":\"{hostile}\""))
        .collect();
    let row = format!(
        "{{\"id\":\"a\",\"groom\":\"{hostile}\",{}}}",
        fields.join(",")
    );
    let page = answer(&context("a", "ko", "fresh"), row.as_bytes()).body;
    assert!(page.contains("&quot;&#39;&gt;&lt;script&gt;&amp;"));
    assert!(!page.contains("<script") && !page.contains("\"'>"));
}

#[test]
fn no_more_accounts_are_looked_for_than_a_family_has() {
    let numbers = (1..=ACCOUNTS + 1).map(|n| format!("\"a{n}_number\":\"number-{n}.\""));
    let numbers: Vec<String> = numbers.collect();
    let row = format!("{{\"id\":\"k3v9q2m7x4ab\",{}}}", numbers.join(","));
    let body = answer(&context("k3v9q2m7x4ab", "ko", "fresh"), row.as_bytes()).body;
    assert!(body.contains(&format!("number-{ACCOUNTS}.")));
    assert!(!body.contains(&format!("number-{}.", ACCOUNTS + 1)));
}
