//! A small change of a large collection: given as a list, and found in a full dump.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::data;
use crate::measure;
use crate::options::Options;
use crate::site::Site;
use crate::table::{Row, Table, median};

/// Records that change.
const CHANGES: u64 = 1_000;
/// What statements, manifest and their signatures may take, bytes.
const STATEMENTS: f64 = 16_000.0;

/// `delta`, `delta-bytes` and `dump`.
pub(super) fn measure(
    site: &Site,
    work: &Path,
    options: &Options,
    table: &mut Table,
) -> Result<()> {
    println!("  building {} records", options.records);
    data::write(&site.records(), options.records, |_| 0)?;
    site.forget()?;
    let full = site.publish(&[])?;
    let list = work.join("changes.ndjson");
    let argument = format!("people={}", list.display());
    let (mut times, mut bytes) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds as u64 {
        let rows = data::changes(&list, CHANGES, options.records, round)?;
        let before = site.mirror_bytes()?;
        let took = site.publish(&["--changes", &argument])?;
        let put = (site.mirror_bytes()? - before) as f64;
        let packed = packed(&rows, work)? as f64;
        println!(
            "  round {round}: {:.0} ms, {:.0} MB; put {put} bytes, the rows alone {packed}",
            took.seconds * 1e3,
            took.megabytes
        );
        times.push(took.seconds * 1e3);
        bytes.push((put - STATEMENTS) / packed);
    }
    table.add(Row {
        id: "delta",
        value: median(&times),
        unit: "ms",
        bound: 400.0,
        note: format!("{CHANGES} of {} records, {times:.0?}", options.records),
    });
    table.add(Row {
        id: "delta-bytes",
        value: median(&bytes),
        unit: "x",
        bound: 1.5,
        note: format!("against the rows through zstd -3, {bytes:.2?}"),
    });
    let round = options.rounds as u64 + 1;
    let rounds: Vec<Vec<u64>> = (1..=round + 1)
        .map(|n| data::chosen(CHANGES, options.records, n))
        .collect();
    // What earlier rounds changed stays so.
    let dumped = |round: usize| {
        let edition = |n| {
            let mut rounds = rounds.iter().take(round);
            let last = rounds.rposition(|chosen| chosen.binary_search(&n).is_ok());
            last.map_or(0, |at| at as u64 + 1)
        };
        data::write(&site.records(), options.records, edition)?;
        site.publish(&[])
    };
    // What is listed in between makes the first dump one of which no line is remembered.
    let dump = dumped(options.rounds + 1)?;
    let next = dumped(options.rounds + 2)?;
    table.add(Row {
        id: "dump",
        value: dump.seconds / full.seconds,
        unit: "x",
        bound: 0.5,
        note: format!(
            "{:.1} s against {:.1} s; the next one, its lines known, {:.1} s",
            dump.seconds, full.seconds, next.seconds
        ),
    });
    Ok(())
}

fn packed(rows: &[u8], work: &Path) -> Result<u64> {
    let (plain, packed) = (work.join("rows"), work.join("rows.zst"));
    fs_err::write(&plain, rows)?;
    let mut zstd = Command::new("zstd");
    zstd.args(["-3", "-q", "-f", "-o"]).arg(&packed).arg(&plain);
    measure::run(&zstd)?;
    Ok(fs_err::metadata(packed)?.len())
}
