//! Mistakes in a file, collected so that all of them are shown together, each at its place.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, in bytes of the file.
    pub span: Range<usize>,
    /// What is wrong and what was expected.
    pub message: String,
    /// What to do, if that is not plain.
    pub help: Option<String>,
}

/// Collects while a file is read; shared by every section of it.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    pub(super) fn add(&self, span: impl Into<Range<usize>>, message: impl Into<String>) {
        self.push(span.into(), message.into(), None);
    }

    pub(super) fn add_with_help(
        &self,
        span: impl Into<Range<usize>>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(span.into(), message.into(), Some(help.into()));
    }

    fn push(&self, span: Range<usize>, message: String, help: Option<String>) {
        self.0.borrow_mut().push(Problem {
            span,
            message,
            help,
        });
    }

    pub(super) fn into_sorted(self) -> Vec<Problem> {
        let mut problems = self.0.into_inner();
        problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        problems
    }
}

/// A configuration that cannot be used, with everything that is wrong with it.
#[derive(Debug)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    text: String,
    /// Every mistake, in the order of the file.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn new(file: &Path, text: &str, problems: Vec<Problem>) -> Self {
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            problems,
        }
    }

    /// A mistake with the file as a whole: there is no line to show.
    pub(super) fn whole(file: &Path, message: String, help: Option<String>) -> Self {
        let problem = Problem {
            span: 0..0,
            message,
            help,
        };
        Self::new(file, "", vec![problem])
    }

    /// Every mistake with its lines, for a terminal when `styled`.
    #[must_use]
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let path = self.file.display().to_string();
        let shown = self.problems.iter().map(|problem| {
            let title = Level::ERROR.primary_title(problem.message.as_str());
            let mut group = if self.text.is_empty() {
                title.element(Level::NOTE.message(format!("in {path}")))
            } else {
                title.element(
                    Snippet::source(self.text.as_str())
                        .path(path.as_str())
                        .annotation(AnnotationKind::Primary.span(self.visible(&problem.span))),
                )
            };
            if let Some(help) = &problem.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            renderer.render(&[group])
        });
        shown.collect::<Vec<_>>().join("\n\n")
    }

    /// A span over several lines (a table) is shown as its first line.
    fn visible(&self, span: &Range<usize>) -> Range<usize> {
        let start = span.start.min(self.text.len());
        let end = span.end.clamp(start, self.text.len());
        let first_line = self
            .text
            .get(start..end)
            .and_then(|text| text.find('\n'))
            .map_or(end, |at| start + at);
        start..first_line
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ConfigError {}
