//! One site as this edge serves it: what it holds, whom it asks, and who answers for what.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use snapshot::{Digest, Scope, ServiceName, SiteName, Timestamp};

use crate::config;
use crate::mode::Gates;
use crate::orders::Orders;
use crate::origin::Origin;
use crate::sync::SiteState;

/// How often orders and releases are looked at, so that modes follow them, and ends of orders
/// come into force.
const FOLLOW: Duration = Duration::from_millis(100);

/// A site.
pub struct Site {
    /// Its name.
    pub name: SiteName,
    /// What is held of it.
    pub copy: Arc<SiteState>,
    /// Who answers for which service.
    pub gates: Gates,
    /// The living origin, if one is configured.
    pub origin: Option<Arc<Origin>>,
    followed: Mutex<Option<Digest>>,
}

impl Site {
    /// A site that answers from `copy` and, if there is one, from `origin`, whose probes name
    /// `host`.
    #[must_use]
    pub fn new(copy: Arc<SiteState>, origin: Option<Arc<Origin>>, host: String) -> Self {
        let clock = Arc::clone(&copy);
        let gates = Gates::new(origin.clone(), host, Arc::new(move || clock.edge_time()));
        let site = Self {
            name: copy.name().clone(),
            copy,
            gates,
            origin,
            followed: Mutex::default(),
        };
        site.look();
        site
    }

    /// The orders in force.
    #[must_use]
    pub fn orders(&self) -> Arc<Orders> {
        self.copy.orders().borrow().clone()
    }

    /// Lets modes follow releases and orders for good.
    pub fn follow(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let site = Arc::clone(self);
        async move {
            let mut tick = tokio::time::interval(FOLLOW);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                site.look();
            }
        }
    }

    /// Lets modes follow the release and the orders there are now.
    pub(super) fn look(&self) {
        if let Some(release) = self.copy.current() {
            let manifest = release.release.manifest;
            let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
            if *followed != Some(manifest) {
                self.gates.follow(&release.manifest);
                *followed = Some(manifest);
            }
        }
        let (orders, now) = (self.orders(), self.copy.edge_time());
        self.gates.order(|scope: &Scope| orders.mode(scope, now));
        self.gates.spread();
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Site({})", self.name)
    }
}

/// Sites by the hosts they are asked for.
#[derive(Clone, Debug, Default)]
pub struct Sites {
    all: Vec<Arc<Site>>,
    named: HashMap<String, Arc<Site>>,
    any: Option<Arc<Site>>,
}

impl Sites {
    /// Adds `site` under its hosts.
    pub fn add(&mut self, site: &Arc<Site>) {
        self.all.push(Arc::clone(site));
        for host in site.copy.hosts() {
            match host {
                config::Host::Any => self.any = Some(Arc::clone(site)),
                config::Host::Name(name) => {
                    self.named.insert(name.clone(), Arc::clone(site));
                }
            }
        }
    }

    /// The site that `host` asks for.
    #[must_use]
    pub fn find(&self, host: &str) -> Option<&Arc<Site>> {
        self.named.get(host).or(self.any.as_ref())
    }

    /// Every site, as configured.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.all.iter()
    }
}

/// Names of sites without a release.
#[must_use]
pub fn lacking(sites: &Sites) -> Vec<&SiteName> {
    let empty = sites.iter().filter(|site| site.copy.current().is_none());
    empty.map(|site| &site.name).collect()
}

/// Since when, and why, each service is not answered by the origin.
pub(super) type Degraded = BTreeMap<ServiceName, Option<Timestamp>>;
