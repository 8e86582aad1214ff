//! The newest order of each scope.
//!
//! Merging takes the maximum per scope, so orders may arrive by any path, in any order, any
//! number of times, and every edge ends in the same state. What is greater: an order whose
//! signers are still trusted, then the later epoch, then the greater BLAKE3 of the signed bytes.
//! So a stolen key cannot hold a scope once it is thrown out, while an order in force stays in
//! force when its writer leaves, until somebody else gives another. That other is never below what
//! those who are left had given before: a carrier who kept old orders brings none of them back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::{self, DocumentError};
use crate::trust::{AcceptedOrder, Alarm, Generation, Refusal, accept_order, order_in};

use crate::{
    CodecError, Digest, Envelope, Epoch, Fingerprint, Namespace, Order, Scope, SiteName, Timestamp,
    decode, encode, limits,
};

/// The accepted orders in force, at most one for each scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle(BTreeMap<Scope, Held>);

/// The order in force for a scope, and how far its history has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    accepted: AcceptedOrder,
    /// The highest epoch of each set of keys that gave orders, the highest first.
    marks: Vec<Mark>,
}

/// What one set of keys reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    epoch: Epoch,
    /// The keys that signed it, ascending.
    keys: Vec<Fingerprint>,
}

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
        self.0.get(scope).map(|held| &held.accepted)
    }

    /// Every order in force, by scope.
    pub fn iter(&self) -> impl Iterator<Item = (&Scope, &AcceptedOrder)> {
        self.0.iter().map(|(scope, held)| (scope, &held.accepted))
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
    /// A bundle that is full lets an order go whose signers are no longer trusted. There is always room for
    /// the site's own.
    ///
    /// # Errors
    /// [`Refusal::OldOrder`] and [`Refusal::FastForward`]; [`Refusal::Document`] if the bundle
    /// has no room for another scope, or for so long an order.
    pub fn merge(
        &mut self,
        offered: AcceptedOrder,
        generation: &Generation,
        site: &SiteName,
    ) -> Result<Merged, Refusal> {
        let scope = offered.order.scope.clone();
        let trusted = |keys: &[Fingerprint]| {
            generation.still_trusts(keys, Namespace::Order, site, Some(&scope))
        };
        let current = self.0.get(&scope);
        let marks = current.map_or(&[][..], |held| &held.marks).iter();
        let marks = marks.filter(|mark| trusted(&mark.keys));
        let floor = marks.map(|mark| mark.epoch).max().unwrap_or_default();
        let epoch = offered.order.epoch;
        // 9.3 Neither below what those who are trusted have reached, nor far above it.
        if epoch.0.saturating_sub(floor.0) > limits::FAST_FORWARD {
            return Err(Refusal::FastForward {
                got: epoch.0,
                floor: floor.0,
            });
        }
        let Some(Held { accepted, .. }) = current else {
            self.make_room(&offered, generation, site)?;
            self.put(scope, offered);
            return Ok(Merged::InForce {
                previous: None,
                alarm: None,
            });
        };
        let current = accepted;
        if current.digest == offered.digest {
            return Ok(Merged::Known);
        }
        // 9.4 The greater one is in force.
        let rank = |accepted: &AcceptedOrder| {
            let is_trusted = trusted(&accepted.signers.keys());
            (is_trusted, accepted.order.epoch, accepted.digest)
        };
        let wins = rank(&offered) > rank(current) && epoch >= floor;
        if !wins && epoch != current.order.epoch {
            return Err(Refusal::OldOrder {
                floor: floor.max(current.order.epoch),
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
        self.make_room(&offered, generation, site)?;
        let previous = self.put(scope, offered).map(Box::new);
        Ok(Merged::InForce { previous, alarm })
    }

    /// Puts an order in force; gives the one that was.
    fn put(&mut self, scope: Scope, accepted: AcceptedOrder) -> Option<AcceptedOrder> {
        let (epoch, keys) = (accepted.order.epoch, accepted.signers.keys());
        let before = self.0.remove(&scope);
        let (previous, mut marks) = match before {
            Some(held) => (Some(held.accepted), held.marks),
            None => (None, Vec::new()),
        };
        match marks.iter_mut().find(|mark| mark.keys == keys) {
            Some(mark) => mark.epoch = mark.epoch.max(epoch),
            None => marks.push(Mark { epoch, keys }),
        }
        // The lowest goes first: it is the least likely to be fallen back to.
        marks.sort_by_key(|mark| std::cmp::Reverse(mark.epoch));
        marks.truncate(limits::FLOOR_MARKS);
        self.0.insert(scope, Held { accepted, marks });
        previous
    }

    /// Lets orders go whose signers are no longer trusted until there is room for `offered` beside the rest.
    fn make_room(
        &mut self,
        offered: &AcceptedOrder,
        generation: &Generation,
        site: &SiteName,
    ) -> Result<(), DocumentError> {
        // 9.5 The site's own order always has room.
        if offered.order.scope == Scope::Site {
            return Ok(());
        }
        while let Err(full) = self.room_for(offered) {
            let is_let_go = |(scope, held): &(&Scope, &Held)| {
                let keys = held.accepted.signers.keys();
                **scope != offered.order.scope
                    && !generation.still_trusts(&keys, Namespace::Order, site, Some(scope))
            };
            let let_go = self.0.iter().find(is_let_go);
            let Some(scope) = let_go.map(|(scope, _)| scope.clone()) else {
                return Err(full);
            };
            self.0.remove(&scope);
        }
        Ok(())
    }

    /// Whether the rest leaves room for `offered`, and for the longest order about the site.
    fn room_for(&self, offered: &AcceptedOrder) -> Result<(), DocumentError> {
        let others = self
            .iter()
            .filter(|(scope, _)| **scope != Scope::Site && **scope != offered.order.scope);
        let sizes = others.map(|(_, accepted)| accepted.envelope.encoded_bytes());
        let (count, bytes) = sizes.fold((0, 0), |(count, sum), bytes| (count + 1, sum + bytes));
        if count + 2 > limits::BUNDLE_ORDERS {
            return Err(too_many(count + 2));
        }
        let bytes = bytes + offered.envelope.encoded_bytes();
        let most = limits::BUNDLE_BYTES - limits::ENVELOPE_BYTES - 16;
        if bytes > most {
            return Err(DocumentError::TooMany {
                what: "bundle",
                parts: "bytes of orders about services",
                got: bytes,
                limit: most,
            });
        }
        Ok(())
    }

    /// The bundle as mirrors and peers carry it.
    #[must_use]
    pub fn offer(&self) -> OfferedBundle {
        let envelopes = self.0.values().map(|held| held.accepted.envelope.clone());
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
        let held: Vec<Held> = decode(bytes, 4 * limits::BUNDLE_BYTES)?;
        let by_scope = held
            .into_iter()
            .map(|held| (held.accepted.order.scope.clone(), held));
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
        let orders = bundle.orders();
        let scopes = orders.iter().map(|order| &order.scope);
        let ascends = scopes.clone().zip(scopes.skip(1)).all(|(a, b)| a < b);
        match ascends {
            true => Ok(bundle),
            false => Err(DocumentError::Unsorted { what: "bundle" }),
        }
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
