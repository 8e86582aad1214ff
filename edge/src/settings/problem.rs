//! Mistakes in a settings file, gathered and shown together: whoever fixes one wants to see the
//! others, not start again for each.

use std::cell::RefCell;
use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use toml_span::Span;

use super::Placed;

/// One mistake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, naming the thing.
    pub message: String,
    /// Where in the file, bytes.
    pub span: Option<Span>,
    /// What is expected there, shown under the place.
    pub label: String,
    /// A second place that the first contradicts.
    pub also: Option<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
}

/// Collects mistakes while a file is read; shared by every section of it.
#[derive(Debug, Default)]
pub struct Problems(RefCell<Vec<Problem>>);

/// Every mistake of one settings file, in the order of the file. Never empty.
#[derive(Clone, Debug)]
pub struct Mistakes {
    path: PathBuf,
    source: String,
    list: Vec<Problem>,
}

/// A mistake just added, to be given more detail.
#[derive(Debug)]
pub struct Added<'p> {
    problems: &'p Problems,
    at: usize,
}

impl Problems {
    /// Adds a mistake; the result takes further detail.
    pub fn add(&self, span: impl Into<Option<Span>>, message: impl Into<String>) -> Added<'_> {
        let mut list = self.0.borrow_mut();
        list.push(Problem {
            message: message.into(),
            span: span.into(),
            ..Problem::default()
        });
        Added {
            problems: self,
            at: list.len() - 1,
        }
    }

    /// Notes it where the list under `key` has fewer or more entries than it may.
    pub fn count<T>(&self, key: &str, list: &Placed<Vec<T>>, fits: RangeInclusive<usize>) {
        let n = list.value.len();
        if !fits.contains(&n) {
            self.add(list.span, format!("`{key}` has {n} entries"))
                .label(format!("expected {} to {}", fits.start(), fits.end()));
        }
    }

    /// `value`, unless there are mistakes in `source`, the text of `path`.
    ///
    /// # Errors
    /// All the mistakes.
    pub fn none_or<T>(self, value: Option<T>, path: &Path, source: &str) -> Result<T, Mistakes> {
        let mut list = self.0.into_inner();
        match value {
            Some(value) if list.is_empty() => Ok(value),
            _ => {
                let place = |p: &Problem| p.span.map_or(usize::MAX, |span| span.start);
                list.sort_by_key(place);
                Err(Mistakes {
                    path: path.to_owned(),
                    source: source.to_owned(),
                    list,
                })
            }
        }
    }
}

impl Added<'_> {
    /// Says what is expected at the place.
    pub fn label(self, label: impl Into<String>) -> Self {
        self.change(|problem| problem.label = label.into())
    }

    /// Names a second place that the first contradicts.
    pub fn also(self, span: Span, label: impl Into<String>) -> Self {
        self.change(|problem| problem.also = Some((span, label.into())))
    }

    /// Says what to do.
    pub fn help(self, help: impl Into<String>) -> Self {
        self.change(|problem| problem.help = Some(help.into()))
    }

    fn change(self, change: impl FnOnce(&mut Problem)) -> Self {
        if let Some(problem) = self.problems.0.borrow_mut().get_mut(self.at) {
            change(problem);
        }
        self
    }
}

impl Mistakes {
    /// One mistake with the file as a whole: there is no line to show.
    #[must_use]
    pub fn whole(path: &Path, message: String, help: Option<String>) -> Self {
        Self {
            path: path.to_owned(),
            source: String::new(),
            list: vec![Problem {
                message,
                help,
                ..Problem::default()
            }],
        }
    }

    /// Each of them.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// The mistakes with their places in the file, for a terminal when `styled`.
    #[must_use]
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let path = self.path.display().to_string();
        let shown: Vec<String> = self
            .list
            .iter()
            .map(|problem| renderer.render(&[self.group(problem, &path)]))
            .collect();
        let count = match self.list.len() {
            1 => "1 mistake".to_owned(),
            n => format!("{n} mistakes"),
        };
        format!(
            "{}\n\n{path}: {count}; nothing was done",
            shown.join("\n\n")
        )
    }

    fn group<'a>(&'a self, problem: &'a Problem, path: &'a str) -> Group<'a> {
        let title = Level::ERROR.primary_title(problem.message.as_str());
        let group = match problem.span.and_then(|span| self.first_line(span)) {
            None => title.element(Level::NOTE.message(format!("in {path}"))),
            Some(span) => {
                let mut primary = AnnotationKind::Primary.span(span);
                if !problem.label.is_empty() {
                    primary = primary.label(problem.label.as_str());
                }
                let mut snippet = Snippet::source(self.source.as_str())
                    .path(path)
                    .annotation(primary);
                if let Some((also, label)) = &problem.also
                    && let Some(also) = self.first_line(*also)
                {
                    snippet = snippet
                        .annotation(AnnotationKind::Context.span(also).label(label.as_str()));
                }
                title.element(snippet)
            }
        };
        match &problem.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        }
    }

    /// `span`, if it really is a place in the source; of several lines (a table) the first.
    fn first_line(&self, span: Span) -> Option<Range<usize>> {
        let text = self.source.get(span.start..span.end)?;
        let length = text.find('\n').unwrap_or(text.len());
        Some(span.start..span.start + length)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Mistakes {}
