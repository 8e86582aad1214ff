//! A program run to its end.

use std::io::{Seek as _, Write as _};
use std::process::{Command, Output, Stdio};

use super::PATIENCE;

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; -1 if a signal ended it.
    pub(crate) code: i32,
    /// Its standard output.
    pub(crate) out: String,
    /// Its standard error.
    pub(crate) err: String,
}

/// Runs `command` to its end, in an environment without what a person may have set.
pub(crate) async fn run(command: Command) -> Ended {
    run_on(command, Stdio::null()).await
}

/// The same, given this to read.
pub(crate) async fn run_fed(command: Command, text: &str) -> Ended {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    run_on(command, file.into()).await
}

async fn run_on(mut command: Command, input: Stdio) -> Ended {
    let shown = format!("{command:?}");
    command
        .env_remove("HOLDFAST_RELEASE_KEY")
        .env_remove("HOLDFAST_ORDER_KEY")
        .env_remove("SSH_AUTH_SOCK")
        .env_remove("HOLDFAST_OPS")
        .stdin(input);
    let mut command = tokio::process::Command::from(command);
    let output = command.kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, output).await;
    let output = output.unwrap_or_else(|_| panic!("{shown} did not end"));
    let Output {
        status,
        stdout,
        stderr,
    } = output.unwrap_or_else(|error| panic!("{shown}: {error}"));
    Ended {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

impl Ended {
    /// Fails unless it ended with `code`, showing what it said.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    /// Fails unless it said each of `words` on standard error.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in:\n{}", self.err);
        }
        self
    }

    /// The last line of standard output, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        let line = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}
