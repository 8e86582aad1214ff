//! Moments, always handed in.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The last moment that is told as one, in the year 9999: later ones cannot be written everywhere.
    pub const LAST: Self = Self::from_secs(253_370_764_800);

    /// From whole seconds since 1970.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// Rounded down to the minute: as fine as pages and guests are told the time.
    #[must_use]
    pub const fn floor_minute(self) -> Self {
        Self(self.0 - self.0 % 60_000)
    }

    /// The time from `earlier` to this moment, zero if that lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// This moment moved on by `by`.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// Reads what [`Timestamp::rfc3339`] writes, in any zone.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        u64::try_from(moment.unix_timestamp())
            .ok()
            .map(Self::from_secs)
    }

    /// As people and programs write it: RFC 3339, UTC, whole seconds. A moment after the year 9999,
    /// which RFC 3339 cannot write, is put in words: it is never accepted, but may be refused.
    #[must_use]
    pub fn rfc3339(self) -> String {
        i64::try_from(self.as_secs())
            .ok()
            .and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok())
            .and_then(|moment| moment.format(&Rfc3339).ok())
            .unwrap_or_else(|| format!("{} ms after 1970", self.0))
    }

    /// The same with milliseconds, always three digits: such texts sort as their moments do.
    #[must_use]
    pub fn rfc3339_ms(self) -> String {
        let whole = self.rfc3339();
        match whole.strip_suffix('Z') {
            Some(seconds) => format!("{seconds}.{:03}Z", self.0 % 1000),
            None => whole,
        }
    }

    /// Reads what [`Timestamp::rfc3339`] writes, with any offset and any part of a second; seconds
    /// may be left out. `None` for anything else, and before 1970.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // `2026-11-30T14:00Z`: as people write it.
        let zone = text.rfind(['Z', 'z', '+', '-'])?;
        let (clock, offset) = text.split_at_checked(zone)?;
        let colons = clock.matches(':').count();
        let seconds = if colons == 1 { ":00" } else { "" };
        let moment = OffsetDateTime::parse(&format!("{clock}{seconds}{offset}"), &Rfc3339).ok()?;
        let ms = moment.unix_timestamp_nanos().div_euclid(1_000_000);
        u64::try_from(ms).ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_by_rfc_3339_or_in_words() {
        for (at, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_795_323_959_999, "2026-11-22T05:05:59Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59Z"),
            (253_402_300_800_000, "253402300800000 ms after 1970"),
            (u64::MAX, "18446744073709551615 ms after 1970"),
        ] {
            assert_eq!(Timestamp(at).rfc3339(), text);
        }
        assert_eq!(
            Timestamp(1_795_323_959_007).rfc3339_ms(),
            "2026-11-22T05:05:59.007Z"
        );
    }

    #[test]
    fn moments_are_read_as_they_and_people_write_them() {
        for (text, at) in [
            ("2026-11-22T05:05:59Z", Some(1_795_323_959_000)),
            ("2026-11-22T05:05:59.007Z", Some(1_795_323_959_007)),
            ("2026-11-22T14:05:59+09:00", Some(1_795_323_959_000)),
            ("2026-11-22T05:05Z", Some(1_795_323_900_000)),
            ("2026-11-22T14:05+09:00", Some(1_795_323_900_000)),
            ("1969-12-31T23:59:59Z", None),
            ("2026-11-22", None),
            ("14:05", None),
            ("", None),
        ] {
            assert_eq!(Timestamp::parse(text), at.map(Timestamp), "{text}");
        }
    }
}
