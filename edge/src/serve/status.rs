//! What `/status` answers: the whole edge as JSON, for people, `edge order` and monitoring.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use snapshot::Timestamp;

use super::edge::Edge;
use super::rehearsal::LastRehearsal;
use super::site::Site;
use crate::alarm::Raised;
use crate::answer::freshness;
use crate::mode::ServiceMode;
use crate::sync::SyncStatus;

/// The edge.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When certificates of `[peer]`, its own and the fleet's, end; `null` from an edge that does not tell.
    #[serde(default)]
    pub certificates: Option<Vec<CertificateStatus>>,
    /// One entry a site, in the configured order.
    pub sites: Vec<SiteStatus>,
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateStatus {
    /// The file it stands in.
    pub file: String,
    /// Its last moment.
    pub ends: String,
}

/// One site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SiteStatus {
    /// Release, orders, sources, refusals and remarks.
    #[serde(flatten)]
    pub sync: SyncStatus,
    /// Which of the five alarms are raised, since when and why.
    #[serde(default)]
    pub alarms: Vec<Raised>,
    /// `fresh`, `stale` or `too-old` by the strictest route, `null` without a release.
    pub freshness: Option<String>,
    /// The origin's address, `null` for a pure fallback.
    pub origin: Option<String>,
    /// Who answers for each service, by name.
    pub services: Vec<ServiceStatus>,
    /// Who answers for paths that no route claims.
    pub unrouted: ServiceStatus,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Its name; `-` for paths that no route claims.
    pub name: String,
    /// `normal`, `probing` or `degraded`.
    pub state: String,
    /// `calm`, `suspecting`, `recovering`, `site-order`, `service-order`, `no-origin`; `flapping`: the
    /// origin answers and came and went too often; `not-seen-healthy`: an order says `normal`, and no
    /// probe has answered; or how the origin failed: `connect`, `reset`, `first-byte-timeout`,
    /// `origin-5xx`, `probe`.
    pub reason: String,
    /// Since when it has been in this state, restarts included; `null`: as long as this edge knows.
    pub since: Option<String>,
    /// The same, milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// The percentage of its reads that a rehearsal takes now.
    #[serde(default)]
    pub rehearsing_percent: Option<u8>,
    /// How the last rehearsal of an outage went; `null` if there was none.
    #[serde(default)]
    pub last_rehearsal: Option<LastRehearsal>,
}

/// The edge as it is now.
#[must_use]
pub fn status(edge: &Edge) -> Status {
    let certificates = edge.certificates.iter().map(|one| CertificateStatus {
        file: one.name.clone(),
        ends: one.at.rfc3339(),
    });
    Status {
        name: edge.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        certificates: Some(certificates.collect()),
        sites: edge.sites.iter().map(|of| site(edge, of)).collect(),
    }
}

fn site(edge: &Edge, site: &Arc<Site>) -> SiteStatus {
    let sync = site.copy.sync_status();
    // An order that is told here is in force: whoever gave it goes by this.
    site.look();
    let modes = site.gates.modes();
    let services = modes.iter().map(|(name, mode)| ServiceStatus {
        rehearsing_percent: edge.rehearsals.share(&site.name, name),
        last_rehearsal: edge.rehearsals.last(&site.name, name),
        ..service_status(name.as_str(), mode)
    });
    SiteStatus {
        sync,
        alarms: site.alarms.raised(),
        freshness: strictest(site),
        origin: site.origin.as_ref().map(|origin| origin.address()),
        services: services.collect(),
        unrouted: service_status("-", &site.gates.rest()),
    }
}

/// One service as status shows it.
pub(super) fn service_status(name: &str, mode: &ServiceMode) -> ServiceStatus {
    ServiceStatus {
        name: name.to_owned(),
        state: mode.effective.as_str().to_owned(),
        reason: mode.effective.reason().as_str().to_owned(),
        since: mode.since.map(Timestamp::rfc3339),
        since_ms: mode.since.map(|since| since.0),
        rehearsing_percent: None,
        last_rehearsal: None,
    }
}

fn strictest(site: &Site) -> Option<String> {
    let release = site.copy.current()?;
    let now = site.copy.edge_time();
    let ages = release.manifest.routes.iter().map(|route| {
        let (stale, too_old) = (route.stale_after_s, route.too_old_after_s);
        freshness(&release.release, now, stale, too_old)
    });
    Some(ages.max().unwrap_or_default().as_str().to_owned())
}
