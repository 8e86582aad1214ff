//! A moment, told in Seoul's time. There is no time zone data in a guest: Korea has kept +09:00
//! without summer time since 1988.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use crate::language::Language;
use crate::schedule::{Clock, Day};

/// A moment, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(OffsetDateTime);

impl Moment {
    /// Reads RFC 3339 in UTC with `Z`: the only form the host writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let time = time.split('.').next()?;
        let mut date = numbers(date, '-', [4, 2, 2])?.into_iter();
        let mut time = numbers(time, ':', [2, 2, 2])?.into_iter();
        let year = i32::from(date.next()?);
        let month = Month::try_from(u8::try_from(date.next()?).ok()?).ok()?;
        let day = Date::from_calendar_date(year, month, u8::try_from(date.next()?).ok()?).ok()?;
        let mut part = || u8::try_from(time.next()?).ok();
        let clock = Time::from_hms(part()?, part()?, part()?).ok()?;
        Some(Self(PrimitiveDateTime::new(day, clock).assume_utc()))
    }

    /// Of a day and an hour in Seoul.
    #[must_use]
    pub fn in_seoul(day: Day, clock: Clock) -> Self {
        Self(PrimitiveDateTime::new(day.date(), clock.time()).assume_offset(seoul()))
    }

    /// How long this is after `earlier`, seconds; 0 where it is before.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> u64 {
        let between = self.0.unix_timestamp() - earlier.0.unix_timestamp();
        u64::try_from(between).unwrap_or(0)
    }

    /// `2026-11-22 14:05` in Seoul.
    #[must_use]
    pub fn plain(self) -> String {
        let there = self.0.to_offset(seoul());
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}",
            there.year(),
            u8::from(there.month()),
            there.day(),
            there.hour(),
            there.minute()
        )
    }

    /// `2026년 11월 22일 (일) 오후 2:05`, `Sun 22 November 2026, 2:05 pm KST`.
    #[must_use]
    pub fn long(self, language: &Language) -> String {
        let there = self.0.to_offset(seoul());
        let day = Day::from(there.date()).long(language);
        let clock = Clock::from(there.time()).long(language);
        language.pick(format!("{day} {clock}"), format!("{day}, {clock} KST"))
    }

    /// `20261122T050500Z`: RFC 5545, section 3.3.5, form 2.
    #[must_use]
    pub fn basic_utc(self) -> String {
        let there = self.0.to_offset(UtcOffset::UTC);
        format!(
            "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
            there.year(),
            u8::from(there.month()),
            there.day(),
            there.hour(),
            there.minute(),
            there.second()
        )
    }
}

/// Exactly three numbers of these widths, nothing but digits.
pub(crate) fn numbers(text: &str, between: char, widths: [usize; 3]) -> Option<[u16; 3]> {
    let mut found = [0; 3];
    let mut parts = text.split(between);
    for (to, width) in found.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *to = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

fn seoul() -> UtcOffset {
    UtcOffset::from_hms(9, 0, 0).unwrap_or(UtcOffset::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_seoul() {
        let new = |clock: &str| Moment::parse(&format!("2026-11-22T{clock}:00Z")).unwrap();
        let moment = Moment::parse("2026-11-22T05:05:00Z").unwrap();
        assert_eq!(moment.plain(), "2026-11-22 14:05");
        assert_eq!(
            moment.long(&Language::new("ko")),
            "2026년 11월 22일 (일) 오후 2:05"
        );
        assert_eq!(
            moment.long(&Language::new("en")),
            "Sun 22 November 2026, 2:05 pm KST"
        );
        assert_eq!(moment.basic_utc(), "20261122T050500Z");
        assert_eq!(new("05:08").seconds_since(new("05:05")), 180);
        assert_eq!(new("05:05").seconds_since(new("05:08")), 0);
        let new_year = Moment::parse("2026-12-31T15:00:00.250Z").unwrap();
        assert_eq!(new_year.plain(), "2027-01-01 00:00");
    }

    #[test]
    fn what_is_no_moment_in_utc_is_refused() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T05:05:00",
            "2026-11-22T05:05:00+09:00",
            "2026-11-22T05:05Z",
            "2026-13-22T05:05:00Z",
            "2026-02-29T05:05:00Z",
            "2026-11-22T24:05:00Z",
            "+026-11-22T05:05:00Z",
            "2026-11-22-1T05:05:00Z",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn seoul_is_nine_hours_ahead() {
        let day = Day::parse("2026-12-05").unwrap();
        let clock = Clock::parse("08:30").unwrap();
        assert_eq!(Moment::in_seoul(day, clock).basic_utc(), "20261204T233000Z");
    }
}
