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
    }
}
