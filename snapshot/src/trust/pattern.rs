//! OpenSSH's pattern lists (ssh_config(5), PATTERNS): `*`, `?`, `!`, separated by commas.

/// A list of patterns as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patterns(Vec<String>);

impl Patterns {
    /// Takes a comma-separated list; `None` if one of its patterns is empty.
    pub(crate) fn parse(list: &str) -> Option<Self> {
        let patterns: Vec<String> = list.split(',').map(str::to_owned).collect();
        let empty = |pattern: &String| pattern.strip_prefix('!').unwrap_or(pattern).is_empty();
        (!patterns.iter().any(empty)).then_some(Self(patterns))
    }

    /// True if one pattern matches and no negated one does: a list of only negated patterns
    /// matches nothing.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let mut matched = false;
        for pattern in &self.0 {
            match pattern.strip_prefix('!') {
                Some(not) if matches(not.as_bytes(), text.as_bytes()) => return false,
                Some(_) => {}
                None => matched |= matches(pattern.as_bytes(), text.as_bytes()),
            }
        }
        matched
    }
}

/// One pattern against the whole text, in time proportional to the product of their lengths: on a
/// mismatch only the last `*` takes one more byte.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(p), text.get(t)) {
            (Some(b'*'), _) => {
                star = Some((p + 1, t));
                p += 1;
            }
            (None, None) => return true,
            (Some(want), Some(got)) if *want == b'?' || want == got => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((after, taken)) if taken < text.len() => {
                    star = Some((after, taken + 1));
                    p = after;
                    t = taken + 1;
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_openssh_does() {
        for (list, text, expected) in [
            ("sora", "sora", true),
            ("sora", "Sora", false),
            ("*", "", true),
            ("*", "any", true),
            ("s?ra", "sora", true),
            ("s?ra", "sra", false),
            ("*@dasom.example", "sora@dasom.example", true),
            ("*@dasom.example", "sora@dasom.example.evil", false),
            ("*,!sora", "sora", false),
            ("!sora,*", "sora", false),
            ("!sora", "jun", false),
            ("*,!sora", "jun", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("release@holdfast,order@*", "order@holdfast", true),
        ] {
            let patterns = Patterns::parse(list).unwrap();
            assert_eq!(patterns.matches(text), expected, "{list} on {text}");
        }
    }

    #[test]
    fn empty_patterns_are_refused() {
        for bad in ["", "a,", ",a", "a,,b", "!"] {
            assert_eq!(Patterns::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let patterns = Patterns::parse(&format!("{}b", "*a".repeat(500))).unwrap();
        assert!(!patterns.matches(&"a".repeat(5000)));
    }
}
