//! Lengths of time as people write them.

use std::time::Duration;

/// The longest duration that is read: ten years.
pub const DURATION_MOST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Reads `"250ms"`, `"10s"`, `"5m"`, `"2h"`, `"7d"`, up to [`DURATION_MOST`].
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
    let read = match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        "d" => seconds(24 * 3600),
        _ => None,
    };
    read.filter(|read| *read <= DURATION_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_number_and_a_unit() {
        for (text, milliseconds) in [
            ("0s", 0),
            ("250ms", 250),
            ("10m", 600_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
        ] {
            let expected = Duration::from_millis(milliseconds);
            assert_eq!(parse_duration(text), Some(expected), "{text}");
        }
        for bad in [
            "",
            "5",
            "s",
            "1.5s",
            "-1s",
            "+1s",
            "5 s",
            "1w",
            "분",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn ten_years_are_the_most() {
        assert_eq!(parse_duration("3650d"), Some(DURATION_MOST));
        assert_eq!(parse_duration("3651d"), None);
    }
}
