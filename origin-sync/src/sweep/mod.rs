//! Retention and sweep: old releases go from the mirrors, and with them what they alone named.
//!
//! A release stays while it is one of the newest, young, where a pointer points, or pinned by an
//! order. An object stays while a release that stays names it, or while it is younger than the
//! grace: a publish under way may be about to name it. *Age is told by the clock of the mirror*, for
//! objects and for the time they are compared with, so that this machine's clock may say anything.
//!
//! Publishers and sweepers may run at once, and lose nothing:
//!
//! - Before each batch of objects goes, the releases and orders of all mirrors are read again: what
//!   was committed or pinned meanwhile is marked. A batch that takes long is broken off.
//! - An object is asked for its age once more right before it goes.
//! - A publish that finds an object which the last release does not name, older than half the
//!   grace, puts it again: then it is young. After its commit it looks whether all it counted on is
//!   still there ([`crate::mirror::Upload`]).
//! - What was committed is on a majority of the mirrors, so without a majority nothing is swept.
//!
//! - Erasing waits for no grace: what is young is copied before it goes, the releases are read once
//!   more after it went, and what one names by then is put back. Whoever commits later than that
//!   looks for it after it was gone.
//!
//! Where something cannot be known nothing goes: a release that stays and cannot be read, a mirror that
//! cannot be listed or whose orders cannot be read. While one is out of reach every release stays,
//! for it alone may know of a pin. A release that nobody believes stays with what it names, and so
//! does every name that is not ours; both are told.
//!
//! Killed anywhere, releases are gone whose objects are left: the next sweep takes these.

mod due;
mod leftovers;
mod look;
mod objects;
mod own;
mod report;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use snapshot::{Digest, Generation, Marks, Sequence, Store};

use crate::config::Retention;
use crate::exit::Exit;
use crate::mirror::{FetchError, Mirrors, listing};
use crate::publish::{Clock, Progress};

pub use look::Look;
pub(crate) use report::count;
pub use report::{MirrorSwept, Swept};

/// What a sweep needs, opened.
#[derive(Clone, Copy)]
pub struct Sweep<'a> {
    /// Where from.
    pub mirrors: &'a Mirrors,
    /// Who is believed: the releases of others are not counted, and not touched.
    pub trust: &'a Generation,
    /// The publisher's own copy, which is swept as well.
    pub store: &'a Arc<Store>,
    /// What stays.
    pub retention: &'a Retention,
    /// What no release names goes at once, without the grace.
    pub erasing: bool,
    /// Only tell what would go.
    pub dry_run: bool,
    /// The time here.
    pub clock: Clock,
    /// Hears of each step.
    pub progress: &'a dyn Progress,
}

impl std::fmt::Debug for Sweep<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sweep")
            .field("mirrors", &self.mirrors)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}

/// Why nothing, or nothing more, was swept.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// What was committed may be on the others alone.
    #[error(
        "{reached} of {all} mirrors can be read and written, {majority} are needed to know every release:{}",
        lines(why)
    )]
    Unreachable {
        /// Mirrors that answered.
        reached: usize,
        /// Mirrors there are.
        all: usize,
        /// How many are needed.
        majority: usize,
        /// What each of the others said.
        why: Vec<String>,
    },
    /// Perhaps the wrong trust files.
    #[error("no mirror has a release that the trust files accept:{}", lines(.0))]
    NoRelease(Vec<String>),
    /// A release that stays.
    #[error("release {sequence} stays, and what it names cannot be told: {why}")]
    Unmarked {
        /// The release.
        sequence: Sequence,
        /// What is wrong with it.
        why: Box<FetchError>,
    },
    /// Something of this program itself.
    #[error("{0}")]
    Internal(String),
}

fn lines(why: &[String]) -> String {
    why.iter().map(|line| format!("\n  {line}")).collect()
}

impl SweepError {
    /// The process's exit code.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } => Exit::NotCommitted,
            Self::NoRelease(_) | Self::Unmarked { .. } => Exit::BadData,
            Self::Internal(_) => Exit::Local,
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => Some("bring the mirrors back; what is left is left whole"),
            Self::NoRelease(_) => Some("is it this site, this mirror, and this trust folder?"),
            Self::Unmarked { .. } => Some(
                "`origin-sync publish` puts back what the newest release lacks; an older one goes \
                 once it is neither among the newest, young nor pinned",
            ),
            Self::Internal(_) => None,
        }
    }
}

impl Sweep<'_> {
    /// Sweeps every mirror and the publisher's own copy.
    ///
    /// # Errors
    /// See [`SweepError`]. A mirror that fails by itself is in the report.
    pub async fn run(&self) -> Result<Swept, SweepError> {
        self.without(|_| false).await
    }

    /// The same, and the releases whose manifest `falls` go too, pinned or young, but for the newest.
    ///
    /// # Errors
    /// See [`Sweep::run`].
    pub async fn without(&self, falls: impl Fn(&Digest) -> bool) -> Result<Swept, SweepError> {
        self.progress.step("reading the releases and the pins");
        let looks = self.look().await;
        let mut known = Known::of(*self, looks)?;
        let kept = known.kept(&falls);
        self.progress.step("marking what they name");
        known.mark(&kept).await?;
        // That took its time, and somebody may have pinned a release meanwhile.
        known.refresh().await?;
        let kept = known.kept(&falls);
        let mut swept = known.report(&kept);
        self.progress.step("sweeping the mirrors");
        for (at, mirror) in self.mirrors.all().iter().enumerate() {
            if let Some(swept) = swept.mirrors.get_mut(at)
                && swept.error.is_none()
            {
                let releases = known.expired(at, &kept);
                self.remove_releases(mirror, releases, swept).await;
            }
        }
        for (at, mirror) in self.mirrors.all().iter().enumerate() {
            if let Some(swept) = swept.mirrors.get_mut(at)
                && swept.error.is_none()
            {
                known.sweep(at, mirror, swept).await?;
                known.sweep_leftovers(at, mirror, swept).await;
            }
        }
        self.progress.step("sweeping the own copy");
        swept.own = known.sweep_own().await?;
        Ok(swept)
    }

    async fn remove_releases(
        &self,
        mirror: &edge::sync::Mirror,
        releases: Vec<Sequence>,
        swept: &mut MirrorSwept,
    ) {
        for sequence in releases {
            let place = edge::sync::layout::Place::retained(&self.mirrors.site, sequence);
            if !self.dry_run
                && let Err(error) = listing::remove(mirror, &place).await
            {
                swept.error = Some(error.to_string());
                return;
            }
            swept.releases.push(sequence);
        }
    }

    async fn look(&self) -> Vec<Result<Look, String>> {
        let all = self.mirrors.all().iter();
        join_all(all.map(|mirror| async move {
            // What can only be read is swept where it is written.
            mirror.writable().map_err(|error| error.to_string())?;
            let looked = Look::at(mirror, self).await;
            looked.map_err(|error| error.to_string())
        }))
        .await
    }
}

/// What is known while a sweep goes on.
struct Known<'a> {
    sweep: Sweep<'a>,
    /// For each mirror in order.
    looks: Vec<Result<Look, String>>,
    marks: Marks,
    marked: std::collections::BTreeSet<Digest>,
    grace: Duration,
}
