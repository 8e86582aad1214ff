//! What the alarms are judged by, and how: no clock, no disk, no network.

use std::collections::BTreeMap;
use std::time::Duration;

use snapshot::Timestamp;

use super::{Alarm, CertificateEnd};
use crate::sync::{Faults, SPARE_BYTES};

/// How long before its end a certificate is an alarm: time to make another one in daylight.
pub const CERTIFICATE_LEFT: Duration = Duration::from_secs(14 * 24 * 3600);
/// How far a clock may be off: sources and signers have clocks of their own.
pub const CLOCK_OFF: Duration = Duration::from_secs(60);

/// What there is to see of a site at one moment.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Edge time.
    pub now: Timestamp,
    /// This machine's clock.
    pub wall: Timestamp,
    /// The age of the release in use, and the age it may have.
    pub age: Option<(Duration, Duration)>,
    /// What sync met.
    pub faults: Faults,
    /// Objects of the release in use that are damaged on this disk.
    pub damaged: usize,
    /// Bytes free on the disk; `None` where it does not say.
    pub free: Option<u64>,
    /// Why the log is not written.
    pub log: Option<String>,
    /// When certificates end.
    pub certificates: Vec<CertificateEnd>,
}

impl Seen {
    /// The alarms whose conditions hold, each with its reason.
    #[must_use]
    pub fn conditions(&self) -> BTreeMap<Alarm, String> {
        let conditions = [
            (Alarm::AgeOverPolicy, self.too_old()),
            (Alarm::ReleaseRefused, self.faults.refused()),
            (Alarm::Fork, self.faults.fork()),
            (
                Alarm::CertificateOrClock,
                self.certificate().or_else(|| self.clock()),
            ),
            (Alarm::Disk, self.disk()),
        ];
        let holding = conditions
            .into_iter()
            .filter_map(|(alarm, why)| Some((alarm, why?)));
        holding.collect()
    }

    fn too_old(&self) -> Option<String> {
        let (age, most) = self.age?;
        (age >= most).then(|| {
            format!(
                "the release in use is over {} old, the most that is allowed: is the publisher running?",
                told(most)
            )
        })
    }

    fn certificate(&self) -> Option<String> {
        let first = self.certificates.iter().min_by_key(|one| one.at)?;
        if first.at > self.now.plus(CERTIFICATE_LEFT) {
            return None;
        }
        let (name, at) = (&first.name, first.at.rfc3339());
        let ends = if first.at <= self.now {
            "ended"
        } else {
            "ends"
        };
        Some(format!(
            "the certificate of {name} {ends} on {at}: put a new one in its place"
        ))
    }

    fn clock(&self) -> Option<String> {
        let signed = self.now.max(self.faults.ordered_at());
        clock(signed.since(self.wall), self.faults.clock_off_ms())
    }

    fn disk(&self) -> Option<String> {
        if let Some(why) = self.faults.disk() {
            return Some(why);
        }
        if let Some(free) = self.free.filter(|free| *free < SPARE_BYTES) {
            return Some(format!(
                "{free} bytes are free, less than the {SPARE_BYTES} to spare: make room"
            ));
        }
        if let Some(why) = &self.log {
            return Some(why.clone());
        }
        (self.damaged > 0).then(|| {
            format!(
                "{} objects of the release in use are damaged: `damaged` in /status names them; look at the disk",
                self.damaged
            )
        })
    }
}

/// What is wrong with a clock that what was accepted is so far `ahead` of, and that is so many
/// milliseconds behind its sources'.
fn clock(ahead: Duration, off_ms: Option<i64>) -> Option<String> {
    if ahead > CLOCK_OFF {
        return Some(format!(
            "what was signed and accepted is {} ahead of this machine's clock: one of them is wrong",
            told(ahead)
        ));
    }
    let off_ms = off_ms?;
    let off = Duration::from_millis(off_ms.unsigned_abs());
    (off > CLOCK_OFF).then(|| {
        let way = if off_ms > 0 { "behind" } else { "ahead of" };
        format!(
            "this machine's clock is {} {way} its sources': set it",
            told(off)
        )
    })
}

/// In the largest unit that is filled.
fn told(time: Duration) -> String {
    let secs = time.as_secs();
    match secs {
        0..120 => format!("{secs} s"),
        120..7200 => format!("{} min", secs / 60),
        7200..172_800 => format!("{} h", secs / 3600),
        _ => format!("{} days", secs / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3600;

    fn calm() -> Seen {
        let now = Timestamp::from_secs(1_795_323_900);
        Seen {
            now,
            wall: now,
            age: Some((Duration::from_secs(5), Duration::from_secs(600))),
            free: Some(SPARE_BYTES),
            certificates: vec![CertificateEnd {
                name: "edge.pem".to_owned(),
                at: now.plus(CERTIFICATE_LEFT + Duration::from_secs(1)),
            }],
            ..Seen::default()
        }
    }

    fn only(seen: &Seen) -> (Alarm, String) {
        let conditions = seen.conditions();
        assert_eq!(conditions.len(), 1, "{conditions:?}");
        conditions.into_iter().next().unwrap()
    }

    #[test]
    fn in_calm_nothing_holds_and_each_condition_raises_its_own() {
        assert_eq!(calm().conditions(), BTreeMap::new());
        assert_eq!(
            Seen {
                age: None,
                free: None,
                ..calm()
            }
            .conditions(),
            BTreeMap::new()
        );
        let minute = Duration::from_secs(600);
        let old = Seen {
            age: Some((minute, minute)),
            ..calm()
        };
        let (alarm, why) = only(&old);
        assert_eq!(alarm, Alarm::AgeOverPolicy);
        assert!(why.contains("over 10 min old"), "{why}");
        let full = Seen {
            free: Some(SPARE_BYTES - 1),
            ..calm()
        };
        assert_eq!(only(&full).0, Alarm::Disk);
        let log = Seen {
            log: Some("the log: full".to_owned()),
            ..calm()
        };
        assert_eq!(only(&log).0, Alarm::Disk);
        let damaged = Seen {
            damaged: 2,
            ..calm()
        };
        assert!(only(&damaged).1.starts_with("2 objects"));
    }

    #[test]
    fn the_first_certificate_to_end_counts_and_a_clock_that_is_off() {
        let mut seen = calm();
        let now = seen.now;
        for (at, word) in [
            (now.plus(CERTIFICATE_LEFT), "ends on"),
            (Timestamp(now.0 - 1), "ended on"),
        ] {
            let name = "authority.pem".to_owned();
            seen.certificates.push(CertificateEnd { name, at });
            let (alarm, why) = only(&seen);
            assert_eq!(alarm, Alarm::CertificateOrClock);
            assert!(why.contains("authority.pem") && why.contains(word), "{why}");
        }
        let mut seen = calm();
        seen.wall = Timestamp(now.0 - 60_000);
        assert_eq!(seen.conditions(), BTreeMap::new());
        seen.wall = Timestamp(now.0 - DAY * 3 * 1000);
        let (alarm, why) = only(&seen);
        assert_eq!(alarm, Alarm::CertificateOrClock);
        assert!(why.contains("3 days ahead"), "{why}");
    }

    #[test]
    fn a_clock_that_runs_ahead_of_its_sources_or_behind_them_is_to_be_set() {
        for (off_ms, words) in [
            (None, None),
            (Some(60_000), None),
            (Some(-60_000), None),
            (Some(-3 * 3_600_000), Some("3 h ahead of its sources'")),
            (Some(61_000), Some("61 s behind its sources'")),
            (Some(i64::MIN), Some("ahead of its sources'")),
        ] {
            let said = clock(Duration::ZERO, off_ms);
            assert_eq!(said.is_some(), words.is_some(), "{off_ms:?}");
            let said = said.unwrap_or_default();
            assert!(said.contains(words.unwrap_or_default()), "{said}");
        }
        // Where both speak, what was signed is the surer.
        let both = clock(CLOCK_OFF + Duration::from_secs(1), Some(-3_600_000));
        assert!(both.unwrap().starts_with("what was signed"));
    }
}
