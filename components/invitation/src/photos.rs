//! The couple's photographs, which lie in a collection of files of their own.

use kit::{Html, Language, Row, encode_path};

/// Most photographs on a page.
const PHOTOS: usize = 12;

/// The pictures of a row; nothing at all if it has none.
pub(crate) fn photos(row: &Row, language: &Language) -> Html {
    let names = row.field("photos");
    let sources: Vec<String> = names.split(',').filter_map(source).take(PHOTOS).collect();
    let mut pictures = Html::new();
    for (at, source) in sources.iter().enumerate() {
        let alt = format!(
            "{} {}",
            language.pick("신랑과 신부의 사진", "The couple, photograph"),
            at + 1
        );
        pictures.add(
            "<img src=\"{}\" width=\"900\" height=\"600\" alt=\"{}\" loading=\"lazy\">\n",
            &[source, &alt],
        );
    }
    let mut out = Html::new();
    if !sources.is_empty() {
        out.add("<div class=\"photos\">\n{}</div>\n", &[&pictures]);
    }
    out
}

/// Where a photograph lies; `None` for a name that leads elsewhere.
fn source(name: &str) -> Option<String> {
    let segments: Vec<&str> = name.trim().split('/').collect();
    let leads_elsewhere = |segment: &&str| matches!(*segment, "" | "." | "..");
    if segments.iter().any(leads_elsewhere) {
        return None;
    }
    let encoded: Vec<String> = segments.into_iter().map(encode_path).collect();
    Some(format!("/photos/{}", encoded.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_below_the_photos() {
        for (name, found) in [
            (" river-01.jpg", Some("/photos/river-01.jpg")),
            ("a b/\"c\".jpg", Some("/photos/a%20b/%22c%22.jpg")),
            ("", None),
            ("../keys", None),
            ("/etc", None),
            ("a//b", None),
        ] {
            assert_eq!(source(name).as_deref(), found, "{name}");
        }
    }

    #[test]
    fn there_are_never_too_many() {
        let names = vec!["a.jpg"; PHOTOS + 1].join(",");
        let row = Row::parse(format!("{{\"photos\":\"{names}\"}}").as_bytes()).unwrap();
        let html = photos(&row, &Language::new("en"));
        assert_eq!(html.as_str().matches("<img").count(), PHOTOS);
        let none = photos(&Row::default(), &Language::new("en"));
        assert_eq!(none.as_str(), "");
    }
}
