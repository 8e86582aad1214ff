//! `stage`: plays the demo or the drill with what `cargo xtask` has built.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use stage::report::Report;
use stage::world::Built;
use stage::{demo, drill};
use tokio::time::Instant;

/// Plays the outage with real processes on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A visitor's own outage: keys break and mend things.
    Demo {
        #[command(flatten)]
        built: BuiltArguments,
        /// Address the edges listen at; 0.0.0.0 lets a phone open the pages.
        #[arg(long, default_value = "127.0.0.1")]
        bind: IpAddr,
        /// Begin with an empty world instead of the last visit's.
        #[arg(long)]
        fresh: bool,
    },
    /// The outage without a person, as a table; fails when anything fell short.
    Drill {
        #[command(flatten)]
        built: BuiltArguments,
        /// End with one line of JSON.
        #[arg(long)]
        json: bool,
        /// Go on until readers have asked a million times; takes long.
        #[arg(long)]
        long: bool,
    },
}

#[derive(Args, Debug)]
struct BuiltArguments {
    /// The repository.
    #[arg(long)]
    root: PathBuf,
    /// Folder of the binaries.
    #[arg(long)]
    binaries: PathBuf,
    /// Folder of the components.
    #[arg(long)]
    components: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    match play(Arguments::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("stage: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn play(command: Command) -> Result<ExitCode> {
    match command {
        Command::Demo { built, bind, fresh } => {
            let built = built.resolve();
            // Kept between visits, so that the second one starts within seconds.
            let dir = built.root.join("target/demo");
            let dir = if fresh { empty(&dir)? } else { made(&dir)? };
            demo::run(&dir, &built, bind, clock()).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Drill { built, json, long } => {
            let built = built.resolve();
            let dir = empty(&built.root.join("target/drill"))?;
            let mut report = Report::new(console::colors_enabled());
            let summary = drill::play(&dir, &built, long, &mut report, clock()).await?;
            print!("{}", report.table());
            println!(
                "{}",
                if summary.passed {
                    "The drill passed."
                } else {
                    "The drill fell short."
                }
            );
            if json {
                println!("{}", serde_json::to_string(&summary)?);
            }
            Ok(if summary.passed {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
    }
}

impl BuiltArguments {
    fn resolve(self) -> Built {
        Built {
            binaries: self.binaries,
            components: self.components,
            root: self.root,
        }
    }
}

/// Names steps on standard error with the time since the start.
fn clock() -> impl Fn(&str) {
    let begun = Instant::now();
    move |what| eprintln!("[{:6.1} s] stage: {what}", begun.elapsed().as_secs_f32())
}

fn empty(dir: &Path) -> Result<PathBuf> {
    if dir.exists() {
        fs_err::remove_dir_all(dir)?;
    }
    made(dir)
}

fn made(dir: &Path) -> Result<PathBuf> {
    fs_err::create_dir_all(dir)?;
    fs_err::canonicalize(dir).context("the stage's folder")
}
