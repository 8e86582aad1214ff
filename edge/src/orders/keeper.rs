//! Taking in what mirrors offer, and keeping it on disk.

use std::collections::BTreeSet;

use snapshot::trust::{AcceptedOrder, Alarm, Generation, Refusal, accept_order};
use snapshot::{
    Bundle, CodecError, Digest, DocumentError, EdgeTime, Merged, OfferedBundle, SiteName,
};
use snapshot::{Store, StoreError, Timestamp, limits};

use super::Orders;

/// The state file.
const STATE: &str = "orders";
/// The state file of the orders before them.
const BEFORE: &str = "orders-before";
/// Largest state file, bytes: a bundle with who signed each order.
const STATE_BYTES: usize = 4 * limits::BUNDLE_BYTES;

/// The orders in force of one site, and where they are kept.
#[derive(Clone, Debug)]
pub struct OrdersKeeper {
    site: SiteName,
    bundle: Bundle,
    before: OfferedBundle,
}

/// What became of a bundle that a mirror offered.
#[derive(Debug, Default)]
pub struct Taken {
    /// Orders that are new in force.
    pub accepted: Vec<AcceptedOrder>,
    /// Orders that lost against others of their epochs.
    pub outranked: Vec<AcceptedOrder>,
    /// Orders that are not accepted, each with its reason.
    pub refused: Vec<Refusal>,
    /// What people should look at.
    pub alarms: Vec<Alarm>,
    /// True if an order may be accepted later without a change: it is dated ahead, or its key begins later.
    pub again: bool,
}

/// Why orders could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum OrdersError {
    /// This disk fails.
    #[error("orders of {site} on this disk: {source}")]
    Disk {
        /// The site.
        site: SiteName,
        /// What is wrong.
        source: Box<StoreError>,
    },
    /// What is on this disk is damaged.
    #[error("orders of {site} on this disk are damaged: {source}")]
    Damaged {
        /// The site.
        site: SiteName,
        /// What is wrong.
        source: CodecError,
    },
}

impl OrdersKeeper {
    /// Without any order.
    #[must_use]
    pub fn empty(site: SiteName) -> Self {
        Self {
            site,
            bundle: Bundle::default(),
            before: OfferedBundle::default(),
        }
    }

    /// The orders that were in force when this edge stopped. Blocking.
    ///
    /// # Errors
    /// See [`OrdersError`].
    pub fn open(store: &Store, site: SiteName) -> Result<Self, OrdersError> {
        let bytes = match store.read_state(STATE, STATE_BYTES) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Self::empty(site)),
            Err(error) => {
                let source = Box::new(error);
                return Err(OrdersError::Disk { site, source });
            }
        };
        let bundle = match Bundle::from_bytes(&bytes) {
            Ok(bundle) => bundle,
            Err(source) => return Err(OrdersError::Damaged { site, source }),
        };
        // They are told to whoever asks, and obeyed by nobody.
        let before = store.read_state(BEFORE, limits::BUNDLE_BYTES).ok();
        let before = before
            .flatten()
            .map(|bytes| OfferedBundle::from_bytes(&bytes));
        let before = before.and_then(Result::ok).unwrap_or_default();
        Ok(Self {
            site,
            bundle,
            before,
        })
    }

    /// The orders in force.
    #[must_use]
    pub fn orders(&self) -> Orders {
        Orders::of(&self.bundle)
    }

    /// The orders in force with their proof.
    #[must_use]
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Of each scope the order before the one in force, which that one names: for whoever wants to go
    /// back to it.
    #[must_use]
    pub fn before(&self) -> &OfferedBundle {
        &self.before
    }

    /// Takes in what a mirror offers: one bad order takes no other with it. What was accepted
    /// also moves `time`. Nothing is written yet: call [`OrdersKeeper::keep`] if any was accepted.
    ///
    /// # Errors
    /// The bundle itself cannot be read.
    pub fn take(
        &mut self,
        bytes: &[u8],
        generation: &Generation,
        time: &mut EdgeTime,
        wall: Timestamp,
    ) -> Result<Taken, DocumentError> {
        let offered = OfferedBundle::from_bytes(bytes)?;
        let mut taken = Taken::default();
        // What is in force comes back with every bundle, and takes no look at its signatures.
        let known: BTreeSet<Digest> = self.bundle.iter().map(|(_, order)| order.digest).collect();
        let news = offered.envelopes().iter();
        let news = news.filter(|envelope| !known.contains(&envelope.payload_digest()));
        let now = time.at(wall);
        for envelope in news {
            let judged = accept_order(generation, envelope, &self.site, now);
            let merged = judged.and_then(|(order, alarms)| {
                let merged = self.bundle.merge(order.clone(), generation, &self.site)?;
                Ok((order, alarms, merged))
            });
            match merged {
                Ok((order, alarms, Merged::InForce { previous, alarm })) => {
                    time.order(order.time(), wall);
                    self.goes_before(&order, previous);
                    taken.accepted.push(order);
                    taken.alarms.extend(alarms.into_iter().chain(alarm));
                }
                Ok((_, _, Merged::Known)) => {}
                Ok((order, _, Merged::Outranked { alarm })) => {
                    taken.outranked.push(order);
                    taken.alarms.push(alarm);
                }
                Err(refusal) => {
                    taken.again |= refusal.may_pass();
                    taken.refused.push(refusal);
                }
            }
        }
        Ok(taken)
    }

    /// Keeps what `order` follows, if it was in force here.
    fn goes_before(&mut self, order: &AcceptedOrder, previous: Option<Box<AcceptedOrder>>) {
        let follows = |previous: &AcceptedOrder| order.order.predecessor == Some(previous.digest);
        if let Some(previous) = previous.filter(|previous| follows(previous)) {
            // Where there is no room for another scope, nobody can go back in it with this edge alone.
            self.before.put(previous.envelope).ok();
        }
    }

    /// Writes the orders in force down. Blocking.
    ///
    /// # Errors
    /// This disk fails.
    pub fn keep(&self, store: &Store) -> Result<(), OrdersError> {
        let site = || self.site.clone();
        let bytes = self.bundle.to_bytes();
        let bytes = bytes.map_err(|source| OrdersError::Damaged {
            site: site(),
            source,
        })?;
        let before = self.before.to_bytes();
        let before = before.map_err(|source| OrdersError::Damaged {
            site: site(),
            source,
        })?;
        let written = store.write_state(STATE, &bytes);
        let written = written.and_then(|()| store.write_state(BEFORE, &before));
        written.map_err(|error| OrdersError::Disk {
            site: site(),
            source: Box::new(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::site;

    #[test]
    fn a_state_file_longer_than_any_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        OrdersKeeper::empty(site()).keep(&store).unwrap();
        OrdersKeeper::open(&store, site()).unwrap();
        store.write_state(STATE, &vec![0; STATE_BYTES + 1]).unwrap();
        let error = OrdersKeeper::open(&store, site()).unwrap_err();
        let expected = format!(
            "orders of dasom on this disk: state orders: more than the {STATE_BYTES} bytes allowed"
        );
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_bundle_longer_than_any_is_not_taken() {
        let mut keeper = OrdersKeeper::empty(site());
        let bytes = vec![0; limits::BUNDLE_BYTES + 1];
        let generation = crate::fixture::generation();
        let mut time = EdgeTime::default();
        let taken = keeper.take(&bytes, &generation, &mut time, Timestamp(0));
        let error = taken.unwrap_err().to_string();
        assert!(error.contains(&limits::BUNDLE_BYTES.to_string()), "{error}");
        assert!(keeper.bundle().iter().next().is_none());
    }
}
