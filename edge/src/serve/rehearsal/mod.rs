//! Rehearsing an outage: for a share of a service's reads the snapshot answers as if the origin were
//! gone, while it is there to be asked whatever the snapshot cannot say.
//!
//! **Begun** by a person on the edge's own machine, for a service that is *normal* because its breaker
//! is closed: never for one that is degraded, probing, suspected or forced by an order, never without an
//! origin or a release, and one at a time for a service. It is no order: it is not signed, not carried
//! on, not written down, and gives a reader only what any failure of the origin would give him.
//!
//! **Running**, it takes its share of GET and HEAD requests that carry neither cookie nor credentials,
//! on routes that are not the snapshot's anyway. What the snapshot answers is given, marked, and kept by
//! nobody on the way, so that no cache makes the share larger. What it cannot answer is counted as an
//! error, and the origin answers the reader: nobody pays for a rehearsal with an error page. Some of the
//! pages given are held beside the origin's page for the same request; of both only how much they differ
//! is kept.
//!
//! **Ended** by the first of: its time; more errors than its budget; any change of the service's mode,
//! whether by an order or by the breaker; the going of the person who began it (their connection is its
//! life); the edge's stopping. All lives in memory, so a crash ends it too, and loses what was counted.
//! Of one that ended, its result is kept on disk for `/status`.

mod begin;
mod compare;
mod last;
mod latency;
mod running;
mod tally;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use snapshot::{ServiceName, SiteName};

pub use begin::{Refused, begin};
pub(super) use compare::Comparison;
pub use last::LastRehearsal;
pub use latency::Percentiles;
pub(super) use running::Running;
pub use tally::{Counted, Route};

/// Largest share of reads, percent.
pub const SHARE_MOST: u8 = 50;
/// Longest rehearsal.
pub const LASTS_MOST: Duration = Duration::from_secs(60 * 60);
/// Reads that an error budget is a share of at least, so that the first error of a few ends nothing.
pub const BUDGET_READS: u64 = 100;
/// Largest error budget, parts of a million: a tenth.
pub const BUDGET_MOST_PPM: u32 = 100_000;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The site; may be left out where the edge has one alone.
    #[serde(default)]
    pub site: Option<SiteName>,
    /// The service.
    pub service: ServiceName,
    /// The share of reads, percent: 1 to [`SHARE_MOST`].
    pub share_percent: u8,
    /// How long, seconds: 1 to those of [`LASTS_MOST`].
    pub lasts_s: u64,
    /// Errors among all reads that end it, parts of a million: at most [`BUDGET_MOST_PPM`].
    pub budget_ppm: u32,
}

/// Why a rehearsal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Its time was over.
    Time,
    /// There were more errors than it may have.
    Budget,
    /// The service's mode changed.
    Mode,
    /// Whoever began it went away.
    Left,
    /// The edge stops.
    Stopping,
}

/// One line of what a rehearsal tells while it goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// How far it is.
    Progress(Report),
    /// How it ended: the last line.
    Report(Report),
}

/// A rehearsal so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The edge.
    pub edge: String,
    /// The site.
    pub site: String,
    /// The service.
    pub service: String,
    /// The share of reads, percent.
    pub share_percent: u8,
    /// How long it has lasted, seconds.
    pub lasted_s: u64,
    /// How long it is to last, seconds.
    pub lasts_s: u64,
    /// Why it ended; `null` while it goes on.
    pub ended: Option<Ended>,
    /// What was counted.
    pub counted: Counted,
}

type Key = (SiteName, ServiceName);

/// The rehearsals of an edge, and how the last ones went.
#[derive(Debug, Default)]
pub struct Rehearsals {
    running: ArcSwap<BTreeMap<Key, Arc<Running>>>,
    /// One change of `running` at a time.
    changing: Mutex<()>,
    last: Mutex<BTreeMap<Key, LastRehearsal>>,
}

impl Rehearsals {
    /// The one that goes on for a service.
    pub(super) fn of(&self, site: &SiteName, service: &ServiceName) -> Option<Arc<Running>> {
        let running = self.running.load();
        if running.is_empty() {
            return None;
        }
        running.get(&(site.clone(), service.clone())).cloned()
    }

    /// The percentage of reads that the one takes that goes on for a service.
    #[must_use]
    pub fn share(&self, site: &SiteName, service: &ServiceName) -> Option<u8> {
        self.of(site, service)
            .map(|running| running.share_percent())
    }

    /// How the last one of a service went.
    #[must_use]
    pub fn last(&self, site: &SiteName, service: &ServiceName) -> Option<LastRehearsal> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(&(site.clone(), service.clone())).cloned()
    }

    /// False if one goes on already.
    fn add(&self, key: &Key, running: &Arc<Running>) -> bool {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = BTreeMap::clone(&self.running.load());
        if all.contains_key(key) {
            return false;
        }
        all.insert(key.clone(), Arc::clone(running));
        self.running.store(Arc::new(all));
        true
    }

    fn remove(&self, key: &Key) {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = BTreeMap::clone(&self.running.load());
        all.remove(key);
        self.running.store(Arc::new(all));
    }
}
