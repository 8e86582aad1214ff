//! A switch of the whole site, cut into orders about single services.
//!
//! `trust.toml` may ask for more persons behind an order about the whole site than behind one about a
//! service. Whoever is too few for the first can give the second for one service after another and
//! comes to the same. That is not refused: a service that burns must not wait for a colleague because
//! many others burn as well. But it is an alarm on every edge, for as long as most services of the site are
//! forced like that, and the log says who signed each. An order with as many persons behind it as one about
//! the whole site takes is no part of it.

use std::collections::BTreeSet;

use snapshot::order::Mode;
use snapshot::trust::Thresholds;
use snapshot::{Bundle, Namespace, Scope, ServiceName, Timestamp};

/// The words of the alarm, if orders about single services, each with fewer persons behind it than an order
/// about the whole site takes, force most of `services`.
#[must_use]
pub fn piecemeal(
    bundle: &Bundle,
    services: &[&ServiceName],
    thresholds: &Thresholds,
    now: Timestamp,
) -> Option<String> {
    let needed = thresholds.needed(Namespace::Order, Some(&Scope::Site));
    let forced = bundle.iter().filter(|(scope, accepted)| {
        let service = match scope {
            Scope::Site => return false,
            Scope::Service(name) => name,
        };
        services.contains(&service)
            && accepted.order.mode_at(now) != Mode::Automatic
            && accepted.signers.persons().len() < needed
    });
    let forced: Vec<_> = forced.map(|(_, accepted)| accepted).collect();
    let most = forced.len() > 1 && forced.len() * 2 > services.len();
    most.then(|| {
        let persons = forced.iter().flat_map(|accepted| accepted.signers.persons());
        let persons: BTreeSet<&str> = persons.collect();
        format!(
            "piecemeal-switch: orders about single services force {} of {} services; an order about \
             the whole site takes {needed} persons, and none of these has as many ({})",
            forced.len(),
            services.len(),
            persons.into_iter().collect::<Vec<_>>().join(", ")
        )
    })
}
