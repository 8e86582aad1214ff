//! Whole pages, over the example's own templates and rows as it publishes them.

use kit::{Answer, Context, PAGE_BYTES, Row};

use super::{FUEL, OUTPUT_BYTES, Records, Step, TEMPLATES, Templates, render};

const MEETING: &str = r#"{"bring_en":"A litre of water, gloves, a warm layer","bring_ko":"물 1리터, 장갑, 따뜻한 겉옷","club_en":"Dawn Hikers","club_ko":"새벽산악회","course_en":"Gate, spring, summit, back by the valley (7 km, 4 h)","course_ko":"솔마루산 입구 → 약수터 → 정상 → 계곡길 (7 km, 4시간)","date":"2026-11-28","fee_won":"15000","id":"m4k9q2v7x3ab","organiser_en":"Youngsoo Han","organiser_ko":"한영수","organiser_phone":"010-8765-4321","point_en":"The benches at exit 2 of Solsup station","point_ko":"솔숲역 2번 출구 앞 벤치","time":"08:30","title_en":"Mt Solmaru hike","title_ko":"솔마루산 정기 산행"}"#;
const GUIDES: [&str; 2] = [
    r#"{"how_en":"In shops use a card.","how_ko":"가게에서는 카드를 쓰세요.","meanwhile_en":"Use a card.","meanwhile_ko":"은행 앱을 쓰세요.","order_no":"2","phone":"1599-0101","service":"pay","title_en":"Dasom Pay","title_ko":"다솜페이"}"#,
    r#"{"how_en":"Send it again.","how_ko":"다시 보내 주세요.","meanwhile_en":"Use text messages.","meanwhile_ko":"문자를 쓰세요.","order_no":"1","phone":"1599-0102","service":"talk","title_en":"Dasom Talk","title_ko":"다솜톡"}"#,
];

/// The example's templates, as the snapshot would hold them.
const TOWN: [(&str, &str); 3] = [
    (
        "meeting.html",
        include_str!("../../../examples/town/templates/meeting.html"),
    ),
    (
        "guide.html",
        include_str!("../../../examples/town/templates/guide.html"),
    ),
    (
        "guides.html",
        include_str!("../../../examples/town/templates/guides.html"),
    ),
];

fn context(language: &'static str) -> Context {
    Context::read(
        "/club/m4k9q2v7x3ab/",
        [
            ("holdfast-site", "dasom"),
            ("holdfast-route", "/club/{id}/"),
            ("holdfast-param-id", "m4k9q2v7x3ab"),
            ("holdfast-language", language),
            ("holdfast-languages", "ko,en"),
            ("holdfast-as-of", "2026-11-22T05:05:00Z"),
            ("holdfast-modes", "pay=degraded"),
            (
                "holdfast-services",
                "[{\"name\":\"pay\",\"title\":\"Pay\",\"meanwhile\":\"card\",\"state\":\"degraded\",\"since\":\"2026-11-22T04:20:00Z\"}]",
            ),
            (
                "holdfast-notices",
                "[{\"scope\":\"site\",\"at\":\"2026-11-22T04:30:00Z\",\"language\":\"en\",\"text\":\"we%20are%20<on>%20it\"}]",
            ),
        ],
    )
    .unwrap()
}

fn with(
    templates: &[(&str, &str)],
    name: &str,
    records: &Records,
    language: &'static str,
) -> Answer {
    let read = Templates::new();
    loop {
        match render(&context(language), name, records, &read) {
            Step::Done(answer) => return answer,
            Step::Needs(wanted) => {
                for name in wanted {
                    let source = templates.iter().find(|(own, _)| *own == name);
                    read.insert(&name, source.map(|(_, source)| (*source).to_owned()));
                }
            }
        }
    }
}

/// One template over the meeting.
fn over_meeting(source: &str) -> Answer {
    let record = Records::One(Row::parse(MEETING.as_bytes()).unwrap());
    with(&[("t.html", source)], "t.html", &record, "en")
}

fn town(name: &str, records: &Records, language: &'static str) -> String {
    let answer = with(&TOWN, name, records, language);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.len() < PAGE_BYTES);
    answer.body
}

#[test]
fn a_meeting_is_shown_in_both_languages() {
    let record = Records::One(Row::parse(MEETING.as_bytes()).unwrap());
    let korean = town("meeting.html", &record, "ko");
    for text in [
        "<html lang=\"ko\">",
        "<title>새벽산악회 · 솔마루산 정기 산행</title>",
        "2026년 11월 28일 (토), 오전 8:30",
        "솔숲역 2번 출구 앞 벤치",
        "15,000원",
        "href=\"tel:01087654321\"",
        "href=\"sms:01087654321?body=%EC%B0%B8",
        "2026-11-22 14:05",
    ] {
        assert!(korean.contains(text), "{text}\n{korean}");
    }
    let english = town("meeting.html", &record, "en");
    for text in ["Sat 28 November 2026, 8:30 am", "₩15,000", "Youngsoo Han"] {
        assert!(english.contains(text), "{text}\n{english}");
    }
}

#[test]
fn guides_are_listed_and_shown() {
    let rows: Vec<Row> = GUIDES
        .iter()
        .map(|row| Row::parse(row.as_bytes()).unwrap())
        .collect();
    let list = town("guides.html", &Records::List(rows.clone()), "en");
    let (talk, pay) = (list.find("/guide/talk/"), list.find("/guide/pay/"));
    assert!(talk.is_some() && talk < pay, "in the order they ask for");
    assert!(list.contains("down (Sun 22 November 2026, 1:20 pm KST"));
    assert!(list.contains("we are &lt;on&gt; it"));
    let pay = town("guide.html", &Records::One(rows[0].clone()), "ko");
    assert!(pay.contains("지금 멈춰 있습니다: 2026년 11월 22일 (일) 오후 1:20부터"));
    assert!(pay.contains("은행 앱을 쓰세요."));
}

#[test]
fn values_are_escaped_under_any_template_name() {
    let row = Row::parse(br#"{"a":"<script>\"'&"}"#).unwrap();
    for name in ["t.html", "t.txt", "t"] {
        let answer = with(
            &[(name, "{{ record.a }}")],
            name,
            &Records::One(row.clone()),
            "en",
        );
        assert!(!answer.body.contains('<'), "{name}: {}", answer.body);
    }
}

#[test]
fn templates_find_each_other() {
    let templates = [
        (
            "a.html",
            "{% extends 'b.html' %}{% block x %}1{% endblock %}",
        ),
        (
            "b.html",
            "[{% block x %}{% endblock %}{% include 'c.html' %}{% include 'no.html' ignore missing %}]",
        ),
        ("c.html", "{{ site }}"),
    ];
    let answer = with(&templates, "a.html", &Records::List(Vec::new()), "en");
    assert_eq!((answer.status, answer.body.as_str()), (200, "[1dasom]"));
}

#[test]
fn absent_values_are_nothing() {
    let row = Row::parse(br#"{"a":null}"#).unwrap();
    let source = "[{{ record.a }}{{ record.b }}{{ none }}{{ record.b|won }}{{ record.b|tel }}\
                  {{ record|tr('b') }}{{ nothing|tr('b') }}{{ record.b|date }}{{ now }}]";
    let answer = with(&[("t", source)], "t", &Records::One(row), "en");
    assert_eq!(answer.body, "[]");
}

#[test]
fn variables_are_as_the_contract_says() {
    let answer = over_meeting(
        "{{ language }} {{ languages|join('+') }} {{ site }} {{ as_of }} {{ freshness }} \
         {{ modes.pay }} {{ services[0].since|stamp }} {{ notices[0].scope }}",
    );
    assert_eq!(
        answer.body,
        "en ko+en dasom 2026-11-22T05:05:00Z fresh degraded Sun 22 November 2026, 1:20 pm KST site"
    );
}

#[test]
fn mistakes_name_the_template_and_the_line() {
    for (source, why) in [
        (
            "\n{{ record|shout }}",
            "template t.html line 2: unknown filter",
        ),
        ("{% if %}", "template t.html line 1: syntax error"),
        (
            "\n\n{% include 'no.html' %}",
            "template t.html line 3: template not found",
        ),
        ("{{ a.b.c }}", "template t.html line 1: undefined value"),
        ("{% extends 't.html' %}", "template t.html"),
    ] {
        let answer = over_meeting(source);
        assert_eq!(answer.status, 500, "{source}");
        assert!(answer.content_type.starts_with("text/plain"));
        assert!(answer.body.starts_with(why), "{}", answer.body);
    }
    let answer = with(&[], "t.html", &Records::List(Vec::new()), "en");
    assert_eq!(answer.status, 500);
    assert!(
        answer
            .body
            .starts_with("template t.html: template not found"),
        "{}",
        answer.body
    );
}

#[test]
fn a_template_that_never_ends_runs_out_of_fuel() {
    let answer = over_meeting(
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    );
    assert_eq!(answer.status, 500);
    assert!(
        answer.body.contains(&format!("more than {FUEL} steps")),
        "{}",
        answer.body
    );
}

#[test]
fn output_has_an_end() {
    let page = "x".repeat(1_000);
    let loops = OUTPUT_BYTES / 1_000;
    let source = |times: usize| format!("{{% for a in range({times}) %}}{page}{{% endfor %}}");
    assert_eq!(over_meeting(&source(loops)).status, 200);
    let answer = over_meeting(&source(loops + 1));
    assert_eq!(answer.status, 500, "{}", answer.body.len());
    assert!(
        answer.body.contains("more than 262144 bytes"),
        "{}",
        answer.body
    );
}

#[test]
fn a_page_of_too_many_templates_is_refused() {
    let names: Vec<String> = (0..=TEMPLATES).map(|n| format!("t{n}")).collect();
    let sources: Vec<String> = names
        .iter()
        .skip(1)
        .map(|next| format!("{{% include '{next}' %}}"))
        .collect();
    let templates: Vec<(&str, &str)> = names
        .iter()
        .map(String::as_str)
        .zip(sources.iter().map(String::as_str))
        .collect();
    let answer = with(&templates, "t0", &Records::List(Vec::new()), "en");
    assert!(
        answer.body.contains("more than 16 templates"),
        "{}",
        answer.body
    );
}
