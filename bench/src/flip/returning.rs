//! `stampede` and `return`: the fleet's own edges before an origin that dies and comes back, while readers
//! ask each of them at a steady pace.

use std::time::Duration;

use anyhow::Result;
use stage::client::Client;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::fleet::Fleet;
use super::origin::Origin;
use crate::data;
use crate::options::Options;
use crate::table::{Row, Table};

/// Between two readers of one edge: a machine of two cores answers for fifty edges and all their readers.
const EVERY: Duration = Duration::from_millis(100);
/// How long calm is looked at, before the outage and after it.
const CALM: Duration = Duration::from_secs(10);
/// How long the origin is gone once every edge has noticed.
const GONE: Duration = Duration::from_secs(20);
/// The most that any edge may take to notice that it is gone, or back.
const NOTICE: Duration = Duration::from_secs(120);
/// Arrivals are counted over this.
const SECOND: Duration = Duration::from_secs(1);

/// Measures both.
pub(super) async fn measure(
    fleet: &Fleet,
    origin: &mut Origin,
    options: &Options,
    table: &mut Table,
) -> Result<()> {
    let _readers = readers(fleet);
    sleep(SECOND).await;
    let calm = Instant::now();
    sleep(CALM).await;
    let calm = busiest(&origin.arrivals(calm, Instant::now()));
    let gone_ms = now_ms();
    origin.die();
    fleet.becomes("degraded", gone_ms, NOTICE).await?;
    sleep(GONE).await;
    let (back, back_ms) = (Instant::now(), now_ms());
    origin.revive().await?;
    let after = fleet.becomes("normal", back_ms, NOTICE).await?;
    sleep(CALM).await;
    let after_ms = after.iter().copied().fold(0.0, f64::max);
    let since = busiest(&origin.arrivals(back, Instant::now()));
    let edges = options.edges;
    if options.wants(&["stampede"]) {
        table.add(Row {
            id: "stampede",
            value: since.most / calm.mean,
            unit: "x",
            bound: 1.1,
            note: format!(
                "the busiest second from the return on, {:.0} requests; calm is {:.0} a second, its busiest {:.0}",
                since.most, calm.mean, calm.most
            ),
        });
    }
    if options.wants(&["return"]) {
        table.add(Row {
            id: "return",
            value: after_ms,
            unit: "ms",
            bound: 60_000.0,
            note: format!("until the last of {edges} edges gives all of its readers to the origin"),
        });
    }
    Ok(())
}

/// Readers of every edge, each at the same pace whatever they are answered. Gone when dropped.
fn readers(fleet: &Fleet) -> JoinSet<()> {
    let (mut readers, begun) = (JoinSet::new(), Instant::now());
    let edges = fleet.publics().count().max(1);
    for (n, at) in fleet.publics().enumerate() {
        let client = Client::new(super::HOST);
        // They do not ask in step.
        let first = begun + EVERY.mul_f64(n as f64 / edges as f64);
        readers.spawn(async move {
            let mut beat = interval_at(first, EVERY);
            beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let mut asking = JoinSet::new();
            for asked in 0_u64.. {
                beat.tick().await;
                let client = client.clone();
                asking.spawn(async move {
                    let path = format!("/p/{}", data::key(asked % super::RECORDS));
                    // What readers are answered is the drill's to count.
                    let _ = client.get(at, &path, "ko").await;
                });
                while asking.try_join_next().is_some() {}
            }
        });
    }
    readers
}

/// Arrivals a second.
struct Arrivals {
    mean: f64,
    most: f64,
}

/// The mean and the busiest second of these arrivals, which are in the order of time.
fn busiest(arrivals: &[Instant]) -> Arrivals {
    let (mut most, mut first) = (0, 0);
    for (n, at) in arrivals.iter().enumerate() {
        while arrivals
            .get(first)
            .is_some_and(|first| *at - *first >= SECOND)
        {
            first += 1;
        }
        most = most.max(n + 1 - first);
    }
    let span = arrivals.first().zip(arrivals.last());
    let span = span.map_or(SECOND, |(first, last)| (*last - *first).max(SECOND));
    Arrivals {
        mean: arrivals.len() as f64 / span.as_secs_f64(),
        most: most as f64,
    }
}

fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_second_is_found_wherever_it_begins() {
        let begun = Instant::now();
        let at = |ms: u64| begun + Duration::from_millis(ms);
        let arrivals: Vec<Instant> = [0, 900, 1100, 1200, 1899, 1901, 3900].map(at).into();
        let counted = busiest(&arrivals);
        assert_eq!(counted.most, 4.0);
        assert!((counted.mean - 7.0 / 3.9).abs() < 1e-9);
        assert_eq!(busiest(&[]).mean, 0.0);
    }
}
