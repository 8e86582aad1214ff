//! What the host says of services and of ops' notices: in the reader's language, and on status pages
//! in every language there is.

use serde_json::Value;

/// The same words in several languages, each with its own, the site's first.
pub type Words = Vec<(String, String)>;

/// A service of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name in the site's configuration.
    pub name: String,
    /// Its name for readers.
    pub title: String,
    /// What to use while it is down.
    pub meanwhile: String,
    /// How this page was made: `normal` or `degraded`.
    pub state: String,
    /// Who answers for it: `normal` the origin, `probing` the origin again, step by step, `degraded` the
    /// snapshot.
    pub mode: String,
    /// Since when it is so, RFC 3339 in UTC.
    pub since: Option<String>,
    /// Since when it is back, RFC 3339 in UTC, for as long as ops want that to be said.
    pub back: Option<String>,
    /// `title` in every language; on status pages alone.
    pub titles: Words,
    /// `meanwhile` in every language; on status pages alone.
    pub meanwhiles: Words,
}

/// What ops wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// `site` or `service:NAME`.
    pub scope: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// The language it is written in.
    pub language: String,
    /// The words.
    pub text: String,
    /// They in every language that ops wrote; on status pages alone.
    pub texts: Words,
}

/// Reads the list of services; `None` for anything but an array of objects.
pub(crate) fn services(json: &str) -> Option<Vec<Service>> {
    list(json, |item| {
        Some(Service {
            name: text(item, "name")?,
            title: text(item, "title")?,
            meanwhile: text(item, "meanwhile").unwrap_or_default(),
            state: text(item, "state")?,
            mode: text(item, "mode").or_else(|| text(item, "state"))?,
            since: text(item, "since"),
            back: text(item, "back"),
            titles: words(item.get("titles"))?,
            meanwhiles: words(item.get("meanwhiles"))?,
        })
    })
}

/// Reads the list of notices; `None` for anything but an array of objects.
pub(crate) fn notices(json: &str) -> Option<Vec<Notice>> {
    list(json, |item| {
        Some(Notice {
            scope: text(item, "scope")?,
            at: text(item, "at")?,
            language: text(item, "language")?,
            text: text(item, "text")?,
            texts: words(item.get("texts"))?,
        })
    })
}

/// Reads `[["ko", "..."], ["en", "..."]]`; `None` for anything else but nothing.
pub(crate) fn words(value: Option<&Value>) -> Option<Words> {
    let Some(value) = value else {
        return Some(Words::new());
    };
    let pair = |pair: &Value| match pair.as_array()?.as_slice() {
        [language, words] => Some((language.as_str()?.to_owned(), words.as_str()?.to_owned())),
        _ => None,
    };
    value.as_array()?.iter().map(pair).collect()
}

fn list<T>(json: &str, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    let Ok(Value::Array(items)) = serde_json::from_str(json) else {
        return None;
    };
    items.iter().map(read).collect()
}

fn text(item: &Value, field: &str) -> Option<String> {
    item.get(field)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_and_notices_are_read() {
        let services = services(
            r#"[{"name":"pay","title":"다솜페이","meanwhile":"현금","state":"degraded","since":null}]"#,
        )
        .unwrap();
        assert_eq!(services[0].title, "다솜페이");
        assert_eq!(services[0].since, None);
        assert_eq!(services[0].mode, "degraded");
        assert!(services[0].titles.is_empty());
        let notices = notices(
            r#"[{"scope":"site","at":"2026-11-22T05:05:00Z","language":"ko","text":"가"}]"#,
        )
        .unwrap();
        assert_eq!(notices[0].text, "가");
    }

    #[test]
    fn status_pages_are_told_in_every_language() {
        let services = services(
            r#"[{"name":"pay","title":"다솜페이","state":"normal","mode":"probing",
                 "back":"2026-11-22T12:05:00Z","titles":[["ko","다솜페이"],["en","Dasom Pay"]]}]"#,
        )
        .unwrap();
        assert_eq!(services[0].mode, "probing");
        assert_eq!(services[0].back.as_deref(), Some("2026-11-22T12:05:00Z"));
        let english = ("en".to_owned(), "Dasom Pay".to_owned());
        assert_eq!(services[0].titles[1], english);
    }

    #[test]
    fn anything_else_is_refused() {
        for json in [
            "",
            "{}",
            "[1]",
            r#"[{"name":"pay"}]"#,
            r#"[{"name":"pay","title":"","state":"normal","titles":[1]}]"#,
            r#"[{"scope":"site","at":"","language":"ko","text":"","texts":{}}]"#,
        ] {
            assert!(services(json).is_none(), "{json}");
            assert!(notices(json).is_none(), "{json}");
        }
    }
}
