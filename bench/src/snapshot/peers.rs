//! A small change found in a full dump, beside what people use for that today. Each gets the same
//! dump, written anew as a database writes it: once as one file a record, once as one big file. None
//! begins while the disk is still busy with what was written before, and each finds the dump and what
//! it keeps in the page cache.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::data;
use crate::measure;
use crate::options::Options;
use crate::site::{Site, bytes_below};
use crate::table::{Row, Table, median};

/// Records of the dump.
const RECORDS: u64 = 100_000;
/// Records that change.
const CHANGES: u64 = 1_000;
/// The one big file.
const ONE: &str = "people.ndjson";

/// `peer-time` and `peer-bytes`.
pub(super) fn measure(options: &Options, table: &mut Table) -> Result<()> {
    let work = tempfile::Builder::new()
        .prefix("peers-")
        .tempdir_in(&options.work)?;
    println!("  writing {RECORDS} records, as one file and as one file each");
    let dumps = Dumps::new(&work.path().join("dumps"))?;
    let site = Site::new(&work.path().join("site"), options)?;
    dumps.write(&site, 0)?;
    site.publish(&[])?;
    let peers = peers(work.path(), &dumps)?;
    for peer in &peers {
        peer.run()?;
    }
    let mut ours = Costs::default();
    let mut theirs = vec![Costs::default(); peers.len()];
    for round in 1..=options.rounds as u64 {
        dumps.write(&site, round)?;
        let before = site.mirror_bytes()?;
        measure::settle(&[&site.records(), &site.copy(), &site.mirror()])?;
        let took = site.publish(&[])?;
        // The pointer is put in the place of the one before.
        let pointer = fs_err::metadata(site.release())?.len();
        ours.add(took.seconds, site.mirror_bytes()? - before + pointer);
        for (peer, costs) in peers.iter().zip(&mut theirs) {
            let (seconds, bytes) = peer.run()?;
            costs.add(seconds, bytes);
        }
    }
    println!("  {:<16} {}", "origin-sync", ours.line());
    for (peer, costs) in peers.iter().zip(&theirs) {
        println!("  {:<16} {}", peer.name, costs.line());
    }
    for (id, of) in [
        ("peer-time", Costs::seconds as fn(&Costs) -> &[f64]),
        ("peer-bytes", Costs::bytes),
    ] {
        let best = peers
            .iter()
            .zip(&theirs)
            .map(|(peer, costs)| (&peer.name, of(costs)));
        let best = best.min_by(|a, b| median(a.1).total_cmp(&median(b.1)));
        let (name, best) = best.context("there are peers")?;
        let ratios: Vec<f64> = of(&ours).iter().zip(best).map(|(a, b)| a / b).collect();
        table.add(Row {
            id,
            value: median(&ratios),
            unit: "x",
            bound: 1.0,
            note: format!("against {name}, {ratios:.2?}"),
        });
    }
    Ok(())
}

/// What each round cost.
#[derive(Clone, Debug, Default)]
struct Costs {
    seconds: Vec<f64>,
    bytes: Vec<f64>,
}

impl Costs {
    fn add(&mut self, seconds: f64, bytes: u64) {
        self.seconds.push(seconds);
        self.bytes.push(bytes as f64);
    }

    fn seconds(&self) -> &[f64] {
        &self.seconds
    }

    fn bytes(&self) -> &[f64] {
        &self.bytes
    }

    fn line(&self) -> String {
        format!(
            "{:>7.2} s {:>9.0} KB  {:.2?}",
            median(&self.seconds),
            median(&self.bytes) / 1e3,
            self.seconds
        )
    }
}

/// The dump in both forms.
struct Dumps {
    /// One file.
    one: PathBuf,
    /// One file a record, in 256 folders.
    each: PathBuf,
}

impl Dumps {
    fn new(dir: &Path) -> Result<Self> {
        let dumps = Self {
            one: dir.join("one"),
            each: dir.join("each"),
        };
        fs_err::create_dir_all(&dumps.one)?;
        for folder in 0..=u8::MAX {
            fs_err::create_dir_all(dumps.each.join(format!("{folder:02x}")))?;
        }
        // For `rsync --files-from`.
        fs_err::write(dumps.one.with_extension("list"), format!("{ONE}\n"))?;
        let mut list = BufWriter::new(fs_err::File::create(dumps.each.with_extension("list"))?);
        for n in 0..RECORDS {
            writeln!(list, "{}", name(n))?;
        }
        list.flush()?;
        Ok(dumps)
    }

    /// Writes all of it anew, with every change up to `round`.
    fn write(&self, site: &Site, round: u64) -> Result<()> {
        let rounds: Vec<Vec<u64>> = (1..=round)
            .map(|n| data::chosen(CHANGES, RECORDS, n))
            .collect();
        let edition = |n| {
            let last = rounds
                .iter()
                .rposition(|chosen| chosen.binary_search(&n).is_ok());
            last.map_or(0, |at| at as u64 + 1)
        };
        data::write(&site.records(), RECORDS, edition)?;
        fs_err::copy(site.records(), self.one.join(ONE))?;
        let mut line = Vec::new();
        for n in 0..RECORDS {
            data::record(&mut line, n, edition(n));
            fs_err::write(self.each.join(name(n)), &line)?;
        }
        Ok(())
    }
}

fn name(n: u64) -> String {
    let key = data::key(n);
    let folder = key.get(..2).unwrap_or_default();
    format!("{folder}/{key}.json")
}

/// One way of today.
struct Peer {
    name: String,
    command: Command,
    /// The dump in its form.
    from: PathBuf,
    /// What it puts its objects, or its copy, into.
    into: PathBuf,
    /// Whether what it sent is told by itself, and does not show in the size of `into`.
    tells: bool,
}

impl Peer {
    /// Seconds, and bytes put or sent.
    fn run(&self) -> Result<(f64, u64)> {
        let before = bytes_below(&self.into)?;
        measure::settle(&[&self.from, &self.into])?;
        let (took, printed) = measure::heard(&self.command)?;
        let bytes = match self.tells {
            true => told(&printed)?,
            false => bytes_below(&self.into)?.saturating_sub(before),
        };
        Ok((took.seconds, bytes))
    }
}

/// What `rsync --stats` says it sent and received.
fn told(printed: &str) -> Result<u64> {
    let mut all = 0;
    for field in ["Total bytes sent: ", "Total bytes received: "] {
        let number = printed.lines().find_map(|line| line.strip_prefix(field));
        let number = number.context("rsync tells no bytes")?.replace(',', "");
        all += number.trim().parse::<u64>()?;
    }
    Ok(all)
}

fn peers(work: &Path, dumps: &Dumps) -> Result<Vec<Peer>> {
    let mut peers = Vec::new();
    for (form, from) in [("one file", &dumps.one), ("files", &dumps.each)] {
        for tool in ["restic", "ostree", "casync", "rsync"] {
            let into = work.join(format!("{tool}-{}", form.replace(' ', "-")));
            fs_err::create_dir_all(&into)?;
            let mut command = Command::new(tool);
            match tool {
                "restic" => {
                    let cache = work.join("restic-cache");
                    let shared = |command: &mut Command| {
                        command.env("RESTIC_PASSWORD", "bench").arg("--quiet");
                        command.arg("--cache-dir").arg(&cache);
                        command.arg("--repo").arg(&into);
                    };
                    let mut init = Command::new(tool);
                    shared(&mut init);
                    measure::run(init.arg("init"))?;
                    shared(&mut command);
                    command.arg("backup").arg(from);
                }
                "ostree" => {
                    let repo = format!("--repo={}", into.display());
                    let mut init = Command::new(tool);
                    measure::run(init.args([&repo, "init", "--mode=archive"]))?;
                    command.args([&repo, "commit", "--branch=main"]);
                    command.arg(from);
                }
                "casync" => {
                    // A single file is an index of blobs, a folder one of an archive.
                    let (index, what) = match form {
                        "one file" => ("x.caibx", from.join(ONE)),
                        _ => ("x.caidx", from.clone()),
                    };
                    command.arg("make").arg("--store").arg(into.join("store"));
                    command.arg(into.join(index)).arg(what);
                }
                _ => {
                    // All times are new, so it has to look inside.
                    command.args(["--recursive", "--checksum", "--no-whole-file", "--stats"]);
                    command.arg("--files-from").arg(from.with_extension("list"));
                    command.arg(from).arg(&into);
                }
            }
            peers.push(Peer {
                name: format!("{tool}, {form}"),
                command,
                from: from.clone(),
                into,
                tells: tool == "rsync",
            });
        }
    }
    Ok(peers)
}
