//! A full build from unsorted rows, beside what any build has to do at least: put the same bytes in
//! order, compress them, hash them.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::data;
use crate::measure::{self, Took};
use crate::options::Options;
use crate::site::Site;
use crate::table::{Row, Table, median};

/// `build`: ours against `sort`, `zstd` and `b3sum`, one after another, in turns.
pub(super) fn against_peers(
    site: &Site,
    work: &Path,
    options: &Options,
    table: &mut Table,
) -> Result<()> {
    let records = site.records();
    println!("  writing {} records", options.records);
    let bytes = data::write(&records, options.records, |_| 0)?;
    // The guest is compiled once on a machine, not at each publish.
    site.publish(&[])?;
    let (mut ratios, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        site.forget()?;
        let own = site.publish(&[])?;
        let [sort, zstd, b3sum] = peers(&records, work)?;
        let peers = sort.seconds + zstd.seconds + b3sum.seconds;
        println!(
            "  round {round}: origin-sync {:.1} s, {:.0} MB; sort {:.1} s, zstd {:.1} s, b3sum {:.1} s",
            own.seconds, own.megabytes, sort.seconds, zstd.seconds, b3sum.seconds
        );
        ratios.push(own.seconds / peers);
        ours.push(own.seconds);
        theirs.push(peers);
    }
    table.add(Row {
        id: "build",
        value: median(&ratios),
        unit: "x",
        bound: 1.5,
        note: format!(
            "{:.1} s against {:.1} s, {:.0} MB of rows, ratios {ratios:.2?}",
            median(&ours),
            median(&theirs),
            bytes as f64 / 1e6
        ),
    });
    Ok(())
}

/// `build-memory`: the peak of a build ten times as large.
pub(super) fn memory(site: &Site, options: &Options, table: &mut Table) -> Result<()> {
    println!("  writing {} records", options.large);
    data::write(&site.records(), options.large, |_| 0)?;
    site.forget()?;
    let took = site.publish(&[])?;
    table.add(Row {
        id: "build-memory",
        value: took.megabytes,
        unit: "MB",
        bound: 300.0,
        note: format!("{} records in {:.0} s", options.large, took.seconds),
    });
    Ok(())
}

fn peers(records: &Path, work: &Path) -> Result<[Took; 3]> {
    let sorted = work.join("sorted");
    let packed = work.join("packed");
    let mut sort = Command::new("sort");
    sort.env("LC_ALL", "C")
        .arg("--parallel=2")
        .arg("-T")
        .arg(work);
    sort.arg("-o").arg(&sorted).arg(records);
    let mut zstd = Command::new("zstd");
    zstd.args(["-3", "-T2", "-q", "-f", "-o"])
        .arg(&packed)
        .arg(&sorted);
    let mut b3sum = Command::new("b3sum");
    b3sum.arg(&sorted);
    let took = [
        measure::run(&sort)?,
        measure::run(&zstd)?,
        measure::run(&b3sum)?,
    ];
    for gone in [sorted, packed] {
        fs_err::remove_file(gone)?;
    }
    Ok(took)
}
