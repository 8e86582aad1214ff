//! One run of one program.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use crate::config::OnChange;

/// What is kept of what a program says, bytes; the rest is read and forgotten.
pub const OUTPUT_BYTES: usize = 1024;
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

/// Kills a program with all that it started, when dropped: it was not waited for to its end, so that
/// its number is still its own.
struct Group(Option<Pid>);

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
    let ended = match start(program) {
        Err(error) => format!("not started: {error}"),
        Ok(mut child) => {
            let pid = child.id().and_then(|id| i32::try_from(id).ok());
            let mut group = Group(pid.and_then(Pid::from_raw));
            match timeout(program.time, talk(&mut child, line, &mut output)).await {
                Ok(Ok(status)) => {
                    group.0 = None;
                    said(status)
                }
                Ok(Err(error)) => format!("lost: {error}"),
                Err(_) => format!("killed: it took longer than {:?}", program.time),
            }
        }
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

/// Gives it the line, takes what it says, and waits for its end.
async fn talk(child: &mut Child, line: &[u8], output: &mut Vec<u8>) -> std::io::Result<ExitStatus> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let give = async {
        if let Some(mut stdin) = stdin {
            // Who does not want to know does not have to read it.
            let _ = stdin.write_all(line).await;
        }
    };
    let mut errors = Vec::new();
    let (status, (), (), ()) = tokio::join!(
        child.wait(),
        give,
        take(stdout, output),
        take(stderr, &mut errors)
    );
    output.extend(errors);
    output.truncate(OUTPUT_BYTES);
    status
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
        let pid = fs_err::read_to_string(pid).unwrap();
        let alive = || {
            // A zombie is dead.
            let stat = fs_err::read_to_string(format!("/proc/{}/stat", pid.trim()));
            stat.is_ok_and(|stat| !stat.contains(") Z"))
        };
        while alive() {
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
