//! How a source does, and for how long it is passed over when there are others.
//!
//! A source that fails is set aside for a while that doubles each time, give or take a fifth, so
//! that edges which lost it together do not come back together; one that lies for longer. Aside means
//! last, not never: when nobody else is left it is asked all the same, because a release must not be
//! lost to a back-off. Polls keep their beat, so that orders come as soon as a source is back.

use std::time::Duration;

use crate::sync::work::Fault;

/// How long a source that failed is set aside at first.
pub const ASIDE_FIRST: Duration = Duration::from_secs(1);
/// The longest a source that failed is set aside.
pub const ASIDE_MOST: Duration = Duration::from_secs(60);
/// How long a source that lied is set aside at first.
pub const LIAR_FIRST: Duration = Duration::from_secs(60);
/// The longest a source that lied is set aside.
pub const LIAR_MOST: Duration = Duration::from_secs(600);

/// How a source does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Nothing is held against it.
    #[default]
    Sound,
    /// It was out of reach or broke off.
    Dead(Aside),
    /// It gave less than the floor.
    Slow(Aside),
    /// It gave fewer bytes than an object has.
    Short(Aside),
    /// It gave what does not verify.
    Lying(Aside),
}

/// Why and for how long a source is set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// What it did last.
    pub reason: String,
    /// How often in a row.
    pub times: u32,
    /// When it is as good as the others again, since the start.
    pub until: Duration,
}

impl Health {
    /// Its name in status.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Dead(_) => "dead",
            Self::Slow(_) => "slow",
            Self::Short(_) => "short",
            Self::Lying(_) => "lying",
        }
    }

    /// What is held against it.
    #[must_use]
    pub const fn aside(&self) -> Option<&Aside> {
        match self {
            Self::Sound => None,
            Self::Dead(aside) | Self::Slow(aside) | Self::Short(aside) | Self::Lying(aside) => {
                Some(aside)
            }
        }
    }

    /// Whether others go first at `now`.
    pub(super) fn is_aside(&self, now: Duration) -> bool {
        self.aside().is_some_and(|aside| now < aside.until)
    }

    /// It gave an object.
    pub(super) fn gave(&mut self, now: Duration) {
        // Of several objects under way one may still be good: that makes no liar honest.
        if !self.is_aside(now) {
            *self = Self::Sound;
        }
    }

    /// It answers again.
    pub(super) fn answered(&mut self) {
        if let Self::Dead(_) = self {
            *self = Self::Sound;
        }
    }

    /// It failed. `jitter` is a permille around a thousand.
    pub(super) fn failed(&mut self, fault: Fault, reason: &str, now: Duration, jitter: u32) {
        let (first, most) = match fault {
            Fault::Disk | Fault::Stopped | Fault::Absent => return,
            Fault::Lying => (LIAR_FIRST, LIAR_MOST),
            Fault::Dead | Fault::Slow | Fault::Short => (ASIDE_FIRST, ASIDE_MOST),
        };
        // What lied is not forgiven for being dead besides, and eight objects that broke with one
        // connection are one failure.
        if self.is_aside(now) && fault != Fault::Lying {
            return;
        }
        let again = self.aside().map_or(0, |aside| aside.times);
        let times = match (&*self, fault) {
            (Self::Lying(_), Fault::Lying) => again.saturating_add(1),
            (_, Fault::Lying) | (Self::Lying(_), _) => 1,
            _ => again.saturating_add(1),
        };
        let delay = first.saturating_mul(1 << times.saturating_sub(1).min(16));
        let delay = delay.min(most).saturating_mul(jitter) / 1000;
        let aside = Aside {
            reason: reason.to_owned(),
            times,
            until: now.saturating_add(delay),
        };
        *self = match fault {
            Fault::Slow => Self::Slow(aside),
            Fault::Short => Self::Short(aside),
            Fault::Lying => Self::Lying(aside),
            Fault::Dead | Fault::Disk | Fault::Stopped | Fault::Absent => Self::Dead(aside),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(health: &Health, now: Duration) -> Duration {
        health.aside().unwrap().until - now
    }

    #[test]
    fn a_source_is_set_aside_for_longer_each_time_within_bounds() {
        let (mut health, mut now) = (Health::default(), Duration::ZERO);
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            health.failed(Fault::Dead, "reset", now, 1000);
            // The other objects of the same connection count for nothing.
            health.failed(Fault::Dead, "reset", now, 1000);
            assert_eq!(left(&health, now), Duration::from_secs(expected));
            now = health.aside().unwrap().until;
            assert!(!health.is_aside(now));
        }
        health.answered();
        assert_eq!(health, Health::Sound);
        health.failed(Fault::Slow, "slow", now, 1200);
        assert_eq!(left(&health, now), ASIDE_FIRST * 6 / 5);
    }

    #[test]
    fn a_liar_is_set_aside_for_longer_and_not_forgiven_for_a_good_object() {
        let (mut health, now) = (Health::default(), Duration::ZERO);
        health.failed(Fault::Dead, "reset", now, 1000);
        health.failed(Fault::Lying, "hash", now, 1000);
        assert_eq!(left(&health, now), LIAR_FIRST);
        health.gave(now);
        health.answered();
        health.failed(Fault::Dead, "reset", now, 1000);
        assert_eq!(health.as_str(), "lying");
        for _ in 0..20 {
            health.failed(Fault::Lying, "hash", now, 1000);
        }
        assert_eq!(left(&health, now), LIAR_MOST);
        health.gave(now + LIAR_MOST);
        assert_eq!(health, Health::Sound);
    }

    #[test]
    fn a_lagging_mirror_and_what_this_edge_does_are_nobodys_fault() {
        let mut health = Health::default();
        for fault in [Fault::Disk, Fault::Stopped, Fault::Absent] {
            health.failed(fault, "not there", Duration::ZERO, 1000);
        }
        assert_eq!(health, Health::Sound);
    }
}
