//! The account of an outage, put together from the logs of all edges.

use std::collections::{BTreeMap, BTreeSet};

use snapshot::Timestamp;

use super::episode::{Span, Step, episodes};
use super::gather::Heard;
use super::told::{
    Account, AlarmTold, Arrival, EdgeTold, ForcedTold, OrderTold, PagesTold, ReleaseTold, SeenTold,
    ServiceTold, TrustTold, UnusedTold, WRITES, WriteTold,
};
use crate::log::{Entry, Event, OrderSaid};

/// Takes entries in until there is an account.
#[derive(Debug, Default)]
pub(super) struct Telling {
    from: String,
    /// When each edge was last heard of, since it last stopped.
    heard: BTreeMap<usize, String>,
    edges: BTreeMap<usize, EdgeTold>,
    states: BTreeMap<About, BTreeMap<usize, Vec<Step>>>,
    counts: BTreeMap<About, BTreeMap<String, PagesTold>>,
    writes_refused: BTreeMap<About, (u64, u64)>,
    orders: BTreeMap<About, OrderSeen>,
    orders_refused: BTreeMap<String, u64>,
    trust_refused: BTreeMap<String, u64>,
    forced_ended: BTreeMap<(String, String, u64), Seen>,
    trust: BTreeMap<Generation, (Vec<String>, Seen)>,
    releases: BTreeMap<(String, u64), ReleaseSeen>,
    unused: BTreeMap<(String, Option<u64>, String), (String, Seen)>,
    alarms: Vec<(usize, AlarmTold)>,
    writes: Vec<(usize, WriteTold)>,
}

/// A site and one of its services, or the digest of one of its orders.
type About = (String, String);

/// A site's generation of trust: its number, who wrote it and why.
type Generation = (String, u64, String, String);

/// An order, where it was accepted, and where it was outranked.
type OrderSeen = (OrderSaid, Vec<(usize, Arrival)>, Vec<(usize, Arrival)>);

#[derive(Debug, Default)]
struct ReleaseSeen {
    as_of: String,
    signers: Vec<String>,
    seen: Seen,
}

/// When the first edge saw something, when it was last seen, and by whom.
#[derive(Debug, Default)]
struct Seen {
    first: String,
    last: String,
    edges: BTreeSet<usize>,
}

impl Seen {
    fn at(&mut self, at: String, place: usize) {
        if self.edges.is_empty() || at < self.first {
            self.first.clone_from(&at);
        }
        self.last = std::mem::take(&mut self.last).max(at);
        self.edges.insert(place);
    }

    fn told(self, name: &dyn Fn(usize) -> String) -> SeenTold {
        SeenTold {
            first: self.first,
            last: self.last,
            edges: self.edges.into_iter().map(name).collect(),
        }
    }
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
        let heard = at.clone();
        let site = site.unwrap_or_default();
        match event {
            Event::EdgeStarted { name, .. } => {
                self.forgets_alarms(place, &at);
                let heard = self.heard.get(&place).cloned();
                let edge = self.edge(place);
                edge.name = name;
                edge.broke_off.extend(heard);
                edge.started.push(at.clone());
            }
            Event::EdgeStopped { name } => {
                self.forgets_alarms(place, &at);
                let edge = self.edge(place);
                edge.name = name;
                edge.stopped.push(at);
                self.heard.remove(&place);
                return;
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
            Event::Refused {
                what, reason, more, ..
            } => self.refused(&what, reason, more),
            Event::ForcedEnded { scope, epoch } => {
                let seen = self.forced_ended.entry((site, scope, epoch)).or_default();
                seen.at(at, place);
            }
            Event::TrustAccepted {
                generation,
                who,
                why,
                signers,
                ..
            } => {
                let about = (site, generation, who, why);
                let (_, seen) = self
                    .trust
                    .entry(about)
                    .or_insert_with(|| (signers, Seen::default()));
                seen.at(at, place);
            }
            Event::Release {
                sequence,
                as_of,
                signers,
                ..
            } => {
                let known = self.releases.entry((site, sequence)).or_default();
                (known.as_of, known.signers) = (as_of, signers);
                known.seen.at(at, place);
            }
            Event::ReleaseRefused {
                sequence,
                check,
                why,
                ..
            } => {
                let about = (site, sequence, check);
                let (_, seen) = self
                    .unused
                    .entry(about)
                    .or_insert_with(|| (why, Seen::default()));
                seen.at(at, place);
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
                self.writes_refused
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
                self.writes_refused
                    .entry((site.clone(), service.clone()))
                    .or_default()
                    .1 += 1;
                self.write(place, (site, at), (reference, route, service), true);
            }
            _ => {}
        }
        self.heard.insert(place, heard);
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
            edge.broke_off.retain(|at| *at >= self.from);
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
            first: seen.seen.first,
            last: seen.seen.last,
            edges: seen.seen.edges.len(),
        });
        let forced = std::mem::take(&mut self.forced_ended).into_iter();
        let forced = forced.map(|((site, scope, epoch), seen)| ForcedTold {
            site,
            scope,
            epoch,
            seen: seen.told(&name),
        });
        let trust = std::mem::take(&mut self.trust).into_iter();
        let trust = trust.map(
            |((site, generation, who, why), (signers, seen))| TrustTold {
                site,
                generation,
                who,
                why,
                signers,
                seen: seen.told(&name),
            },
        );
        let unused = std::mem::take(&mut self.unused).into_iter();
        let unused = unused.map(|((site, sequence, check), (why, seen))| UnusedTold {
            site,
            sequence,
            check,
            why,
            seen: seen.told(&name),
        });
        Account {
            services: self.services(&from, &to, &name),
            from,
            to,
            edges,
            orders,
            orders_refused: self.orders_refused,
            forced_ended: forced.collect(),
            trust: trust.collect(),
            trust_refused: self.trust_refused,
            releases: releases.collect(),
            releases_refused: unused.collect(),
            alarms,
            writes,
        }
    }

    /// From when an edge stopped, or was last heard of, until it tells of its services again, it answered for none.
    fn stops(&mut self) {
        for (place, edge) in &self.edges {
            for stopped in edge.stopped.iter().chain(&edge.broke_off) {
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
        about.extend(self.writes_refused.keys());
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
            let (refused, unknown) = self.writes_refused.get(about).copied().unwrap_or_default();
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

    /// Orders, or a generation of trust, that were not believed.
    fn refused(&mut self, what: &str, reason: String, more: u64) {
        let refused = match what {
            "trust" => &mut self.trust_refused,
            _ => &mut self.orders_refused,
        };
        *refused.entry(reason).or_default() += 1;
        if more > 0 {
            // One number for both: an edge counts them together.
            *self
                .orders_refused
                .entry("not told apart".to_owned())
                .or_default() += more;
        }
    }

    /// An edge that stops, or has crashed and starts anew, knows no alarm any more: what still holds it
    /// raises again.
    fn forgets_alarms(&mut self, place: usize, at: &str) {
        let open = self
            .alarms
            .iter_mut()
            .filter(|(of, told)| *of == place && told.until.is_none());
        for (_, told) in open.filter(|(_, told)| told.since.as_str() <= at) {
            told.until = Some(at.to_owned());
        }
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
