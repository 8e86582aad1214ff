//! Values with a unit.

use std::time::Duration;

use super::{Placed, Problems};

/// Reads `"250ms"`, `"10s"`, `"5m"`, `"2h"`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        _ => None,
    }
}

/// A duration field, or `default` where it is absent.
pub(super) fn duration(
    key: &str,
    text: Option<&Placed<String>>,
    default: Duration,
    problems: &mut Problems,
) -> Option<Duration> {
    let Some(text) = text else {
        return Some(default);
    };
    let parsed = parse_duration(&text.value);
    if parsed.is_none() {
        problems.add(
            Some(text.span.clone()),
            format!("`{key}` is not a duration: {:?}", text.value),
            "expected a whole number and ms, s, m or h, as in \"250ms\"",
        );
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_number_and_a_unit() {
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration("2h"), Some(Duration::from_secs(7200)));
        for bad in [
            "",
            "5",
            "s",
            "1.5s",
            "-1s",
            "5 s",
            "99999999999999999999s",
            "1d",
        ] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
