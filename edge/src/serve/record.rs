//! What the log is told of a site's modes: how each service stands after a start, and what happens to it
//! from then on.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;

use super::site::Site;
use crate::log;
use crate::mode::{Effective, End, Event};

/// Notes what happens to the modes of `site` for as long as it is polled. Nothing that happens after
/// this returns is missed.
pub(super) fn record(site: &Arc<Site>) -> impl Future<Output = ()> + Send + 'static {
    let (mut events, mut switches) = (site.events(), site.copy.switches());
    let (site, mut known) = (Arc::clone(site), Known::default());
    known.look(&site);
    async move {
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(event) => known.take(&site, event),
                    // How things stand now is noted; how they stood in between is lost.
                    Err(RecvError::Lagged(_)) => known.look(&site),
                    Err(RecvError::Closed) => return,
                },
                // A release may bring services.
                Ok(()) = switches.changed() => {
                    site.look();
                    known.look(&site);
                }
            }
        }
    }
}

/// What the log was told of each service.
#[derive(Default)]
struct Known(BTreeMap<String, (&'static str, &'static str)>);

impl Known {
    /// Notes what the log does not know yet.
    fn look(&mut self, site: &Site) {
        let modes = site.gates.modes().into_iter();
        let modes = modes.map(|(name, mode)| (name.to_string(), mode.effective));
        for (service, now) in modes.chain([("-".to_owned(), site.gates.rest().effective)]) {
            let before = self.0.get(&service).copied();
            if before != Some(words(now)) {
                let from = before.map(|(from, _)| from.to_owned());
                let state = self.becomes(service, from, now);
                site.copy.note(state);
            }
        }
    }

    fn take(&mut self, site: &Site, event: Event) {
        match event {
            Event::Changed {
                service,
                old,
                new,
                at,
            } => {
                let service = service.map_or_else(|| "-".to_owned(), |name| name.to_string());
                // Seen already when a release was looked at.
                if self.0.get(&service) != Some(&words(new)) {
                    let state = self.becomes(service, Some(old.as_str().to_owned()), new);
                    site.copy.note_at(at, state);
                }
            }
            Event::EndAnnounced(End {
                scope,
                epoch,
                ends_at,
                at,
            }) => site.copy.note_at(
                at,
                log::Event::ForcedEnds {
                    scope: scope.to_string(),
                    epoch: epoch.0,
                    ends_at: ends_at.rfc3339(),
                },
            ),
            Event::Ended(End {
                scope, epoch, at, ..
            }) => site.copy.note_at(
                at,
                log::Event::ForcedEnded {
                    scope: scope.to_string(),
                    epoch: epoch.0,
                },
            ),
        }
    }

    fn becomes(&mut self, service: String, from: Option<String>, now: Effective) -> log::Event {
        let (to, reason) = words(now);
        self.0.insert(service.clone(), (to, reason));
        log::Event::State {
            service,
            from,
            to: to.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

const fn words(effective: Effective) -> (&'static str, &'static str) {
    (effective.as_str(), effective.reason().as_str())
}
