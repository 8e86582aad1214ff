//! Holdfast beside its peers, in one run, on data of its own. Started by `cargo xtask bench`, which
//! builds everything optimised first.

mod data;
mod flip;
mod machine;
mod measure;
mod options;
mod site;
mod snapshot;
mod sync;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Holdfast beside its peers.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, clap::Subcommand)]
enum Bench {
    /// Publishing and reading at the size of a country
    Snapshot(options::Options),
    /// What following a mirror costs an edge, and what its readers notice of it
    Sync(options::Options),
    /// From an order's signing until a whole fleet obeys it
    ///
    /// As every bench, it ends well whether its rows hold or not: a row that misses its bound has ✗ before
    /// it, and `"holds": false` in the line of JSON. Of `stampede-sim` and `return-sim` the breakers are the real
    /// ones, their time and their readers are not.
    Flip(options::Options),
    /// Run a command; its time and peak memory go to a file
    #[command(hide = true)]
    Measure {
        /// Where to
        #[arg(long)]
        to: PathBuf,
        /// The command
        #[arg(last = true)]
        command: Vec<String>,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().bench {
        Bench::Snapshot(options) => snapshot::run(&options),
        Bench::Sync(options) => sync::run(&options),
        Bench::Flip(options) => flip::run(&options),
        Bench::Measure { to, command } => measure::as_parent(&to, &command),
    }
}
