//! The account of an outage, put together from the logs of all edges.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use snapshot::Timestamp;

use super::episode::{Episode, Span, Step, episodes};
use super::gather::Heard;
use crate::log::{Came, Entry, Event, OrderSaid};

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
    /// Releases that came into use.
    pub(super) releases: Vec<ReleaseTold>,
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

#[derive(Debug, Serialize)]
pub(super) struct AlarmTold {
    pub(super) edge: String,
    pub(super) site: String,
    pub(super) alarm: String,
    pub(super) since: String,
    /// `null`: still raised at the end.
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

/// Takes entries in until there is an account.
#[derive(Debug, Default)]
pub(super) struct Telling {
    from: String,
    edges: BTreeMap<usize, EdgeTold>,
    states: BTreeMap<About, BTreeMap<usize, Vec<Step>>>,
    counts: BTreeMap<About, BTreeMap<String, PagesTold>>,
    refused: BTreeMap<About, (u64, u64)>,
    orders: BTreeMap<About, OrderSeen>,
    orders_refused: BTreeMap<String, u64>,
    releases: BTreeMap<(String, u64), ReleaseSeen>,
    alarms: Vec<(usize, AlarmTold)>,
    writes: Vec<(usize, WriteTold)>,
}

/// A site and one of its services, or the digest of one of its orders.
type About = (String, String);

/// An order, where it was accepted, and where it was outranked.
type OrderSeen = (OrderSaid, Vec<(usize, Arrival)>, Vec<(usize, Arrival)>);

#[derive(Debug, Default)]
struct ReleaseSeen {
    as_of: String,
    signers: Vec<String>,
    at: BTreeSet<String>,
    edges: BTreeSet<usize>,
}

impl Telling {
    pub(super) fn new(from: Timestamp) -> Self {
        Self {
            from: from.rfc3339_ms(),
            ..Self::default()
        }
    }

    /// Takes in an entry of the edge at `place`.
    pub(super) fn take(&mut self, place: usize, entry: Entry) {
        let Entry { at, site, event } = entry;
        let site = site.unwrap_or_default();
        match event {
            Event::EdgeStarted { name, .. } => {
                let edge = self.edge(place);
                edge.name = name;
                edge.started.push(at);
            }
            Event::EdgeStopped { name } => {
                let edge = self.edge(place);
                edge.name = name;
                edge.stopped.push(at);
            }
            Event::Lost { entries } => self.edge(place).lost += entries,
            Event::State {
                service,
                to,
                reason,
                ..
            } => {
                let edges = self.states.entry((site, service)).or_default();
                edges.entry(place).or_default().push((at, to, reason));
            }
            Event::OrderAccepted(said) => self.order(place, site, at, said, true),
            Event::OrderOutranked(said) => self.order(place, site, at, said, false),
            Event::Refused { reason, more, .. } => {
                *self.orders_refused.entry(reason).or_default() += 1;
                if more > 0 {
                    *self
                        .orders_refused
                        .entry("not told apart".to_owned())
                        .or_default() += more;
                }
            }
            Event::Release {
                sequence,
                as_of,
                signers,
                ..
            } => {
                let seen = self.releases.entry((site, sequence)).or_default();
                (seen.as_of, seen.signers) = (as_of, signers);
                seen.at.insert(at);
                seen.edges.insert(place);
            }
            Event::AlarmRaised { alarm, why } => {
                let told = AlarmTold {
                    edge: String::new(),
                    site,
                    alarm,
                    since: at,
                    until: None,
                    why,
                };
                self.alarms.push((place, told));
            }
            Event::AlarmCleared { alarm, since } => self.cleared(place, site, alarm, since, at),
            Event::Pages {
                service,
                origin,
                fresh,
                stale,
                too_old,
                none,
                oldest_s,
            } => {
                let minutes = self.counts.entry((site, service)).or_default();
                let minute = at.get(..16).unwrap_or(&at).to_owned() + "Z";
                minutes.entry(minute).or_default().add(PagesTold {
                    origin,
                    fresh,
                    stale,
                    too_old,
                    none,
                    oldest_s,
                });
            }
            Event::WriteRefused {
                reference,
                route,
                service,
            } => {
                self.refused
                    .entry((site.clone(), service.clone()))
                    .or_default()
                    .0 += 1;
                self.write(place, (site, at), (reference, route, service), false);
            }
            Event::WriteUnknown {
                reference,
                route,
                service,
            } => {
                self.refused
                    .entry((site.clone(), service.clone()))
                    .or_default()
                    .1 += 1;
                self.write(place, (site, at), (reference, route, service), true);
            }
            _ => {}
        }
    }

    /// The account, of the edges that were `heard`, until `to`.
    pub(super) fn account(mut self, heard: Vec<Heard>, to: Timestamp) -> Account {
        let to = to.rfc3339_ms();
        self.stops();
        let mut names = Vec::new();
        let mut edges = Vec::new();
        for (place, heard) in heard.into_iter().enumerate() {
            let mut edge = self.edges.remove(&place).unwrap_or_else(EdgeTold::nobody);
            if let Some(name) = heard.name {
                edge.name = name;
            }
            if edge.name.is_empty() {
                edge.name = heard.url.to_string();
            }
            edge.url = heard.url.to_string();
            edge.error = heard.error;
            edge.started.retain(|at| *at >= self.from);
            edge.stopped.retain(|at| *at >= self.from);
            names.push(edge.name.clone());
            edges.push(edge);
        }
        let name = |place: usize| names.get(place).cloned().unwrap_or_default();
        let named = |arrivals: Vec<(usize, Arrival)>| -> Vec<Arrival> {
            let mut named: Vec<Arrival> = arrivals
                .into_iter()
                .map(|(place, arrival)| Arrival {
                    edge: name(place),
                    ..arrival
                })
                .collect();
            named.sort_by(|one, other| one.at.cmp(&other.at));
            named
        };
        let from = self.from.clone();
        let orders = std::mem::take(&mut self.orders).into_iter();
        let mut orders: Vec<OrderTold> = orders
            .map(|((site, _), (said, accepted, outranked))| OrderTold {
                site,
                said,
                accepted: named(accepted),
                outranked: named(outranked),
            })
            .collect();
        // Several may be signed within the second that `signed_at` tells apart.
        let place = |told: &OrderTold| {
            let said = &told.said;
            (said.signed_at.clone(), said.scope.clone(), said.epoch)
        };
        orders.sort_by_cached_key(place);
        let alarms = std::mem::take(&mut self.alarms).into_iter();
        let mut alarms: Vec<AlarmTold> = alarms
            .map(|(place, told)| AlarmTold {
                edge: name(place),
                ..told
            })
            .collect();
        alarms.sort_by(|one, other| one.since.cmp(&other.since));
        let writes = std::mem::take(&mut self.writes).into_iter();
        let mut writes: Vec<WriteTold> = writes
            .map(|(place, told)| WriteTold {
                edge: name(place),
                ..told
            })
            .collect();
        writes.sort_by(|one, other| one.at.cmp(&other.at));
        let releases = std::mem::take(&mut self.releases).into_iter();
        let releases = releases.map(|((site, sequence), seen)| ReleaseTold {
            site,
            sequence,
            as_of: seen.as_of,
            signers: seen.signers,
            first: seen.at.first().cloned().unwrap_or_default(),
            last: seen.at.last().cloned().unwrap_or_default(),
            edges: seen.edges.len(),
        });
        Account {
            services: self.services(&from, &to, &name),
            from,
            to,
            edges,
            orders,
            orders_refused: self.orders_refused,
            releases: releases.collect(),
            alarms,
            writes,
        }
    }

    /// From when an edge stopped until it tells of its services again, it answered for none.
    fn stops(&mut self) {
        for (place, edge) in &self.edges {
            for stopped in &edge.stopped {
                let of_edge = self
                    .states
                    .values_mut()
                    .filter_map(|edges| edges.get_mut(place));
                for changes in of_edge {
                    changes.push((stopped.clone(), "down".to_owned(), "stopped".to_owned()));
                }
            }
        }
    }

    fn services(&self, from: &str, to: &str, name: &dyn Fn(usize) -> String) -> Vec<ServiceTold> {
        let mut about: BTreeSet<&About> = self.states.keys().collect();
        about.extend(self.counts.keys());
        about.extend(self.refused.keys());
        let told = about.into_iter().map(|about| {
            let spans: Vec<Span> = self
                .states
                .get(about)
                .into_iter()
                .flatten()
                .flat_map(|(place, changes)| Span::of(&name(*place), changes, from, to))
                .collect();
            let minutes = self.counts.get(about).cloned().unwrap_or_default();
            let mut pages = PagesTold::default();
            minutes.values().for_each(|minute| pages.add(*minute));
            let (refused, unknown) = self.refused.get(about).copied().unwrap_or_default();
            ServiceTold {
                site: about.0.clone(),
                service: about.1.clone(),
                episodes: episodes(&spans),
                spans,
                pages,
                minutes: minutes.into_iter().collect(),
                writes_refused: refused,
                writes_unknown: unknown,
            }
        });
        let mut told: Vec<ServiceTold> = told.collect();
        // What no service claims comes last.
        told.sort_by_key(|told| (told.site.clone(), told.service == "-"));
        told
    }

    fn edge(&mut self, place: usize) -> &mut EdgeTold {
        self.edges.entry(place).or_insert_with(EdgeTold::nobody)
    }

    fn order(&mut self, place: usize, site: String, at: String, said: OrderSaid, accepted: bool) {
        let arrival = Arrival {
            edge: String::new(),
            at,
            came: said.came.clone(),
        };
        let key = (site, said.digest.clone());
        let known = self
            .orders
            .entry(key)
            .or_insert_with(|| (said, Vec::new(), Vec::new()));
        if accepted { &mut known.1 } else { &mut known.2 }.push((place, arrival));
    }

    fn cleared(&mut self, place: usize, site: String, alarm: String, since: String, at: String) {
        let mut known = self.alarms.iter_mut().rev();
        let raised = known.find(|(of, told)| {
            (*of, &told.site, &told.alarm, told.until.is_none()) == (place, &site, &alarm, true)
        });
        match raised {
            Some((_, told)) => told.until = Some(at),
            None => {
                let (edge, why) = (String::new(), String::new());
                let told = AlarmTold {
                    edge,
                    site,
                    alarm,
                    since,
                    until: Some(at),
                    why,
                };
                self.alarms.push((place, told));
            }
        }
    }

    fn write(
        &mut self,
        place: usize,
        (site, at): (String, String),
        (reference, route, service): (String, String, String),
        unknown: bool,
    ) {
        if self.writes.len() < WRITES {
            let edge = String::new();
            let told = WriteTold {
                reference,
                at,
                edge,
                site,
                route,
                service,
                unknown,
            };
            self.writes.push((place, told));
        }
    }
}

impl EdgeTold {
    const fn nobody() -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            error: None,
            started: Vec::new(),
            stopped: Vec::new(),
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
