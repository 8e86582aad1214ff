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

/// A day, seconds.
const DAY_S: i64 = 24 * 3600;

impl UtcOffset {
    /// The moment nearest to `now` at which this zone's clock shows `hour`:`minute`.
    #[must_use]
    pub fn nearest(&self, hour: u8, minute: u8, now: Timestamp) -> Timestamp {
        let offset = i64::from(self.minutes) * 60;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX / 2);
        let of_day = (now.saturating_add(offset)).rem_euclid(DAY_S);
        let wanted = (i64::from(hour) * 60 + i64::from(minute)) * 60;
        let ahead = (wanted - of_day + DAY_S / 2).rem_euclid(DAY_S) - DAY_S / 2;
        let at = now.saturating_add(ahead);
        Timestamp::from_secs(u64::try_from(at).unwrap_or(0))
    }

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
    fn a_time_without_a_day_is_the_nearest() {
        let zone = UtcOffset::default();
        // 14:05:59 there.
        let now = Timestamp::from_secs(1_795_323_959);
        for (hour, minute, minutes) in [
            (14, 5, 0),
            (14, 6, 1),
            (17, 30, 205),
            (2, 6, -719),
            (2, 5, 720),
        ] {
            let expected =
                Timestamp::from_secs(1_795_323_900_u64.saturating_add_signed(minutes * 60));
            assert_eq!(zone.nearest(hour, minute, now), expected, "{hour}:{minute}");
        }
        // Past midnight, of the evening before.
        let midnight = Timestamp::from_secs(1_795_359_600);
        let civil = zone.civil(zone.nearest(23, 50, midnight));
        assert_eq!((civil.day, civil.hour, civil.minute), (22, 23, 50));
        assert_eq!(zone.nearest(8, 0, Timestamp(0)), Timestamp(0));
    }

    #[test]
    fn moments_outside_the_calendar_do_not_break_a_page() {
        assert_eq!(UtcOffset::default().civil(Timestamp(u64::MAX)).year, 1970);
    }
}
