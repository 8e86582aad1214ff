//! An edge that holds ten million records: how soon it answers after a start, and what memory it
//! has taken after a million reads.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use tokio::task::{JoinSet, block_in_place};
use tokio::time::{Duration, Instant, sleep};

use super::edge::{Edge, release};
use super::mirror::Mirror;
use crate::data::{self, Draws};
use crate::options::Options;
use crate::site::Site;
use crate::table::{Row, Table, median};

/// Reads before memory is looked at.
const READS: u64 = 1_000_000;
/// Readers at once.
const READERS: u64 = 8;

/// `edge-start` and `edge-memory`.
pub(super) async fn measure(
    site: &Site,
    work: &Path,
    options: &Options,
    table: &mut Table,
) -> Result<()> {
    let records = options.large;
    println!("  building {records} records");
    block_in_place(|| {
        data::write(&site.records(), records, |_| 0)?;
        site.publish(&[])?;
        // Room for the edge's copy.
        fs_err::remove_file(site.records())?;
        fs_err::remove_dir_all(site.copy())?;
        anyhow::Ok(())
    })?;
    let mirror = Mirror::start(&site.mirror(), &site.release()).await?;
    let mut edge = Edge::start(&work.join("large-edge"), &options.binaries, site, mirror.at)?;
    let start = Instant::now();
    edge.reaches(1).await?;
    println!(
        "  the edge was filled in {:.0} s",
        start.elapsed().as_secs_f64()
    );
    let mut starts = Vec::new();
    for _ in 0..options.rounds {
        edge.kill();
        let start = Instant::now();
        edge.begin()?;
        while edge.page(0).await.and_then(|page| release(&page)).is_err() {
            edge.alive()?;
            sleep(Duration::from_millis(1)).await;
        }
        starts.push(start.elapsed().as_secs_f64() * 1e3);
    }
    table.add(Row {
        id: "edge-start",
        value: median(&starts),
        unit: "ms",
        bound: 200.0,
        note: format!("process start to its first page, {records} records held, {starts:.0?}"),
    });
    let edge = Arc::new(edge);
    let start = Instant::now();
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        let edge = Arc::clone(&edge);
        readers.spawn(async move {
            let mut draws = Draws::new(reader);
            for _ in 0..READS / READERS {
                release(&edge.page(draws.below(records)).await?)?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(reader) = readers.join_next().await {
        reader??;
    }
    let seconds = start.elapsed().as_secs_f64();
    table.add(Row {
        id: "edge-memory",
        value: edge.memory()?,
        unit: "MB",
        bound: 200.0,
        note: format!(
            "anonymous, {records} records held, after {READS} reads at {:.0} a second",
            READS as f64 / seconds
        ),
    });
    Ok(())
}
