//! The invitation's page: who, when, where, how to get there, and two ways to answer that need no
//! server of ours.

use kit::{Clock, Context, Day, Html, Language, Row, Shell, sms, tel};

use crate::{gift, photos};

const SHEET: &str = include_str!("page.css");

/// The whole page.
pub(crate) fn page(context: &Context, row: &Row) -> String {
    let language = &context.language;
    let (groom, bride) = (row.text("groom", language), row.text("bride", language));
    let mut content = head(row, language, &groom, &bride);
    let mut add = |part: Html| content.add("{}", &[&part]);
    add(photos::photos(row, language));
    add(message(row, language));
    add(families(row, language, &groom, &bride));
    if context.is_below_capability() {
        add(gift::part(language));
    }
    add(place(row, language));
    add(calendar_link(context));
    add(wishes(row, language, &groom, &bride));
    let title = language.pick(
        format!("{groom} ♥ {bride} 결혼합니다"),
        format!("{groom} ♥ {bride}: wedding invitation"),
    );
    Shell::new(context, SHEET).page(&title, &content)
}

fn head(row: &Row, language: &Language, groom: &str, bride: &str) -> Html {
    let mut head = Html::new();
    head.add(
        "<p class=\"eyebrow\">{}</p>\n<h1>{}&nbsp;<span aria-hidden=\"true\">♥</span> {}</h1>\n\
         <p class=\"when\"><strong>{}{}{}</strong>{}<br>{}</p>\n",
        &[
            &language.pick("결혼합니다", "We are getting married"),
            &groom,
            &bride,
            &Day::say(&row.field("date"), language),
            &language.pick(" ", ", "),
            &Clock::say(&row.field("time"), language),
            &row.text("venue", language),
            &row.text("hall", language),
        ],
    );
    head
}

fn message(row: &Row, language: &Language) -> Html {
    let mut out = Html::new();
    let message = row.text("message", language);
    if !message.is_empty() {
        out.add("<p class=\"message\">{}</p>\n", &[&message]);
    }
    out
}

fn families(row: &Row, language: &Language, groom: &String, bride: &String) -> Html {
    let mut lines = Html::new();
    for (parents, child, korean, english) in [
        ("groom_parents", groom, "의 아들", "son of"),
        ("bride_parents", bride, "의 딸", "daughter of"),
    ] {
        let parents = row.text(parents, language);
        if parents.is_empty() {
            continue;
        }
        if language.is_korean() {
            lines.add("<p>{}{} <b>{}</b></p>\n", &[&parents, &korean, child]);
        } else {
            lines.add("<p><b>{}</b>, {} {}</p>\n", &[child, &english, &parents]);
        }
    }
    let mut out = Html::new();
    if lines != Html::new() {
        out.add("<div class=\"families\">\n{}</div>\n", &[&lines]);
    }
    out
}

fn place(row: &Row, language: &Language) -> Html {
    let (address, phone) = (row.text("address", language), row.field("phone"));
    let mut out = Html::new();
    out.add(
        "<h2>{}</h2>\n<p><b>{}</b><br>{}<br>{}</p>\n<p>{}</p>\n",
        &[
            &language.pick("오시는 길", "How to get there"),
            &row.text("venue", language),
            &row.text("hall", language),
            &address,
            &row.text("directions", language),
        ],
    );
    if !address.is_empty() {
        out.add(
            "<button type=\"button\" data-copy=\"{}\" data-copied=\"{}\" hidden>{}</button>\n",
            &[
                &address,
                &language.pick("복사했습니다", "Copied"),
                &language.pick("주소 복사", "Copy the address"),
            ],
        );
    }
    if !phone.is_empty() {
        out.add(
            "<p><a class=\"button quiet\" href=\"{}\">{} {}</a></p>\n",
            &[
                &tel(&phone),
                &language.pick("예식장에 전화", "Call the venue"),
                &phone,
            ],
        );
    }
    out
}

/// Beside the page itself: below a capability too, which this component is never told.
fn calendar_link(context: &Context) -> Html {
    let mut out = Html::new();
    if context.path.ends_with('/') {
        out.add(
            "<p><a class=\"button quiet\" href=\"{}event.ics\">{}</a></p>\n",
            &[
                &context.path,
                &context.language.pick("달력에 추가", "Add to calendar"),
            ],
        );
    }
    out
}

fn wishes(row: &Row, language: &Language, groom: &str, bride: &str) -> Html {
    let phone = row.field("family_phone");
    let mut out = Html::new();
    if phone.is_empty() {
        return out;
    }
    let words = language.pick(
        format!("{groom} · {bride} 두 분의 결혼을 진심으로 축하합니다."),
        format!("Dear {groom} and {bride}, congratulations on your wedding!"),
    );
    out.add(
        "<h2>{}</h2>\n<p>{}</p>\n<p><a class=\"button quiet\" href=\"{}\">{}</a></p>\n",
        &[
            &language.pick("축하의 말", "Your wishes"),
            &language.pick(
                "방명록을 쓸 수 없는 동안에는 문자로 가족에게 전할 수 있습니다.",
                "While the guest book is closed, a text message reaches the family.",
            ),
            &sms(&phone, &words),
            &language.pick("문자로 축하 보내기", "Send wishes by text message"),
        ],
    );
    out
}
