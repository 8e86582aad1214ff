//! The life of a rehearsal, from its being asked for to its result.

use std::sync::Arc;
use std::time::Duration;

use snapshot::{ServiceName, SiteName};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::super::edge::Edge;
use super::super::site::Site;
use super::last::LastRehearsal;
use super::running::Running;
use super::{BUDGET_MOST_PPM, Ended, Key, LASTS_MOST, Plan, Report, SHARE_MOST, Told};
use crate::mode::{Effective, Gate, Reason};

/// How often it tells how far it is.
const TELLS: Duration = Duration::from_secs(1);
/// Lines that wait for whoever began it; he is gone if he takes none for so long.
const WAITING: usize = 30;
/// How long the last comparisons are waited for.
const SETTLES: Duration = Duration::from_secs(10);

/// Why a rehearsal does not begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such site; or none is named where the edge has several.
    #[error("site {named}: this edge has {known}")]
    Site {
        /// What was asked for.
        named: String,
        /// What there is.
        known: String,
    },
    /// The site has no such service.
    #[error("{service} is no service of {site}: there are {known}")]
    Service {
        /// What was asked for.
        service: ServiceName,
        /// The site.
        site: SiteName,
        /// What there is.
        known: String,
    },
    /// A number beyond its limit.
    #[error("{0}")]
    Limit(String),
    /// Nothing to rehearse with.
    #[error("{site} has {lacking}: there is nothing to rehearse")]
    Lacking {
        /// The site.
        site: SiteName,
        /// What it lacks.
        lacking: &'static str,
    },
    /// The service is not answered by its origin in calm.
    #[error(
        "{service} is {state} ({reason}): an outage is rehearsed only while it is normal by its breaker"
    )]
    NotCalm {
        /// The service.
        service: ServiceName,
        /// Its state.
        state: &'static str,
        /// Why it is so.
        reason: &'static str,
    },
    /// Nothing of it is the origin's.
    #[error("no route of {service} is the origin's in calm: there is nothing to rehearse")]
    NoRoute {
        /// The service.
        service: ServiceName,
    },
    /// One goes on.
    #[error("{service} is being rehearsed already")]
    Running {
        /// The service.
        service: ServiceName,
    },
}

/// Begins what `plan` asks for. It goes on until the receiver is dropped, or what ends it first; its
/// last line is the report.
///
/// # Errors
/// See [`Refused`]; then nothing has begun.
pub fn begin(
    edge: &Arc<Edge>,
    plan: &Plan,
    stopping: CancellationToken,
) -> Result<mpsc::Receiver<Told>, Refused> {
    within_limits(plan)?;
    let site = site(edge, plan)?;
    let lacking = |lacking| Refused::Lacking {
        site: site.name.clone(),
        lacking,
    };
    let release = site
        .copy
        .current()
        .ok_or_else(|| lacking("no release yet"))?;
    let service = plan.service.clone();
    if release.manifest.service(&service).is_none() {
        let known = release.manifest.services.iter();
        let known: Vec<&str> = known.map(|service| service.name.as_str()).collect();
        return Err(Refused::Service {
            service,
            site: site.name.clone(),
            known: known.join(", "),
        });
    }
    let mut routes = release.manifest.routes.iter();
    if !routes.any(|route| route.service == service && !route.always) {
        return Err(Refused::NoRoute { service });
    }
    if site.origin.is_none() {
        return Err(lacking("no origin"));
    }
    let gate = site.gates.of(Some(&service));
    if !is_calm(&gate) {
        let effective = gate.mode().effective;
        return Err(Refused::NotCalm {
            service,
            state: effective.as_str(),
            reason: effective.reason().as_str(),
        });
    }
    let running = Arc::new(Running::new(plan.share_percent, plan.budget_ppm));
    let key: Key = (site.name.clone(), service.clone());
    if !edge.rehearsals.add(&key, &running) {
        return Err(Refused::Running { service });
    }
    let (tell, told) = mpsc::channel(WAITING);
    let life = Life {
        edge: Arc::clone(edge),
        site,
        gate,
        key,
        running,
        share_percent: plan.share_percent,
        began: Instant::now(),
        lasts: Duration::from_secs(plan.lasts_s),
    };
    tokio::spawn(life.live(tell, stopping));
    Ok(told)
}

fn within_limits(plan: &Plan) -> Result<(), Refused> {
    let limit = |what: String| Err(Refused::Limit(what));
    if !(1..=SHARE_MOST).contains(&plan.share_percent) {
        return limit(format!("a share of 1 to {SHARE_MOST} %"));
    }
    if !(1..=LASTS_MOST.as_secs()).contains(&plan.lasts_s) {
        return limit(format!(
            "a time of 1 s to {} min",
            LASTS_MOST.as_secs() / 60
        ));
    }
    if plan.budget_ppm > BUDGET_MOST_PPM {
        return limit(format!(
            "a budget of at most {} %",
            BUDGET_MOST_PPM / 10_000
        ));
    }
    Ok(())
}

fn site(edge: &Edge, plan: &Plan) -> Result<Arc<Site>, Refused> {
    let all: Vec<&Arc<Site>> = edge.sites.iter().collect();
    let found = match (&plan.site, all.as_slice()) {
        (None, [only]) => Some(*only),
        (None, _) => None,
        (Some(name), _) => all.iter().copied().find(|site| site.name == *name),
    };
    found.map(Arc::clone).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|site| site.name.as_str()).collect();
        let named = plan.site.as_ref();
        Refused::Site {
            named: named.map_or_else(|| "not named".to_owned(), ToString::to_string),
            known: known.join(", "),
        }
    })
}

fn is_calm(gate: &Gate) -> bool {
    matches!(gate.mode().effective, Effective::Normal(Reason::Calm))
}

struct Life {
    edge: Arc<Edge>,
    site: Arc<Site>,
    gate: Arc<Gate>,
    key: Key,
    running: Arc<Running>,
    share_percent: u8,
    began: Instant,
    lasts: Duration,
}

impl Life {
    async fn live(self, tell: mpsc::Sender<Told>, stopping: CancellationToken) {
        let (site, service) = (&self.key.0, &self.key.1);
        let share = self.share_percent;
        tracing::info!(%site, %service, share, "an outage is being rehearsed");
        let ended = self.until_ended(&tell, &stopping).await;
        self.edge.rehearsals.remove(&self.key);
        let _ = timeout(SETTLES, self.running.settled()).await;
        let report = self.report(Some(ended));
        let at = self.site.copy.edge_time().rfc3339();
        let last = LastRehearsal::of(&report, ended, at);
        let (reads, covered) = (last.reads, last.covered);
        tracing::info!(%site, %service, ?ended, reads, covered, "the rehearsal ended");
        let (edge, key) = (Arc::clone(&self.edge), self.key.clone());
        let store = self
            .site
            .copy
            .current()
            .map(|release| Arc::clone(&release.store));
        let kept = tokio::task::spawn_blocking(move || {
            if let Some(store) = store {
                edge.rehearsals.note(&key, last, &store);
            }
        });
        // The runtime is going down.
        let _ = kept.await;
        let _ = tell.send(Told::Report(report)).await;
    }

    async fn until_ended(&self, tell: &mpsc::Sender<Told>, stopping: &CancellationToken) -> Ended {
        let mut mode = self.gate.watch();
        let mut ticks = interval(TELLS);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if !is_calm(&self.gate)
                || !Arc::ptr_eq(&self.gate, &self.site.gates.of(Some(&self.key.1)))
            {
                return Ended::Mode;
            }
            tokio::select! {
                () = sleep_until(self.began + self.lasts) => return Ended::Time,
                () = self.running.over_budget() => return Ended::Budget,
                () = stopping.cancelled() => return Ended::Stopping,
                () = tell.closed() => return Ended::Left,
                // The gate lives as long as this.
                _ = mode.changed() => {}
                _ = ticks.tick() => {
                    if tell.try_send(Told::Progress(self.report(None))).is_err() {
                        return Ended::Left;
                    }
                }
            }
        }
    }

    fn report(&self, ended: Option<Ended>) -> Report {
        Report {
            edge: self.edge.name.clone(),
            site: self.key.0.to_string(),
            service: self.key.1.to_string(),
            share_percent: self.share_percent,
            lasted_s: self.began.elapsed().as_secs(),
            lasts_s: self.lasts.as_secs(),
            ended,
            counted: self.running.counted(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_bounded() {
        let most = Plan {
            site: None,
            service: "pay".parse().unwrap(),
            share_percent: SHARE_MOST,
            lasts_s: LASTS_MOST.as_secs(),
            budget_ppm: BUDGET_MOST_PPM,
        };
        assert_eq!(within_limits(&most), Ok(()));
        let beyond: [fn(&mut Plan); 5] = [
            |plan| plan.share_percent += 1,
            |plan| plan.share_percent = 0,
            |plan| plan.lasts_s += 1,
            |plan| plan.lasts_s = 0,
            |plan| plan.budget_ppm += 1,
        ];
        for change in beyond {
            let mut plan = most.clone();
            change(&mut plan);
            assert!(within_limits(&plan).is_err(), "{plan:?}");
        }
    }
}
