//! Counts for Prometheus (OpenMetrics text, version 1.0.0).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};
use snapshot::Timestamp;

use super::access::Access;
use super::site::{Site, Sites};
use crate::alarm::Alarm;
use crate::mode::{Effective, ServiceMode};

/// Upper bounds of the request durations' buckets, seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    site: String,
    service: String,
    source: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FellBack {
    site: String,
    service: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct By {
    source: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfService {
    site: String,
    service: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSite {
    site: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAlarm {
    site: String,
    alarm: &'static str,
}

/// Every metric of an edge.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    fell_back: Family<FellBack, Counter>,
    took: Family<By, Histogram, fn() -> Histogram>,
    connections: Gauge,
    mode: Family<OfService, Gauge>,
    sequence: Family<OfSite, Gauge<u64, AtomicU64>>,
    age: Family<OfSite, Gauge<f64, AtomicU64>>,
    alarm: Family<OfAlarm, Gauge>,
    left_behind: Family<OfSite, Gauge>,
    damaged: Family<OfSite, Gauge>,
    scrubbed: Family<OfSite, Counter>,
    scrub_found: Family<OfSite, Counter>,
    repaired: Family<OfSite, Counter>,
    lazy_bytes: Family<OfSite, Gauge>,
    lazy_hits: Family<OfSite, Counter>,
    lazy_fetched: Family<OfSite, Counter>,
    lazy_failed: Family<OfSite, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let new_histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let mut registry = Registry::with_prefix("holdfast");
        let mut add = Adding(&mut registry);
        Self {
            answered: add.plain("requests", "Requests answered, by who answered"),
            fell_back: add.plain(
                "fallbacks",
                "Requests meant for the origin that the snapshot answered, by reason",
            ),
            took: add.seconds(
                "request_duration",
                "Time from the head of a request to the head of its answer",
                Family::new_with_constructor(new_histogram),
            ),
            connections: add.plain("connections", "Open connections of readers"),
            mode: add.plain(
                "service_mode",
                "Who answers for a service: 0 the origin, 1 both, 2 the snapshot",
            ),
            sequence: add.plain("release_sequence", "The sequence of the release in use"),
            age: add.seconds(
                "release_age",
                "The age of the release's data",
                Family::default(),
            ),
            alarm: add.plain("alarm", "Whether an alarm is raised: 0 or 1"),
            left_behind: add.plain(
                "left_behind",
                "Whether a newer release needs a later version of this edge: 0 or 1",
            ),
            damaged: add.plain(
                "damaged_objects",
                "Objects of the release in use that are damaged on this disk",
            ),
            scrubbed: add.plain(
                "scrubbed_bytes",
                "Bytes that were read again and checked without being asked for",
            ),
            scrub_found: add.plain(
                "scrub_found_objects",
                "Damaged objects that were found without being asked for",
            ),
            repaired: add.plain(
                "repaired_objects",
                "Damaged objects that were brought back, whoever found them",
            ),
            lazy_bytes: add.plain("lazy_bytes", "Bytes kept of lazy collections"),
            lazy_hits: add.plain(
                "lazy_hits",
                "Reads of lazy collections answered from what is kept",
            ),
            lazy_fetched: add.plain(
                "lazy_fetched",
                "Reads of lazy collections that were fetched for",
            ),
            lazy_failed: add.plain(
                "lazy_failed",
                "Reads of lazy collections that nothing came for",
            ),
            registry,
        }
    }
}

/// Registers metrics and hands them back.
struct Adding<'a>(&'a mut Registry);

impl Adding<'_> {
    fn plain<M: Metric + Clone + Default>(&mut self, name: &str, help: &str) -> M {
        let metric = M::default();
        self.0.register(name, help, metric.clone());
        metric
    }

    fn seconds<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0
            .register_with_unit(name, help, Unit::Seconds, metric.clone());
        metric
    }
}

impl Metrics {
    /// Counts an answered request.
    pub fn answered(&self, access: &Access, status: StatusCode, took: Duration) {
        let labels = Answered {
            site: access.site.clone(),
            service: access.service.clone(),
            source: access.by.as_str(),
            status: status.as_u16(),
        };
        self.answered.get_or_create(&labels).inc();
        let by = By {
            source: access.by.as_str(),
        };
        self.took.get_or_create(&by).observe(took.as_secs_f64());
    }

    /// Counts a request that the origin did not answer.
    pub fn fell_back(&self, access: &Access, reason: &'static str) {
        let labels = FellBack {
            site: access.site.clone(),
            service: access.service.clone(),
            reason,
        };
        self.fell_back.get_or_create(&labels).inc();
    }

    /// The gauge of open connections.
    #[must_use]
    pub const fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// Everything as text, with the sites as they are now.
    #[must_use]
    pub fn text(&self, sites: &Sites) -> String {
        self.mode.clear();
        for site in sites.iter() {
            self.look(site);
        }
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }

    fn look(&self, site: &Site) {
        let name = site.name.to_string();
        let modes = site.gates.modes();
        let modes = modes.iter().map(|(name, mode)| (name.as_str(), mode));
        let rest = site.gates.rest();
        for (service, mode) in modes.chain([("-", &rest)]) {
            let labels = OfService {
                site: name.clone(),
                service: service.to_owned(),
            };
            self.mode.get_or_create(&labels).set(level(mode));
        }
        for alarm in Alarm::ALL {
            let labels = OfAlarm {
                site: name.clone(),
                alarm: alarm.as_str(),
            };
            let raised = i64::from(site.alarms.is_raised(alarm));
            self.alarm.get_or_create(&labels).set(raised);
        }
        let of = OfSite { site: name };
        let scrub = site.copy.scrubbed();
        let lazy = site.copy.lazy();
        let bytes = i64::try_from(lazy.bytes).unwrap_or(i64::MAX);
        self.lazy_bytes.get_or_create(&of).set(bytes);
        for (counter, count) in [
            (&self.lazy_hits, lazy.hits),
            (&self.lazy_fetched, lazy.fetched),
            (&self.lazy_failed, lazy.failed),
            (&self.scrubbed, scrub.bytes),
            (&self.scrub_found, scrub.found),
            (&self.repaired, scrub.repaired),
        ] {
            // It only grows, and is counted elsewhere.
            let counter = counter.get_or_create(&of);
            counter.inner().store(count, Ordering::Relaxed);
        }
        let left_behind = i64::from(site.copy.left_behind().is_some());
        self.left_behind.get_or_create(&of).set(left_behind);
        let Some(release) = site.copy.current() else {
            return;
        };
        let age: Timestamp = site.copy.edge_time();
        let age = age.since(release.release.as_of).as_secs_f64();
        self.sequence
            .get_or_create(&of)
            .set(release.release.sequence.0);
        self.age.get_or_create(&of).set(age);
        let damaged = i64::try_from(release.damage.len()).unwrap_or(i64::MAX);
        self.damaged.get_or_create(&of).set(damaged);
    }
}

const fn level(mode: &ServiceMode) -> i64 {
    match mode.effective {
        Effective::Normal(_) => 0,
        Effective::Probing(_) => 1,
        Effective::Degraded(_) => 2,
    }
}
