//! How a command says that it failed: the thing, the place, the next step.

use std::fmt;

use super::Exit;
use crate::settings::Mistakes;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub struct Fault {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Fault {
    /// A wrong command line or setting.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Something that did not work.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Any end.
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
            hint: None,
        }
    }

    /// Adds what to do now.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The exit status.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<Mistakes> for Fault {
    fn from(mistakes: Mistakes) -> Self {
        Self::usage(mistakes.render(console::colors_enabled_stderr()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "edge: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  next: {hint}"),
            None => Ok(()),
        }
    }
}
