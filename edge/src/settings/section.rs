//! One table of a settings file, read key by key: every wrong, missing or unknown key is noted, and
//! reading goes on, so that one run shows all mistakes.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use toml_span::value::{Table, ValueInner};
use toml_span::{ErrorKind, Span, Value};

use super::near::nearest;
use super::{Problems, parse_duration};

/// A value and its place in the file, bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// An entry of a list of texts and tables.
#[derive(Debug)]
pub enum Item<'p, 'de> {
    /// A text.
    Text(Placed<String>),
    /// A table.
    Table(Section<'p, 'de>),
}

/// A table being read.
#[derive(Debug)]
pub struct Section<'p, 'de> {
    table: Table<'de>,
    span: Option<Span>,
    name: String,
    known: Vec<&'static str>,
    written: Vec<&'static str>,
    problems: &'p Problems,
}

impl<'p, 'de> Section<'p, 'de> {
    /// Parses the whole file. `None` when it is not TOML; the reason is then in `problems`.
    pub fn parse(source: &'de str, problems: &'p Problems) -> Option<Self> {
        match toml_span::parse(source) {
            Ok(value) => Self::of(value, None, "the file", problems),
            Err(error) => {
                let first = match &error.kind {
                    ErrorKind::DuplicateKey { first, .. }
                    | ErrorKind::DuplicateTable { first, .. }
                    | ErrorKind::DottedKeyInvalidType { first } => Some(*first),
                    _ => None,
                };
                let added = problems
                    .add(error.span, format!("not TOML: {error}"))
                    .label("here")
                    .help("the rest is looked at once it is TOML");
                if let Some(first) = first {
                    added.also(first, "first here");
                }
                None
            }
        }
    }

    /// `value` as a table called `name`; `None`, with a problem noted, for anything else.
    pub fn of(
        mut value: Value<'de>,
        span: Option<Span>,
        name: impl Into<String>,
        problems: &'p Problems,
    ) -> Option<Self> {
        let name = name.into();
        match value.take() {
            ValueInner::Table(table) => Some(Self {
                table,
                span,
                name,
                known: Vec::new(),
                written: Vec::new(),
                problems,
            }),
            other => {
                wanted(&name, "a table", &other, value.span, problems);
                None
            }
        }
    }

    /// Where the table stands; the whole file stands nowhere.
    #[must_use]
    pub const fn span(&self) -> Option<Span> {
        self.span
    }

    /// What it is called in messages: ``collection `invitations` ``.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where mistakes are noted.
    #[must_use]
    pub const fn problems(&self) -> &'p Problems {
        self.problems
    }

    /// Whether the file has `key`, well-formed or not. To be asked after the key was read.
    #[must_use]
    pub fn was_written(&self, key: &str) -> bool {
        self.written.contains(&key)
    }

    /// The value as it is. The key counts as known from now on.
    pub fn take(&mut self, key: &'static str) -> Option<Value<'de>> {
        self.entry(key).map(|(_, value)| value)
    }

    /// A text.
    pub fn text(&mut self, key: &'static str) -> Option<Placed<String>> {
        self.typed(key, "a text in quotes", |value| match value {
            ValueInner::String(text) => Ok(text.into_owned()),
            other => Err(other),
        })
    }

    /// A truth value.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        let flag = self.typed(key, "true or false", |value| match value {
            ValueInner::Boolean(flag) => Ok(flag),
            other => Err(other),
        });
        flag.map(|flag| flag.value)
    }

    /// A whole number.
    pub fn integer(&mut self, key: &'static str) -> Option<Placed<i64>> {
        self.typed(key, "a whole number", |value| match value {
            ValueInner::Integer(number) => Ok(number),
            other => Err(other),
        })
    }

    /// A text that parses as `T`; a problem with `T`'s own words otherwise.
    pub fn parsed<T>(&mut self, key: &'static str) -> Option<Placed<T>>
    where
        T: FromStr<Err: Display>,
    {
        let text = self.text(key)?;
        let value = self.accepted(&text, text.value.parse())?;
        let span = text.span;
        Some(Placed { value, span })
    }

    /// What `text` was read as; a problem with the error's own words otherwise.
    pub fn accepted<T>(&self, text: &Placed<String>, read: Result<T, impl Display>) -> Option<T> {
        let note = |error| {
            self.problems.add(text.span, format!("{error}"));
        };
        read.map_err(note).ok()
    }

    /// A list of texts.
    pub fn texts(&mut self, key: &'static str) -> Option<Placed<Vec<Placed<String>>>> {
        let list = self.items(key, "a list of texts")?;
        let mut texts = Vec::new();
        for mut item in list.value {
            let span = item.span;
            match item.take() {
                ValueInner::String(text) => texts.push(Placed {
                    value: text.into_owned(),
                    span,
                }),
                other => {
                    let name = format!("an entry of `{key}`");
                    wanted(&name, "a text in quotes", &other, span, self.problems);
                }
            }
        }
        Some(Placed {
            value: texts,
            span: list.span,
        })
    }

    /// A list of texts, each of which may be a table instead where there is more to say.
    pub fn texts_or_tables(&mut self, key: &'static str) -> Option<Placed<Vec<Item<'p, 'de>>>> {
        let list = self.items(key, "a list of texts or tables")?;
        let mut entries = Vec::new();
        for mut item in list.value {
            let (span, name) = (item.span, format!("an entry of `{key}`"));
            match item.take() {
                ValueInner::String(text) => entries.push(Item::Text(Placed {
                    value: text.into_owned(),
                    span,
                })),
                ValueInner::Table(table) => {
                    let value = Value::with_span(ValueInner::Table(table), span);
                    let section = Self::of(value, Some(span), name, self.problems);
                    entries.extend(section.map(Item::Table));
                }
                other => wanted(&name, "a text or a table", &other, span, self.problems),
            }
        }
        Some(Placed {
            value: entries,
            span: list.span,
        })
    }

    /// A duration within `fits`.
    pub fn duration(
        &mut self,
        key: &'static str,
        fits: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let text = self.text(key)?;
        let Some(read) = parse_duration(&text.value) else {
            let message = format!("`{key}` is not a duration: {:?}", text.value);
            self.problems
                .add(text.span, message)
                .label("expected a whole number and ms, s, m, h or d, as in \"10m\"");
            return None;
        };
        if !fits.contains(&read) {
            self.problems
                .add(text.span, format!("`{key}` is {:?}", text.value))
                .label(format!(
                    "expected from {:?} to {:?}",
                    fits.start(),
                    fits.end()
                ));
            return None;
        }
        Some(read)
    }

    /// A key that must be there, read by `read`. `help` says what belongs there.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        help: &str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        let found = read(self, key);
        if !self.was_written(key) {
            self.missing(key, help);
        }
        found
    }

    /// Notes that `key` is not there. `help` says what belongs there.
    pub fn missing(&self, key: &str, help: &str) {
        let message = format!("{} needs `{key}`", self.name);
        self.problems.add(self.span, message).help(help);
    }

    /// A table: `[key]`.
    pub fn section(&mut self, key: &'static str) -> Option<Self> {
        let (place, value) = self.entry(key)?;
        let name = if self.span.is_some() {
            format!("`{key}` of {}", self.name)
        } else {
            format!("`{key}`")
        };
        // The key is a smaller and clearer place than the whole table.
        Self::of(value, Some(place), name, self.problems)
    }

    /// `[key.NAME]` tables, in the order of the file: each name with its table.
    pub fn named<N>(&mut self, key: &'static str) -> Vec<(N, Self)>
    where
        N: FromStr<Err: Display>,
    {
        let Some(all) = self.section(key) else {
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (name, value) in all.rest() {
            let parsed = self.accepted(&name, name.value.parse());
            let title = format!("{key} `{}`", name.value);
            let section = Self::of(value, Some(name.span), title, self.problems);
            sections.extend(parsed.zip(section));
        }
        sections
    }

    /// `[[key]]` tables.
    pub fn list(&mut self, key: &'static str) -> Vec<Self> {
        let list = self.items(key, "a list of tables");
        let items = list.map(|list| list.value).unwrap_or_default().into_iter();
        items
            .filter_map(|item| {
                let span = item.span;
                Self::of(item, Some(span), format!("this {key}"), self.problems)
            })
            .collect()
    }

    /// Every remaining pair as texts, whatever its key, in the order of the file.
    pub fn rest_as_texts(self) -> Vec<(Placed<String>, Placed<String>)> {
        let (name, problems) = (format!("an entry of {}", self.name), self.problems);
        let mut texts = Vec::new();
        for (key, mut value) in self.rest() {
            let span = value.span;
            match value.take() {
                ValueInner::String(text) => {
                    let value = text.into_owned();
                    texts.push((key, Placed { value, span }));
                }
                other => wanted(&name, "a text in quotes", &other, span, problems),
            }
        }
        texts
    }

    /// Notes every key that nobody asked for.
    pub fn finish(self) {
        for key in self.table.keys() {
            let message = format!("{} has no key `{}`", self.name, key.name);
            let label = match nearest(&self.known, &key.name) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected one of: {}", self.known.join(", ")),
            };
            self.problems.add(key.span, message).label(label);
        }
    }

    fn entry(&mut self, key: &'static str) -> Option<(Span, Value<'de>)> {
        self.known.push(key);
        let (name, value) = self.table.remove_entry(key)?;
        self.written.push(key);
        Some((name.span, value))
    }

    fn rest(self) -> Vec<(Placed<String>, Value<'de>)> {
        let placed = self.table.into_iter().map(|(key, value)| {
            let name = Placed {
                value: key.name.into_owned(),
                span: key.span,
            };
            (name, value)
        });
        let mut pairs: Vec<_> = placed.collect();
        pairs.sort_by_key(|(name, _)| name.span.start);
        pairs
    }

    fn items(&mut self, key: &'static str, expected: &str) -> Option<Placed<Vec<Value<'de>>>> {
        self.typed(key, expected, |value| match value {
            ValueInner::Array(items) => Ok(items),
            other => Err(other),
        })
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(ValueInner<'de>) -> Result<T, ValueInner<'de>>,
    ) -> Option<Placed<T>> {
        let mut value = self.take(key)?;
        let span = value.span;
        match read(value.take()) {
            Ok(value) => Some(Placed { value, span }),
            Err(other) => {
                wanted(&format!("`{key}`"), expected, &other, span, self.problems);
                None
            }
        }
    }
}

fn wanted(what: &str, expected: &str, found: &ValueInner<'_>, span: Span, problems: &Problems) {
    let kind = found.type_str();
    let article = if kind.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    problems
        .add(
            span,
            format!("{what} must be {expected}, not {article} {kind}"),
        )
        .label(format!("expected {expected}"));
}
