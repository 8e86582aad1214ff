//! What a number is: as code computes it, and as people write it. Durations in milliseconds.

use super::code::Number;

/// How deep one constant may be made of others.
const DEPTH: usize = 8;

/// The value of `text`, which stands in the file of `near`: sums, products and shifts of numbers,
/// durations and other constants.
pub(super) fn of_code(text: &str, near: &Number, numbers: &[Number]) -> Option<u128> {
    evaluate(text, &near.file, numbers, DEPTH)
}

fn evaluate(text: &str, file: &str, numbers: &[Number], depth: usize) -> Option<u128> {
    let depth = depth.checked_sub(1)?;
    let of = |text: &str| evaluate(text, file, numbers, depth);
    let text = text.trim();
    // The loosest operator first, and of those the last: they bind to the left.
    for operator in [" << ", " + ", " - ", " * "] {
        if let Some((left, right)) = outside(text, operator) {
            let (left, right) = (of(left)?, of(right)?);
            return match operator {
                " << " => left.checked_mul(1 << right.min(64)),
                " + " => left.checked_add(right),
                " - " => left.checked_sub(right),
                _ => left.checked_mul(right),
            };
        }
    }
    if let Some(inner) = text.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
        return of(inner);
    }
    for (call, milliseconds) in [("from_secs(", 1000), ("from_millis(", 1)] {
        if let Some((path, argument)) = text.split_once(call)
            && path.ends_with("Duration::")
        {
            return of(argument.strip_suffix(')')?)?.checked_mul(milliseconds);
        }
    }
    if let Ok(number) = text.replace('_', "").parse() {
        return Some(number);
    }
    let name = text.rsplit("::").next()?;
    let mut named = numbers.iter().filter(|number| number.name == name);
    let own = |number: &&Number| number.file == file;
    let shared = |number: &&Number| number.file == "snapshot/src/limits.rs";
    let found = if text.starts_with("limits::") {
        named.find(shared)
    } else {
        named.find(own)
    }?;
    evaluate(&found.value, &found.file, numbers, depth)
}

/// Parts `text` at the last `operator` that stands in no parentheses.
fn outside<'a>(text: &'a str, operator: &str) -> Option<(&'a str, &'a str)> {
    let places = text.rmatch_indices(operator);
    let open = |text: &str| text.matches('(').count() != text.matches(')').count();
    places
        .map(|(at, _)| text.split_at(at))
        .find(|(left, _)| !open(left))
        .map(|(left, right)| (left, right.trim_start_matches(operator)))
}

/// `16 MiB`, `30 s`, `7 days`, `1,024`, `100 fields`: a number and perhaps its unit, then anything.
pub(super) fn of_page(text: &str) -> Option<u128> {
    let mut words = text.split(' ');
    let number: u128 = words.next()?.replace(',', "").parse().ok()?;
    let unit = match words.next().unwrap_or_default() {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "s" => 1000,
        "min" => 60 * 1000,
        "h" => 3600 * 1000,
        "days" => 24 * 3600 * 1000,
        _ => 1,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_computed_as_the_compiler_does() {
        let number = |file: &str, name: &str, value: &str| Number {
            file: file.to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let numbers = [
            number("snapshot/src/limits.rs", "PARTS", "16"),
            number("edge/src/a.rs", "PARTS", "3"),
            number("edge/src/a.rs", "LOOP", "LOOP + 1"),
        ];
        for (text, expected) in [
            ("65_536", Some(65_536)),
            ("4 << 20", Some(4 << 20)),
            ("16 * 1024", Some(16_384)),
            ("1 + 2 * 3", Some(7)),
            ("9 - 2 + 3 - 1", Some(9)),
            ("(128 << 20) - 24", Some((128 << 20) - 24)),
            ("(1 + 2) * 3 + (2 * 2)", Some(13)),
            ("limits::PARTS * (PARTS + 1)", Some(64)),
            ("Duration::from_secs(2 * 60)", Some(120_000)),
            ("std::time::Duration::from_millis(50)", Some(50)),
            ("LOOP", None),
            ("UNKNOWN", None),
        ] {
            assert_eq!(of_code(text, &numbers[1], &numbers), expected, "{text}");
        }
    }

    #[test]
    fn units_are_those_that_people_write() {
        for (text, expected) in [
            ("16 MiB", Some(16 << 20)),
            ("1,024", Some(1024)),
            ("30 s of silence", Some(30_000)),
            ("50 ms", Some(50)),
            ("7 days", Some(7 * 24 * 3600 * 1000)),
            ("100 fields", Some(100)),
            ("many", None),
        ] {
            assert_eq!(of_page(text), expected, "{text}");
        }
    }
}
