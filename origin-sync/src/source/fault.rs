//! What is wrong with a source, and where.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::FAULTS;

/// Where a row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<PathBuf>,
    /// Which row of it.
    pub at: At,
}

/// Which part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// A line, from 1.
    Line(u64),
    /// A row of a query's result, from 1.
    Row(u64),
    /// All of it.
    Whole,
}

impl At {
    /// Which one.
    pub(super) const fn number(self) -> u64 {
        match self {
            Self::Line(number) | Self::Row(number) => number,
            Self::Whole => 0,
        }
    }
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
    /// The publisher's own disk failed while the rows were put in order.
    #[error("the publisher's own copy, sorting: {0}")]
    Sorting(#[source] std::io::Error),
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

/// What is wrong with one source, as much of it as is told.
#[derive(Debug, Default)]
pub(super) struct Faults {
    first: Vec<Fault>,
    more: usize,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        if self.first.len() < FAULTS {
            self.first.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// Both together, in the order of the source: each has the first that it saw.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.first.extend(other.first);
        self.first.sort_by_key(|fault| fault.place.at);
        self.more += other.more + self.first.len().saturating_sub(FAULTS);
        self.first.truncate(FAULTS);
        self
    }

    /// The error that they are, if there are any.
    pub(super) fn into_error(self, what: &str) -> Option<SourceError> {
        (!self.first.is_empty()).then(|| SourceError::Faults {
            what: what.to_owned(),
            faults: self.first,
            more: self.more,
        })
    }
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
