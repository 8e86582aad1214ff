//! `edge serve`: settings, log, signals, and a whole edge.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use super::{Exit, on_runtime, wrong};
use crate::config::Config;
use crate::serve::{Drained, Listening, run};

pub(super) const HELP: &str = "Exit status:\n   0  stopped when told to\n   1  could not go on; \
                               the reason is printed\n  64  edge.toml or the command line is wrong: \
                               all mistakes are printed, no port was bound";

/// What is logged unless `--log` says otherwise.
const LOG: &str = "info,wasmtime=warn,cranelift=warn";

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The settings file.
    #[arg(long, value_name = "FILE", default_value = "edge.toml")]
    config: PathBuf,
    /// Only check the settings and the trust files, and say so.
    #[arg(long)]
    check: bool,
    /// How log lines look; they go to standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// What is logged: a level, or `target=level,...`. One line a request has the target `access`.
    #[arg(long, value_name = "FILTER", env = "HOLDFAST_LOG", default_value = LOG)]
    log: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Serve {
    pub(super) fn run(&self) -> Exit {
        let config = match Config::load(&self.config) {
            Ok(config) => config,
            Err(problems) => return wrong(&problems),
        };
        if self.check {
            println!("{}: sound", self.config.display());
            return Exit::Done;
        }
        if let Err(error) = self.start_log() {
            eprintln!("edge: --log {}: {error}", self.log);
            return Exit::Usage;
        }
        on_runtime(async {
            match serve(config).await {
                Ok(()) => Exit::Done,
                Err(error) => {
                    eprintln!("edge: {error:#}");
                    Exit::Failed
                }
            }
        })
    }

    fn start_log(&self) -> Result<(), ParseError> {
        let log = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::try_new(&self.log)?)
            .with_ansi(console::colors_enabled_stderr())
            .with_writer(std::io::stderr);
        match self.log_format {
            LogFormat::Text => log.init(),
            LogFormat::Json => log.json().flatten_event(true).init(),
        }
        Ok(())
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let asked = stop.clone();
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "stopping: no new connections");
        asked.cancel();
    });
    let name = config.name.clone();
    match run(config, stop, |listening| ready(&name, listening)).await? {
        Drained::Finished => tracing::info!("stopped: every request was answered"),
        Drained::CutOff(connections) => {
            tracing::warn!(
                connections,
                "stopped: the grace was over, connections were cut"
            );
        }
    }
    Ok(())
}

/// Tells who started it, on standard output, that it answers, and where.
fn ready(name: &str, listening: Listening) {
    let Listening {
        public,
        control,
        peer,
    } = listening;
    tracing::info!(%public, %control, peer = peer.map(tracing::field::display), "ready");
    let peer = peer.map(|peer| format!(" peer={peer}")).unwrap_or_default();
    let mut out = std::io::stdout().lock();
    // Whoever started it may have closed the pipe.
    let _ = writeln!(
        out,
        "ready {name} public=http://{public} control=http://{control}{peer}"
    );
    let _ = out.flush();
}
