//! A switch of the whole site, cut into orders about single services.
//!
//! `trust.toml` may ask for more persons behind an order about the whole site than behind one about a
//! service. Whoever is too few for the first can give the second for one service after another and
//! comes to the same. That is not refused: a service that burns must not wait for a colleague because
//! many others burn as well. But it is an alarm on every edge, as soon as most services of the site are
//! forced like that, and the log says who signed each.

use std::collections::BTreeSet;

use snapshot::order::Mode;
use snapshot::trust::Thresholds;
use snapshot::{Bundle, Namespace, Scope, ServiceName, Timestamp};

/// The words of the alarm, if orders about single services force most of `services` and fewer persons
/// stand behind them than an order about the whole site takes.
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
        services.contains(&service) && accepted.order.mode_at(now) != Mode::Automatic
    });
    let forced: Vec<_> = forced.map(|(_, accepted)| accepted).collect();
    let persons: BTreeSet<&str> = forced
        .iter()
        .flat_map(|accepted| accepted.signers.persons())
        .collect();
    let most = forced.len() > 1 && forced.len() * 2 > services.len();
    (most && persons.len() < needed).then(|| {
        format!(
            "piecemeal-switch: orders about single services force {} of {} services; an order about \
             the whole site takes {needed} persons, and {} signed these",
            forced.len(),
            services.len(),
            persons.into_iter().collect::<Vec<_>>().join(", ")
        )
    })
}
