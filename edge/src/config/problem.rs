//! Mistakes in a settings file, gathered and shown together: whoever fixes one wants to see the
//! others, not start again for each.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, naming the thing.
    pub message: String,
    /// Where in the file, bytes.
    pub span: Option<Range<usize>>,
    /// What is expected there, shown under the place.
    pub label: String,
    /// A second place that the first contradicts.
    pub also: Option<(Range<usize>, String)>,
    /// What to do.
    pub help: Option<String>,
}

/// Every mistake of one settings file. Never empty when handed out as an error.
#[derive(Clone, Debug)]
pub struct Problems {
    path: PathBuf,
    source: String,
    list: Vec<Problem>,
}

impl Problems {
    /// None yet, in the file `path` with the text `source`.
    #[must_use]
    pub fn new(path: &Path, source: &str) -> Self {
        Self {
            path: path.to_owned(),
            source: source.to_owned(),
            list: Vec::new(),
        }
    }

    /// A file that could not be read at all.
    #[must_use]
    pub fn unreadable(path: &Path, message: String) -> Self {
        let mut problems = Self::new(path, "");
        problems.add(None, message, "");
        problems
    }

    /// Adds a mistake at `span`; the result takes further detail.
    pub fn add(
        &mut self,
        span: Option<Range<usize>>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Added<'_> {
        self.list.push(Problem {
            message: message.into(),
            span,
            label: label.into(),
            also: None,
            help: None,
        });
        Added(self.list.last_mut())
    }

    /// The mistakes, in the order in which they were found.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// `value`, unless there are mistakes.
    ///
    /// # Errors
    /// All the mistakes, in the order of the file.
    pub fn none_or<T>(mut self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.list.is_empty() => Ok(value),
            _ => {
                let place = |p: &Problem| p.span.as_ref().map_or(usize::MAX, |s| s.start);
                self.list.sort_by_key(place);
                Err(self)
            }
        }
    }

    /// The mistakes with their places in the file, for a terminal.
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
            "{}\n\n{path}: {count}; nothing was started",
            shown.join("\n\n")
        )
    }

    fn group<'a>(&'a self, problem: &'a Problem, path: &'a str) -> Group<'a> {
        let title = Level::ERROR.primary_title(problem.message.as_str());
        let group = match self.inside(problem.span.as_ref()) {
            None => title.element(Level::NOTE.message(format!("in {path}"))),
            Some(span) => {
                let mut snippet = Snippet::source(self.source.as_str())
                    .path(path)
                    .annotation(AnnotationKind::Primary.span(span).label(&*problem.label));
                if let Some((also, label)) = &problem.also
                    && let Some(also) = self.inside(Some(also))
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

    /// `span`, if it really is a place in the source.
    fn inside(&self, span: Option<&Range<usize>>) -> Option<Range<usize>> {
        let span = span?;
        self.source.get(span.clone())?;
        Some(span.clone())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

/// A mistake just added, to be given more detail.
#[derive(Debug)]
pub struct Added<'a>(Option<&'a mut Problem>);

impl Added<'_> {
    /// Names a second place that the first contradicts.
    pub fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        if let Some(problem) = &mut self.0 {
            problem.also = Some((span, label.into()));
        }
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(problem) = &mut self.0 {
            problem.help = Some(help.into());
        }
        self
    }
}
