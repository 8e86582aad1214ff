//! The command line: `edge serve`, `edge sync`, `edge order`, `edge trust`, `edge ops`, `edge why`,
//! `edge rehearse`, `edge fleet`, `edge check`, `edge report`.
//!
//! What would ask on a terminal (a passphrase, whether to go on) says without one what to give instead.

mod check;
mod control;
mod exit;
mod fleet;
pub mod ops;
mod order;
mod rehearse;
mod report;
mod serve;
mod sync;
mod trust;
mod usage;
mod why;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

pub use exit::Exit;
pub use usage::Fault;

use crate::settings::Mistakes;

const HELP: &str = "\
order, trust and check go by paths: mirrors, and the peer listeners of edges. --via names one, and it may
be all there is. fleet, report, why and rehearse ask the control listeners of edges, which --edge names.
ops.toml beside you names all of them; edge ops init makes it.";

/// Keeps a service's essential pages answering when its origin is gone.
#[derive(Debug, Parser)]
#[command(name = "edge", version, max_term_width = 100, after_long_help = HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Follows the mirrors and answers readers.
    #[command(after_long_help = serve::HELP)]
    Serve(serve::Serve),
    /// Brings what an edge holds up to date once, with a bar, and ends.
    #[command(after_long_help = sync::HELP)]
    Sync(sync::Sync),
    /// Switches services and writes notices on every edge: by way of mirrors, of edges, or by hand.
    #[command(after_long_help = order::HELP)]
    Order(Box<order::Order>),
    /// Changes whom the edges believe: throws a stolen key out, lets people come and go.
    #[command(after_long_help = trust::HELP)]
    Trust(Box<trust::Trust>),
    /// Writes down, in calm, what the commands of operators need.
    Ops(Box<ops::Ops>),
    /// Says how a running edge would answer a URL, and why, step by step.
    #[command(after_long_help = why::HELP)]
    Why(why::Why),
    /// Tells what happened, from the logs of all edges: states, pages by age, writes, orders.
    #[command(after_long_help = report::HELP)]
    Report(report::Report),
    /// Acts as if a service's origin were gone, for a share of its readers, and reports.
    #[command(after_long_help = rehearse::HELP)]
    Rehearse(rehearse::Rehearse),
    /// Shows every edge: release, orders, services, sync; live on a terminal.
    #[command(after_long_help = fleet::HELP)]
    Fleet(fleet::Fleet),
    /// Would we survive tonight? Names what would not, each with its remedy.
    #[command(after_long_help = check::HELP)]
    Check(check::Check),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
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
    run(cli).into()
}

/// The whole reference, as `docs/cli-edge.txt` keeps it: every command's long help.
#[must_use]
pub fn reference() -> String {
    let mut text = String::new();
    add_reference(&mut Cli::command(), "", &mut text);
    text
}

fn add_reference(command: &mut clap::Command, above: &str, text: &mut String) {
    let name = format!("{above}{}", command.get_name());
    command.build();
    let mut shown = command.clone().term_width(100).bin_name(name.clone());
    text.push_str(&format!("# {name}\n\n{}\n", shown.render_long_help()));
    for inner in command.get_subcommands_mut() {
        if inner.get_name() != "help" {
            add_reference(inner, &format!("{name} "), text);
        }
    }
}

fn run(cli: Cli) -> Exit {
    match cli.command {
        Command::Serve(arguments) => arguments.run(),
        Command::Sync(arguments) => arguments.run(),
        Command::Ops(arguments) => told(arguments.run()),
        Command::Order(arguments) => on_runtime(async { told(arguments.run().await) }),
        Command::Trust(arguments) => on_runtime(async { told(arguments.run().await) }),
        Command::Why(arguments) => on_runtime(async { told(arguments.run().await) }),
        Command::Report(arguments) => on_runtime(async { told(arguments.run().await) }),
        Command::Rehearse(arguments) => on_runtime(async { told(arguments.run().await) }),
        Command::Fleet(arguments) => on_runtime(async { told(arguments.run().await) }),
        Command::Check(arguments) => on_runtime(async { told(arguments.run().await) }),
    }
}

/// Says why, if it did not work.
fn told(ended: Result<Exit, Fault>) -> Exit {
    match ended {
        Ok(exit) => exit,
        Err(fault) => {
            eprintln!("{fault}");
            fault.exit()
        }
    }
}

/// How long work that cannot be called off may hold up the end.
const LINGER: std::time::Duration = std::time::Duration::from_secs(1);

fn on_runtime(work: impl Future<Output = Exit>) -> Exit {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let exit = runtime.block_on(work);
            // A disk or mirror that hangs holds nobody up: what counts is on disk already.
            runtime.shutdown_timeout(LINGER);
            exit
        }
        Err(error) => {
            eprintln!("edge: no threads to run on: {error}");
            Exit::Failed
        }
    }
}

fn wrong(mistakes: &Mistakes) -> Exit {
    eprintln!("{}", mistakes.render(console::colors_enabled_stderr()));
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_reference_is_the_kept_one() {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli-edge.txt");
        let now = reference();
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            fs_err::write(&kept, &now).unwrap();
        }
        let before = fs_err::read_to_string(&kept).unwrap_or_default();
        assert!(
            before == now,
            "docs/cli-edge.txt is not what --help says now: look at the difference, then \
             UPDATE_REFERENCE=1 cargo test --workspace --lib the_reference"
        );
    }
}
