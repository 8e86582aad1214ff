//! Every gate of one site: one a service of the release in use, and one for paths that no route
//! claims, on which only orders for the whole site act.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use http::uri::PathAndQuery;
use snapshot::manifest::{Service, Thresholds};
use snapshot::order::{Mode, Scope};
use snapshot::{Manifest, ServiceName};
use tokio::sync::broadcast;

use super::effective::{Ordered, ServiceMode};
use super::event::{Clock, Event, Herald};
use super::gate::{Beginning, Gate};
use super::memory::{ModeMemory, Services};
use crate::origin::Origin;

/// The gates of a site.
pub struct Gates {
    origin: Option<Arc<Origin>>,
    /// What probes ask for as `Host`.
    host: String,
    herald: Arc<Herald>,
    memory: ModeMemory,
    services: ArcSwap<BTreeMap<ServiceName, Known>>,
    rest: Known,
    /// Whose origin was gone when last looked at.
    gone: Mutex<BTreeSet<Option<ServiceName>>>,
}

/// What the order of one scope asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The mode.
    pub mode: Mode,
    /// Whether it insists on that.
    pub insists: bool,
}

#[derive(Clone)]
struct Known {
    /// What probes ask for.
    probe: Arc<ArcSwap<PathAndQuery>>,
    gate: Arc<Gate>,
}

impl Gates {
    /// For a site without services yet, as its orders want it.
    #[must_use]
    pub fn new(
        origin: Option<Arc<Origin>>,
        host: String,
        clock: Clock,
        memory: ModeMemory,
        asked: impl Fn(&Scope) -> Asked,
    ) -> Self {
        let herald = Herald::new(clock);
        let beginning = Beginning {
            service: None,
            thresholds: Thresholds::default(),
            ordered: ordered(None, &asked),
            memory: memory.take(None),
        };
        let rest = known(origin.as_ref(), &host, &herald, "/", beginning);
        Self {
            origin,
            host,
            herald,
            memory,
            services: ArcSwap::default(),
            rest,
            gone: Mutex::default(),
        }
    }

    /// A release with `manifest` is in use, orders being what is `asked`. Gates of services that stay
    /// are kept, and told what is new.
    pub fn follow(&self, manifest: &Manifest, asked: impl Fn(&Scope) -> Asked) {
        let old = self.services.load();
        let services = manifest.services.iter().map(|service| {
            let known = match old.get(&service.name) {
                Some(known) => {
                    known.probe.store(Arc::new(target(&service.probe)));
                    known.gate.obey(service.breaker);
                    known.clone()
                }
                None => self.known(service, &asked),
            };
            (service.name.clone(), known)
        });
        self.services.store(Arc::new(services.collect()));
    }

    /// Orders are such that `asked` is asked for a scope.
    pub fn order(&self, asked: impl Fn(&Scope) -> Asked) {
        for (name, known) in self.services.load().iter() {
            known.gate.order(ordered(Some(name), &asked));
        }
        self.rest.gate.order(ordered(None, &asked));
    }

    /// Lets the others look when a service has lost the origin, for it is the same origin: a service
    /// that is seldom asked for would else be called well for as long as nobody asks.
    pub fn spread(&self) {
        let gates = self.all();
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

    /// Returns once a breaker has opened.
    pub async fn lost(&self) {
        self.herald.lost.notified().await;
    }

    /// Returns once there is something new to be remembered.
    pub async fn changed(&self) {
        self.herald.remember.notified().await;
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.herald.events()
    }

    pub(crate) fn tell(&self, event: Event) {
        self.herald.tell(event);
    }

    /// Where it is remembered.
    #[must_use]
    pub const fn memory(&self) -> &ModeMemory {
        &self.memory
    }

    /// What is to be remembered.
    #[must_use]
    pub fn remembered(&self) -> Services {
        let gates = self.all().into_iter();
        gates.map(|(name, gate)| (name, gate.memory())).collect()
    }

    /// The gate of a service, or of what no service claims.
    #[must_use]
    pub fn of(&self, service: Option<&ServiceName>) -> Arc<Gate> {
        let services = self.services.load();
        let known = service.and_then(|name| services.get(name));
        Arc::clone(&known.unwrap_or(&self.rest).gate)
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
        self.rest.gate.mode()
    }

    fn all(&self) -> Vec<(Option<ServiceName>, Arc<Gate>)> {
        let services = self.services.load();
        let named = services.iter().map(|(name, known)| (Some(name), known));
        let all = named.chain([(None, &self.rest)]);
        all.map(|(name, known)| (name.cloned(), Arc::clone(&known.gate)))
            .collect()
    }

    fn known(&self, service: &Service, asked: impl Fn(&Scope) -> Asked) -> Known {
        let beginning = Beginning {
            service: Some(service.name.clone()),
            thresholds: service.breaker,
            ordered: ordered(Some(&service.name), asked),
            memory: self.memory.take(Some(&service.name)),
        };
        let (origin, herald) = (self.origin.as_ref(), &self.herald);
        known(origin, &self.host, herald, &service.probe, beginning)
    }
}

impl std::fmt::Debug for Gates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.modes()).finish()
    }
}

/// What orders ask for a service, or for what no service claims.
fn ordered(service: Option<&ServiceName>, asked: impl Fn(&Scope) -> Asked) -> Ordered {
    let site = asked(&Scope::Site);
    let service = service.map(|name| asked(&Scope::Service(name.clone())));
    let service = service.unwrap_or_default();
    let insists = |asked: Asked| asked.insists && asked.mode == Mode::Normal;
    Ordered {
        site: site.mode,
        service: service.mode,
        insists: insists(site) || insists(service),
    }
}

fn target(probe: &str) -> PathAndQuery {
    probe.parse().unwrap_or(PathAndQuery::from_static("/"))
}

fn known(
    origin: Option<&Arc<Origin>>,
    host: &str,
    herald: &Arc<Herald>,
    probe: &str,
    beginning: Beginning,
) -> Known {
    let probe = Arc::new(ArcSwap::from_pointee(target(probe)));
    let Some(origin) = origin.cloned() else {
        let gate = Arc::new(Gate::without_origin(herald, beginning));
        return Known { probe, gate };
    };
    let (target, host) = (Arc::clone(&probe), host.to_owned());
    let ask = move || {
        let (origin, target, host) = (Arc::clone(&origin), target.load_full(), host.clone());
        async move {
            let probed = origin.probe(&target, &host).await;
            if let Err(failure) = probed {
                tracing::info!(reason = failure.as_str(), "a probe of the origin failed");
            }
            probed.is_ok()
        }
    };
    let gate = Arc::new(Gate::new(herald, beginning, ask));
    Known { probe, gate }
}
