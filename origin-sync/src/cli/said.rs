//! What a command found, on standard output.

use std::io::Write;

use serde_json::Value;

use super::Failure;
use crate::inspect::InspectError;

/// Writes `text`; that whoever asked has seen enough is no failure.
pub(super) fn print(text: &[u8]) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(InspectError::from(error).into())
        }
        _ => Ok(()),
    }
}

/// One line of JSON.
pub(super) fn line_of(json: &Value) -> Vec<u8> {
    format!("{json}\n").into_bytes()
}

/// A line for each thing, for a script or a person.
pub(super) fn lines_of<T>(
    things: &[T],
    json: bool,
    as_json: impl Fn(&T) -> Value,
    as_text: impl Fn(&T) -> String,
) -> Vec<u8> {
    let mut text = String::new();
    for thing in things {
        if json {
            text.push_str(&as_json(thing).to_string());
        } else {
            text.push_str(&as_text(thing));
        }
        text.push('\n');
    }
    text.into_bytes()
}
