//! A reader who asks for one page after another.

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use super::edge::{Edge, release};
use crate::data::Draws;

/// How long reads took that ended within one stretch of time.
#[derive(Debug, Default)]
pub(super) struct Reads(Vec<Duration>);

impl Reads {
    /// Takes in those of another stretch.
    pub(super) fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// What all but one in a hundred stayed below, milliseconds.
    pub(super) fn p99(&mut self) -> f64 {
        self.0.sort_unstable();
        let found = self.0.get(self.0.len() * 99 / 100);
        found.map_or(0.0, |took| took.as_secs_f64() * 1e3)
    }
}

/// Reads pages drawn from `records` for as long as `span`.
pub(super) async fn during(
    edge: &Edge,
    draws: &mut Draws,
    records: u64,
    span: Duration,
) -> Result<Reads> {
    let end = Instant::now() + span;
    let mut reads = Reads::default();
    while Instant::now() < end {
        one(edge, draws, records, &mut reads).await?;
    }
    Ok(reads)
}

/// Reads until an answer is of release `sequence`; gives when that one was here.
pub(super) async fn until(
    edge: &Edge,
    draws: &mut Draws,
    records: u64,
    sequence: u64,
    reads: &mut Reads,
) -> Result<Instant> {
    while one(edge, draws, records, reads).await? < sequence {}
    Ok(Instant::now())
}

/// Reads one page; gives the release that it is of. Anything but an answer ends the bench.
async fn one(edge: &Edge, draws: &mut Draws, records: u64, reads: &mut Reads) -> Result<u64> {
    let n = draws.below(records);
    let start = Instant::now();
    let answer = edge.page(n).await?;
    reads.0.push(start.elapsed());
    release(&answer)
}
