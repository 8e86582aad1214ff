//! The newest order of each scope, kept across restarts.
//!
//! Orders come with every poll, from any mirror, in any order, any number of times; merging takes
//! the greatest of each scope, so all paths end in the same state. What was accepted is written
//! down before it is in force. When every mirror is gone, or lies, the orders in force stay.

mod ends;
mod keeper;
mod piecemeal;

use std::collections::BTreeMap;

use snapshot::order::{Mode, Notice};
use snapshot::{Bundle, Digest, Order, Scope, ServiceName, Timestamp};

use crate::mode::Asked;

pub use ends::Ends;
pub use keeper::{OrdersError, OrdersKeeper, Taken};
pub use piecemeal::piecemeal;

/// The orders in force of one site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders(BTreeMap<Scope, InForce>);

/// One order in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// What it says.
    pub order: Order,
    /// BLAKE3 of its signed bytes: what orders are compared by.
    pub digest: Digest,
    /// Edge time when this edge accepted it.
    pub accepted_at: Timestamp,
}

impl Orders {
    /// The orders of a bundle.
    #[must_use]
    pub fn of(bundle: &Bundle) -> Self {
        let orders = bundle.iter().map(|(scope, accepted)| {
            let in_force = InForce {
                order: accepted.order.clone(),
                digest: accepted.digest,
                accepted_at: accepted.accepted_at,
            };
            (scope.clone(), in_force)
        });
        Self(orders.collect())
    }

    /// These orders, as if they had been accepted.
    #[cfg(test)]
    pub(crate) fn in_force(orders: impl IntoIterator<Item = Order>) -> Self {
        let in_force = orders.into_iter().map(|order| {
            let accepted_at = order.signed_at;
            let digest = Digest::of(order.why.as_bytes());
            let scope = order.scope.clone();
            (
                scope,
                InForce {
                    order,
                    digest,
                    accepted_at,
                },
            )
        });
        Self(in_force.collect())
    }

    /// The order of one scope.
    #[must_use]
    pub fn get(&self, scope: &Scope) -> Option<&InForce> {
        self.0.get(scope)
    }

    /// Every order, by scope.
    pub fn iter(&self) -> impl Iterator<Item = (&Scope, &InForce)> {
        self.0.iter()
    }

    /// The mode that one scope's own order asks for at `now`.
    #[must_use]
    pub fn mode(&self, scope: &Scope, now: Timestamp) -> Mode {
        self.get(scope)
            .map(|in_force| in_force.order.mode_at(now))
            .unwrap_or_default()
    }

    /// The mode that is asked for a service at `now`: the stronger of its own and the site's.
    #[must_use]
    pub fn service_mode(&self, service: &ServiceName, now: Timestamp) -> Mode {
        let own = self.mode(&Scope::Service(service.clone()), now);
        own.max(self.mode(&Scope::Site, now))
    }

    /// Since when a service is back, for as long as its own order or the site's has readers told.
    #[must_use]
    pub fn back(&self, service: &ServiceName, now: Timestamp) -> Option<Timestamp> {
        let scopes = [Scope::Site, Scope::Service(service.clone())];
        let told = scopes
            .iter()
            .filter_map(|scope| self.get(scope)?.order.back_at(now));
        told.max().map(|since| since.min(Timestamp::LAST))
    }

    /// Every notice with its scope, newest first.
    #[must_use]
    pub fn notices(&self) -> Vec<(&Scope, &Notice)> {
        let mut notices: Vec<(&Scope, &Notice)> = Vec::new();
        for (scope, in_force) in &self.0 {
            notices.extend(in_force.order.notices.iter().map(|notice| (scope, notice)));
        }
        notices.sort_by_key(|(_, notice)| std::cmp::Reverse(notice.at));
        notices
    }

    /// What the order of one scope asks for at `now`.
    #[must_use]
    pub fn asked(&self, scope: &Scope, now: Timestamp) -> Asked {
        let order = self.get(scope).map(|in_force| &in_force.order);
        order.map_or_else(Asked::default, |order| Asked {
            mode: order.mode_at(now),
            insists: order.insists,
        })
    }

    /// The next moment after `now` at which a forced mode ends, or its end is announced: whoever acts on
    /// modes looks again then.
    #[must_use]
    pub fn next_moment(&self, now: Timestamp) -> Option<Timestamp> {
        let orders = self.0.values().map(|in_force| &in_force.order);
        let moments = orders.flat_map(|order| [order.end_announced_at(), order.end()]);
        moments.flatten().filter(|moment| *moment > now).min()
    }
}
