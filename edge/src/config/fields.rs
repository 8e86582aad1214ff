//! A TOML table read field by field: a wrong one is noted and reading goes on.

use std::ops::Range;
use std::path::Path;

use toml_span::value::{Table, ValueInner};
use toml_span::{ErrorKind, Value};

use super::Problems;

/// Largest settings file, bytes.
pub const SETTINGS_BYTES: u64 = 256 * 1024;

/// A value and its place in the file, bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Range<usize>,
}

/// One table of a settings file.
#[derive(Debug)]
pub struct Fields<'de> {
    table: Table<'de>,
    span: Range<usize>,
    name: &'static str,
    known: Vec<&'static str>,
}

/// Reads at most [`SETTINGS_BYTES`] of UTF-8 from `path`.
///
/// # Errors
/// Missing, unreadable, too large or not UTF-8.
pub fn read_settings(path: &Path) -> Result<String, Problems> {
    let fail = |message: String| Problems::unreadable(path, message);
    let file = fs_err::File::open(path).map_err(|e| fail(e.to_string()))?;
    let mut bytes = Vec::new();
    let mut bounded = std::io::Read::take(file, SETTINGS_BYTES + 1);
    std::io::Read::read_to_end(&mut bounded, &mut bytes).map_err(|e| fail(e.to_string()))?;
    if bytes.len() as u64 > SETTINGS_BYTES {
        return Err(fail(format!(
            "{} is larger than {SETTINGS_BYTES} bytes, the most a settings file may have",
            path.display()
        )));
    }
    String::from_utf8(bytes).map_err(|e| {
        fail(format!(
            "{} is not UTF-8: {}",
            path.display(),
            e.utf8_error()
        ))
    })
}

impl<'de> Fields<'de> {
    /// Parses the whole file. `None` when it is not TOML; the reason is then in `problems`.
    pub fn parse(source: &'de str, problems: &mut Problems) -> Option<Self> {
        match toml_span::parse(source) {
            Ok(mut value) => match value.take() {
                ValueInner::Table(table) => Some(Self {
                    table,
                    span: 0..0,
                    name: "the file",
                    known: Vec::new(),
                }),
                _ => None,
            },
            Err(error) => {
                let first = match &error.kind {
                    ErrorKind::DuplicateKey { first, .. }
                    | ErrorKind::DuplicateTable { first, .. }
                    | ErrorKind::DottedKeyInvalidType { first } => Some(*first),
                    _ => None,
                };
                let span = error.span.start..error.span.end;
                let added = problems.add(Some(span), format!("not TOML: {error}"), "here");
                if let Some(first) = first {
                    added.also(first.start..first.end, "first here");
                }
                None
            }
        }
    }

    /// Where the table stands.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// A text.
    pub fn text(&mut self, key: &'static str, problems: &mut Problems) -> Option<Placed<String>> {
        let (_, mut value) = self.take(key)?;
        match value.take() {
            ValueInner::String(text) => Some(placed(text.into_owned(), &value)),
            other => wanted(key, "a text in quotes", &other, &value, problems),
        }
    }

    /// A truth value.
    pub fn flag(&mut self, key: &'static str, problems: &mut Problems) -> Option<Placed<bool>> {
        let (_, mut value) = self.take(key)?;
        match value.take() {
            ValueInner::Boolean(flag) => Some(placed(flag, &value)),
            other => wanted(key, "true or false", &other, &value, problems),
        }
    }

    /// A list of texts.
    pub fn texts(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<Placed<Vec<Placed<String>>>> {
        let (_, mut value) = self.take(key)?;
        let items = match value.take() {
            ValueInner::Array(items) => items,
            other => return wanted(key, "a list of texts", &other, &value, problems),
        };
        let mut texts = Vec::new();
        for mut item in items {
            match item.take() {
                ValueInner::String(text) => texts.push(placed(text.into_owned(), &item)),
                other => {
                    let _: Option<()> = wanted(key, "a text in quotes", &other, &item, problems);
                }
            }
        }
        Some(placed(texts, &value))
    }

    /// A field that must be there, read by `read`.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
        read: impl FnOnce(&mut Self, &'static str, &mut Problems) -> Option<T>,
    ) -> Option<T> {
        if !self.table.contains_key(key) {
            let message = format!("{}: `{key}` is missing", self.name);
            let span = Some(self.span()).filter(|span| !span.is_empty());
            problems.add(span, message, format!("expected `{key}` in here"));
        }
        read(self, key, problems)
    }

    /// A table: `[key]`.
    pub fn table(&mut self, key: &'static str, problems: &mut Problems) -> Option<Self> {
        let (name, mut value) = self.take(key)?;
        Self::of(key, name, &mut value, problems)
    }

    /// A list of tables: `[[key]]`.
    pub fn tables(&mut self, key: &'static str, problems: &mut Problems) -> Vec<Self> {
        let Some((name, mut value)) = self.take(key) else {
            return Vec::new();
        };
        match value.take() {
            ValueInner::Array(items) => items
                .into_iter()
                .filter_map(|mut item| Self::of(key, name.clone(), &mut item, problems))
                .collect(),
            other => {
                let wants = "a list of tables";
                wanted::<()>(key, wants, &other, &value, problems);
                Vec::new()
            }
        }
    }

    /// Notes every key that nobody asked for.
    pub fn done(self, problems: &mut Problems) {
        for key in self.table.keys() {
            let label = format!("expected one of: {}", self.known.join(", "));
            let message = format!("{}: unknown key `{}`", self.name, key.name);
            problems.add(Some(key.span.start..key.span.end), message, label);
        }
    }

    fn take(&mut self, key: &'static str) -> Option<(Range<usize>, Value<'de>)> {
        self.known.push(key);
        let (key, value) = self.table.remove_entry(key)?;
        Some((key.span.start..key.span.end, value))
    }

    fn of(
        key: &'static str,
        name: Range<usize>,
        value: &mut Value<'de>,
        problems: &mut Problems,
    ) -> Option<Self> {
        match value.take() {
            ValueInner::Table(table) => Some(Self {
                // The key in the header is a smaller and clearer place than the whole table.
                span: if name.is_empty() {
                    value.span.into()
                } else {
                    name
                },
                table,
                name: key,
                known: Vec::new(),
            }),
            other => wanted(key, "a table", &other, value, problems),
        }
    }
}

fn placed<T>(inner: T, value: &Value<'_>) -> Placed<T> {
    Placed {
        value: inner,
        span: value.span.into(),
    }
}

fn wanted<T>(
    key: &str,
    expected: &str,
    found: &ValueInner<'_>,
    value: &Value<'_>,
    problems: &mut Problems,
) -> Option<T> {
    problems.add(
        Some(value.span.into()),
        format!("`{key}` must be {expected}, not {}", a(found.type_str())),
        format!("expected {expected}"),
    );
    None
}

fn a(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {kind}")
}
