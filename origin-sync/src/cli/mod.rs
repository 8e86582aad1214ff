//! The command line: raw flags here, what they mean in each command's file.

mod amend;
mod at;
mod diff;
mod du;
mod erase;
mod export;
mod failure;
mod init;
mod inspect;
mod log;
mod press;
mod promote;
mod publish;
mod rollback;
mod said;
mod shown;
mod sweep;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::exit::{Exit, TABLE};

use at::ReleaseArgs;
pub use failure::Failure;
use press::PressArgs;

/// Publishes a site's essential pages, so that edges answer when the origin is gone.
///
/// Reads what site.toml declares, builds what changed since the last release, tries every URL that
/// the change can reach with no origin in reach, and commits the signed release to a majority of the mirrors. Edges
/// (`edge serve`) take it from there. Killed anywhere, the last release stands.
#[derive(Debug, Parser)]
#[command(name = "origin-sync", version, after_help = TABLE, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

// What each is for stands at its arguments, where the long help comes from.
#[derive(Debug, Subcommand)]
enum Command {
    Init(InitArgs),
    Publish(PublishArgs),
    Amend(amend::AmendArgs),
    Rollback(rollback::RollbackArgs),
    Promote(promote::PromoteArgs),
    Log(log::LogArgs),
    Diff(diff::DiffArgs),
    Du(du::DuArgs),
    Verify(verify::VerifyArgs),
    Inspect(InspectArgs),
    Erase(erase::EraseArgs),
    Sweep(sweep::SweepArgs),
    Export(ExportArgs),
}

/// Make what a new site needs: site.toml, keys, trust, edge.toml; what is there stays
#[derive(Debug, Args)]
struct InitArgs {
    /// Directory of the site
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The site's name, a-z, 0-9 and - [default: from the directory's name]
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// The folder of pages [default: the one with an index.html, else public]
    #[arg(long, value_name = "FOLDER")]
    pages: Option<String>,
}

/// Publish what changed; the same content only has its time renewed
///
/// Sources are read, compared with the last release and built; canaries and every URL that the
/// sources name are asked of the serving path itself with no origin in reach, but for URLs that
/// answered before and whose pages are made of nothing that changed; objects go to every mirror
/// and are read back; `releases/N` is created on a majority of mirrors, which commits the
/// release; the pointer comes last. Nothing is asked without a terminal.
#[derive(Debug, Args)]
#[command(after_help = TABLE)]
struct PublishArgs {
    #[command(flatten)]
    press: PressArgs,
    /// What changed since the last release, instead of the sources, which are not read: a line
    /// {"put": ROW} or {"delete": "KEY"} for each record of COLLECTION, in FILE or on standard
    /// input (-). Other collections stay as they are; of the URLs only the canaries are asked. May
    /// be repeated, for another collection
    #[arg(long, value_name = "COLLECTION=FILE", conflicts_with_all = ["every", "ask_all"])]
    changes: Vec<String>,
    /// Publish although a collection lost more than 30 per cent of its records
    #[arg(long)]
    accept_shrink: bool,
    /// Records that `origin-sync amend` changed by hand stay as they are, now and later, where the
    /// sources say otherwise. Without this or --take-source a person at a terminal is asked, and
    /// without a terminal they are listed and nothing is published
    #[arg(long, conflicts_with = "take_source")]
    keep_amended: bool,
    /// The sources count again also of records that were changed by hand
    #[arg(long)]
    take_source: bool,
    /// Ask every URL with no origin in reach, also those that answered before and whose pages are
    /// made of nothing that changed since
    #[arg(long)]
    ask_all: bool,
    /// Take again what was erased and the sources still have, and remember it as erased no longer
    #[arg(long)]
    take_erased: bool,
    /// Publish again and again, this long after each end (30s, 5m): a renewed time keeps the
    /// site fresh while nothing changes
    #[arg(long, value_name = "DURATION")]
    every: Option<String>,
    /// End with one line of JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Look inside a release: collections, keys, one record's bytes
#[derive(Debug, Args)]
#[command(after_help = TABLE)]
struct InspectArgs {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    at: ReleaseArgs,
    /// Print JSON, one line for each thing
    #[arg(long, global = true)]
    json: bool,
}

/// Write a release for another host than an edge
#[derive(Debug, Args)]
#[command(after_help = TABLE)]
struct ExportArgs {
    #[command(subcommand)]
    to: To,
    #[command(flatten)]
    at: ReleaseArgs,
    /// End with one line of JSON on standard output
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum To {
    /// A Spin application: spin.toml, the components, and the collections as its key-value store
    ///
    /// Everything is fetched from the mirrors and verified as an edge would, then DIR is filled:
    /// spin.toml with a trigger for each route of a component that Spin's router can express,
    /// components/NAME.wasm, .spin/sqlite_key_value.db with every record under its collection's
    /// name, and runtime-config.toml, which tells Spin so. Private records stay sealed. The
    /// comments in spin.toml say how to run it, what is left out, and which holdfast-* header
    /// fields a proxy in front must send: without them no component answers.
    ///
    /// A record whose key is not UTF-8, or whose value is longer than the 128 MiB that Spin hands
    /// over, is left out and counted. While it works, a copy of the release lies in the temporary
    /// directory.
    Spin {
        /// The directory to fill: an empty one, or one that is not there yet
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum What {
    /// The collections, or the keys of one collection
    Ls {
        /// The collection
        collection: Option<String>,
    },
    /// One record's bytes
    Cat {
        /// The collection
        collection: String,
        /// The record's key at rest; not needed with --secret
        key: Option<String>,
        /// The capability (sealed) or id (unlisted) that names and opens a private record; `-`
        /// reads it from standard input, where no list of processes shows it
        #[arg(long, value_name = "SECRET")]
        secret: Option<String>,
    },
}

/// Runs the program with `args`, the program's name first. What it ends with is its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistakes.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            let _ = error.print();
            return exit;
        }
    };
    let json = cli.command.is_json();
    let result = match cli.command {
        Command::Init(args) => init::run(args),
        Command::Publish(args) => publish::run(args),
        Command::Amend(args) => amend::run(args),
        Command::Rollback(args) => rollback::run(args),
        Command::Promote(args) => promote::run(args),
        Command::Log(args) => log::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Du(args) => du::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Erase(args) => erase::run(args),
        Command::Sweep(args) => sweep::run(args),
        Command::Export(args) => export::run(args),
    };
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            failure.show(json);
            failure.exit
        }
    }
}

impl Command {
    const fn is_json(&self) -> bool {
        match self {
            Self::Init(_) => false,
            Self::Publish(args) => args.json,
            Self::Amend(args) => args.json,
            Self::Rollback(args) => args.json,
            Self::Promote(args) => args.json,
            Self::Log(args) => args.json,
            Self::Diff(args) => args.json,
            Self::Du(args) => args.json,
            Self::Verify(args) => args.json,
            Self::Inspect(args) => args.json,
            Self::Erase(args) => args.json,
            Self::Sweep(args) => args.json,
            Self::Export(args) => args.json,
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Local, error))
}

/// The whole reference, as `docs/cli-origin-sync.txt` keeps it: every command's long help.
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

#[cfg(test)]
mod tests;
