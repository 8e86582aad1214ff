//! What all requests of an edge share.

use std::sync::Arc;

use super::metrics::Metrics;
use super::site::Sites;
use crate::host::Host;

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
}
