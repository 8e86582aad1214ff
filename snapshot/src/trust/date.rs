//! The dates of `valid-after` and `valid-before`: `YYYYMMDD[HHMM[SS]]Z`.
//!
//! `ssh-keygen` reads a date without `Z` in the machine's own zone. Here is no zone, and the same
//! file must mean the same on every edge, so `Z` is demanded.

use crate::Timestamp;

/// Why a text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateError {
    NoZone,
    Malformed,
}

pub(crate) fn parse(text: &str) -> Result<Timestamp, DateError> {
    let Some(digits) = text.strip_suffix('Z') else {
        return Err(DateError::NoZone);
    };
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DateError::Malformed);
    }
    // A part that is not written is zero.
    let part = |from: usize, to: usize| match digits.get(from..to) {
        Some(part) => part.parse::<u64>().map_err(|_| DateError::Malformed),
        None => Ok(0),
    };
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    if year < 1970 || hour > 23 || minute > 59 || second > 59 {
        return Err(DateError::Malformed);
    }
    let days = days_since_1970(year, month, day).ok_or(DateError::Malformed)?;
    Ok(Timestamp::from_secs(
        ((days * 24 + hour) * 60 + minute) * 60 + second,
    ))
}

/// Days from 1970-01-01 in the Gregorian calendar; `None` for a day that does not exist.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let leap = |y: u64| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
    let february = if leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month.checked_sub(1)?).ok()?;
    let length = *lengths.get(before)?;
    if day == 0 || day > length {
        return None;
    }
    let years: u64 = (1970..year).map(|y| if leap(y) { 366 } else { 365 }).sum();
    let months: u64 = lengths.iter().take(before).sum();
    Some(years + months + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_three_forms_in_utc() {
        for (text, secs) in [
            ("19700101Z", 0),
            ("20221015Z", 1_665_792_000),
            ("202210151530Z", 1_665_847_800),
            ("20221015153045Z", 1_665_847_845),
            ("20240229Z", 1_709_164_800),
            ("99991231Z", 253_402_214_400),
        ] {
            assert_eq!(parse(text), Ok(Timestamp::from_secs(secs)), "{text}");
        }
    }

    #[test]
    fn a_date_without_a_zone_is_local_time_and_refused() {
        assert_eq!(parse("20221015"), Err(DateError::NoZone));
        assert_eq!(parse("20221015z"), Err(DateError::NoZone));
    }

    #[test]
    fn days_that_do_not_exist() {
        for bad in [
            "Z",
            "2022Z",
            "20221301Z",
            "20220001Z",
            "20220230Z",
            "20230229Z",
            "21000229Z",
            "202210152460Z",
            "202210152400Z",
            "2022101a Z",
            "+0221015Z",
            "19691231Z",
        ] {
            assert_eq!(parse(bad), Err(DateError::Malformed), "{bad}");
        }
    }
}
