//! Moments as pages print them: the site's own clock, its zone named, never a running age.

use std::borrow::Cow;

use snapshot::Timestamp;
use time::OffsetDateTime;

/// A fixed distance from UTC, with the name readers know it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtcOffset {
    /// Minutes east of UTC.
    pub minutes: i16,
    /// Its short name: `KST`.
    pub name: Cow<'static, str>,
}

impl Default for UtcOffset {
    /// Korea, which keeps one offset all year.
    fn default() -> Self {
        Self {
            minutes: 9 * 60,
            name: Cow::Borrowed("KST"),
        }
    }
}

/// The parts of a moment on some zone's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i32,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
}

impl UtcOffset {
    /// `at` on this zone's clock; 1970 for what lies outside the calendar.
    pub(super) fn civil(&self, at: Timestamp) -> Civil {
        let shifted = i64::try_from(at.as_secs())
            .unwrap_or(i64::MAX)
            .saturating_add(i64::from(self.minutes) * 60);
        let moment =
            OffsetDateTime::from_unix_timestamp(shifted).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Civil {
            year: moment.year(),
            month: moment.month().into(),
            day: moment.day(),
            hour: moment.hour(),
            minute: moment.minute(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sites_clock_not_the_machines() {
        let at = Timestamp::from_secs(1_795_323_959);
        let civil = UtcOffset::default().civil(at);
        assert_eq!((civil.day, civil.hour, civil.minute), (22, 14, 5));
        let late = Timestamp::from_secs(1_795_359_600);
        assert_eq!(UtcOffset::default().civil(late).day, 23);
    }

    #[test]
    fn moments_outside_the_calendar_do_not_break_a_page() {
        assert_eq!(UtcOffset::default().civil(Timestamp(u64::MAX)).year, 1970);
    }
}
