//! What the host says of services and of ops' notices, in the reader's language.

use serde_json::Value;

/// A service of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name in the site's configuration.
    pub name: String,
    /// Its name for readers.
    pub title: String,
    /// What to use while it is down.
    pub meanwhile: String,
    /// `normal` or `degraded`.
    pub state: String,
    /// Since when it is down, RFC 3339 in UTC.
    pub since: Option<String>,
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
}

/// Reads the list of services; `None` for anything but an array of objects.
pub(crate) fn services(json: &str) -> Option<Vec<Service>> {
    list(json, |item| {
        Some(Service {
            name: text(item, "name")?,
            title: text(item, "title")?,
            meanwhile: text(item, "meanwhile").unwrap_or_default(),
            state: text(item, "state")?,
            since: text(item, "since"),
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
        })
    })
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
        let notices = notices(
            r#"[{"scope":"site","at":"2026-11-22T05:05:00Z","language":"ko","text":"가"}]"#,
        )
        .unwrap();
        assert_eq!(notices[0].text, "가");
    }

    #[test]
    fn anything_else_is_refused() {
        for json in ["", "{}", "[1]", r#"[{"name":"pay"}]"#] {
            assert!(services(json).is_none(), "{json}");
            assert!(notices(json).is_none(), "{json}");
        }
    }
}
