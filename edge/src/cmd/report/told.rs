//! What an account tells: the shape of its JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::episode::{Episode, Span};
use crate::log::{Came, OrderSaid};

/// Most refused writes that are listed one by one; the others are counted.
pub(crate) const WRITES: usize = 1000;

/// What happened between two moments.
#[derive(Debug, Default, Serialize)]
pub(super) struct Account {
    /// From this moment on.
    pub(super) from: String,
    /// Before this moment.
    pub(super) to: String,
    /// Who was asked.
    pub(super) edges: Vec<EdgeTold>,
    /// Each service of each site.
    pub(super) services: Vec<ServiceTold>,
    /// Orders that were accepted or outranked on any edge, by the time they were signed, then by
    /// scope and epoch.
    pub(super) orders: Vec<OrderTold>,
    /// Orders that were not believed: how often, by reason.
    pub(super) orders_refused: BTreeMap<String, u64>,
    /// Forced modes that came to their end by themselves.
    pub(super) forced_ended: Vec<ForcedTold>,
    /// Generations of trust that came into force.
    pub(super) trust: Vec<TrustTold>,
    /// Generations of trust that were not believed: how often, by reason.
    pub(super) trust_refused: BTreeMap<String, u64>,
    /// Releases that came into use.
    pub(super) releases: Vec<ReleaseTold>,
    /// Releases that were offered and not used.
    pub(super) releases_refused: Vec<UnusedTold>,
    /// Alarms.
    pub(super) alarms: Vec<AlarmTold>,
    /// Refused writes, the first [`WRITES`].
    pub(super) writes: Vec<WriteTold>,
}

#[derive(Debug, Serialize)]
pub(super) struct EdgeTold {
    pub(super) name: String,
    pub(super) url: String,
    /// Why its log is not, or not wholly, in this account.
    pub(super) error: Option<String>,
    /// When it started.
    pub(super) started: Vec<String>,
    /// When it stopped in good order.
    pub(super) stopped: Vec<String>,
    /// When it was last heard of before it started anew without having stopped.
    pub(super) broke_off: Vec<String>,
    /// Entries that its log has lost.
    pub(super) lost: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct ServiceTold {
    pub(super) site: String,
    pub(super) service: String,
    /// Every time that others than the origin alone answered, over all edges.
    pub(super) episodes: Vec<Episode>,
    /// The same for each edge.
    pub(super) spans: Vec<Span>,
    /// Answers that readers were given.
    pub(super) pages: PagesTold,
    /// The same by the minute, oldest first.
    pub(super) minutes: Vec<(String, PagesTold)>,
    /// Writes refused.
    pub(super) writes_refused: u64,
    /// Writes that may have arrived.
    pub(super) writes_unknown: u64,
}

/// Counts by age.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct PagesTold {
    pub(super) origin: u64,
    pub(super) fresh: u64,
    pub(super) stale: u64,
    pub(super) too_old: u64,
    pub(super) none: u64,
    pub(super) oldest_s: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct OrderTold {
    pub(super) site: String,
    #[serde(flatten)]
    pub(super) said: OrderSaid,
    /// Where it came into force, in the order of time.
    pub(super) accepted: Vec<Arrival>,
    /// Where it lost against another of its epoch.
    pub(super) outranked: Vec<Arrival>,
}

#[derive(Debug, Serialize)]
pub(super) struct Arrival {
    pub(super) edge: String,
    pub(super) at: String,
    pub(super) came: Came,
}

#[derive(Debug, Serialize)]
pub(super) struct ReleaseTold {
    pub(super) site: String,
    pub(super) sequence: u64,
    pub(super) as_of: String,
    pub(super) signers: Vec<String>,
    /// When the first edge used it.
    pub(super) first: String,
    /// When the last one did.
    pub(super) last: String,
    pub(super) edges: usize,
}

/// A forced mode whose time was over.
#[derive(Debug, Serialize)]
pub(super) struct ForcedTold {
    pub(super) site: String,
    pub(super) scope: String,
    pub(super) epoch: u64,
    #[serde(flatten)]
    pub(super) seen: SeenTold,
}

/// A generation of trust.
#[derive(Debug, Serialize)]
pub(super) struct TrustTold {
    pub(super) site: String,
    pub(super) generation: u64,
    /// By their own word.
    pub(super) who: String,
    pub(super) why: String,
    pub(super) signers: Vec<String>,
    #[serde(flatten)]
    pub(super) seen: SeenTold,
}

/// A release that was not used, or something that could not be read as one.
#[derive(Debug, Serialize)]
pub(super) struct UnusedTold {
    pub(super) site: String,
    /// `null`: it did not get as far as being read.
    pub(super) sequence: Option<u64>,
    pub(super) check: String,
    /// In words, by the first edge.
    pub(super) why: String,
    #[serde(flatten)]
    pub(super) seen: SeenTold,
}

/// When and where something was seen that many edges see.
#[derive(Debug, Default, Serialize)]
pub(super) struct SeenTold {
    pub(super) first: String,
    pub(super) last: String,
    pub(super) edges: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct AlarmTold {
    pub(super) edge: String,
    pub(super) site: String,
    pub(super) alarm: String,
    pub(super) since: String,
    /// When it was over, or the edge that had raised it stopped or started anew; `null`: still raised at
    /// the end.
    pub(super) until: Option<String>,
    pub(super) why: String,
}

#[derive(Debug, Serialize)]
pub(super) struct WriteTold {
    pub(super) reference: String,
    pub(super) at: String,
    pub(super) edge: String,
    pub(super) site: String,
    pub(super) route: String,
    pub(super) service: String,
    /// It may have arrived.
    pub(super) unknown: bool,
}

impl EdgeTold {
    pub(super) const fn nobody() -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            error: None,
            started: Vec::new(),
            stopped: Vec::new(),
            broke_off: Vec::new(),
            lost: 0,
        }
    }
}

impl PagesTold {
    pub(super) fn add(&mut self, other: Self) {
        self.origin += other.origin;
        self.fresh += other.fresh;
        self.stale += other.stale;
        self.too_old += other.too_old;
        self.none += other.none;
        self.oldest_s = self.oldest_s.max(other.oldest_s);
    }

    /// How many in all.
    pub(super) const fn all(&self) -> u64 {
        self.origin + self.fresh + self.stale + self.too_old + self.none
    }
}
