//! One table of a TOML file, read key by key: every wrong, missing or unknown key is noted, and
//! reading goes on, so that one run shows all mistakes.

use std::str::FromStr;
use std::time::Duration;

use toml_span::Span;
use toml_span::value::{Table, Value, ValueInner};

use super::problems::Problems;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// A table being read.
pub(super) struct Section<'p, 'de> {
    table: Table<'de>,
    pub(super) span: Span,
    /// What it is, in messages: `collection invitations`.
    pub(super) name: String,
    known: Vec<&'static str>,
    written: Vec<&'static str>,
    pub(super) problems: &'p Problems,
}

impl<'p, 'de> Section<'p, 'de> {
    /// `value` as a table; `None`, with a problem noted, for anything else.
    pub(super) fn of(
        mut value: Value<'de>,
        name: impl Into<String>,
        problems: &'p Problems,
    ) -> Option<Self> {
        let name = name.into();
        match value.take() {
            ValueInner::Table(table) => Some(Self {
                table,
                span: value.span,
                name,
                known: Vec::new(),
                written: Vec::new(),
                problems,
            }),
            other => {
                let found = other.type_str();
                problems.add(value.span, format!("{name} must be a table, not a {found}"));
                None
            }
        }
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Value<'de>> {
        self.known.push(key);
        let value = self.table.remove(key)?;
        self.written.push(key);
        Some(value)
    }

    /// Whether the file had `key`, well-formed or not. To be asked after the key was read.
    pub(super) fn was_written(&self, key: &str) -> bool {
        self.written.contains(&key)
    }

    pub(super) fn missing(&self, key: &str, help: &str) {
        self.problems
            .add_with_help(self.span, format!("{} needs `{key}`", self.name), help);
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(ValueInner<'de>) -> Result<T, ValueInner<'de>>,
    ) -> Option<At<T>> {
        let mut value = self.take(key)?;
        match read(value.take()) {
            Ok(read) => Some(At {
                value: read,
                span: value.span,
            }),
            Err(other) => {
                self.problems.add(
                    value.span,
                    format!("`{key}` must be {expected}, not a {}", other.type_str()),
                );
                None
            }
        }
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<At<String>> {
        self.typed(key, "a text", |value| match value {
            ValueInner::String(text) => Ok(text.into_owned()),
            other => Err(other),
        })
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.typed(key, "true or false", |value| match value {
            ValueInner::Boolean(flag) => Ok(flag),
            other => Err(other),
        })
        .map(|at| at.value)
    }

    pub(super) fn integer(&mut self, key: &'static str) -> Option<At<i64>> {
        self.typed(key, "a whole number", |value| match value {
            ValueInner::Integer(number) => Ok(number),
            other => Err(other),
        })
    }

    /// A text that parses as `T`; a problem with `T`'s own words otherwise.
    pub(super) fn parsed<T>(&mut self, key: &'static str) -> Option<At<T>>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let text = self.text(key)?;
        self.parse(&text)
    }

    pub(super) fn parse<T>(&self, text: &At<String>) -> Option<At<T>>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        match text.value.parse() {
            Ok(value) => Some(At {
                value,
                span: text.span,
            }),
            Err(error) => {
                self.problems.add(text.span, error.to_string());
                None
            }
        }
    }

    /// A list of texts; empty if absent.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<At<String>> {
        let list = self.typed(key, "a list of texts", |value| match value {
            ValueInner::Array(items) => Ok(items),
            other => Err(other),
        });
        let mut texts = Vec::new();
        for mut item in list.map(|at| at.value).unwrap_or_default() {
            match item.take() {
                ValueInner::String(text) => texts.push(At {
                    value: text.into_owned(),
                    span: item.span,
                }),
                other => self.problems.add(
                    item.span,
                    format!("`{key}` must hold texts, not a {}", other.type_str()),
                ),
            }
        }
        texts
    }

    /// `30s`, `10m`, `1h`, `2d`.
    pub(super) fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let text = self.text(key)?;
        let parsed = parse_duration(&text.value);
        if parsed.is_none() {
            self.problems.add(
                text.span,
                format!(
                    "`{key}`: {:?} is not a duration: expected a whole number with s, m, h or d",
                    text.value
                ),
            );
        }
        parsed
    }

    pub(super) fn section(&mut self, key: &'static str) -> Option<Section<'p, 'de>> {
        let name = format!("`{key}` of {}", self.name);
        let value = self.take(key)?;
        Section::of(value, name, self.problems)
    }

    /// `[key.NAME]` tables: each name with its table.
    pub(super) fn named<N>(&mut self, key: &'static str) -> Vec<(N, Section<'p, 'de>)>
    where
        N: FromStr<Err: std::fmt::Display>,
    {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let Some(all) = Section::of(value, format!("`{key}`"), self.problems) else {
            return Vec::new();
        };
        let mut found: Vec<_> = all.table.into_iter().collect();
        found.sort_by_key(|(name, _)| name.span.start);
        let mut sections = Vec::new();
        for (name, value) in found {
            let parsed = match name.name.parse::<N>() {
                Ok(parsed) => Some(parsed),
                Err(error) => {
                    self.problems.add(name.span, error.to_string());
                    None
                }
            };
            let section = Section::of(value, format!("{key} `{}`", name.name), self.problems);
            if let (Some(parsed), Some(mut section)) = (parsed, section) {
                section.span = name.span;
                sections.push((parsed, section));
            }
        }
        sections
    }

    /// `[[key]]` tables.
    pub(super) fn list(&mut self, key: &'static str) -> Vec<Section<'p, 'de>> {
        let list = self.typed(key, "a list of tables", |value| match value {
            ValueInner::Array(items) => Ok(items),
            other => Err(other),
        });
        list.map(|at| at.value)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|item| Section::of(item, format!("this {key}"), self.problems))
            .collect()
    }

    /// Every remaining pair as texts, whatever its key (languages, parameters).
    pub(super) fn rest_as_texts(&mut self) -> Vec<(At<String>, At<String>)> {
        let mut found: Vec<_> = std::mem::take(&mut self.table).into_iter().collect();
        found.sort_by_key(|(name, _)| name.span.start);
        let mut texts = Vec::new();
        for (key, mut value) in found {
            match value.take() {
                ValueInner::String(text) => texts.push((
                    At {
                        value: key.name.into_owned(),
                        span: key.span,
                    },
                    At {
                        value: text.into_owned(),
                        span: value.span,
                    },
                )),
                other => self.problems.add(
                    value.span,
                    format!("{} must hold texts, not a {}", self.name, other.type_str()),
                ),
            }
        }
        texts
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self) {
        for (key, _) in self.table {
            let nearest = self
                .known
                .iter()
                .filter(|known| distance(known, &key.name) <= 2)
                .min_by_key(|known| distance(known, &key.name));
            let help = match nearest {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            self.problems.add_with_help(
                key.span,
                format!("{} has no key `{}`", self.name, key.name),
                help,
            );
        }
    }
}

/// `30s`, `10m`, `1h`, `2d`; at most 10 years.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    const MOST_S: u64 = 10 * 365 * 24 * 3600;
    let unit_at = text.len().checked_sub(1)?;
    let seconds: u64 = match text.get(unit_at..)? {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    let digits = text.get(..unit_at)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    let total = count.checked_mul(seconds)?;
    (1..=MOST_S)
        .contains(&total)
        .then(|| Duration::from_secs(total))
}

/// Edit distance, for "did you mean".
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (cb, above) in b.iter().zip(row.windows(2)) {
            let &[diagonal, up] = above else { continue };
            left = (diagonal + usize::from(ca != *cb))
                .min(up + 1)
                .min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_spelling_and_a_bound() {
        assert_eq!(parse_duration("10m"), Some(Duration::from_secs(600)));
        assert_eq!(parse_duration("1h"), Some(Duration::from_secs(3600)));
        for bad in [
            "", "s", "0s", "10", "1.5h", "-1s", "+1s", "9999999d", "10 m", "분",
        ] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("mirrors", "miror"), 2);
        assert_eq!(distance("key", "key"), 0);
        assert_eq!(distance("", "key"), 3);
    }
}
