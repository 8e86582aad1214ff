//! One site as this edge serves it: what it holds, whom it asks, and who answers for what.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use snapshot::{Digest, Scope, ServiceName, SiteName, Timestamp};
use tokio::sync::broadcast;

use crate::alarm::Alarms;
use crate::config;
use crate::mode::{Clock, End, Event, Gates, ModeMemory};
use crate::orders::{Ends, Orders};
use crate::origin::Origin;
use crate::sync::SiteState;

/// How often it is looked whether orders have ended: the wall clock may jump.
const FOLLOW: Duration = Duration::from_secs(1);
/// The least time between two writes of what modes remember.
const KEEP: Duration = Duration::from_secs(1);

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
    /// What should wake somebody.
    pub alarms: Arc<Alarms>,
    followed: Mutex<Followed>,
}

#[derive(Default)]
struct Followed {
    manifest: Option<Digest>,
    ends: Ends,
}

impl Site {
    /// A site that answers from `copy` and, if there is one, from `origin`, whose probes name
    /// `host`; with what `memory` has of its services.
    #[must_use]
    pub fn new(
        copy: Arc<SiteState>,
        origin: Option<Arc<Origin>>,
        host: String,
        memory: ModeMemory,
    ) -> Self {
        let time = Arc::clone(&copy);
        let clock: Clock = Arc::new(move || time.edge_time());
        let (orders, now) = (copy.orders().borrow().clone(), copy.edge_time());
        let asked = |scope: &Scope| orders.asked(scope, now);
        let gates = Gates::new(origin.clone(), host, clock, memory, asked);
        let site = Self {
            name: copy.name().clone(),
            copy,
            gates,
            origin,
            alarms: Arc::default(),
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

    /// What happens to its modes from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.gates.events()
    }

    /// Lets modes follow releases, orders and their ends, at once and for good, and remembers them.
    pub fn follow(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let site = Arc::clone(self);
        async move {
            tokio::join!(site.obey(), site.remember());
        }
    }

    async fn obey(&self) {
        let (mut orders, mut switches) = (self.copy.orders(), self.copy.switches());
        loop {
            self.look();
            let now = self.copy.edge_time();
            let moment = orders.borrow_and_update().next_moment(now);
            let wait = moment.map_or(FOLLOW, |moment| moment.since(now).min(FOLLOW));
            tokio::select! {
                // Whoever sends lives as long as this site.
                _ = orders.changed() => {}
                _ = switches.changed() => {}
                () = self.gates.lost() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Writes down what modes remember, whenever it changes. A disk that takes nothing costs nothing
    /// but that.
    async fn remember(self: &Arc<Self>) {
        let mut kept = true;
        loop {
            self.gates.changed().await;
            let site = Arc::clone(self);
            let write = move || site.gates.memory().keep(&site.gates.remembered());
            let written = tokio::task::spawn_blocking(write).await;
            let fault = match written {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => return,
            };
            if let Some(error) = &fault
                && kept
            {
                tracing::warn!(site = %self.name, %error, "after a restart breakers start anew");
            }
            kept = fault.is_none();
            tokio::time::sleep(KEEP).await;
        }
    }

    /// Lets modes follow the release and the orders there are now.
    pub(super) fn look(&self) {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let (orders, now) = (self.orders(), self.copy.edge_time());
        let asked = |scope: &Scope| orders.asked(scope, now);
        if let Some(release) = self.copy.current() {
            let manifest = release.release.manifest;
            if followed.manifest != Some(manifest) {
                self.gates.follow(&release.manifest, asked);
                followed.manifest = Some(manifest);
            }
        }
        self.gates.order(asked);
        for event in followed.ends.untold(&orders, now) {
            self.log_end(&event);
            self.gates.tell(event);
        }
        drop(followed);
        self.gates.spread();
    }

    fn log_end(&self, event: &Event) {
        match event {
            Event::EndAnnounced(End { scope, ends_at, .. }) => {
                let (site, ends_at) = (&self.name, ends_at.rfc3339());
                tracing::warn!(%site, %scope, ends_at, "a forced mode ends soon: extend it, or the breaker decides");
            }
            Event::Ended(End { scope, .. }) => {
                tracing::warn!(site = %self.name, %scope, "a forced mode has ended: the breaker decides");
            }
            Event::Changed { .. } => {}
        }
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
    /// Hosts that are for a site's status alone.
    status: HashSet<String>,
}

impl Sites {
    /// Adds `site` under its hosts; `status` names those that are for its status alone.
    pub fn add(&mut self, site: &Arc<Site>, status: &[String]) {
        self.all.push(Arc::clone(site));
        for host in status {
            self.named.insert(host.clone(), Arc::clone(site));
            self.status.insert(host.clone());
        }
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

    /// Whether `host` is for the status of its site alone.
    #[must_use]
    pub fn is_for_status(&self, host: &str) -> bool {
        self.status.contains(host)
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
