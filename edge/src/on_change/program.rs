//! One run of one program.
//!
//! A program is the leader of a process group of its own, so that all that it starts can be killed with
//! it. The group's number is the program's, and is another's as soon as the program was reaped and the
//! last of the group is gone; so nothing is killed by that number but before the reaping. That it has
//! ended is therefore seen without reaping it, and what others of its group still hold open is heard for
//! a moment more, no longer.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::time::{Instant, timeout};

use crate::config::OnChange;

/// What is kept of what a program says, bytes; the rest is read and forgotten.
pub const OUTPUT_BYTES: usize = 1024;
/// How long a program that has ended is still heard while others that it started hold its output; then
/// they are killed.
pub const DRAIN: Duration = Duration::from_secs(1);
/// What a program has of this process's environment: where programs, files and words are, and nothing
/// that opens a mirror.
const ENVIRONMENT: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) ended: String,
    pub(super) took: Duration,
    pub(super) output: String,
}

/// A program that was not reaped yet, with all that it started: killed when dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        Self(pid.and_then(Pid::from_raw))
    }

    /// Waits until the program has ended, which leaves it to be reaped. `children` was listened to before
    /// the program was started.
    async fn leader_ends(&self, children: &mut Signals) {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let Some(pid) = self.0 else {
            return;
        };
        while matches!(waitid(WaitId::Pid(pid), look), Ok(None)) {
            children.recv().await;
        }
    }

    /// Lets what is left of it be.
    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // All of them may have ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs `program` with `line` on its standard input, for as long as it may take.
pub(super) async fn run(program: &OnChange, line: &[u8]) -> Run {
    let begun = Instant::now();
    let mut output = Vec::new();
    let started = signal(SignalKind::child()).and_then(|children| Ok((start(program)?, children)));
    let ended = match started {
        Err(error) => format!("not started: {error}"),
        Ok((child, children)) => follow(child, children, program.time, line, &mut output).await,
    };
    Run {
        ended,
        took: begun.elapsed(),
        output: String::from_utf8_lossy(&output).trim().to_owned(),
    }
}

fn start(program: &OnChange) -> std::io::Result<Child> {
    let (name, arguments) = program
        .run
        .split_first()
        .ok_or(std::io::ErrorKind::NotFound)?;
    let mut command = Command::new(name);
    command.args(arguments).env_clear();
    for key in ENVIRONMENT {
        command.envs(std::env::var_os(key).map(|value| (key, value)));
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true).spawn()
}

/// Gives it the line, takes what it says until it ends, and reaps it; in words, how it ended.
async fn follow(
    mut child: Child,
    mut children: Signals,
    time: Duration,
    line: &[u8],
    output: &mut Vec<u8>,
) -> String {
    // Dropped before the child is, and so before anybody reaps it.
    let group = Group::of(&child);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut errors = Vec::new();
    // Whether nobody holds its output any more; `None` when it took too long.
    let is_quiet = {
        let talk = async {
            tokio::join!(
                give(stdin, line),
                take(stdout, output),
                take(stderr, &mut errors)
            );
        };
        tokio::pin!(talk);
        let ends = async {
            tokio::select! {
                () = group.leader_ends(&mut children) => false,
                () = talk.as_mut() => {
                    group.leader_ends(&mut children).await;
                    true
                }
            }
        };
        match timeout(time, ends).await {
            Ok(false) => Some(timeout(DRAIN, talk).await.is_ok()),
            Ok(true) => Some(true),
            Err(_) => None,
        }
    };
    output.extend(errors);
    output.truncate(OUTPUT_BYTES);
    match is_quiet {
        None => return format!("killed: it took longer than {time:?}"),
        Some(true) => group.leave(),
        Some(false) => drop(group),
    }
    match child.wait().await {
        Ok(status) => said(status),
        Err(error) => format!("lost: {error}"),
    }
}

async fn give(to: Option<ChildStdin>, line: &[u8]) {
    if let Some(mut stdin) = to {
        // Who does not want to know does not have to read it.
        let _ = stdin.write_all(line).await;
    }
}

/// Reads to the end, and keeps the beginning.
async fn take(from: Option<impl AsyncRead + Unpin>, to: &mut Vec<u8>) {
    let Some(mut from) = from else {
        return;
    };
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        let left = OUTPUT_BYTES.saturating_sub(to.len()).min(read);
        to.extend_from_slice(piece.get(..left).unwrap_or_default());
    }
}

fn said(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(0), _) => "done".to_owned(),
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, time: Duration) -> OnChange {
        OnChange {
            run: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            time,
            only: Vec::new(),
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn it_gets_the_line_and_its_first_words_are_kept() {
        let run = run(&shell("cat; echo no >&2; exit 3", LONG), b"{}\n").await;
        assert_eq!(
            (run.ended.as_str(), run.output.as_str()),
            ("exit 3", "{}\nno")
        );
        let talks = shell("yes | head -c 1000000", LONG);
        let run = super::run(&talks, b"{}\n").await;
        assert_eq!(run.ended, "done");
        assert_eq!(
            run.output.len(),
            OUTPUT_BYTES - 1,
            "but for the last end of a line"
        );
        let closed = shell("exec <&-; sleep 0.1", LONG);
        let run = super::run(&closed, &vec![b'x'; 1 << 20]).await;
        assert_eq!(run.ended, "done");
    }

    #[tokio::test]
    async fn who_takes_too_long_is_killed_with_all_that_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let pid = dir.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; wait", pid.display());
        let run = run(&shell(&script, Duration::from_secs(3)), b"").await;
        assert!(
            run.ended.starts_with("killed: it took longer than"),
            "{}",
            run.ended
        );
        dies(&pid).await;
    }

    #[tokio::test]
    async fn who_is_left_holding_the_output_of_one_that_has_ended_is_heard_for_a_moment() {
        let dir = tempfile::tempdir().unwrap();
        let pid = dir.path().join("pid");
        let script = format!(
            "sleep 600 & echo $! > {}; echo paged; exit 4",
            pid.display()
        );
        let run = run(&shell(&script, LONG), b"").await;
        assert_eq!(
            (run.ended.as_str(), run.output.as_str()),
            ("exit 4", "paged")
        );
        dies(&pid).await;
        // Who holds nothing of it may stay.
        let script = format!(
            "sleep 600 < /dev/null > /dev/null 2>&1 & echo $! > {}",
            pid.display()
        );
        let run = super::run(&shell(&script, LONG), b"").await;
        assert_eq!(run.ended, "done");
        let left = fs_err::read_to_string(&pid).unwrap();
        assert!(is_alive(&left));
        let left = Pid::from_raw(left.trim().parse().unwrap()).unwrap();
        rustix::process::kill_process(left, Signal::KILL).unwrap();
    }

    fn is_alive(pid: &str) -> bool {
        // A zombie is dead.
        let stat = fs_err::read_to_string(format!("/proc/{}/stat", pid.trim()));
        stat.is_ok_and(|stat| !stat.contains(") Z"))
    }

    /// Waits until the process whose number is written there is dead.
    async fn dies(pid: &std::path::Path) {
        let pid = fs_err::read_to_string(pid).unwrap();
        while is_alive(&pid) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_cannot_be_started_is_said_and_secrets_stay_here() {
        let absent = OnChange {
            run: vec!["/nowhere/pager".to_owned()],
            time: LONG,
            only: Vec::new(),
        };
        let ended = run(&absent, b"").await.ended;
        assert!(ended.starts_with("not started: "), "{ended}");
        let run = run(&shell("env | cut -d= -f1 | sort | tr '\\n' ' '", LONG), b"").await;
        for name in run
            .output
            .split(' ')
            .filter(|name| !["PWD", "_", "SHLVL", "OLDPWD"].contains(name))
        {
            assert!(ENVIRONMENT.contains(&name), "{name}");
        }
    }
}
