//! `bench snapshot`: publishing and reading, beside the programs that do a part of it each.

mod build;
mod delta;
mod read;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::machine;
use crate::site::Site;
use crate::table::Table;

/// What may be asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Records of the full build
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Records of the build whose memory is measured; each takes about 5 KB of disk
    #[arg(long, default_value_t = 10_000_000)]
    large: u64,
    /// Rounds of each comparison
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only these rows
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Folder of the optimised binaries
    #[arg(long)]
    binaries: PathBuf,
    /// Folder of the components
    #[arg(long)]
    components: PathBuf,
    /// A folder to work in; tens of GB for the large build
    #[arg(long)]
    work: PathBuf,
    /// End with one line of JSON
    #[arg(long)]
    json: bool,
}

impl Options {
    fn wants(&self, id: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == id)
    }
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    println!("{}", machine::line());
    fs_err::create_dir_all(&options.work)?;
    let work = tempfile::Builder::new()
        .prefix("snapshot-")
        .tempdir_in(&options.work)?;
    let site = Site::new(
        &work.path().join("site"),
        &options.binaries,
        &options.components,
    )?;
    let mut table = Table::default();
    if options.wants("build") {
        build::against_peers(&site, work.path(), options, &mut table)?;
    }
    if ["delta", "delta-bytes", "dump"]
        .iter()
        .any(|id| options.wants(id))
    {
        delta::measure(&site, work.path(), options, &mut table)?;
    }
    let reads = ["read-p50", "read-p99", "read4-p50"];
    let reads = reads.iter().any(|id| options.wants(id));
    if reads || options.wants("build-memory") {
        build::memory(&site, options, &mut table)?;
    }
    if reads {
        read::measure(&site, options, &mut table)?;
    }
    if options.json {
        println!("{}", table.json("snapshot"));
    }
    Ok(ExitCode::SUCCESS)
}
