//! Whether an edge has an order in force, by its status or by the bundle that it gives; and whether
//! another order of the same scope has come before it.

use std::collections::BTreeSet;
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
    /// Digests of orders that are not believed here, and that no edge obeys for long that believes ours.
    disbelieved: BTreeSet<String>,
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
            disbelieved: BTreeSet::new(),
        }
    }

    /// The same, where what `held` passes over is no rival: the order of a key that was thrown out stays in
    /// force until one that is believed comes, whatever its number.
    pub(super) fn over(self, held: &Held) -> Self {
        let passed_over = held.passed_over(Some(&self.wanted.scope));
        let disbelieved = passed_over.map(|(known, _)| known.digest.to_string());
        Self {
            disbelieved: disbelieved.collect(),
            ..self
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

    /// The remark about an order that lost against ours, if an edge has raised one.
    pub(super) fn beaten(&self) -> Option<String> {
        let beaten = self.beaten.lock();
        beaten.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An edge raises an alarm, with both digests, before it obeys the greater of two.
    fn hear(&self, site: &Value) {
        let alarms = site.get("remarks").and_then(Value::as_array);
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
        if self.disbelieved.contains(&own.rival.digest) {
            return Err(format!(
                "it obeys order {epoch} by {who} still, which is not believed here"
            ));
        }
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
        let mut said = Vec::new();
        let lacking = self.wanted.iter().filter(|wanted| !wanted.is_met(has));
        let lacking: Vec<String> = lacking.map(|wanted| wanted.scope.to_string()).collect();
        if !lacking.is_empty() {
            said.push(format!("it lacks the order about {}", lacking.join(", ")));
        }
        // What is shown here is not what is in force there.
        let known = |scope: &str| {
            let known = self.wanted.iter().find(|it| it.scope.to_string() == scope);
            known.map_or(0, |known| known.epoch)
        };
        for has in has.iter().filter(|has| has.rival.epoch > known(&has.scope)) {
            let (epoch, who, scope) = (has.rival.epoch, &has.rival.who, &has.scope);
            said.push(format!(
                "it obeys order {epoch} about {scope} by {who}, which no path gives, or which is \
                 not believed here"
            ));
        }
        match said.is_empty() {
            true => Ok(()),
            false => Err(said.join("; ")),
        }
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

    /// A newer order of the scope is told apart: this one is not lacking.
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
    fn what_an_edge_obeys_and_no_path_gives_is_said_and_not_taken_for_what_is_known() {
        let ours = known(5, "fire", None);
        let mut held = Held::default();
        let question = |held: &Held| AllOrders::new(&ours.order.site, held);
        let obeys = |held: &Held, known: &Known| {
            let mut bundle = OfferedBundle::default();
            bundle.put(known.envelope.clone()).unwrap();
            let bytes = bundle.to_bytes().unwrap();
            question(held).of_document(Some(&bytes))
        };
        // Of a scope of which nothing is known, and of one whose newest order is not the newest.
        assert!(
            obeys(&held, &ours)
                .unwrap_err()
                .contains("order 5 about service:pay")
        );
        held.put(&ours.envelope);
        assert_eq!(obeys(&held, &ours), Ok(()));
        let later = obeys(&held, &known(6, "later", None)).unwrap_err();
        assert!(
            later.starts_with("it obeys order 6 about service:pay by "),
            "{later}"
        );
        let earlier = obeys(&held, &known(4, "earlier", None)).unwrap_err();
        assert_eq!(earlier, "it lacks the order about service:pay");
    }

    #[test]
    fn an_order_that_is_not_believed_here_is_no_rival() {
        let (ours, theirs) = (known(1, "fire", None), known(7, "mine", None));
        let question = OneOrder {
            disbelieved: BTreeSet::from([theirs.digest.to_string()]),
            ..OneOrder::new(&ours)
        };
        assert!(!obeys(&question, &theirs));
        assert_eq!(question.rival(), None);
        assert!(obeys(&question, &ours));
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
