//! What is wrong with a source, and where.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<PathBuf>,
    /// Which row of it.
    pub at: At,
}

/// Which part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// A line, from 1.
    Line(u64),
    /// A row of a query's result, from 1.
    Row(u64),
    /// All of it.
    Whole,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match self.at {
            At::Line(line) => write!(f, "{file}:{line}"),
            At::Row(row) => write!(f, "{file}, row {row} of the query"),
            At::Whole => write!(f, "{file}"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// In which field, if in one.
    pub field: Option<String>,
    /// What, and what was expected. Never the value of a secret.
    pub why: String,
}

impl Fault {
    pub(super) fn new(place: &Place, field: &str, why: impl Into<String>) -> Self {
        Self {
            place: place.clone(),
            field: Some(field.to_owned()),
            why: why.into(),
        }
    }

    pub(super) fn of_row(place: &Place, why: impl Into<String>) -> Self {
        Self {
            place: place.clone(),
            field: None,
            why: why.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{}: field `{field}`: {}", self.place, self.why),
            None => write!(f, "{}: {}", self.place, self.why),
        }
    }
}

/// Why a source gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be read at all.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system or the format says.
        why: String,
    },
    /// More rows than one collection may have.
    #[error("{}: more than the {limit} rows that a collection may have", path.display())]
    TooManyRows {
        /// The file or folder.
        path: PathBuf,
        /// Rows allowed.
        limit: usize,
    },
    /// Rows that cannot become records, or keys that stand twice.
    #[error("{what} {}", list(faults, *more))]
    Faults {
        /// The collection, or the route whose URLs are listed.
        what: String,
        /// The first of them.
        faults: Vec<Fault>,
        /// How many more there are.
        more: usize,
    },
}

fn list(faults: &[Fault], more: usize) -> String {
    let mut text = String::from("cannot be read:");
    for fault in faults {
        text.push_str("\n  ");
        text.push_str(&fault.to_string());
    }
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}
