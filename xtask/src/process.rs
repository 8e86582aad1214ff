//! Other programs, run to their end or up to a limit; a failure names the command and shows what
//! it said.

use std::ffi::OsStr;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};

/// Runs a command on our own terminal; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command
        .status()
        .map_err(|error| cannot_start(&shown, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::new(format!("`{shown}` ended with {status}")))
    }
}

/// Runs a command in silence and returns what it printed; anything but success is an error that
/// holds its last words.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let done = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| cannot_start(&shown, &error))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = last_words(&String::from_utf8_lossy(&done.stderr));
    Err(Error::new(format!(
        "`{shown}` ended with {}{said}",
        done.status
    )))
}

/// Runs a command in silence and kills it when `limit` has passed.
pub(crate) fn run_within(limit: Duration, command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(&shown, &error))?;
    let Some(mut stderr) = child.stderr.take() else {
        return Err(Error::new(format!("`{shown}` has no standard error")));
    };
    // Its standard error closes when it ends, and can be waited for with a limit.
    let (send, ended) = mpsc::channel();
    thread::spawn(move || {
        let mut said = Vec::new();
        // What was read before a failed read is still worth showing.
        let _ = stderr.read_to_end(&mut said);
        let _ = send.send(said);
    });
    let said = ended.recv_timeout(limit);
    if said.is_err() {
        // It may have ended by itself just now, so a failed kill is none of our concern.
        let _ = child.kill();
    }
    let status = child
        .wait()
        .map_err(|error| Error::new(format!("cannot wait for `{shown}`: {error}")))?;
    match said {
        Err(_) => Err(Error::new(format!(
            "`{shown}` was not done after {} s and was stopped",
            limit.as_secs()
        ))),
        Ok(_) if status.success() => Ok(()),
        Ok(said) => {
            let said = last_words(&String::from_utf8_lossy(&said));
            Err(Error::new(format!("`{shown}` ended with {status}{said}")))
        }
    }
}

fn cannot_start(shown: &str, error: &std::io::Error) -> Error {
    Error::new(format!("cannot start `{shown}`: {error}"))
}

/// The command as a person would type it, without the folders and the long tail.
fn shown(command: &Command) -> String {
    const WORDS: usize = 6;
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let mut words: Vec<_> = std::iter::once(name)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .take(WORDS)
        .collect();
    if command.get_args().count() >= WORDS {
        words.push("…".into());
    }
    words.join(" ")
}

/// The last lines of what a program said, to stand after a message.
fn last_words(said: &str) -> String {
    const LINES: usize = 3;
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let from = lines.len().saturating_sub(LINES);
    let last = lines.get(from..).unwrap_or_default().join("; ");
    if last.is_empty() {
        last
    } else {
        format!(": {last}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_the_last_words() {
        let error = output(Command::new("sh").args(["-c", "echo one >&2; exit 3"])).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("exit status: 3"), "{text}");
        assert!(text.ends_with(": one"), "{text}");
    }

    #[test]
    fn a_program_that_takes_too_long_is_stopped() {
        let limit = Duration::from_millis(50);
        let error = run_within(limit, Command::new("sleep").arg("600")).unwrap_err();
        assert!(error.to_string().contains("was stopped"), "{error}");
    }

    #[test]
    fn a_long_command_is_cut() {
        let mut command = Command::new("/usr/bin/apt-get");
        command.args(["download", "a", "b", "c", "d", "e", "f"]);
        assert_eq!(shown(&command), "apt-get download a b c d …");
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        assert_eq!(last_words("a\n\nb\nc\nd\n"), ": b; c; d");
        assert_eq!(last_words("\n"), "");
    }
}
