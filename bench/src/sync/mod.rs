//! `bench sync`: what following a mirror costs an edge, and what its readers notice of it.

mod changes;
mod edge;
mod large;
mod mirror;
mod reads;

pub(crate) use edge::Edge;

use std::process::ExitCode;

use anyhow::Result;

use crate::machine;
use crate::options::Options;
use crate::site::Site;
use crate::table::Table;

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let table = runtime.enable_all().build()?.block_on(measure(options))?;
    if options.json {
        println!("{}", table.json("sync"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(options: &Options) -> Result<Table> {
    println!("{}", machine::line());
    fs_err::create_dir_all(&options.work)?;
    let mut table = Table::default();
    if options.wants(&["sync-bytes", "sync-lag", "merge-bytes", "switch-p99"]) {
        let work = tempfile::Builder::new()
            .prefix("sync-")
            .tempdir_in(&options.work)?;
        let site = Site::new(&work.path().join("site"), options)?;
        changes::measure(&site, work.path(), options, &mut table).await?;
    }
    if options.wants(&["edge-start", "edge-memory"]) {
        let work = tempfile::Builder::new()
            .prefix("sync-")
            .tempdir_in(&options.work)?;
        let site = Site::new(&work.path().join("site"), options)?;
        large::measure(&site, work.path(), options, &mut table).await?;
    }
    Ok(table)
}
