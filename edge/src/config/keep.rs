//! What stays on an edge's disk beside the release in use.

use std::time::Duration;

use crate::settings::{DURATION_MOST, Section};

/// Releases kept, the one in use included, unless said otherwise; at least this many always are.
pub const KEEP: usize = 2;
/// The most that may be kept.
pub const KEEP_MOST: usize = 1000;
/// How long an object stays that no kept release names, unless said otherwise.
pub const KEEP_GRACE: Duration = Duration::from_secs(600);

/// `keep` and `grace` of a `[[site]]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// `keep`: releases whose objects stay, the one in use included.
    pub releases: usize,
    /// `grace`: how long other objects stay, and a release after it left use.
    pub grace: Duration,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            releases: KEEP,
            grace: KEEP_GRACE,
        }
    }
}

impl Keep {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let mut keep = Self::default();
        if let Some(releases) = section.integer("keep") {
            match usize::try_from(releases.value) {
                Ok(number) if (KEEP..=KEEP_MOST).contains(&number) => keep.releases = number,
                _ => {
                    let message = format!("`keep` is {}", releases.value);
                    section
                        .problems()
                        .add(releases.span, message)
                        .label(format!("expected from {KEEP} to {KEEP_MOST} releases"));
                }
            }
        }
        if let Some(grace) = section.duration("grace", Duration::ZERO..=DURATION_MOST) {
            keep.grace = grace;
        }
        keep
    }
}
