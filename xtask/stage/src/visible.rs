//! What a reader sees of a page: its text without mark-up, scripts and hidden parts, and its links.

use percent_encoding::percent_decode_str;
use scraper::{ElementRef, Html, Node};

/// The visible text, white space folded.
#[must_use]
pub fn text(html: &str) -> String {
    let page = Html::parse_document(html);
    let mut words = String::new();
    collect(page.root_element(), &mut words);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every link's target, percent-coding undone.
#[must_use]
pub fn links(html: &str) -> Vec<String> {
    let page = Html::parse_document(html);
    page.root_element()
        .descendent_elements()
        .filter(|element| element.value().name() == "a")
        .filter_map(|element| element.attr("href"))
        .map(|target| percent_decode_str(target).decode_utf8_lossy().into_owned())
        .collect()
}

/// True when `value` stands on the page as visible text or as a well-formed `tel:` or `sms:` link
/// (RFC 3966: digits, `+` and visual separators).
#[must_use]
pub fn shows(html: &str, value: &str) -> bool {
    let wanted = value.split_whitespace().collect::<Vec<_>>().join(" ");
    text(html).contains(&wanted) || links(html).iter().any(|link| calls(link, value))
}

fn calls(link: &str, value: &str) -> bool {
    let Some(number) = link
        .strip_prefix("tel:")
        .or_else(|| link.strip_prefix("sms:"))
    else {
        return false;
    };
    let number = number.split(['?', ';']).next().unwrap_or_default();
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    let well_formed = number
        .chars()
        .all(|c| c.is_ascii_digit() || "+-.()".contains(c));
    well_formed && !digits(value).is_empty() && digits(number) == digits(value)
}

fn collect(element: ElementRef<'_>, words: &mut String) {
    let name = element.value().name();
    let hidden = element.attr("hidden").is_some()
        || element.attr("aria-hidden") == Some("true")
        || element
            .attr("style")
            .is_some_and(|style| style.replace(' ', "").contains("display:none"));
    if hidden || matches!(name, "head" | "script" | "style" | "template" | "noscript") {
        return;
    }
    for child in element.children() {
        match child.value() {
            Node::Text(text) => words.push_str(text),
            Node::Element(_) => {
                if let Some(element) = ElementRef::wrap(child) {
                    collect(element, words);
                    words.push(' ');
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_words_do_not_count() {
        let page = "<body><p>보이는 <b>글</b></p><p hidden>a1</p><script>a2</script><p style='display: none'>a3</p></body>";
        assert!(shows(page, "보이는 글"));
        for hidden in ["a1", "a2", "a3"] {
            assert!(!shows(page, hidden), "{hidden}");
        }
    }

    #[test]
    fn a_number_may_be_a_link() {
        let page = "<a href='tel:01012345678'>call</a><a href='sms:x010-9999-8888'>no</a>";
        assert!(shows(page, "010-1234-5678"));
        assert!(!shows(page, "010-9999-8888"));
    }
}
