//! The page around every guest's content: for a phone first, without scripts, and with nothing to
//! fetch from elsewhere. It says as of when it is true, and says it louder when that is long ago.

use crate::context::{Context, Freshness};
use crate::html::Html;
use crate::language::Language;

/// Most a page may weigh, bytes: it has to come through a crowded cell. Held by tests.
pub const PAGE_BYTES: usize = 30 * 1024;

const SHEET: &str = include_str!("shell.css");

/// The parts of a page around its title and its content.
#[derive(Clone, Debug)]
pub struct Shell {
    /// Up to the title.
    pub before_title: Html,
    /// From the title to the content, with the additional style sheet.
    pub before_content: Html,
    /// Behind the content.
    pub end: Html,
}

impl Shell {
    /// Of a page in the reader's language, with `sheet` behind the common style sheet.
    #[must_use]
    pub fn new(context: &Context, sheet: &'static str) -> Self {
        let mut before_title = Html::new();
        before_title.add(
            "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"format-detection\" content=\"telephone=no\">\n<title>",
            &[&context.language.tag()],
        );
        let mut before_content = Html::new();
        before_content.add("</title>\n<style>\n", &[]);
        before_content.add(SHEET, &[]);
        before_content.add(sheet, &[]);
        before_content.add("</style>\n</head>\n<body>\n<main>\n", &[]);
        let mut end = Html::new();
        end.add("</main>\n{}</body>\n</html>\n", &[&footer(context)]);
        Self {
            before_title,
            before_content,
            end,
        }
    }

    /// The whole page.
    #[must_use]
    pub fn page(self, title: &str, content: &Html) -> String {
        let mut page = self.before_title;
        page.add(
            "{}{}{}{}",
            &[&title, &self.before_content, content, &self.end],
        );
        page.into_string()
    }
}

fn footer(context: &Context) -> Html {
    let Some(as_of) = context.as_of else {
        return Html::new();
    };
    let language = &context.language;
    let mut line = Html::new();
    line.add(
        language.pick(
            "<p>{} 기준으로 저장된 내용입니다.</p>\n",
            "<p>As of {} Seoul time.</p>\n",
        ),
        &[&as_of.plain()],
    );
    let mut footer = Html::new();
    let old = old(context.freshness, language);
    if !old.is_empty() {
        footer.add("<p class=\"old\">{}</p>\n", &[&old]);
    }
    let mut out = Html::new();
    out.add("<footer>\n{}{}</footer>\n", &[&footer, &line]);
    out
}

fn old(freshness: Freshness, language: &Language) -> &'static str {
    match freshness {
        Freshness::Fresh => "",
        Freshness::Stale => language.pick(
            "저장된 지 시간이 지난 내용입니다. 그 뒤에 바뀐 것은 보이지 않습니다.",
            "This copy is not the newest. What changed since is not shown.",
        ),
        Freshness::TooOld => language.pick(
            "저장된 지 오래된 내용입니다. 중요한 것은 전화로 확인해 주세요.",
            "This copy is old. Please check by telephone what matters to you.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(language: &'static str, freshness: &'static str) -> String {
        let context = Context::read(
            "/",
            [
                ("holdfast-site", "dasom"),
                ("holdfast-route", "/"),
                ("holdfast-language", language),
                ("holdfast-as-of", "2026-11-22T05:05:00Z"),
                ("holdfast-freshness", freshness),
            ],
        )
        .unwrap();
        Shell::new(&context, "").page("a<b", &Html::new())
    }

    #[test]
    fn a_page_says_its_language_its_title_and_its_age() {
        let page = shell("ko", "fresh");
        assert!(page.starts_with("<!doctype html>\n<html lang=\"ko\">"));
        assert!(page.contains("<title>a&lt;b</title>"));
        assert!(page.contains("2026-11-22 14:05 기준"));
        assert!(!page.contains("class=\"old\""));
        assert!(shell("en", "stale").contains("<p class=\"old\">This copy is not the newest."));
        assert!(shell("ko", "too-old").contains("오래된 내용"));
        assert!(shell("en", "fresh").contains("As of 2026-11-22 14:05 Seoul time"));
    }

    #[test]
    fn nothing_is_fetched_and_nothing_runs() {
        let page = shell("en", "stale");
        for part in ["http", "url(", "@import", "<script", "<link", "src="] {
            assert!(!page.contains(part), "{part}");
        }
        assert!(page.len() < PAGE_BYTES / 4, "{} bytes", page.len());
    }
}
