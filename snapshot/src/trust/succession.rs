//! The next generation, as the persons of the one before it signed it.
//!
//! A key that is stolen while the building burns has to be thrown out by the operators who are left, on
//! edges that nobody can log in to. So a generation may travel as orders do. It cannot make itself
//! cheaper: whoever has a threshold of keys could otherwise sign everything with one of them from then
//! on, and one slip would do what the thresholds are there to stop. A threshold is lowered, and the last
//! operators are let go, only by somebody who changes the trust files on each edge.

use serde::{Deserialize, Serialize};

use crate::document::{self, DocumentError};
use crate::edge_time::judge;
use crate::trust::accept::about;
use crate::trust::{Alarm, Generation, Refusal, Signers, TrustFiles};
use crate::{Digest, Envelope, Namespace, SiteName, Timestamp, limits};

/// What an envelope in the namespace `trust@holdfast` carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    /// Format version: [`Succession::VERSION`].
    pub version: u16,
    /// The site whose trust it is.
    pub site: SiteName,
    /// The number of the generation that it makes.
    pub number: u64,
    /// The digest of the generation that it replaces ([`TrustFiles::digest`]).
    pub follows: Digest,
    /// The new `allowed_signers`.
    pub allowed_signers: String,
    /// The new `trust.toml`.
    pub trust_toml: String,
    /// The person who wrote it.
    pub who: String,
    /// Their reason.
    pub why: String,
    /// When it was signed, by the signer's clock.
    pub signed_at: Timestamp,
}

impl Succession {
    /// The one version this code reads and writes.
    pub const VERSION: u16 = 1;

    /// What an envelope says it carries, whoever signed it.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub fn of(envelope: &Envelope) -> Result<Self, DocumentError> {
        // 14.2 Bounded, of a known version, canonical.
        document::read(
            "succession",
            envelope.payload(),
            limits::STATEMENT_BYTES,
            Self::VERSION,
        )
    }

    /// The new files.
    #[must_use]
    pub fn files(&self) -> TrustFiles {
        TrustFiles {
            allowed_signers: self.allowed_signers.clone(),
            trust_toml: self.trust_toml.clone(),
        }
    }
}

/// A succession that was accepted, with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedSuccession {
    /// What it says.
    pub succession: Succession,
    /// The signed bytes, for peers and for people who check by hand.
    pub envelope: Envelope,
    /// BLAKE3 of the signed bytes.
    pub digest: Digest,
    /// Who stands behind it.
    pub signers: Signers,
    /// Edge time when it was accepted.
    pub accepted_at: Timestamp,
}

impl AcceptedSuccession {
    /// The statement's time, for [`crate::EdgeTime::order`].
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.succession.signed_at
    }
}

/// Judges a succession by the generation that it is to replace, whose number is `number`. Gives the
/// generation that it makes.
///
/// # Errors
/// See [`Refusal`].
pub fn accept_succession(
    generation: &Generation,
    number: u64,
    envelope: &Envelope,
    site: &SiteName,
    edge_time: Timestamp,
) -> Result<(AcceptedSuccession, Generation, Option<Alarm>), Refusal> {
    envelope.check()?;
    let succession = Succession::of(envelope)?;
    // 14.3 It follows this very generation: one that was signed for another is worth nothing here.
    if succession.follows != generation.digest() {
        return Err(Refusal::OtherPredecessor {
            got: succession.follows,
            expected: generation.digest(),
        });
    }
    // 14.4 Its number is greater: files may come back, and what was signed against them does not.
    if succession.number <= number {
        return Err(Refusal::OldGeneration {
            got: succession.number,
            floor: number,
        });
    }
    if succession.number - number > limits::FAST_FORWARD {
        return Err(Refusal::FastForward {
            got: succession.number,
            floor: number,
        });
    }
    // 14.5 Enough persons of this generation signed it.
    let signers = generation.verify(envelope, Namespace::Trust, site, None, edge_time)?;
    // 14.6 It is about this site, and not from the future.
    about(&succession.site, site)?;
    let alarm = judge(succession.signed_at, edge_time)?;
    let next = followed_by(generation, &succession.files(), site)?;
    let accepted = AcceptedSuccession {
        digest: envelope.payload_digest(),
        succession,
        envelope: envelope.clone(),
        signers,
        accepted_at: edge_time,
    };
    Ok((accepted, next, alarm))
}

/// Whether these files may take the place of `generation` at `site`, if enough persons sign that they
/// should; what comes of it.
///
/// # Errors
/// [`Refusal::Unsound`], [`Refusal::TooFewLeft`] or [`Refusal::LoweredThreshold`].
pub fn followed_by(
    generation: &Generation,
    files: &TrustFiles,
    site: &SiteName,
) -> Result<Generation, Refusal> {
    // 14.7 The files are a generation.
    let next = Generation::parse(&files.allowed_signers, &files.trust_toml);
    let next = next.map_err(Refusal::Unsound)?;
    // 14.8 Everything can go on being signed.
    next.require_all(site).map_err(Refusal::TooFewLeft)?;
    // 14.9 Nothing takes fewer persons than before.
    let before = generation.thresholds().named().into_iter();
    for ((what, from), (_, to)) in before.zip(next.thresholds().named()) {
        if to < from {
            return Err(Refusal::LoweredThreshold { what, from, to });
        }
    }
    Ok(next)
}
