//! What became of a statement on one path.

use serde_json::{Value, json};

use super::plain::plain;
use crate::sync::Mirror;

/// What became of one path.
#[derive(Clone, Debug)]
pub struct Written {
    /// Where.
    pub url: String,
    /// An edge, which has it in force, and no mirror.
    pub is_edge: bool,
    /// Why it is not there.
    pub error: Option<String>,
}

impl Written {
    /// What came of writing to `path`.
    pub fn new(path: &Mirror, written: Result<(), String>) -> Self {
        Self {
            url: path.url().to_string(),
            is_edge: path.is_edge(),
            error: written.err(),
        }
    }

    /// Whether it is there.
    pub fn is_taken(&self) -> bool {
        self.error.is_none()
    }

    /// A line for people.
    pub fn words(&self) -> String {
        let (kind, done, so) = match self.is_edge {
            true => ("edge", "told", ", and in force there"),
            false => ("mirror", "written", ""),
        };
        match &self.error {
            None => format!("  {kind} {}: {done}{so}\n", self.url),
            Some(error) => format!("  {kind} {}: NOT {done}: {}\n", self.url, plain(error)),
        }
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        json!({
            "url": self.url,
            "edge": self.is_edge,
            "written": self.is_taken(),
            "error": self.error,
        })
    }
}
