//! The gift's part, which turns from a button into account numbers when payment is down. Both
//! halves are always written; the edge's rewriter keeps the one that works.

use kit::{Html, Language};

/// The part below a capability; without one there is nothing to link to.
pub(crate) fn part(language: &Language) -> Html {
    let mut part = Html::new();
    part.add(
        "<h2>{}</h2>\n\
         <p data-needs=\"pay\"><a class=\"button\" href=\"gift\">{}</a></p>\n\
         <p data-without=\"pay\"><a class=\"button\" href=\"gift\">{}</a></p>\n",
        &[
            &language.pick("마음 전하실 곳", "A gift"),
            &language.pick("선물 보내기", "Send a gift"),
            &language.pick("계좌번호로 마음 전하기", "Account numbers for your gift"),
        ],
    );
    part
}
