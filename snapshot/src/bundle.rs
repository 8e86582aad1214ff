//! The newest order of each scope.
//!
//! Merging takes the maximum per scope, so orders may arrive by any path, in any order, any
//! number of times, and every edge ends in the same state. What is greater: an order whose
//! signers are still trusted, then the later epoch, then the greater BLAKE3 of the signed bytes.
//! So a stolen key cannot hold a scope once it is thrown out, while an order in force stays in
//! force when its writer leaves, until somebody else gives another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::{self, DocumentError};
use crate::trust::{AcceptedOrder, Alarm, Generation, Refusal, accept_order, order_in};

use crate::{
    CodecError, Digest, Envelope, Epoch, Namespace, Order, Scope, SiteName, Timestamp, decode,
    encode, limits,
};

/// The accepted orders in force, at most one for each scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle(BTreeMap<Scope, AcceptedOrder>);

/// What became of an order that was merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// It is in force now.
    InForce {
        /// The one it replaced.
        previous: Option<Box<AcceptedOrder>>,
        /// Set if the two had one epoch.
        alarm: Option<Alarm>,
    },
    /// It was in force already.
    Known,
    /// It lost against one of the same epoch.
    Outranked {
        /// The two had one epoch.
        alarm: Alarm,
    },
}

impl Bundle {
    /// The order in force for `scope`.
    #[must_use]
    pub fn get(&self, scope: &Scope) -> Option<&AcceptedOrder> {
        self.0.get(scope)
    }

    /// Every order in force, by scope.
    pub fn iter(&self) -> impl Iterator<Item = (&Scope, &AcceptedOrder)> {
        self.0.iter()
    }

    /// The epoch that the next order of `scope` should have.
    #[must_use]
    pub fn next_epoch(&self, scope: &Scope) -> Epoch {
        self.get(scope)
            .map(|accepted| accepted.order.epoch)
            .unwrap_or_default()
            .next()
    }

    /// Takes in an accepted order if it is greater than the one in force.
    ///
    /// # Errors
    /// [`Refusal::OldOrder`] and [`Refusal::FastForward`]; [`Refusal::Document`] if the bundle
    /// has no room for another scope.
    pub fn merge(
        &mut self,
        offered: AcceptedOrder,
        generation: &Generation,
        site: &SiteName,
    ) -> Result<Merged, Refusal> {
        let scope = offered.order.scope.clone();
        let trusted = |accepted: &AcceptedOrder| {
            let keys = accepted.signers.keys();
            generation.still_trusts(&keys, Namespace::Order, site, Some(&scope))
        };
        let current = self.0.get(&scope);
        let floor = current
            .filter(|current| trusted(current))
            .map(|current| current.order.epoch)
            .unwrap_or_default();
        let epoch = offered.order.epoch;
        // 9.3 Not far above the one in force.
        if epoch.0.saturating_sub(floor.0) > limits::FAST_FORWARD {
            return Err(Refusal::FastForward {
                got: epoch.0,
                floor: floor.0,
            });
        }
        let Some(current) = current else {
            if self.0.len() >= limits::BUNDLE_ORDERS {
                return Err(too_many(self.0.len() + 1).into());
            }
            self.0.insert(scope, offered);
            return Ok(Merged::InForce {
                previous: None,
                alarm: None,
            });
        };
        if current.digest == offered.digest {
            return Ok(Merged::Known);
        }
        // 9.4 The greater one is in force.
        let rank =
            |accepted: &AcceptedOrder| (trusted(accepted), accepted.order.epoch, accepted.digest);
        let wins = rank(&offered) > rank(current);
        if !wins && epoch != current.order.epoch {
            return Err(Refusal::OldOrder {
                floor: current.order.epoch,
                got: epoch,
                scope,
            });
        }
        let equal = |kept: Digest, dropped: Digest| Alarm::EqualEpochs {
            scope: scope.clone(),
            epoch,
            kept,
            dropped,
        };
        if !wins {
            let alarm = equal(current.digest, offered.digest);
            return Ok(Merged::Outranked { alarm });
        }
        let alarm = (epoch == current.order.epoch).then(|| equal(offered.digest, current.digest));
        let previous = self.0.insert(scope, offered).map(Box::new);
        Ok(Merged::InForce { previous, alarm })
    }

    /// The bundle as mirrors and peers carry it.
    #[must_use]
    pub fn offer(&self) -> OfferedBundle {
        let envelopes = self.0.values().map(|order| order.envelope.clone());
        OfferedBundle::new(envelopes.collect())
    }

    /// For an edge's own disk, with who signed.
    ///
    /// # Errors
    /// Never in practice.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        encode(&self.0.values().collect::<Vec<_>>())
    }

    /// From an edge's own disk: believed, not judged again.
    ///
    /// # Errors
    /// A damaged file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let orders: Vec<AcceptedOrder> = decode(bytes, 4 * limits::BUNDLE_BYTES)?;
        let by_scope = orders
            .into_iter()
            .map(|accepted| (accepted.order.scope.clone(), accepted));
        Ok(Self(by_scope.collect()))
    }
}

/// A bundle as it lies on a mirror: nothing in it is verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedBundle {
    version: u16,
    envelopes: Vec<Envelope>,
}

impl Default for OfferedBundle {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl OfferedBundle {
    /// The one version this code reads and writes.
    pub const VERSION: u16 = 1;

    fn new(envelopes: Vec<Envelope>) -> Self {
        Self {
            version: Self::VERSION,
            envelopes,
        }
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DocumentError> {
        // 9.1 Bounded, of a known version, canonical.
        let bundle: Self = document::read("bundle", bytes, limits::BUNDLE_BYTES, Self::VERSION)?;
        if bundle.envelopes.len() > limits::BUNDLE_ORDERS {
            return Err(too_many(bundle.envelopes.len()));
        }
        Ok(bundle)
    }

    /// Encodes the bundle.
    ///
    /// # Errors
    /// [`CodecError::TooLarge`] above [`limits::BUNDLE_BYTES`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let bytes = encode(self)?;
        if bytes.len() > limits::BUNDLE_BYTES {
            return Err(CodecError::TooLarge {
                got: bytes.len(),
                limit: limits::BUNDLE_BYTES,
            });
        }
        Ok(bytes)
    }

    /// The envelopes.
    #[must_use]
    pub fn envelopes(&self) -> &[Envelope] {
        &self.envelopes
    }

    /// What the envelopes say, whoever signed them; unreadable ones are left out.
    #[must_use]
    pub fn orders(&self) -> Vec<Order> {
        let orders = self.envelopes.iter();
        orders
            .filter_map(|envelope| order_in(envelope).ok())
            .collect()
    }

    /// Puts an operator's new order in the place of whatever its scope held.
    ///
    /// # Errors
    /// An envelope that carries no order, or a full bundle.
    pub fn put(&mut self, envelope: Envelope) -> Result<(), DocumentError> {
        let scope = order_in(&envelope)?.scope;
        let other = |envelope: &Envelope| order_in(envelope).is_ok_and(|o| o.scope != scope);
        self.envelopes.retain(other);
        self.envelopes.push(envelope);
        // One state has one spelling: sorted by scope.
        self.envelopes
            .sort_by_key(|envelope| order_in(envelope).map(|order| order.scope).ok());
        if self.envelopes.len() > limits::BUNDLE_ORDERS {
            return Err(too_many(self.envelopes.len()));
        }
        Ok(())
    }

    /// Judges every envelope by itself, so that one bad order takes no other with it.
    #[must_use]
    pub fn accept(
        &self,
        generation: &Generation,
        site: &SiteName,
        edge_time: Timestamp,
    ) -> Vec<Result<(AcceptedOrder, Vec<Alarm>), Refusal>> {
        // 9.2 Each by itself.
        self.envelopes
            .iter()
            .map(|envelope| accept_order(generation, envelope, site, edge_time))
            .collect()
    }
}

const fn too_many(got: usize) -> DocumentError {
    DocumentError::TooMany {
        what: "bundle",
        parts: "orders",
        got,
        limit: limits::BUNDLE_ORDERS,
    }
}
