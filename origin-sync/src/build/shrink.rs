//! The shrink guard: a source that lost its rows must not empty every edge.

use std::fmt;

use snapshot::{CollectionName, Manifest};

/// Losing more than this many per cent of a collection's records has to be meant.
pub const SHRINK_PERCENT: u64 = 30;

/// A collection that lost too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The collection.
    pub collection: CollectionName,
    /// Records before.
    pub before: u64,
    /// Records now.
    pub now: u64,
}

impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "collection {} fell from {} records to {}: more than {SHRINK_PERCENT} per cent fewer",
            self.collection, self.before, self.now
        )
    }
}

/// Every collection of `before` that lost more than [`SHRINK_PERCENT`] of its records.
#[must_use]
pub fn shrunk(manifest: &Manifest, before: Option<&Manifest>) -> Vec<Shrunk> {
    before
        .into_iter()
        .flat_map(|before| &before.collections)
        .filter_map(|old| {
            let now = manifest.collection(&old.name).map_or(0, |new| new.records);
            let kept = u128::from(now) * 100;
            let least = u128::from(old.records) * u128::from(100 - SHRINK_PERCENT);
            (kept < least).then(|| Shrunk {
                collection: old.name.clone(),
                before: old.records,
                now,
            })
        })
        .collect()
}
