//! `[retention]`: which releases stay, and when what they do not name is swept away.

use std::time::Duration;

use edge::settings::{DURATION_MOST, Section};

/// The newest releases that stay, unless said otherwise.
pub const RELEASES: u32 = 20;
/// The most that may be asked to stay.
pub const RELEASES_MOST: u32 = 100_000;
/// Releases younger than this stay too, unless said otherwise.
pub const YOUNGER: Duration = Duration::from_secs(3600);
/// How long an object stays that no release names, unless said otherwise.
pub const GRACE: Duration = Duration::from_secs(3600);
/// The shortest grace: a publish must be able to end in half of it.
pub const GRACE_LEAST: Duration = Duration::from_secs(60);
/// How often `publish` sweeps, unless said otherwise.
pub const EVERY: Duration = Duration::from_secs(3600);
/// The most often that `publish` may sweep.
pub const EVERY_LEAST: Duration = Duration::from_secs(1);

/// `[retention]`, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// `releases`: so many of the newest stay.
    pub releases: u32,
    /// `younger`: and those younger than this.
    pub younger: Duration,
    /// `grace`: an object that no release names stays this long after it was written, since a
    /// publish under way may be about to name it.
    pub grace: Duration,
    /// `sweep`: whether `publish` sweeps; else `origin-sync sweep` alone does.
    pub sweep: bool,
    /// `every`: how often `publish` sweeps at most.
    pub every: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            releases: RELEASES,
            younger: YOUNGER,
            grace: GRACE,
            sweep: true,
            every: EVERY,
        }
    }
}

impl Retention {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let mut retention = Self::default();
        if let Some(releases) = section.integer("releases") {
            match u32::try_from(releases.value) {
                Ok(number) if (1..=RELEASES_MOST).contains(&number) => retention.releases = number,
                _ => {
                    let message = format!("`releases` is {}", releases.value);
                    section
                        .problems()
                        .add(releases.span, message)
                        .label(format!("expected from 1 to {RELEASES_MOST}"));
                }
            }
        }
        if let Some(younger) = section.duration("younger", Duration::ZERO..=DURATION_MOST) {
            retention.younger = younger;
        }
        if let Some(grace) = section.duration("grace", GRACE_LEAST..=DURATION_MOST) {
            retention.grace = grace;
        }
        if let Some(every) = section.duration("every", EVERY_LEAST..=DURATION_MOST) {
            retention.every = every;
        }
        if let Some(sweep) = section.flag("sweep") {
            retention.sweep = sweep;
        }
        section.finish();
        retention
    }
}
