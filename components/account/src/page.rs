//! The page with the numbers: large, selectable as a whole by one touch, each with a button that
//! the edge's script wakes where scripts run.

use kit::{Context, Freshness, Html, Language, Row, Shell};

use crate::accounts::{self, Account};

const SHEET: &str = include_str!("page.css");

/// The whole page.
pub(crate) fn page(context: &Context, row: &Row) -> String {
    let language = &context.language;
    let accounts = accounts::of(row, language);
    let heading = language.pick("마음 전하실 곳", "Accounts for your gift");
    let mut content = Html::new();
    content.add(
        "<h1>{}</h1>\n<p class=\"lead\">{} <span aria-hidden=\"true\">♥</span> {}</p>\n{}<p>{}</p>\n",
        &[
            &heading,
            &row.text("groom", language),
            &row.text("bride", language),
            &warning(context),
            &language.pick(
                "은행 앱에서 아래 계좌로 보내 주세요. 보내기 전에 은행이 보여 주는 예금주 이름을 확인해 주세요.",
                "Send from your bank's app to an account below. Before it goes, check the holder's name that your bank shows.",
            ),
        ],
    );
    for (side, title) in [
        ("groom", language.pick("신랑 측", "The groom's family")),
        ("bride", language.pick("신부 측", "The bride's family")),
    ] {
        let family = accounts.iter().filter(|account| account.side == side);
        content.add("{}", &[&section(title, family, language)]);
    }
    let others = accounts
        .iter()
        .filter(|account| !matches!(account.side.as_str(), "groom" | "bride"));
    let other = language.pick("그 밖의 계좌", "Other accounts");
    content.add("{}", &[&section(other, others, language)]);
    content.add(
        "<p class=\"back\"><a href=\"./\">{}</a></p>\n",
        &[&language.pick("청첩장으로 돌아가기", "Back to the invitation")],
    );
    Shell::new(context, SHEET).page(heading, &content)
}

/// Numbers seldom change, and are needed most when nothing newer can be had: they stay, with what
/// to do about their age.
fn warning(context: &Context) -> Html {
    let mut out = Html::new();
    if context.freshness == Freshness::TooOld {
        let as_of = context
            .as_of
            .map(|moment| moment.plain())
            .unwrap_or_default();
        out.add(
            context.language.pick(
                "<p class=\"old\"><b>오래된 사본입니다 ({} 기준).</b> 그 뒤에 계좌가 바뀌었을 수 있습니다. 은행이 보여 주는 예금주 이름이 아래와 다르면 보내지 말고, 가족에게 전화로 확인해 주세요.</p>\n",
                "<p class=\"old\"><b>This copy is old (as of {}).</b> An account may have changed since. If your bank shows another holder than below, do not send: call the family and ask.</p>\n",
            ),
            &[&as_of],
        );
    }
    out
}

fn section<'a>(
    title: &str,
    accounts: impl Iterator<Item = &'a Account>,
    language: &Language,
) -> Html {
    let mut cards = Html::new();
    for account in accounts {
        cards.add("{}", &[&card(account, language)]);
    }
    let mut out = Html::new();
    if cards != Html::new() {
        out.add("<section>\n<h2>{}</h2>\n{}</section>\n", &[&title, &cards]);
    }
    out
}

fn card(account: &Account, language: &Language) -> Html {
    let label = format!(
        "{} {}",
        account.holder,
        language.pick("계좌번호 복사", "account number: copy")
    );
    let mut card = Html::new();
    card.add(
        "<div class=\"card\">\n<p class=\"who\">{} <b>{}</b></p>\n<p class=\"bank\">{}</p>\n\
         <p class=\"number\">{}</p>\n\
         <button type=\"button\" data-copy=\"{}\" data-copied=\"{}\" title=\"{}\" hidden>{}</button>\n</div>\n",
        &[
            &account.relation,
            &account.holder,
            &account.bank,
            &account.number,
            &account.number,
            &language.pick("복사했습니다", "Copied"),
            &label,
            &language.pick("계좌번호 복사", "Copy the number"),
        ],
    );
    card
}
