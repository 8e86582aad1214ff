//! The five alarms: what should wake somebody, each by one name, with since when and why.
//!
//! An alarm is a condition, not an event: it is raised while its condition holds and cleared when it
//! does not any more. [`seen`] is what conditions are judged by; [`look`] sees it, once a second, and
//! says what changed, in the log and so to `on_change`. `/status` and `/metrics` show what is raised,
//! `deploy/alerts.yml` has a rule for each.
//!
//! | alarm | raised while |
//! |---|---|
//! | `age-over-policy` | the release in use is older than its strictest route stands for, or than `age-alarm` of `edge.toml` |
//! | `release-refused` | a source offers a release that this edge does not use: not believed, not whole, a canary that does not answer, too new for this version |
//! | `fork` | two manifests had one sequence, two orders of a scope one epoch, or two successions followed one generation, and no later one has settled it; or orders about single services come to a switch of the whole site |
//! | `certificate-or-clock` | a certificate of `[peer]` is near its end or past it, or this machine's clock is off |
//! | `disk` | the disk takes no writes, has no room, or holds damaged objects |
//!
//! Nothing of it is kept across a restart: what still holds is seen again within a second, but for a
//! fork whose loser nobody offers any more; the log has it.

mod certificate;
mod look;
mod seen;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use snapshot::Timestamp;

pub use certificate::{CertificateEnd, ends};
pub use look::{Look, look};
pub use seen::{CERTIFICATE_LEFT, CLOCK_OFF, Seen};

/// One of the five.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alarm {
    /// The data is older than it should be.
    AgeOverPolicy,
    /// A release that is offered is not used.
    ReleaseRefused,
    /// Two statements where there can be one.
    Fork,
    /// A certificate ends, or the clock is off.
    CertificateOrClock,
    /// The disk fails.
    Disk,
}

impl Alarm {
    /// All five.
    pub const ALL: [Self; 5] = [
        Self::AgeOverPolicy,
        Self::ReleaseRefused,
        Self::Fork,
        Self::CertificateOrClock,
        Self::Disk,
    ];

    /// Its name everywhere: status, metrics, log, rules.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgeOverPolicy => "age-over-policy",
            Self::ReleaseRefused => "release-refused",
            Self::Fork => "fork",
            Self::CertificateOrClock => "certificate-or-clock",
            Self::Disk => "disk",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alarm| alarm.as_str() == name)
    }

    /// What whoever is woken by it does first.
    #[must_use]
    pub const fn next(self) -> &'static str {
        match self {
            Self::AgeOverPolicy => {
                "run origin-sync publish and read what it says; with the origin gone, origin-sync amend"
            }
            Self::ReleaseRefused => {
                "if we did not sign it, find out who writes to that source; else publish again, or \
                 origin-sync rollback"
            }
            Self::Fork => {
                "ask those whose names stand in edge order history; settle it with a newer order or \
                 release; if it was none of ours, throw the key out with edge trust"
            }
            Self::CertificateOrClock => {
                "put a new certificate in the place of the one that is named and restart the edge, or set \
                 the clock"
            }
            Self::Disk => {
                "make room, or give the edge another disk: empty, it fills itself from mirrors and peers"
            }
        }
    }
}

/// An alarm that is raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// Its name.
    pub alarm: String,
    /// Since when, edge time.
    pub since: String,
    /// Why, in words; the newest reason, while there are several.
    pub why: String,
    /// What to do first.
    #[serde(default)]
    pub next: String,
}

/// What changed about one alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is raised; why.
    Raised(Alarm, String),
    /// It is over; since when it was raised.
    Cleared(Alarm, Timestamp),
}

/// The alarms of a site.
#[derive(Debug, Default)]
pub struct Alarms(Mutex<BTreeMap<Alarm, (Timestamp, String)>>);

impl Alarms {
    /// These conditions hold at `now`, each for a reason, and no others.
    pub fn are(&self, now: Timestamp, conditions: BTreeMap<Alarm, String>) -> Vec<Change> {
        let mut raised = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changes = Vec::new();
        raised.retain(|alarm, (since, _)| {
            let holds = conditions.contains_key(alarm);
            if !holds {
                changes.push(Change::Cleared(*alarm, *since));
            }
            holds
        });
        for (alarm, why) in conditions {
            match raised.get_mut(&alarm) {
                Some((_, known)) => *known = why,
                None => {
                    raised.insert(alarm, (now, why.clone()));
                    changes.push(Change::Raised(alarm, why));
                }
            }
        }
        changes
    }

    /// What is raised, in the order of [`Alarm::ALL`].
    #[must_use]
    pub fn raised(&self) -> Vec<Raised> {
        let raised = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let raised = raised.iter().map(|(alarm, (since, why))| Raised {
            alarm: alarm.as_str().to_owned(),
            since: since.rfc3339(),
            why: why.clone(),
            next: alarm.next().to_owned(),
        });
        raised.collect()
    }

    /// Whether `alarm` is raised.
    #[must_use]
    pub fn is_raised(&self, alarm: Alarm) -> bool {
        let raised = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        raised.contains_key(&alarm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_told_when_it_is_raised_and_when_it_is_over_and_not_in_between() {
        let alarms = Alarms::default();
        let (one, two) = (Timestamp::from_secs(1), Timestamp::from_secs(2));
        let holds = |why: &str| BTreeMap::from([(Alarm::Disk, why.to_owned())]);
        let full = Change::Raised(Alarm::Disk, "full".to_owned());
        assert_eq!(alarms.are(one, holds("full")), [full]);
        assert_eq!(alarms.are(two, holds("fuller")), []);
        let raised = alarms.raised();
        assert_eq!((raised.len(), raised[0].why.as_str()), (1, "fuller"));
        assert_eq!(raised[0].since, "1970-01-01T00:00:01Z");
        assert!(alarms.is_raised(Alarm::Disk) && !alarms.is_raised(Alarm::Fork));
        let over = Change::Cleared(Alarm::Disk, one);
        assert_eq!(alarms.are(two, BTreeMap::new()), [over]);
        assert_eq!(alarms.raised(), []);
    }
}
