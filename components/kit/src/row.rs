//! A record that is a row: a JSON object, read field by field in the reader's language.

use std::fmt;

use serde_json::{Map, Value};

use crate::language::Language;

/// A row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(Map<String, Value>);

/// A record that is no row. Tells nothing of its content, which may have been sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The line in the record.
    pub line: usize,
    /// The column in the record.
    pub column: usize,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column } = self;
        write!(
            f,
            "the record is no row: expected a JSON object, line {line}, column {column}"
        )
    }
}

impl std::error::Error for RowError {}

impl Row {
    /// Reads a record's bytes.
    ///
    /// # Errors
    /// [`RowError`] for anything but a JSON object.
    pub fn parse(bytes: &[u8]) -> Result<Self, RowError> {
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|error| RowError {
                line: error.line(),
                column: error.column(),
            })
    }

    /// The field `name` as text; empty if there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        self.0.get(name).map(say).unwrap_or_default()
    }

    /// What `name` is in `language`: `name_LANG`, else any `name_*`, else `name`.
    #[must_use]
    pub fn text(&self, name: &str, language: &Language) -> String {
        let fields = self.0.keys().map(String::as_str);
        translated(fields, name, language)
            .map(|field| self.field(field))
            .unwrap_or_default()
    }

    /// The fields, in the order of their names.
    #[must_use]
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// Which of a row's `fields` holds `name` in `language`.
#[must_use]
pub fn translated<'a>(
    fields: impl Iterator<Item = &'a str> + Clone,
    name: &str,
    language: &Language,
) -> Option<&'a str> {
    let primary = language.tag().split('-').next().unwrap_or_default();
    let ending = |field: &'a str| field.strip_prefix(name)?.strip_prefix('_');
    let exact = |tag: &str| {
        fields
            .clone()
            .find(|field| ending(field).is_some_and(|end| end.eq_ignore_ascii_case(tag)))
    };
    exact(language.tag())
        .or_else(|| exact(primary))
        // A language's ending, and not another field such as `title_page`: two or three letters,
        // perhaps with a region.
        .or_else(|| {
            fields
                .clone()
                .find(|field| ending(field).is_some_and(is_tag))
        })
        .or_else(|| fields.clone().find(|field| *field == name))
}

fn is_tag(end: &str) -> bool {
    let primary = end.split('-').next().unwrap_or_default();
    matches!(primary.len(), 2 | 3) && primary.bytes().all(|b| b.is_ascii_alphabetic())
}

fn say(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_picked_by_language() {
        let row = Row::parse(
            r#"{"title":"t","title_en":"E","title_ko":"가","hall_ko":"홀","note":null,"fee":5,"side":"groom","side_note":"x"}"#
                .as_bytes(),
        )
        .unwrap();
        for (name, language, text) in [
            ("title", "ko", "가"),
            ("title", "en", "E"),
            ("title", "en-GB", "E"),
            ("title", "ja", "E"),
            ("hall", "en", "홀"),
            ("fee", "en", "5"),
            ("note", "en", ""),
            ("nothing", "en", ""),
            ("side", "ko", "groom"),
        ] {
            let found = row.text(name, &Language::new(language));
            assert_eq!(found, text, "{name} {language}");
        }
    }

    #[test]
    fn what_is_no_row_is_refused_without_its_content() {
        for bytes in [
            b"[]".as_slice(),
            b"",
            b"\"110-234-567890\"",
            b"{\"a\":",
            b"\xff",
        ] {
            let error = Row::parse(bytes).unwrap_err();
            assert!(!error.to_string().contains("234"), "{error}");
        }
    }
}
