//! An edge takes up small changes, and one after which the whole stack is merged, while it is read.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::task::block_in_place;

use super::edge::Edge;
use super::mirror::Mirror;
use super::reads::{self, Reads};
use crate::data::{self, Draws};
use crate::options::Options;
use crate::site::Site;
use crate::table::{Row, Table, median};

/// Records that change.
const CHANGES: u64 = 1_000;
/// One record in so many is changed to make a merge of the whole stack due.
const HALF: u64 = 2;
/// How long an edge is read before each change, for what is quiet.
const QUIET: Duration = Duration::from_secs(5);
/// How long reads still belong to a switch after its first answer.
const AFTER: Duration = Duration::from_millis(100);

/// `sync-bytes`, `sync-lag`, `merge-bytes` and `switch-p99`.
pub(super) async fn measure(
    site: &Site,
    work: &Path,
    options: &Options,
    table: &mut Table,
) -> Result<()> {
    let records = options.records;
    println!("  building {records} records");
    block_in_place(|| {
        data::write(&site.records(), records, |_| 0)?;
        site.publish(&[])
    })?;
    let mirror = Mirror::start(&site.mirror(), &site.release()).await?;
    let mut edge = Edge::start(&work.join("edge"), &options.binaries, site, mirror.at)?;
    edge.reaches(1).await?;
    let mut scene = Scene {
        site,
        mirror,
        edge,
        draws: Draws::new(data::SEED),
        list: work.join("changes.ndjson"),
        records,
        sequence: 1,
        quiet: Reads::default(),
    };
    let (mut bytes, mut lags) = (Vec::new(), Vec::new());
    let mut switching = Reads::default();
    for round in 1..=options.rounds as u64 {
        let taken = scene.takes_up(CHANGES, round).await?;
        println!(
            "  round {round}: {} bytes put, {} sent, effective after {:.1} ms, {:.1} ms of it after the last byte",
            taken.put, taken.sent, taken.whole, taken.lag
        );
        bytes.push(taken.sent as f64 / taken.put as f64);
        lags.push(taken.lag);
        switching.add(taken.reads);
    }
    table.add(Row {
        id: "sync-bytes",
        value: median(&bytes),
        unit: "x",
        bound: 1.2,
        note: format!("all that the mirror sent against all that was put, {bytes:.2?}"),
    });
    table.add(Row {
        id: "sync-lag",
        value: median(&lags),
        unit: "ms",
        bound: 50.0,
        note: format!("to the first answer out of it, {lags:.1?}"),
    });
    let round = options.rounds as u64 + 1;
    println!("  changing half of the records, so that a merge of all is due");
    scene.takes_up(records / HALF, round).await?;
    let (merged, mut taken) = scene.merges_all(round + 1).await?;
    table.add(Row {
        id: "merge-bytes",
        value: taken.sent as f64 / 1e3,
        unit: "KB",
        bound: 64.0,
        note: format!(
            "{:.0} MB merged on the edge in {:.1} s, one record changed",
            merged as f64 / 1e6,
            taken.whole / 1e3
        ),
    });
    let quiet = scene.quiet.p99();
    let (switch, merge) = (switching.p99(), taken.reads.p99());
    table.add(Row {
        id: "switch-p99",
        value: switch.max(merge) / quiet,
        unit: "x",
        bound: f64::max(3.0, 1.0 / quiet),
        note: format!(
            "quiet {quiet:.2} ms, {} switches {switch:.2} ms ({} reads), a merge {merge:.2} ms ({} reads)",
            options.rounds,
            switching.count(),
            taken.reads.count()
        ),
    });
    Ok(())
}

/// What a change cost an edge.
struct Taken {
    /// Bytes put on the mirror, all objects and statements.
    put: u64,
    /// Bytes sent by the mirror, heads and polls included.
    sent: u64,
    /// From the release's being shown to its first answer, milliseconds.
    whole: f64,
    /// From the last byte of an object to that answer, milliseconds.
    lag: f64,
    /// Reads meanwhile.
    reads: Reads,
}

struct Scene<'s> {
    site: &'s Site,
    mirror: Mirror,
    edge: Edge,
    draws: Draws,
    list: std::path::PathBuf,
    records: u64,
    sequence: u64,
    quiet: Reads,
}

impl Scene<'_> {
    /// Publishes `count` changes, and then lets the edge see them.
    async fn takes_up(&mut self, count: u64, edition: u64) -> Result<Taken> {
        let before = self.site.mirror_bytes()?;
        block_in_place(|| {
            data::changes(&self.list, count, self.records, edition)?;
            let list = format!("people={}", self.list.display());
            self.site.publish(&["--changes", &list])
        })?;
        // The pointer is put each time in the place of the one before.
        let pointer = fs_err::metadata(self.site.release())?.len();
        let put = self.site.mirror_bytes()? - before + pointer;
        self.sequence += 1;
        let (edge, draws, records) = (&self.edge, &mut self.draws, self.records);
        self.quiet
            .add(reads::during(edge, draws, records, QUIET).await?);
        let sent = self.mirror.sent();
        let start = tokio::time::Instant::now();
        self.mirror.show()?;
        let mut reads = Reads::default();
        let effective = reads::until(edge, draws, records, self.sequence, &mut reads).await?;
        let sent = self.mirror.sent() - sent;
        let last = self.mirror.last_object().context("no object was sent")?;
        reads.add(reads::during(edge, draws, records, AFTER).await?);
        self.edge.alive()?;
        Ok(Taken {
            put,
            sent,
            whole: (effective - start).as_secs_f64() * 1e3,
            lag: effective.saturating_duration_since(last).as_secs_f64() * 1e3,
            reads,
        })
    }

    /// Publishes single changes until one comes with a merge of the whole stack: a merge of its
    /// newer part may be due first. Gives the bytes merged, and what that cost.
    async fn merges_all(&mut self, edition: u64) -> Result<(u64, Taken)> {
        for edition in edition..edition + 3 {
            let before = self.merged().await?;
            let taken = self.takes_up(1, edition).await?;
            let merged = self.merged().await? - before;
            if merged > 500 * self.records {
                return Ok((merged, taken));
            }
        }
        bail!("no publish came with a merge of the whole stack")
    }

    /// Bytes that the edge merged by itself so far.
    async fn merged(&self) -> Result<u64> {
        let status = self.edge.status().await?;
        let bytes = status.pointer("/merged/bytes").and_then(|b| b.as_u64());
        bytes.context("/status tells of no merges")
    }
}
