//! Real processes: started with their output in a file, stopped as an outage would stop them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// A child process. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, its output going to `log`.
    ///
    /// # Errors
    /// The program or the log file, by name.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let out = fs_err::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)?
            .into_parts()
            .0;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("starting {name}: {}", command.get_program().display()))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        })
    }

    /// The most memory it ever held, bytes (proc_pid_status(5), `VmHWM`).
    ///
    /// # Errors
    /// A process that is gone.
    pub fn peak_memory(&self) -> Result<u64> {
        self.memory("VmHWM:")
    }

    /// The memory that is its own and no file's, bytes (proc_pid_status(5), `RssAnon`).
    ///
    /// # Errors
    /// A process that is gone.
    pub fn anonymous_memory(&self) -> Result<u64> {
        self.memory("RssAnon:")
    }

    fn memory(&self, field: &str) -> Result<u64> {
        let status = fs_err::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let found = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = found.and_then(|found| found.trim().strip_suffix(" kB"));
        let kib = kib.with_context(|| format!("no {field} in the process's status"))?;
        Ok(kib.parse::<u64>()? * 1024)
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// A process that is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .context("a process id")?;
        kill_process(pid, signal).with_context(|| format!("signalling {}", self.name))
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Fails if it has ended by itself, with the end of its log.
    ///
    /// # Errors
    /// Its name, status and last lines.
    pub fn alive(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "{} ended ({status}); the end of {}:\n{}",
                self.name,
                self.log.display(),
                tail(&self.log)
            );
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = fs_err::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines
        .iter()
        .skip(lines.len().saturating_sub(12))
        .map(|line| format!("  {line}\n"))
        .collect()
}

/// Runs a command to its end and gives its standard output; a failure shows what it printed.
///
/// # Errors
/// The program, its status and its output.
pub async fn run(name: &str, command: Command, allowed: &[i32]) -> Result<String> {
    let mut command = tokio::process::Command::from(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .await
        .with_context(|| format!("starting {name}"))?;
    let code = output.status.code().unwrap_or(-1);
    if !allowed.contains(&code) {
        bail!(
            "{name} ended with {}:\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Asks `condition` every 20 ms until it gives something, at most for `limit`.
///
/// # Errors
/// What was waited for, once `limit` has passed.
pub async fn wait_for<T, F>(what: &str, limit: Duration, mut condition: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<Option<T>>,
{
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        if let Some(found) = condition().await? {
            return Ok(found);
        }
        if tokio::time::Instant::now() >= deadline {
            bail!("waited {} s in vain for {what}", limit.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
