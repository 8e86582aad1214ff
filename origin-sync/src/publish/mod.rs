//! A publish, from sources to a committed release.
//!
//! ```text
//! survey mirrors -> read sources -> build -> same content? -> heartbeat
//!                                         -> guard -> upload, read back -> sign
//!                                         -> create releases/N on a majority: COMMITTED
//!                                         -> point `release` at it
//! ```
//!
//! Killed before the commit, the last release stands and what was written is verified instead of
//! written again by the next run. Killed after it, the next run finds the release, brings it to
//! the mirrors that lack it, and points at it. A sequence number that was signed is written down
//! first and never signed again.

mod again;
mod amend;
mod base;
mod coverage;
mod dumps;
mod erase;
mod error;
mod guard;
mod key;
mod known;
mod places;
mod program;
mod progress;
mod report;
mod run;
mod serving;
mod steps;
mod trial;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use snapshot::{CollectionName, Generation, Signer, Store, Timestamp};

use crate::build::Wish;
use crate::config::Site;
use crate::mirror::Mirrors;
use crate::source::SourceLimits;

pub use amend::Amend;
pub use coverage::{Coverage, RouteCoverage};
pub use erase::{Done, Erase, Erasure};
pub use error::PublishError;
pub use guard::GuardError;
pub use key::{RELEASE_KEY_VARIABLE, load as load_key, read as read_trust, trust};
pub use progress::{Bar, Plain, Progress, Silent};
pub use report::{MirrorReport, Report};

/// Everything a publish needs, opened.
pub struct Publisher {
    /// What is declared.
    pub site: Site,
    /// Where it goes.
    pub mirrors: Mirrors,
    /// Who signs.
    pub signer: Arc<dyn Signer>,
    /// Who is believed: releases found on mirrors count only if it accepts them.
    pub trust: Generation,
    /// The publisher's own copy.
    pub store: Arc<Store>,
    /// Bounds on the sources.
    pub limits: SourceLimits,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher")
            .field("site", &self.site.site)
            .field("mirrors", &self.mirrors)
            .finish_non_exhaustive()
    }
}

/// What may be asked of one publish.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Lists of what changed, by collection. With one, no source is read; collections without one
    /// are as they were.
    pub changes: BTreeMap<CollectionName, PathBuf>,
    /// What is to become of records that were amended by hand, where the sources say otherwise and
    /// that is not decided yet.
    pub amended: Option<Wish>,
    /// Fewer records than before are meant.
    pub accept_shrink: bool,
    /// Every URL is asked, whatever is known of it.
    pub ask_all: bool,
    /// What was erased is taken again, if the sources have it, and remembered no longer.
    pub take_erased: bool,
}

impl Wishes {
    /// Whether the same can be published again on top of another release: it says what changed,
    /// not all there is, and is no pipe that was read to its end.
    fn can_be_read_again(&self) -> bool {
        !self.changes.is_empty() && self.changes.values().all(|list| list.is_file())
    }
}

/// Where the time comes from.
pub type Clock = fn() -> Timestamp;

/// The wall clock.
#[must_use]
pub fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
pub(crate) mod tests;
