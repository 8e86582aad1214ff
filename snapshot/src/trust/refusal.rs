//! Why a statement is not accepted, each attack by its name.
//!
//! The words of a refusal do not change while its cause stays: it is judged again at every poll, and
//! who keeps refusals counts the same one instead of filling up with it. So edge time is not in them.

use crate::document::DocumentError;
use crate::sshsig::SignatureError;
use crate::trust::problem::TrustProblem;
use crate::trust::verify::{SignatureRefusal, TrustError};
use crate::{Digest, EdgeVersion, Epoch, Scope, Sequence, SiteName, Timestamp, limits};

/// Why a release, an order or a succession is not accepted. Nothing changes then.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not readable as what it should be.
    #[error("malformed: {0}")]
    Document(#[from] DocumentError),
    /// Nobody we believe stands behind it.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Rightly signed, but about another site.
    #[error("other-site: speaks of {got}, expected {expected}")]
    OtherSite {
        /// The site it speaks of.
        got: SiteName,
        /// The site it was found at.
        expected: SiteName,
    },
    /// Rightly signed, in formats of later versions of this program.
    #[error(
        "needs-later-edge: release {sequence} needs version {needs} or later, and this is {this}"
    )]
    NeedsLaterEdge {
        /// Its sequence.
        sequence: Sequence,
        /// The least version that reads it.
        needs: EdgeVersion,
        /// This one.
        this: EdgeVersion,
    },
    /// Dated too far ahead to be a clock's fault.
    #[error(
        "ahead-of-time: dated {}: at most {} days ahead of edge time are allowed",
        .statement.rfc3339(), limits::AHEAD_MS / 86_400_000
    )]
    AheadOfTime {
        /// The statement's time.
        statement: Timestamp,
        /// Edge time.
        edge_time: Timestamp,
    },
    /// Older than what was accepted.
    #[error("rollback: sequence {got} after {floor} was accepted")]
    Rollback {
        /// Its sequence.
        got: Sequence,
        /// The highest accepted.
        floor: Sequence,
    },
    /// The accepted release, with an older date.
    #[error(
        "old-heartbeat: sequence {sequence} as of {} after {} was accepted",
        .got.rfc3339(), .floor.rfc3339()
    )]
    OldHeartbeat {
        /// The sequence.
        sequence: Sequence,
        /// Its as-of.
        got: Timestamp,
        /// The newest accepted.
        floor: Timestamp,
    },
    /// So far above the floor that it would leave no room beneath it.
    #[error("fast-forward: {got} after {floor}: at most {limit} further are allowed", limit = limits::FAST_FORWARD)]
    FastForward {
        /// Its sequence or epoch.
        got: u64,
        /// The highest accepted.
        floor: u64,
    },
    /// Two manifests under one sequence; the greater one stands already.
    #[error(
        "same-sequence-other-manifest: sequence {sequence} is {kept}; {got} is smaller and refused"
    )]
    SameSequenceOtherManifest {
        /// The sequence.
        sequence: Sequence,
        /// The manifest that stands.
        kept: Digest,
        /// This one.
        got: Digest,
    },
    /// Not the release that a pin names.
    #[error(
        "not-the-pin: sequence {got} with manifest {got_manifest}, expected {pin} with {pin_manifest}"
    )]
    NotThePin {
        /// Its sequence.
        got: Sequence,
        /// Its manifest.
        got_manifest: Digest,
        /// The pin's sequence.
        pin: Sequence,
        /// The pin's manifest.
        pin_manifest: Digest,
    },
    /// A pin in an order about a service.
    #[error("misplaced-pin: an order about {scope} cannot pin a release, only one about site can")]
    MisplacedPin {
        /// The order's scope.
        scope: Scope,
    },
    /// A newer order of the scope is in force.
    #[error("old-order: epoch {got} of {scope} after {floor} was accepted")]
    OldOrder {
        /// The scope.
        scope: Scope,
        /// Its epoch.
        got: Epoch,
        /// The one in force.
        floor: Epoch,
    },
    /// A later generation is in force: a replay, or a mirror that lags.
    #[error("old-generation: number {got} after {floor} was accepted")]
    OldGeneration {
        /// Its number.
        got: u64,
        /// The number in force.
        floor: u64,
    },
    /// Made for another generation than the one that it would replace.
    #[error(
        "other-predecessor: follows generation {got}, and {expected} is in force: propose it anew from that one"
    )]
    OtherPredecessor {
        /// The generation that it follows.
        got: Digest,
        /// The one that it would replace.
        expected: Digest,
    },
    /// Files that are no generation.
    #[error("unsound-generation: {}", listed(.0))]
    Unsound(Vec<TrustProblem>),
    /// A generation in which a threshold could never be reached again.
    #[error("too-few-left: {0}")]
    TooFewLeft(TrustProblem),
    /// A generation that would make something cheaper to sign.
    #[error(
        "lowered-threshold: {what} would take {to} persons instead of {from}: only the trust files on each edge can lower it"
    )]
    LoweredThreshold {
        /// Which one.
        what: &'static str,
        /// What it takes now.
        from: usize,
        /// What it would take.
        to: usize,
    },
    /// Two successors of one generation; the greater one stands already.
    #[error(
        "two-successors: {kept} stands; {got}, which leads to generation {number}, follows the same generation and is smaller"
    )]
    TwoSuccessors {
        /// The number that it leads to.
        number: u64,
        /// BLAKE3 of the signed bytes that stand.
        kept: Digest,
        /// BLAKE3 of these.
        got: Digest,
    },
    /// A second successor of a generation, by keys that the first one threw out.
    #[error(
        "thrown-out: {got}, which leads to generation {number}, follows the same generation as {kept}, which stands, and is signed by keys that are believed no more"
    )]
    ThrownOut {
        /// The number that it leads to.
        number: u64,
        /// BLAKE3 of the signed bytes that stand.
        kept: Digest,
        /// BLAKE3 of these.
        got: Digest,
    },
}

fn listed(problems: &[TrustProblem]) -> String {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    problems.join("; ")
}

impl Refusal {
    /// Whether the very same statement may be accepted later: it is dated ahead, or by a key whose time has
    /// not come.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        let is_early =
            |refusal: &SignatureRefusal| matches!(refusal, SignatureRefusal::EarlyKey { .. });
        match self {
            Self::AheadOfTime { .. } => true,
            Self::Trust(TrustError::Signature(refusal)) => is_early(refusal),
            Self::Trust(TrustError::TooFew { refused, .. }) => refused.iter().any(is_early),
            _ => false,
        }
    }

    /// A short, stable name for metrics, status and the drill.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Document(DocumentError::Version { .. }) => "wrong-version",
            Self::Document(DocumentError::Codec {
                source: crate::CodecError::TooLarge { .. },
                ..
            }) => "oversized",
            Self::Document(_) => "malformed",
            Self::Trust(TrustError::Unsigned) => "unsigned",
            Self::Trust(TrustError::DuplicateSignature(_)) => "duplicate-signature",
            Self::Trust(TrustError::TooFew { .. }) => "too-few-signers",
            Self::Trust(TrustError::Signature(refusal)) => signature_name(refusal),
            Self::OtherSite { .. } => "other-site",
            Self::NeedsLaterEdge { .. } => "needs-later-edge",
            Self::AheadOfTime { .. } => "ahead-of-time",
            Self::Rollback { .. } => "rollback",
            Self::OldHeartbeat { .. } => "old-heartbeat",
            Self::FastForward { .. } => "fast-forward",
            Self::SameSequenceOtherManifest { .. } => "same-sequence-other-manifest",
            Self::NotThePin { .. } => "not-the-pin",
            Self::MisplacedPin { .. } => "misplaced-pin",
            Self::OldOrder { .. } => "old-order",
            Self::OldGeneration { .. } => "old-generation",
            Self::OtherPredecessor { .. } => "other-predecessor",
            Self::Unsound(_) => "unsound-generation",
            Self::TooFewLeft(_) => "too-few-left",
            Self::LoweredThreshold { .. } => "lowered-threshold",
            Self::TwoSuccessors { .. } => "two-successors",
            Self::ThrownOut { .. } => "thrown-out",
        }
    }
}

const fn signature_name(refusal: &SignatureRefusal) -> &'static str {
    match refusal {
        SignatureRefusal::WrongKey(_) => "wrong-key",
        SignatureRefusal::NoRole(_) => "no-role",
        SignatureRefusal::ExpiredKey { .. } => "expired-key",
        SignatureRefusal::EarlyKey { .. } => "early-key",
        SignatureRefusal::RoleSwapped { .. } => "role-swapped",
        SignatureRefusal::WrongSite { .. } => "wrong-site",
        SignatureRefusal::NotForNamespace { .. }
        | SignatureRefusal::Signature(SignatureError::Namespace { .. }) => "wrong-namespace",
        SignatureRefusal::Signature(SignatureError::OtherBytes(_)) => "other-bytes",
        SignatureRefusal::Signature(SignatureError::NoUserPresence(_)) => "no-user-presence",
        SignatureRefusal::Signature(
            SignatureError::Algorithm(_) | SignatureError::AlgorithmMixed { .. },
        ) => "wrong-algorithm",
        SignatureRefusal::Signature(
            SignatureError::TooLarge { .. }
            | SignatureError::Unreadable(_)
            | SignatureError::NotCanonical,
        ) => "malformed-signature",
    }
}
