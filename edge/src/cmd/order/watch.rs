//! Whether an edge has an order in force, by its status or by the bundle that it gives.

use serde_json::Value;
use snapshot::{Digest, OfferedBundle, Order, Scope, SiteName};

use super::mirrors::Held;
use crate::cmd::ops::obeying::Question;
use crate::sync::{OrderStatus, Place};

/// Has it this order, or a newer one of its scope?
#[derive(Debug)]
pub(super) struct OneOrder {
    site: SiteName,
    wanted: Wanted,
}

/// Has it all that the mirrors hold?
#[derive(Debug)]
pub(super) struct AllOrders {
    site: SiteName,
    wanted: Vec<Wanted>,
}

#[derive(Debug)]
struct Wanted {
    scope: Scope,
    epoch: u64,
    digest: Digest,
}

/// What an edge has in force for one scope.
struct Has {
    scope: String,
    epoch: u64,
    digest: String,
}

impl OneOrder {
    pub(super) fn new(order: &Order, digest: Digest) -> Self {
        Self {
            site: order.site.clone(),
            wanted: Wanted {
                scope: order.scope.clone(),
                epoch: order.epoch.0,
                digest,
            },
        }
    }

    fn judge(&self, has: &[Has]) -> Result<(), String> {
        match self.wanted.is_met(has) {
            true => Ok(()),
            false => Err("it does not have the order yet".to_owned()),
        }
    }
}

impl AllOrders {
    pub(super) fn new(site: &SiteName, held: &Held) -> Self {
        let wanted = held.iter().map(|known| Wanted {
            scope: known.order.scope.clone(),
            epoch: known.order.epoch.0,
            digest: known.digest,
        });
        Self {
            site: site.clone(),
            wanted: wanted.collect(),
        }
    }

    fn judge(&self, has: &[Has]) -> Result<(), String> {
        let lacking = self.wanted.iter().filter(|wanted| !wanted.is_met(has));
        let lacking: Vec<String> = lacking.map(|wanted| wanted.scope.to_string()).collect();
        if lacking.is_empty() {
            return Ok(());
        }
        Err(format!("it lacks the order about {}", lacking.join(", ")))
    }
}

impl Question for OneOrder {
    fn place(&self) -> Place {
        Place::orders(&self.site)
    }

    fn of_status(&self, site: &Value) -> Result<(), String> {
        self.judge(&by_status(site)?)
    }

    fn of_document(&self, bytes: Option<&[u8]>) -> Result<(), String> {
        self.judge(&by_bundle(bytes)?)
    }
}

impl Question for AllOrders {
    fn place(&self) -> Place {
        Place::orders(&self.site)
    }

    fn of_status(&self, site: &Value) -> Result<(), String> {
        self.judge(&by_status(site)?)
    }

    fn of_document(&self, bytes: Option<&[u8]>) -> Result<(), String> {
        self.judge(&by_bundle(bytes)?)
    }
}

impl Wanted {
    /// A newer order of the scope has this one behind it.
    fn is_met(&self, has: &[Has]) -> bool {
        let scope = self.scope.to_string();
        let own = has.iter().find(|has| has.scope == scope);
        own.is_some_and(|has| has.digest == self.digest.to_string() || has.epoch > self.epoch)
    }
}

fn by_status(site: &Value) -> Result<Vec<Has>, String> {
    let orders = site.get("orders").cloned().unwrap_or_default();
    let orders: Vec<OrderStatus> = serde_json::from_value(orders)
        .map_err(|error| format!("its orders are not readable: {error}"))?;
    let has = orders.into_iter().map(|order| Has {
        scope: order.scope,
        epoch: order.epoch,
        digest: order.digest,
    });
    Ok(has.collect())
}

fn by_bundle(bytes: Option<&[u8]>) -> Result<Vec<Has>, String> {
    let Some(bytes) = bytes else {
        return Ok(Vec::new());
    };
    let bundle = OfferedBundle::from_bytes(bytes).map_err(|error| error.to_string())?;
    let has = bundle.envelopes().iter().filter_map(|envelope| {
        let limit = snapshot::limits::STATEMENT_BYTES;
        let order: Order = snapshot::decode(envelope.payload(), limit).ok()?;
        Some(Has {
            scope: order.scope.to_string(),
            epoch: order.epoch.0,
            digest: envelope.payload_digest().to_string(),
        })
    });
    Ok(has.collect())
}
