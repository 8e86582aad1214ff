//! Weighted lists of the `Accept-*` fields (RFC 9110 section 12.4.2), read within bounds.

/// Longest field value that is looked at, bytes; members that end beyond it are ignored.
pub(super) const FIELD_BYTES: usize = 1024;
/// Most members that are looked at.
pub(super) const MEMBERS: usize = 32;

/// One member with its weight in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weighted<'a> {
    pub(super) value: &'a str,
    pub(super) weight: u16,
}

/// The members of `field`, heaviest first, equals in the order they were written.
///
/// Members with a malformed weight are dropped: guessing would serve what was not asked for.
pub(super) fn weighted(field: &str) -> Vec<Weighted<'_>> {
    let mut members: Vec<_> = bounded(field)
        .split(',')
        .take(MEMBERS)
        .filter_map(member)
        .collect();
    members.sort_by_key(|member| std::cmp::Reverse(member.weight));
    members
}

fn bounded(field: &str) -> &str {
    if field.len() <= FIELD_BYTES {
        return field;
    }
    let end = field.floor_char_boundary(FIELD_BYTES);
    let head = field.get(..end).unwrap_or_default();
    head.rsplit_once(',').map_or("", |(whole, _)| whole)
}

fn member(text: &str) -> Option<Weighted<'_>> {
    let mut parts = text.split(';');
    let value = parts.next()?.trim();
    if value.is_empty() {
        return None;
    }
    let mut weight = 1000;
    for parameter in parts {
        let (name, given) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.trim().eq_ignore_ascii_case("q") {
            weight = thousandths(given.trim())?;
        }
    }
    Some(Weighted { value, weight })
}

/// `qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`, RFC 9110 section 12.4.2.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, fraction) {
        ("0", _) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(field: &str) -> Vec<(&str, u16)> {
        weighted(field)
            .into_iter()
            .map(|m| (m.value, m.weight))
            .collect()
    }

    #[test]
    fn heaviest_first_and_stable() {
        assert_eq!(
            values("a;q=0.5, b , c; q=0.9,d;q=0,,e;Q=1.000"),
            [("b", 1000), ("e", 1000), ("c", 900), ("a", 500), ("d", 0)]
        );
    }

    #[test]
    fn malformed_weights_drop_their_member() {
        for bad in [
            "a;q=",
            "a;q=2",
            "a;q=1.5",
            "a;q=0.1234",
            "a;q=-1",
            "a;q=x",
            "a;q=.5",
        ] {
            assert_eq!(values(bad), [], "{bad}");
        }
    }

    #[test]
    fn the_length_is_bounded() {
        let long = format!("{},zz", "a".repeat(FIELD_BYTES));
        assert_eq!(values(&long), []);
        let many = vec!["a"; MEMBERS * 4].join(",");
        assert_eq!(values(&many).len(), MEMBERS);
        let hangul = "가,".repeat(FIELD_BYTES);
        assert_eq!(values(&hangul).len(), MEMBERS);
    }
}
