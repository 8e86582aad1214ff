//! What a person or a script sees when a command did not do what it was told.

use std::io::IsTerminal;

use edge::settings::Mistakes;
use serde_json::{Value, json};

use crate::build::{AmendedKey, BuildError};
use crate::exit::Exit;
use crate::export::ExportError;
use crate::init::InitError;
use crate::inspect::InspectError;
use crate::publish::PublishError;
use crate::sweep::SweepError;

/// A failed command: what happened, why, and what to do next.
#[derive(Debug)]
pub struct Failure {
    /// The process's exit code.
    pub exit: Exit,
    error: anyhow::Error,
    hint: Option<String>,
    /// For scripts: more than words.
    amended: Vec<Value>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            error: error.into(),
            hint: None,
            amended: Vec::new(),
        }
    }

    /// A mistake on the command line or in a file of settings.
    pub(super) fn usage(message: impl Into<String>, hint: Option<&str>) -> Self {
        Self {
            exit: Exit::Usage,
            error: anyhow::Error::msg(message.into()),
            hint: hint.map(str::to_owned),
            amended: Vec::new(),
        }
    }

    pub(super) fn hint(mut self, hint: Option<&str>) -> Self {
        self.hint = hint.map(str::to_owned);
        self
    }

    /// Writes it to standard error and, if `json`, as one line to standard output.
    pub(super) fn show(&self, json: bool) {
        let styled = std::io::stderr().is_terminal();
        match self.error.downcast_ref::<Mistakes>() {
            Some(mistakes) => eprintln!("{}", mistakes.render(styled)),
            None => {
                eprintln!("error: {}", self.error);
                for cause in self.causes() {
                    eprintln!("  because: {cause}");
                }
            }
        }
        if let Some(hint) = &self.hint {
            eprintln!("hint: {hint}");
        }
        if json {
            let mut line = json!({
                "result": self.exit.word(),
                "exit": self.exit as u8,
                "error": self.error.to_string(),
                "hint": self.hint,
            });
            if let (false, Some(fields)) = (self.amended.is_empty(), line.as_object_mut()) {
                fields.insert("amended".to_owned(), self.amended.clone().into());
            }
            println!("{line}");
        }
    }

    /// Causes that the words above them do not say already.
    fn causes(&self) -> Vec<String> {
        let mut said = self.error.to_string();
        let mut causes = Vec::new();
        for cause in self.error.chain().skip(1) {
            let words = cause.to_string();
            if !said.contains(&words) {
                said.clone_from(&words);
                causes.push(words);
            }
        }
        causes
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl From<Mistakes> for Failure {
    fn from(error: Mistakes) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        let (exit, hint) = (error.exit(), error.hint());
        let amended = match error {
            PublishError::Inspect(error) => return error.into(),
            PublishError::Build(BuildError::Amended(ref keys)) => {
                keys.iter().map(AmendedKey::json).collect()
            }
            _ => Vec::new(),
        };
        Self {
            amended,
            ..Self::new(exit, error).hint(hint)
        }
    }
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        let (exit, hint) = (error.exit(), error.hint());
        Self::new(exit, error).hint(hint)
    }
}

impl From<InitError> for Failure {
    fn from(error: InitError) -> Self {
        let exit = match error {
            InitError::Io(_) => Exit::Local,
            InitError::Key { .. } | InitError::Pages(_) | InitError::Name(_) => Exit::Usage,
        };
        Self::new(exit, error)
    }
}

impl From<InspectError> for Failure {
    fn from(error: InspectError) -> Self {
        let (exit, hint) = match error {
            InspectError::NoKey | InspectError::NoCollection(..) => (Exit::Usage, None),
            InspectError::NoRelease(_) => (
                Exit::BadData,
                Some("is it this site, this mirror, and this trust folder?"),
            ),
            InspectError::Store(_) | InspectError::Io(_) | InspectError::Internal(_) => {
                (Exit::Local, None)
            }
            _ => (Exit::BadData, None),
        };
        Self::new(exit, error).hint(hint)
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        let exit = match error {
            ExportError::Inspect(error) => return error.into(),
            ExportError::NotEmpty(_) => Exit::Usage,
            ExportError::Store(_)
            | ExportError::Io(_)
            | ExportError::Sqlite(_)
            | ExportError::Internal(_) => Exit::Local,
            _ => Exit::BadData,
        };
        Self::new(exit, error)
    }
}
