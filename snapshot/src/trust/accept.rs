//! From an envelope out of nowhere to a statement that is acted on.
//!
//! Acceptance is judged once. What comes out is kept on disk whole, with its signers, and is
//! believed from there after a restart, whatever has become of the keys and their dates since.

use serde::{Deserialize, Serialize};

use crate::document::{self, DocumentError};
use crate::edge_time::judge;
use crate::floor::Mark;
use crate::order::Pin;
use crate::release::Head;
use crate::trust::{Alarm, Generation, Refusal, Signers};
use crate::{
    CodecError, Digest, EdgeVersion, Envelope, Floor, Namespace, Order, Release, Scope, Sequence,
    SiteName, Timestamp, decode, encode, limits,
};

/// A release that was accepted, with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedRelease {
    /// What it says.
    pub release: Release,
    /// The signed bytes, for peers and for people who check by hand.
    pub envelope: Envelope,
    /// Who stands behind it.
    pub signers: Signers,
    /// What it is to what was accepted before.
    pub novelty: Novelty,
    /// Edge time when it was accepted.
    pub accepted_at: Timestamp,
}

/// What an accepted release is to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Novelty {
    /// Another manifest: objects are to be fetched.
    New,
    /// The same sequence and manifest with a later as-of.
    Heartbeat,
    /// The very one that was accepted before.
    Same,
    /// A pinned one; it does not move the floor.
    Pinned,
}

impl AcceptedRelease {
    /// The statement's time, for [`crate::EdgeTime::release`].
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.release.signed_at.max(self.release.as_of)
    }

    /// What it makes of a floor, for [`Floor::raise`].
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            sequence: self.release.sequence,
            manifest: self.release.manifest,
            as_of: self.release.as_of,
            keys: self.signers.keys(),
        }
    }

    /// For the journal on an edge's own disk.
    ///
    /// # Errors
    /// Never in practice: everything in it was bounded when it was read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        encode(self)
    }

    /// From the journal on an edge's own disk: believed, not judged again.
    ///
    /// # Errors
    /// A damaged file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        decode(bytes, limits::ENVELOPE_BYTES + limits::STATEMENT_BYTES)
    }
}

/// An order that was accepted, with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedOrder {
    /// What it says.
    pub order: Order,
    /// The signed bytes, for peers and for people who check by hand.
    pub envelope: Envelope,
    /// BLAKE3 of the signed bytes.
    pub digest: Digest,
    /// Who stands behind it.
    pub signers: Signers,
    /// Edge time when it was accepted.
    pub accepted_at: Timestamp,
}

impl AcceptedOrder {
    /// The statement's time, for [`crate::EdgeTime::order`].
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.order.signed_at
    }
}

/// Judges a release that was found at `site` on some mirror.
///
/// An alarm comes beside it when it was accepted but should not have come to be. The caller then
/// raises the floor and advances edge time, both kept on disk before the release is served.
///
/// # Errors
/// See [`Refusal`].
pub fn accept_release(
    generation: &Generation,
    envelope: &Envelope,
    site: &SiteName,
    floor: &Floor,
    edge_time: Timestamp,
) -> Result<(AcceptedRelease, Vec<Alarm>), Refusal> {
    let signed = signed_release(generation, envelope, site, edge_time);
    let mark = floor.highest(generation, site);
    if let Err(Refusal::NeedsLaterEdge { sequence, .. }) = &signed {
        // What is not newer leaves nobody behind.
        in_reach(*sequence, mark)?;
    }
    let (mut accepted, mut alarms) = signed?;
    let release = &accepted.release;
    in_reach(release.sequence, mark)?;
    let Some(mark) = mark else {
        return Ok((accepted, alarms));
    };
    if release.sequence > mark.sequence {
        return Ok((accepted, alarms));
    }
    // 11.16 One sequence has one manifest; where it has two, the greater.
    if release.manifest < mark.manifest {
        return Err(Refusal::SameSequenceOtherManifest {
            sequence: release.sequence,
            kept: mark.manifest,
            got: release.manifest,
        });
    }
    if release.manifest > mark.manifest {
        alarms.push(Alarm::SameSequenceOtherManifest {
            sequence: release.sequence,
            kept: release.manifest,
            dropped: mark.manifest,
        });
        return Ok((accepted, alarms));
    }
    // 11.17 A heartbeat is newer, or nothing.
    if release.as_of < mark.as_of {
        return Err(Refusal::OldHeartbeat {
            sequence: release.sequence,
            got: release.as_of,
            floor: mark.as_of,
        });
    }
    accepted.novelty = if release.as_of > mark.as_of {
        Novelty::Heartbeat
    } else {
        Novelty::Same
    };
    Ok((accepted, alarms))
}

/// Judges a release that an order in force pins: its place in history does not matter, its
/// signers do.
///
/// # Errors
/// See [`Refusal`].
pub fn accept_pinned(
    generation: &Generation,
    envelope: &Envelope,
    site: &SiteName,
    pin: &Pin,
    edge_time: Timestamp,
) -> Result<(AcceptedRelease, Vec<Alarm>), Refusal> {
    let (mut accepted, alarms) = signed_release(generation, envelope, site, edge_time)?;
    let release = &accepted.release;
    // 11.18 It is the pin's, wherever the floor is.
    if (release.sequence, release.manifest) != (pin.sequence, pin.manifest) {
        return Err(Refusal::NotThePin {
            got: release.sequence,
            got_manifest: release.manifest,
            pin: pin.sequence,
            pin_manifest: pin.manifest,
        });
    }
    accepted.novelty = Novelty::Pinned;
    Ok((accepted, alarms))
}

/// Judges an order that was found at `site`. What it is to the orders in force is for
/// [`crate::Bundle::merge`] to say.
///
/// # Errors
/// See [`Refusal`].
pub fn accept_order(
    generation: &Generation,
    envelope: &Envelope,
    site: &SiteName,
    edge_time: Timestamp,
) -> Result<(AcceptedOrder, Vec<Alarm>), Refusal> {
    envelope.check()?;
    // 11.11 Bounded, of a known version, canonical. The scope says how many must have signed.
    let order = order_in(envelope)?;
    let scope = Some(&order.scope);
    let signers = generation.verify(envelope, Namespace::Order, site, scope, edge_time)?;
    about(&order.site, site)?;
    // 11.14 Only the site's order pins.
    if order.pin.is_some() && order.scope != Scope::Site {
        return Err(Refusal::MisplacedPin { scope: order.scope });
    }
    let alarms = judge(order.signed_at, edge_time)?.into_iter().collect();
    let accepted = AcceptedOrder {
        digest: envelope.payload_digest(),
        order,
        envelope: envelope.clone(),
        signers,
        accepted_at: edge_time,
    };
    Ok((accepted, alarms))
}

/// The order that an envelope says it carries, whoever signed it.
pub(crate) fn order_in(envelope: &Envelope) -> Result<Order, DocumentError> {
    document::read(
        "order",
        envelope.payload(),
        limits::STATEMENT_BYTES,
        Order::VERSION,
    )
}

/// 11.15 Never below the floor, nor far above it.
fn in_reach(got: Sequence, floor: Option<&Mark>) -> Result<(), Refusal> {
    let lowest = floor.map(|mark| mark.sequence).unwrap_or_default();
    if got.0.saturating_sub(lowest.0) > limits::FAST_FORWARD {
        let (got, floor) = (got.0, lowest.0);
        return Err(Refusal::FastForward { got, floor });
    }
    if got < lowest {
        let floor = lowest;
        return Err(Refusal::Rollback { got, floor });
    }
    Ok(())
}

fn signed_release(
    generation: &Generation,
    envelope: &Envelope,
    site: &SiteName,
    edge_time: Timestamp,
) -> Result<(AcceptedRelease, Vec<Alarm>), Refusal> {
    envelope.check()?;
    let signers = generation.verify(envelope, Namespace::Release, site, None, edge_time)?;
    // 11.19 For this edge; nothing after the head is looked at before that is known.
    if let Some(head) = Head::of(envelope.payload())
        && head.least_edge > EdgeVersion::THIS
    {
        about(&head.site, site)?;
        return Err(Refusal::NeedsLaterEdge {
            sequence: head.sequence,
            needs: head.least_edge,
            this: EdgeVersion::THIS,
        });
    }
    // 11.11 Bounded, of a known version, canonical.
    let release: Release = document::read(
        "release",
        envelope.payload(),
        limits::STATEMENT_BYTES,
        Release::VERSION,
    )?;
    // 11.12 About this site.
    about(&release.site, site)?;
    let accepted = AcceptedRelease {
        release,
        envelope: envelope.clone(),
        signers,
        novelty: Novelty::New,
        accepted_at: edge_time,
    };
    // 11.13 Not from the future.
    let alarms = judge(accepted.time(), edge_time)?.into_iter().collect();
    Ok((accepted, alarms))
}

/// 11.12 About the site that it was found at.
pub(crate) fn about(got: &SiteName, expected: &SiteName) -> Result<(), Refusal> {
    if got == expected {
        return Ok(());
    }
    Err(Refusal::OtherSite {
        got: got.clone(),
        expected: expected.clone(),
    })
}
