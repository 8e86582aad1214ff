//! Every gate of one site: one a service of the release in use, and one for paths that no route
//! claims, on which only orders for the whole site act.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use http::uri::PathAndQuery;
use snapshot::manifest::Service;
use snapshot::order::{Mode, Scope};
use snapshot::{Manifest, ServiceName};

use super::effective::{Ordered, ServiceMode};
use super::gate::{Clock, Gate};
use crate::origin::Origin;

/// The gates of a site.
pub struct Gates {
    origin: Option<Arc<Origin>>,
    /// What probes ask for as `Host`.
    host: String,
    clock: Clock,
    services: ArcSwap<BTreeMap<ServiceName, Known>>,
    rest: Arc<Gate>,
    /// Whose origin was gone when last looked at.
    gone: Mutex<BTreeSet<Option<ServiceName>>>,
}

#[derive(Clone)]
struct Known {
    probe: String,
    gate: Arc<Gate>,
}

impl Gates {
    /// For a site without services yet.
    #[must_use]
    pub fn new(origin: Option<Arc<Origin>>, host: String, clock: Clock) -> Self {
        let rest = gate(origin.as_ref(), &host, &clock, "/");
        Self {
            origin,
            host,
            clock,
            services: ArcSwap::default(),
            rest,
            gone: Mutex::default(),
        }
    }

    /// A release with `manifest` is in use. Gates of services that stay are kept as they are.
    pub fn follow(&self, manifest: &Manifest) {
        let old = self.services.load();
        let kept = |service: &Service| {
            old.get(&service.name)
                .filter(|known| known.probe == service.probe)
                .cloned()
        };
        let new = |service: &Service| Known {
            probe: service.probe.clone(),
            gate: gate(
                self.origin.as_ref(),
                &self.host,
                &self.clock,
                &service.probe,
            ),
        };
        let services = manifest.services.iter();
        let services = services.map(|service| {
            let known = kept(service).unwrap_or_else(|| new(service));
            (service.name.clone(), known)
        });
        self.services.store(Arc::new(services.collect()));
    }

    /// Orders are such that `mode` is asked for a scope.
    pub fn order(&self, mode: impl Fn(&Scope) -> Mode) {
        let site = mode(&Scope::Site);
        for (name, known) in self.services.load().iter() {
            let service = mode(&Scope::Service(name.clone()));
            known.gate.order(Ordered { site, service });
        }
        let service = Mode::Automatic;
        self.rest.order(Ordered { site, service });
    }

    /// Lets the others look when a service has lost the origin, for it is the same origin: a service
    /// that is seldom asked for would else be called well for as long as nobody asks.
    pub fn spread(&self) {
        let services = self.services.load();
        let named = services
            .iter()
            .map(|(name, known)| (Some(name.clone()), &known.gate));
        let gates: Vec<_> = named.chain([(None, &self.rest)]).collect();
        let gone: BTreeSet<_> = gates
            .iter()
            .filter(|(_, gate)| gate.has_lost_origin())
            .map(|(name, _)| name.clone())
            .collect();
        let mut known = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        if gone.difference(&known).next().is_some() {
            for (_, gate) in &gates {
                gate.suspect();
            }
        }
        *known = gone;
    }

    /// The gate of a service, or of what no service claims.
    #[must_use]
    pub fn of(&self, service: Option<&ServiceName>) -> Arc<Gate> {
        let services = self.services.load();
        let known = service.and_then(|name| services.get(name));
        Arc::clone(known.map_or(&self.rest, |known| &known.gate))
    }

    /// Every service's mode.
    #[must_use]
    pub fn modes(&self) -> BTreeMap<ServiceName, ServiceMode> {
        let services = self.services.load();
        let modes = services
            .iter()
            .map(|(name, known)| (name.clone(), known.gate.mode()));
        modes.collect()
    }

    /// The mode of what no service claims.
    #[must_use]
    pub fn rest(&self) -> ServiceMode {
        self.rest.mode()
    }
}

impl std::fmt::Debug for Gates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.modes()).finish()
    }
}

fn gate(origin: Option<&Arc<Origin>>, host: &str, clock: &Clock, probe: &str) -> Arc<Gate> {
    let Some(origin) = origin.cloned() else {
        return Arc::new(Gate::without_origin(Arc::clone(clock)));
    };
    let target = probe.parse().unwrap_or(PathAndQuery::from_static("/"));
    let host = host.to_owned();
    let ask = move || {
        let (origin, target, host) = (Arc::clone(&origin), target.clone(), host.clone());
        async move {
            let probed = origin.probe(&target, &host).await;
            if let Err(failure) = probed {
                tracing::info!(reason = failure.as_str(), "a probe of the origin failed");
            }
            probed.is_ok()
        }
    };
    Arc::new(Gate::new(Arc::clone(clock), ask))
}
