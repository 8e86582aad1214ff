//! The command line: `edge serve`, `edge order`.
//!
//! Nothing here asks a question: without a terminal every command behaves as on one.

mod exit;
mod order;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::Exit;
pub use usage::{Fault, Hint};

use crate::config::{Config, Problems};

/// Keeps a service's essential pages answering when its origin is gone.
#[derive(Debug, Parser)]
#[command(name = "edge", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Follows the mirrors and answers readers.
    #[command(after_long_help = SERVE_HELP)]
    Serve(Serve),
    /// Switches services and writes notices, on every edge, through the mirrors.
    #[command(after_long_help = order::HELP)]
    Order(order::Order),
}

const SERVE_HELP: &str = "Exit status:\n   0  stopped when told to\n   1  could not go on; \
                          the reason is printed\n  64  edge.toml or the command line is wrong: all \
                          mistakes are printed, no port was bound";

#[derive(Debug, clap::Args)]
struct Serve {
    /// The settings file.
    #[arg(long, value_name = "FILE", default_value = "edge.toml")]
    config: PathBuf,
    /// Only check the settings and the trust files, and say so.
    #[arg(long)]
    check: bool,
}

/// Runs the command line of this process. `serve` is what `edge serve` does once its settings are
/// sound.
pub fn main<F>(serve: impl FnOnce(Config) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            // Nobody is left to tell when printing fails.
            error.print().ok();
            return exit.into();
        }
    };
    run(cli, serve).into()
}

fn run<F>(cli: Cli, serve: impl FnOnce(Config) -> F) -> Exit
where
    F: Future<Output = anyhow::Result<()>>,
{
    match cli.command {
        Command::Serve(arguments) => match Config::load(&arguments.config) {
            Err(problems) => wrong(&problems),
            Ok(_) if arguments.check => {
                println!("{}: sound", arguments.config.display());
                Exit::Done
            }
            Ok(config) => on_runtime(async {
                match serve(config).await {
                    Ok(()) => Exit::Done,
                    Err(error) => {
                        eprintln!("edge: {error:#}");
                        Exit::Failed
                    }
                }
            }),
        },
        Command::Order(arguments) => on_runtime(async {
            match arguments.run().await {
                Ok(exit) => exit,
                Err(fault) => {
                    eprintln!("{fault}");
                    fault.exit()
                }
            }
        }),
    }
}

fn on_runtime(work: impl Future<Output = Exit>) -> Exit {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => {
            eprintln!("edge: no threads to run on: {error}");
            Exit::Failed
        }
    }
}

fn wrong(problems: &Problems) -> Exit {
    eprintln!("{}", problems.render(console::colors_enabled_stderr()));
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
