//! What all requests of an edge share.

use std::sync::Arc;

use super::metrics::Metrics;
use super::rehearsal::Rehearsals;
use super::site::Sites;
use crate::alarm::CertificateEnd;
use crate::fleet::Fleet;
use crate::host::Host;
use crate::log::Log;
use crate::sync::wall_clock;

/// An edge, as requests see it.
#[derive(Debug)]
pub struct Edge {
    /// Its name.
    pub name: String,
    /// What it answers for.
    pub sites: Sites,
    /// Where components run.
    pub host: Arc<Host>,
    /// What is counted.
    pub metrics: Metrics,
    /// What happens is noted here.
    pub log: Log,
    /// Outages that are rehearsed.
    pub rehearsals: Rehearsals,
    /// The other edges, for the page that shows them all.
    pub fleet: Fleet,
    /// When certificates of this edge and its fleet end.
    pub certificates: Vec<CertificateEnd>,
}

impl Edge {
    /// Notes what readers were shown since the last time.
    pub fn turn_page(&self) {
        self.log.turn_page(|name| {
            let site = self.sites.iter().find(|site| site.name.as_str() == name);
            site.map_or_else(wall_clock, |site| site.copy.edge_time())
        });
    }
}
