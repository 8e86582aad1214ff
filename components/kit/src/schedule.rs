//! The days and hours of rows: `2026-12-05` and `13:30`, as they are said.

use time::{Date, Month, Time, Weekday};

use crate::language::Language;
use crate::moment::numbers;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(Date);

impl Day {
    /// Reads `2026-12-05`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let [year, month, day] = numbers(text.trim(), '-', [4, 2, 2])?;
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?)
            .ok()
            .map(Self)
    }

    /// `2026년 12월 5일 (토)`, `Sat 5 December 2026`.
    #[must_use]
    pub fn long(self, language: &Language) -> String {
        let (year, day) = (self.0.year(), self.0.day());
        let weekday = weekday(self.0.weekday(), language);
        if language.is_korean() {
            format!(
                "{year}년 {}월 {day}일 ({weekday})",
                u8::from(self.0.month())
            )
        } else {
            format!("{weekday} {day} {} {year}", self.0.month())
        }
    }

    /// A row's text as it is said; a text that is no day stays what it is.
    #[must_use]
    pub fn say(text: &str, language: &Language) -> String {
        Self::parse(text).map_or_else(|| text.to_owned(), |day| day.long(language))
    }

    pub(crate) fn date(self) -> Date {
        self.0
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

/// An hour of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock(Time);

impl Clock {
    /// Reads `13:30`, `9:00` and `13:30:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split(':');
        let mut part = || {
            let digits = parts.next()?;
            let whole = matches!(digits.len(), 1 | 2) && digits.bytes().all(|b| b.is_ascii_digit());
            whole.then(|| digits.parse::<u8>().ok()).flatten()
        };
        let (hour, minute) = (part()?, part()?);
        let second = match parts.next() {
            None => 0,
            Some(digits) => digits.parse().ok()?,
        };
        if parts.next().is_some() {
            return None;
        }
        Time::from_hms(hour, minute, second).ok().map(Self)
    }

    /// `오후 1:30`, `1:30 pm`.
    #[must_use]
    pub fn long(self, language: &Language) -> String {
        let (hour, minute) = (self.0.hour(), self.0.minute());
        let twelve = match hour % 12 {
            0 => 12,
            hour => hour,
        };
        let half = if hour < 12 {
            language.pick("오전", "am")
        } else {
            language.pick("오후", "pm")
        };
        language.pick(
            format!("{half} {twelve}:{minute:02}"),
            format!("{twelve}:{minute:02} {half}"),
        )
    }

    /// A row's text as it is said; a text that is no hour stays what it is.
    #[must_use]
    pub fn say(text: &str, language: &Language) -> String {
        Self::parse(text).map_or_else(|| text.to_owned(), |clock| clock.long(language))
    }

    pub(crate) fn time(self) -> Time {
        self.0
    }
}

impl From<Time> for Clock {
    fn from(time: Time) -> Self {
        Self(time)
    }
}

fn weekday(day: Weekday, language: &Language) -> &'static str {
    match day {
        Weekday::Monday => language.pick("월", "Mon"),
        Weekday::Tuesday => language.pick("화", "Tue"),
        Weekday::Wednesday => language.pick("수", "Wed"),
        Weekday::Thursday => language.pick("목", "Thu"),
        Weekday::Friday => language.pick("금", "Fri"),
        Weekday::Saturday => language.pick("토", "Sat"),
        Weekday::Sunday => language.pick("일", "Sun"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_said_in_the_readers_language() {
        let (ko, en) = (Language::new("ko"), Language::new("en"));
        assert_eq!(Day::say("2026-12-05", &ko), "2026년 12월 5일 (토)");
        assert_eq!(Day::say("2026-12-05", &en), "Sat 5 December 2026");
        for (text, korean, english) in [
            ("13:30", "오후 1:30", "1:30 pm"),
            ("00:05", "오전 12:05", "12:05 am"),
            ("12:00", "오후 12:00", "12:00 pm"),
            ("9:00", "오전 9:00", "9:00 am"),
            ("11:40:00", "오전 11:40", "11:40 am"),
        ] {
            assert_eq!(Clock::say(text, &ko), korean);
            assert_eq!(Clock::say(text, &en), english);
        }
    }

    #[test]
    fn what_is_no_day_or_hour_is_shown_as_it_is() {
        let ko = Language::new("ko");
        for text in ["", "추후 공지", "2026-02-30", "2026-1-2", "26-12-05"] {
            assert_eq!(Day::say(text, &ko), text);
        }
        for text in ["", "정오", "24:00", "12", "1:2:3:4", "12:60", "+1:30"] {
            assert_eq!(Clock::say(text, &ko), text);
        }
    }
}
