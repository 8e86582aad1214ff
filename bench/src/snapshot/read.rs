//! Verified point reads in the publisher's own copy, which lies on disk as an edge's does: a node is
//! read, hashed and only then used. One thread, the page cache warm, uniform keys, half of them absent.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use edge::copy::read_manifest;
use edge::serve::NODE_CACHE_BYTES;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use snapshot::{Envelope, Key, NodeCache, Release, Stack, Store};
use tokio::time::Instant;

use crate::data::{self, Draws};

use crate::options::Options;
use crate::site::Site;
use crate::table::{Row, Table, median};

/// Reads of one round.
const READS: usize = 200_000;
/// Reads before the first round: they bring inner nodes into the cache.
const WARM: usize = 200_000;
/// How many records the publishes change that make the stack of four, the first first: each is so
/// much smaller than the one before that no merge is due.
const LAYERS: [u64; 3] = [100_000, 10_000, 1_000];

/// `read-p50` and `read-p99`, then `read4-p50`. The site holds the large build.
pub(super) fn measure(site: &Site, options: &Options, table: &mut Table) -> Result<()> {
    // The dump is as large as the copy, and a machine may not hold both in its page cache.
    fs_err::remove_file(site.records())?;
    let one = rounds(site, options, 1)?;
    table.add(row("read-p50", 5.0, &one.half, options));
    table.add(row("read-p99", 25.0, &one.hundredth, options));
    let list = site.records().with_file_name("layer.ndjson");
    for (edition, layer) in (1..).zip(LAYERS) {
        let most = layer.min(options.large / 10).max(1);
        data::changes(&list, most, options.large, edition)?;
        site.publish(&["--changes", &format!("people={}", list.display())])?;
    }
    let four = rounds(site, options, 1 + LAYERS.len())?;
    table.add(row("read4-p50", 9.0, &four.half, options));
    Ok(())
}

/// Percentiles of each round, microseconds.
#[derive(Default)]
struct Rounds {
    half: Vec<f64>,
    hundredth: Vec<f64>,
}

fn row(id: &'static str, bound: f64, rounds: &[f64], options: &Options) -> Row {
    Row {
        id,
        value: median(rounds),
        unit: "us",
        bound,
        note: format!("{READS} reads of {} records, {rounds:.2?}", options.large),
    }
}

fn rounds(site: &Site, options: &Options, depth: usize) -> Result<Rounds> {
    let stack = open(site)?;
    let got = stack.segments().len();
    ensure!(got == depth, "the stack has {got} segments, not {depth}");
    let _warm = Warm::new(site)?;
    let mut draws = Draws::new(depth as u64);
    read(&stack, &mut draws, options.large, WARM)?;
    let mut rounds = Rounds::default();
    for _ in 0..options.rounds {
        let mut took = read(&stack, &mut draws, options.large, READS)?;
        took.sort_unstable();
        let at = |share: usize| {
            let found = took.get(took.len() * share / 100);
            found.map_or(0.0, |took| took.as_secs_f64() * 1e6)
        };
        rounds.half.push(at(50));
        rounds.hundredth.push(at(99));
    }
    Ok(rounds)
}

/// Each read's time; every other key is one that no record has.
fn read(stack: &Stack, draws: &mut Draws, records: u64, count: usize) -> Result<Vec<Duration>> {
    let mut took = Vec::with_capacity(count);
    for n in 0..count {
        let absent = n % 2 == 1;
        let n = draws.below(records) + if absent { records } else { 0 };
        let key = Key::new(data::key(n))?;
        let start = Instant::now();
        let found = stack.get(&key)?;
        took.push(start.elapsed());
        ensure!(found.is_none() == absent, "{key} is a wrong answer");
    }
    Ok(took)
}

/// The copy in the page cache, and kept there: a kernel that reclaims ahead of need (DAMON) drives
/// out what nobody touched for seconds, and of 10 GB that is most of it. The reads that are measured
/// map nothing of this; they find their pages as they would in a cache that is merely warm.
struct Warm {
    /// The process that holds the pages locked.
    holder: Pid,
}

impl Warm {
    fn new(site: &Site) -> Result<Self> {
        let told = tempfile::NamedTempFile::new()?;
        let mut hold = Command::new("vmtouch");
        // As a daemon, that is there once all is locked; files of up to 1 TB.
        hold.args(["-q", "-d", "-l", "-w", "-m", "1024G", "-P"]);
        hold.arg(told.path()).arg(site.copy().join("objects"));
        let held = hold.status().context("vmtouch cannot be started")?;
        ensure!(held.success(), "vmtouch: {held}");
        let holder = fs_err::read_to_string(told.path())?;
        let holder = Pid::from_raw(holder.trim().parse()?);
        Ok(Self { holder })
    }
}

impl Drop for Warm {
    fn drop(&mut self) {
        let _gone_already = kill(self.holder, Signal::SIGTERM);
    }
}

fn open(site: &Site) -> Result<Stack> {
    let envelope = Envelope::from_bytes(&fs_err::read(site.release())?)?;
    let release: Release = snapshot::decode(envelope.payload(), envelope.payload().len())?;
    let store = Store::open_shared(site.copy())?;
    let manifest = read_manifest(&store, &release)?;
    let people = manifest.collections.iter();
    let mut people = people.filter(|collection| collection.name.as_str() == data::COLLECTION);
    let people = people
        .next()
        .context("the release has no such collection")?;
    let cache = NodeCache::new(NODE_CACHE_BYTES);
    let segments = people.segments.iter();
    let segments = segments.map(|entry| store.segment(entry, &manifest.site, &people.name, &cache));
    Ok(Stack::new(segments.collect::<Result<_, _>>()?))
}
