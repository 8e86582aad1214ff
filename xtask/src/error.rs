//! What went wrong in a chore, where, and the next step for the person who reads it.

use std::fmt;
use std::io;
use std::path::Path;

/// A chore's failure: one message that names the thing and the place, and what to do next.
#[derive(Debug)]
pub(crate) struct Error {
    message: String,
    next: Option<String>,
}

/// The result of a chore.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure without an obvious next step.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Error {
            message: message.into(),
            next: None,
        }
    }

    /// A failed operation on a file: `doing` is the verb, as in "read" or "rename".
    pub(crate) fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        Error::new(format!("cannot {doing} {}: {error}", path.display()))
    }

    /// The same failure, with what to do about it: a command, or a sentence.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// What to do about it, if that is known.
    pub(crate) fn next_step(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
