//! Pages as a browser takes them: parsed by its algorithm, every mistake counted.

use scraper::{ElementRef, Html};

/// Largest page, bytes.
const PAGE_BYTES: usize = 30 * 1024;

/// The page, parsed as a whole document.
pub(crate) fn parse(html: &str) -> Html {
    Html::parse_document(html)
}

/// All elements.
pub(crate) fn elements(page: &Html) -> impl Iterator<Item = ElementRef<'_>> {
    page.root_element().descendent_elements()
}

/// What is wrong with a page: too large, not well formed, another language than `language`, or
/// in need of something from elsewhere.
pub(crate) fn problems(html: &str, language: &str) -> Vec<String> {
    let page = parse(html);
    let mut problems: Vec<String> = page.errors.iter().map(ToString::to_string).collect();
    if html.len() > PAGE_BYTES {
        problems.push(format!(
            "{} bytes where {PAGE_BYTES} are allowed",
            html.len()
        ));
    }
    let lang = page.root_element().attr("lang").unwrap_or_default();
    if lang != language {
        problems.push(format!("lang is {lang:?}"));
    }
    for element in elements(&page) {
        let name = element.value().name();
        // A link is followed by whoever taps it; everything else is loaded by itself.
        let loads = [
            "src",
            "srcset",
            "data",
            "poster",
            "action",
            "formaction",
            "background",
        ];
        let loads = loads.iter().filter_map(|attribute| element.attr(attribute));
        let links = element
            .attr("href")
            .filter(|_| !["a", "area"].contains(&name));
        for target in loads.chain(links) {
            if is_elsewhere(target) {
                problems.push(format!("<{name}> loads {target}"));
            }
        }
        let styles = element.attr("style").map(str::to_owned);
        let sheet = (name == "style").then(|| element.text().collect());
        for style in styles.into_iter().chain(sheet) {
            if style.contains("@import") || style.contains("url(") {
                problems.push(format!("<{name}> styles load something"));
            }
        }
        if element
            .value()
            .attrs()
            .any(|(name, _)| name.starts_with("on"))
        {
            problems.push(format!("<{name}> runs a script of its own"));
        }
    }
    problems
}

fn is_elsewhere(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    target.trim_start().starts_with("//")
        || scheme.is_some_and(|scheme| {
            scheme != "data" && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

#[test]
fn what_is_wrong_with_a_page_is_seen() {
    let page = |body: &str| format!("<!doctype html><html lang=en><title>t</title>{body}</html>");
    assert_eq!(
        problems(&page("<a href='https://elsewhere.example'>go</a>"), "en"),
        [""; 0]
    );
    for bad in [
        "<img src='https://elsewhere.example/a.png'>",
        "<script src='//elsewhere.example/a.js'></script>",
        "<link rel=stylesheet href='http://elsewhere.example/a.css'>",
        "<form action='https://elsewhere.example'></form>",
        "<p style='background: url(/a)'>",
        "<style>@import '/a.css';</style>",
        "<p onclick='go()'>",
        "</div>",
        "<p><table><p></table>",
    ] {
        assert!(!problems(&page(bad), "en").is_empty(), "{bad}");
    }
    assert!(!problems(&page("한"), "ko").is_empty());
    assert!(!problems(&page(&"a".repeat(PAGE_BYTES)), "en").is_empty());
}
