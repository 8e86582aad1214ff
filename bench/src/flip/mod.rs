//! `bench flip`: how long it takes from an order's signing until every edge of a fleet obeys it, by
//! each path, what asking for orders costs while there are none, and how a fleet lets a returning origin
//! have its readers back.

mod bytes;
mod fleet;
mod given;
mod nginx;
mod origin;
mod relay;
mod returning;
mod stampede;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use tokio::task::block_in_place;

use self::fleet::Fleet;
use self::given::Ops;
use self::nginx::Nginx;
use self::origin::Origin;
use crate::data;
use crate::machine;
use crate::options::Options;
use crate::site::Site;
use crate::table::{Row, Table, percentile};

/// Peers that each of them knows.
const PEERS: usize = 4;
/// What its readers call the site.
const HOST: &str = "country.test";
/// What needs the fleet's own edges.
const OF_EDGES: [&str; 5] = ["poll", "push", "gossip", "stampede", "return"];
/// Records of the site: orders do not care.
const RECORDS: u64 = 100;
/// Where the state of all edges lies: a disk's own speed is not what is measured.
const MEMORY: &str = "/dev/shm";

/// The path that orders take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Put on the mirror, which every edge asks each second.
    Mirror,
    /// Pushed to every edge.
    Everybody,
    /// Told to one edge, with no mirror left.
    One,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let table = runtime.enable_all().build()?.block_on(measure(options))?;
    if options.json {
        println!("{}", table.json("flip"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(options: &Options) -> Result<Table> {
    println!("{}", machine::line());
    let mut table = Table::default();
    if options.wants(&OF_EDGES) || options.wants(&["poll-bytes"]) {
        told(options, &mut table).await?;
    }
    stampede::measure(options, &mut table);
    Ok(table)
}

/// All that takes real edges.
async fn told(options: &Options, table: &mut Table) -> Result<()> {
    let work = tempfile::Builder::new()
        .prefix("holdfast-flip-")
        .tempdir_in(MEMORY)?;
    let site = Site::new(&work.path().join("site"), options)?;
    block_in_place(|| {
        data::write(&site.records(), RECORDS, |_| 0)?;
        site.publish(&[])
    })?;
    if options.wants(&OF_EDGES) {
        paths(&site, work.path(), options, table).await?;
    }
    if options.wants(&["poll-bytes"]) {
        bytes::measure(&site, work.path(), options, table).await?;
    }
    Ok(())
}

/// `stampede`, `return`, `poll`, `push` and `gossip`.
async fn paths(site: &Site, work: &Path, options: &Options, table: &mut Table) -> Result<()> {
    let mut origin = Origin::start().await?;
    let mut mirror = Nginx::start(&work.join("nginx"), &site.mirror())?;
    println!(
        "  starting {} edges, each with {PEERS} peers",
        options.edges
    );
    let fleet = Fleet::start(&work.join("fleet"), site, options, &mirror, &origin).await?;
    if options.wants(&["stampede", "return"]) {
        returning::measure(&fleet, &mut origin, options, table).await?;
    }
    let ops = Ops::new(work, site, options);
    for (id, bound, way) in [
        ("poll", 1500.0, Way::Mirror),
        ("push", 150.0, Way::Everybody),
        ("gossip", 1000.0, Way::One),
    ] {
        if !options.wants(&[id]) {
            continue;
        }
        if way == Way::One {
            // The orders that it held would still be found, were it only slow.
            mirror.stop();
        }
        let mut took = Vec::new();
        let mut slowest = Vec::new();
        for turn in 0..options.orders {
            let given = match way {
                Way::Mirror => ops.by_mirror(turn).await?,
                Way::Everybody => ops.by_peers(turn, fleet.peers()).await?,
                Way::One => {
                    let one = fleet.peers().nth(turn * 7 % options.edges.max(1));
                    ops.by_peers(turn, one.into_iter()).await?
                }
            };
            let after = fleet.obeys(&given).await?;
            slowest.push(after.iter().copied().fold(0.0, f64::max));
            took.extend(after);
            // A web server's ETag may be no finer than a second.
            tokio::time::sleep(Duration::from_millis(2100)).await;
        }
        let (median, p99) = (percentile(&took, 50.0), percentile(&took, 99.0));
        let most = percentile(&took, 100.0);
        // With no mirror left it is every edge that counts, each time.
        let (value, what) = match way {
            Way::One => (most, format!("the slowest, p99 {p99:.0}")),
            Way::Mirror | Way::Everybody => (p99, format!("p99, the slowest {most:.0}")),
        };
        table.add(Row {
            id,
            value,
            unit: "ms",
            bound,
            note: format!(
                "{what}, median {median:.0} of {} switches; the slowest edge of each order {slowest:.0?}",
                took.len()
            ),
        });
    }
    Ok(())
}
