//! Why a mirror did not do what was asked.

use std::time::Duration;

use crate::sync::layout::Place;

/// Why a mirror did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The URL cannot name a mirror.
    #[error("{url:?} is not a mirror: {why}")]
    BadUrl {
        /// What was given.
        url: String,
        /// What was expected.
        why: &'static str,
    },
    /// The URL is right, and something that it needs is not there.
    #[error("mirror {mirror} cannot be used: {why}")]
    Unusable {
        /// The mirror.
        mirror: String,
        /// What is lacking.
        why: String,
    },
    /// The folder itself is absent.
    #[error("mirror {0} is not there")]
    Gone(String),
    /// A write to what can only be read.
    #[error("mirror {mirror} can only be read: {why}")]
    ReadOnly {
        /// The mirror.
        mirror: String,
        /// What to do.
        why: &'static str,
    },
    /// It did not answer in time.
    #[error("{place} on mirror {mirror}: no answer within {limit:?}")]
    Slow {
        /// The mirror.
        mirror: String,
        /// What was asked.
        place: Place,
        /// How long it was waited for.
        limit: Duration,
    },
    /// More bytes than such a document may have.
    #[error("{place} on mirror {mirror}: more than {limit} bytes")]
    TooLarge {
        /// The mirror.
        mirror: String,
        /// What was asked.
        place: Place,
        /// Bytes allowed.
        limit: u64,
    },
    /// More bytes than were asked for.
    #[error("{place} on mirror {mirror}: more than the {asked} bytes asked for")]
    Unasked {
        /// The mirror.
        mirror: String,
        /// Where.
        place: Place,
        /// How many were.
        asked: u64,
    },
    /// Create-only found the place taken.
    #[error("{place} on mirror {mirror} exists already")]
    Exists {
        /// The mirror.
        mirror: String,
        /// What was to be created.
        place: Place,
    },
    /// Anything else, in the store's words.
    #[error("{place} on mirror {mirror}: {source}")]
    Store {
        /// The mirror.
        mirror: String,
        /// What was asked.
        place: Place,
        /// The store's error.
        source: Box<object_store::Error>,
    },
}

impl MirrorError {
    /// Of a part of an object: its limit is what was asked for.
    pub(super) fn of_a_part(self) -> Self {
        match self {
            Self::TooLarge {
                mirror,
                place,
                limit,
            } => Self::Unasked {
                mirror,
                place,
                asked: limit,
            },
            other => other,
        }
    }
}
