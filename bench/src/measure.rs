//! Whole processes, measured by the operating system. The command runs under this program once
//! more, whose only child it is: so what the kernel says of children is about it alone.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use tokio::time::Instant;

/// What a process took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Took {
    /// From its start to its end, seconds.
    pub(crate) seconds: f64,
    /// Its peak resident memory, MB (10^6 bytes).
    pub(crate) megabytes: f64,
}

/// Runs `command` to its end; what it prints is shown only if it fails.
pub(crate) fn run(command: &Command) -> Result<Took> {
    Ok(heard(command)?.0)
}

/// The same, with what it printed.
pub(crate) fn heard(command: &Command) -> Result<(Took, String)> {
    let shown = format!("{command:?}");
    let to = tempfile::NamedTempFile::new()?;
    let mut parent = Command::new(std::env::current_exe()?);
    parent.arg("measure").arg("--to").arg(to.path()).arg("--");
    parent.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            parent.env(name, value);
        }
    }
    if let Some(dir) = command.get_current_dir() {
        parent.current_dir(dir);
    }
    let ended = parent.stdin(Stdio::null()).output()?;
    if !ended.status.success() {
        bail!(
            "{shown}: {}\n{}{}",
            ended.status,
            String::from_utf8_lossy(&ended.stdout),
            String::from_utf8_lossy(&ended.stderr)
        );
    }
    let found = fs_err::read_to_string(to.path())?;
    let (seconds, kilobytes) = found.trim().split_once(' ').context("no measure")?;
    let kilobytes: f64 = kilobytes.parse()?;
    let took = Took {
        seconds: seconds.parse()?,
        megabytes: kilobytes * 1024.0 / 1e6,
    };
    Ok((took, String::from_utf8(ended.stdout)?))
}

/// Waits until all that was written is on the disk, and brings `paths` into the page cache, so that
/// nobody who is measured pays for what went on before.
pub(crate) fn settle(paths: &[&Path]) -> Result<()> {
    let synced = Command::new("sync").status()?;
    ensure!(synced.success(), "sync: {synced}");
    let mut touch = Command::new("vmtouch");
    let touched = touch.args(["-q", "-t"]).args(paths).status();
    let touched = touched.context("vmtouch cannot be started")?;
    ensure!(touched.success(), "vmtouch: {touched}");
    Ok(())
}

/// The other side of [`run`]: starts the command and writes `SECONDS KIB` to `to`.
pub(crate) fn as_parent(to: &Path, command: &[String]) -> Result<ExitCode> {
    let (program, arguments) = command.split_first().context("no command")?;
    let start = Instant::now();
    let ended = Command::new(program).args(arguments).status();
    let seconds = start.elapsed().as_secs_f64();
    let ended = ended.with_context(|| format!("{program} cannot be started"))?;
    let kibibytes = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    fs_err::write(to, format!("{seconds} {kibibytes}"))?;
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(255)))
}
