//! Whether an edge has an order in force, by its status or by the bundle that it gives; and whether
//! another order of the same scope has come before it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use snapshot::{Digest, OfferedBundle, Scope, SiteName};

use super::mirrors::{Held, Known};
use crate::cmd::ops::obeying::Question;
use crate::sync::{OrderStatus, Place};

/// Has it this order, or one that follows it?
#[derive(Debug)]
pub(super) struct OneOrder {
    site: SiteName,
    wanted: Wanted,
    /// Whether any edge ever had it in force: a newer one is no rival then, it came after.
    was_in_force: AtomicBool,
    rival: Mutex<Option<Rival>>,
    /// What an edge says of another order of the same epoch that ours has won against.
    beaten: Mutex<Option<String>>,
    is_given_up: AtomicBool,
}

/// Has it all that is known of?
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

/// An order that an edge obeys instead of ours, as far as the edge tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rival {
    pub(super) epoch: u64,
    pub(super) digest: String,
    pub(super) who: String,
    pub(super) why: String,
}

/// What an edge has in force for one scope.
struct Has {
    scope: String,
    predecessor: Option<String>,
    rival: Rival,
}

impl OneOrder {
    pub(super) fn new(given: &Known) -> Self {
        Self {
            site: given.order.site.clone(),
            wanted: Wanted::of(given),
            was_in_force: AtomicBool::new(false),
            rival: Mutex::new(None),
            beaten: Mutex::new(None),
            is_given_up: AtomicBool::new(false),
        }
    }

    /// Nobody took it: whoever asks on asks in vain.
    pub(super) fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    /// The order that won, if one did.
    pub(super) fn rival(&self) -> Option<Rival> {
        let rival = self.rival.lock();
        rival.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The alarm about an order that lost against ours, if an edge has raised one.
    pub(super) fn beaten(&self) -> Option<String> {
        let beaten = self.beaten.lock();
        beaten.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An edge raises an alarm, with both digests, before it obeys the greater of two.
    fn hear(&self, site: &Value) {
        let alarms = site.get("alarms").and_then(Value::as_array);
        let texts = alarms.into_iter().flatten();
        let mut texts = texts.filter_map(|alarm| alarm.get("text")?.as_str());
        let digest = self.wanted.digest.to_string();
        if let Some(alarm) = texts.find(|text| text.contains(&digest)) {
            let mut beaten = self.beaten.lock().unwrap_or_else(PoisonError::into_inner);
            *beaten = Some(alarm.to_owned());
        }
    }

    fn judge(&self, has: Vec<Has>) -> Result<(), String> {
        let scope = self.wanted.scope.to_string();
        let own = has.into_iter().find(|has| has.scope == scope);
        let lacking = || "it does not have the order yet".to_owned();
        let own = own.ok_or_else(lacking)?;
        let (wanted, digest) = (&self.wanted, self.wanted.digest.to_string());
        if own.rival.digest == digest {
            self.was_in_force.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let follows = own.predecessor.as_ref() == Some(&digest);
        let came_after = follows || self.was_in_force.load(Ordering::Relaxed);
        if own.rival.epoch > wanted.epoch && came_after {
            return Ok(());
        }
        // Digests compare as their hex does.
        if (own.rival.epoch, &own.rival.digest) < (wanted.epoch, &digest) {
            return Err(lacking());
        }
        let (epoch, who) = (own.rival.epoch, &own.rival.who);
        let said = format!("it obeys another order of the scope: order {epoch} by {who}");
        let mut rival = self.rival.lock().unwrap_or_else(PoisonError::into_inner);
        *rival = Some(own.rival);
        Err(said)
    }
}

impl AllOrders {
    pub(super) fn new(site: &SiteName, held: &Held) -> Self {
        Self {
            site: site.clone(),
            wanted: held.iter().map(Wanted::of).collect(),
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
        self.judge(by_status(site)?)?;
        self.hear(site);
        Ok(())
    }

    fn of_document(&self, bytes: Option<&[u8]>) -> Result<(), String> {
        self.judge(by_bundle(bytes)?)
    }

    fn is_over(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed) || self.rival().is_some()
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
    fn of(known: &Known) -> Self {
        Self {
            scope: known.order.scope.clone(),
            epoch: known.order.epoch.0,
            digest: known.digest,
        }
    }

    /// A newer order of the scope has this one behind it.
    fn is_met(&self, has: &[Has]) -> bool {
        let scope = self.scope.to_string();
        let own = has.iter().find(|has| has.scope == scope);
        own.is_some_and(|has| {
            has.rival.digest == self.digest.to_string() || has.rival.epoch > self.epoch
        })
    }
}

fn by_status(site: &Value) -> Result<Vec<Has>, String> {
    let orders = site.get("orders").cloned().unwrap_or_default();
    let orders: Vec<OrderStatus> = serde_json::from_value(orders)
        .map_err(|error| format!("its orders are not readable: {error}"))?;
    let has = orders.into_iter().map(|order| Has {
        scope: order.scope,
        predecessor: order.predecessor,
        rival: Rival {
            epoch: order.epoch,
            digest: order.digest,
            who: order.who,
            why: order.why,
        },
    });
    Ok(has.collect())
}

fn by_bundle(bytes: Option<&[u8]>) -> Result<Vec<Has>, String> {
    let Some(bytes) = bytes else {
        return Ok(Vec::new());
    };
    let bundle = OfferedBundle::from_bytes(bytes).map_err(|error| error.to_string())?;
    let known = bundle.envelopes().iter().filter_map(Known::of);
    let has = known.map(|known| Has {
        scope: known.order.scope.to_string(),
        predecessor: known.order.predecessor.map(|digest| digest.to_string()),
        rival: Rival {
            epoch: known.order.epoch.0,
            digest: known.digest.to_string(),
            who: known.order.who,
            why: known.order.why,
        },
    });
    Ok(has.collect())
}

#[cfg(test)]
mod tests {
    use snapshot::order::Mode;
    use snapshot::{Envelope, encode};

    use super::*;
    use crate::fixture::order;

    fn known(epoch: u64, why: &str, predecessor: Option<Digest>) -> Known {
        let mut order = order("service:pay", epoch, Mode::Degraded);
        order.why = why.to_owned();
        order.predecessor = predecessor;
        Known::of(&Envelope::seal(encode(&order).unwrap())).unwrap()
    }

    fn obeys(question: &OneOrder, known: &Known) -> bool {
        let mut bundle = OfferedBundle::default();
        bundle.put(known.envelope.clone()).unwrap();
        let bytes = bundle.to_bytes().unwrap();
        question.of_document(Some(&bytes)).is_ok()
    }

    #[test]
    fn what_follows_is_no_rival_and_what_came_before_is_waited_out() {
        let ours = known(5, "fire", None);
        let question = OneOrder::new(&ours);
        assert!(question.of_document(None).is_err());
        assert!(!obeys(&question, &known(4, "old", None)));
        assert!(obeys(&question, &known(6, "next", Some(ours.digest))));
        assert_eq!(question.rival(), None);
        // Of a later one nobody knows whether it knew ours, until an edge had ours.
        assert!(!obeys(&question, &known(7, "later", None)));
        assert_eq!(question.rival().unwrap().why, "later");
        assert!(question.is_over());
        let question = OneOrder::new(&ours);
        assert!(obeys(&question, &ours));
        assert!(obeys(&question, &known(7, "later", None)));
    }

    #[test]
    fn of_two_orders_of_one_epoch_the_greater_digest_wins() {
        let (one, two) = (known(5, "fire", None), known(5, "water", None));
        let (less, more) = if one.digest < two.digest {
            (one, two)
        } else {
            (two, one)
        };
        let question = OneOrder::new(&more);
        // It will have ours as soon as it hears of it.
        assert!(!obeys(&question, &less));
        assert_eq!(question.rival(), None);
        let question = OneOrder::new(&less);
        assert!(!obeys(&question, &more));
        assert_eq!(question.rival().unwrap().digest, more.digest.to_string());
    }
}
