//! What was accepted, but should wake somebody.

use crate::{Digest, Epoch, Scope, Sequence, Timestamp};

/// An accepted statement that should not have come to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Alarm {
    /// A statement dated ahead; edge time moves with it.
    #[error("ahead-of-time: dated {}: edge time moves there", .statement.rfc3339())]
    AheadOfTime {
        /// The statement's time.
        statement: Timestamp,
        /// Edge time before it.
        edge_time: Timestamp,
    },
    /// Two manifests under one sequence: two publishers, or a stolen key.
    #[error(
        "same-sequence-other-manifest: sequence {sequence} is {kept} and {dropped}; {kept} is greater and stands"
    )]
    SameSequenceOtherManifest {
        /// The sequence.
        sequence: Sequence,
        /// The greater manifest, which stands.
        kept: Digest,
        /// The other one.
        dropped: Digest,
    },
    /// Two orders of one scope under one epoch: two operators at once, or a stolen key.
    #[error(
        "equal-epochs: epoch {epoch} of {scope} is {kept} and {dropped}; {kept} is greater and stands"
    )]
    EqualEpochs {
        /// The scope.
        scope: Scope,
        /// The epoch.
        epoch: Epoch,
        /// BLAKE3 of the signed bytes that stand.
        kept: Digest,
        /// BLAKE3 of the other signed bytes.
        dropped: Digest,
    },
    /// Two successors of one generation: two operators at once, or a stolen key.
    #[error(
        "two-successors: one generation is followed by {kept} and {dropped}; {kept} leads to the greater generation, {number}, and stands"
    )]
    TwoSuccessors {
        /// The number that is in force now.
        number: u64,
        /// BLAKE3 of the signed bytes that stand.
        kept: Digest,
        /// BLAKE3 of the other signed bytes.
        dropped: Digest,
    },
}

impl Alarm {
    /// A short, stable name for metrics and status.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AheadOfTime { .. } => "ahead-of-time",
            Self::SameSequenceOtherManifest { .. } => "same-sequence-other-manifest",
            Self::EqualEpochs { .. } => "equal-epochs",
            Self::TwoSuccessors { .. } => "two-successors",
        }
    }
}
