//! Why a release is not used, and for how long it is left alone.

use std::collections::BTreeMap;
use std::time::Duration;

use snapshot::{Digest, Sequence};

/// How long a release that failed its checks is left alone at first: long enough that a mirror
/// is not asked for the same bad bytes at every poll, short enough that a repaired one is seen.
pub const HOLD_FIRST: Duration = Duration::from_secs(10);
/// The longest a failed release is left alone, whatever it did.
pub const HOLD_MOST: Duration = Duration::from_secs(600);
/// Most failed releases, and most repaired objects, remembered.
pub const HELD: usize = 64;

/// Which check a release did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Its signatures, its sequence, its date.
    Trust,
    /// Its manifest: site, version, limits, references.
    Manifest,
    /// An object it names: absent, damaged, too large.
    Object,
    /// A component that the host does not take.
    Component,
    /// Counts that fell by more than the manifest accepts.
    Counts,
    /// A canary that did not answer.
    Canary,
    /// This edge's own disk.
    Disk,
}

impl Check {
    /// Its name in status and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trust => "trust",
            Self::Manifest => "manifest",
            Self::Object => "object",
            Self::Component => "component",
            Self::Counts => "counts",
            Self::Canary => "canary",
            Self::Disk => "disk",
        }
    }
}

/// Why a release is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The check.
    pub check: Check,
    /// The object it is about, where it is about one.
    pub object: Option<String>,
    /// The last source that was tried, where a source is to blame.
    pub source: Option<String>,
    /// What was found and what was expected.
    pub reason: String,
}

impl Refusal {
    /// A refusal that blames no single source.
    #[must_use]
    pub fn new(check: Check, object: Option<String>, reason: impl Into<String>) -> Self {
        Self {
            check,
            object,
            source: None,
            reason: reason.into(),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.check.as_str())?;
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        f.write_str(&self.reason)?;
        match &self.source {
            Some(source) => write!(f, " (from {source})"),
            None => Ok(()),
        }
    }
}

/// What is left alone for a while: releases by what they say, damaged objects by name.
#[derive(Debug)]
pub(super) struct Held<K>(BTreeMap<K, Hold>);

#[derive(Clone, Copy, Debug)]
struct Hold {
    until: Duration,
    delay: Duration,
}

impl<K> Default for Held<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> Held<K> {
    /// Leaves `what` alone, twice as long as the last time.
    pub(super) fn add(&mut self, what: K, now: Duration) {
        let delay = match self.0.get(&what) {
            Some(hold) => hold.delay.saturating_mul(2).min(HOLD_MOST),
            None => HOLD_FIRST,
        };
        self.hold(what, now, delay);
    }

    /// Leaves `what` alone for [`HOLD_FIRST`], however often.
    pub(super) fn add_briefly(&mut self, what: K, now: Duration) {
        self.hold(what, now, HOLD_FIRST);
    }

    fn hold(&mut self, what: K, now: Duration, delay: Duration) {
        let until = now.saturating_add(delay);
        self.0.insert(what, Hold { until, delay });
        while self.0.len() > HELD {
            // Of releases, the lowest sequence is the least likely to be offered again.
            self.0.pop_first();
        }
    }

    /// Whether `what` is to be left alone at `now`.
    pub(super) fn holds(&self, what: &K, now: Duration) -> bool {
        self.0.get(what).is_some_and(|hold| now < hold.until)
    }
}

impl Held<(Sequence, Digest)> {
    /// Forgets everything up to `sequence`: it has been passed.
    pub(super) fn forget_through(&mut self, sequence: Sequence) {
        self.0.retain(|(held, _), _| *held > sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_and_remembers_a_bounded_number() {
        let mut held = Held::default();
        let release = (Sequence(1), Digest::of(b"a"));
        held.add(release, Duration::ZERO);
        assert!(held.holds(&release, HOLD_FIRST - Duration::from_millis(1)));
        assert!(!held.holds(&release, HOLD_FIRST));
        held.add(release, HOLD_FIRST);
        assert!(held.holds(&release, HOLD_FIRST * 3 - Duration::from_millis(1)));
        held.add_briefly(release, HOLD_FIRST * 3);
        assert!(!held.holds(&release, HOLD_FIRST * 4));
        for _ in 0..20 {
            held.add(release, Duration::ZERO);
        }
        assert!(!held.holds(&release, HOLD_MOST));
        for n in 0..200 {
            held.add((Sequence(n), Digest::of(b"b")), Duration::ZERO);
        }
        assert_eq!(held.0.len(), HELD);
    }
}
