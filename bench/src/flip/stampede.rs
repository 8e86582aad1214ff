//! `stampede-sim` and `return-sim`: a fleet before an origin that dies and comes back, simulated in the
//! breakers' own time (`edge::mode::fleet`): outages of every length and kind, which real edges would take
//! hours for.

use std::time::Duration;

use edge::mode::fleet::{Fleet, Return};
use snapshot::manifest::Thresholds;

use crate::options::Options;
use crate::table::{Row, Table};

/// How often the origin is gone, and for how long: some edges barely notice, others have long waits
/// between their probes.
const OUTAGES: [u64; 5] = [5, 20, 60, 300, 900];

/// Services of the site.
const SERVICES: usize = 12;

/// The fleet, before an origin that is gone for so many seconds.
fn fleet(edges: usize, outage: u64, black_hole: bool) -> Fleet {
    Fleet {
        edges,
        services: SERVICES,
        paths: 200,
        requests: 50.0,
        writes: 5,
        outage: Duration::from_secs(outage),
        black_hole,
        thresholds: Thresholds::default(),
    }
}

/// Measures both.
pub(super) fn measure(options: &Options, table: &mut Table) {
    if !options.wants(&["stampede-sim", "return-sim"]) {
        return;
    }
    let mut returns = Vec::new();
    for seed in 1..=options.rounds as u64 {
        for outage in OUTAGES {
            for black_hole in [false, true] {
                returns.push(fleet(options.edges, outage, black_hole).run(seed));
            }
        }
    }
    let calm = returns.iter().map(|returned| returned.calm).sum::<f64>() / returns.len() as f64;
    let count = returns.len();
    let worst = |of: fn(&Return) -> f64| returns.iter().map(of).fold(0.0, f64::max);
    if options.wants(&["stampede-sim"]) {
        table.add(Row {
            id: "stampede-sim",
            value: worst(Return::stampede),
            unit: "x",
            bound: 1.1,
            note: format!(
                "simulated, in compressed time: the busiest second after {count} outages of {OUTAGES:?} s; calm is {calm:.0} requests a second"
            ),
        });
    }
    if options.wants(&["return-sim"]) {
        table.add(Row {
            id: "return-sim",
            value: worst(|returned| returned.back.as_secs_f64() * 1000.0),
            unit: "ms",
            bound: 60_000.0,
            note: format!(
                "simulated, in compressed time: until the last of {} real breakers is closed",
                options.edges * SERVICES
            ),
        });
    }
}
