//! `bench snapshot`: publishing and reading, beside the programs that do a part of it each.

mod build;
mod delta;
mod peers;
mod read;

use std::process::ExitCode;

use anyhow::Result;

use crate::machine;
use crate::options::Options;
use crate::site::Site;
use crate::table::Table;

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    println!("{}", machine::line());
    fs_err::create_dir_all(&options.work)?;
    let work = tempfile::Builder::new()
        .prefix("snapshot-")
        .tempdir_in(&options.work)?;
    let site = Site::new(&work.path().join("site"), options)?;
    let mut table = Table::default();
    if options.wants(&["build"]) {
        build::against_peers(&site, work.path(), options, &mut table)?;
    }
    if options.wants(&["delta", "delta-bytes", "dump"]) {
        delta::measure(&site, work.path(), options, &mut table)?;
    }
    if options.wants(&["peer-time", "peer-bytes"]) {
        peers::measure(options, &mut table)?;
    }
    let reads = options.wants(&["read-p50", "read-p99", "read4-p50"]);
    if reads || options.wants(&["build-memory"]) {
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
