//! Conditions on entity tags (RFC 9110 sections 8.8.3 and 13).

/// One entity tag as it stands in a field: `W/"x"` or `"x"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) weak: bool,
    /// Without its quotes.
    pub(super) opaque: &'a str,
}

/// Most tags of one field that are looked at.
pub(super) const TAGS: usize = 64;

/// True when `If-None-Match: field` says that the reader has `tag` already: `*`, or weak
/// comparison (section 13.1.2).
pub(super) fn none_match_holds(field: &str, tag: &str) -> bool {
    if field.trim() == "*" {
        return true;
    }
    let Some(own) = tags(tag).next() else {
        return false;
    };
    tags(field)
        .take(TAGS)
        .any(|given| given.opaque == own.opaque)
}

/// True when `If-Range: field` allows the range of the representation with `tag`: strong
/// comparison (section 13.1.5). Dates never match, for no answer of ours has one.
pub(super) fn range_allowed(field: &str, tag: &str) -> bool {
    let given = field.trim();
    !given.starts_with("W/") && !tag.starts_with("W/") && given == tag
}

/// The tags of a list, as far as it is well formed. A comma may stand inside a tag, so the list
/// is read from quote to quote.
pub(super) fn tags(field: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut rest = field;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let weak = rest.starts_with("W/");
        let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (opaque, after) = quoted.split_once('"')?;
        rest = after;
        Some(Tag { weak, opaque })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_match_compares_weakly() {
        for (field, holds) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", W/\"a\"", true),
            ("\"b,\",\"a\"", true),
            (" * ", true),
            ("\"b\"", false),
            ("a", false),
            ("\"a", false),
            ("", false),
            ("w/\"a\"", false),
        ] {
            assert_eq!(none_match_holds(field, "\"a\""), holds, "{field}");
            assert_eq!(none_match_holds(field, "W/\"a\""), holds, "{field}");
        }
        let late = format!("{}\"a\"", "\"b\",".repeat(TAGS));
        assert!(!none_match_holds(&late, "\"a\""));
    }

    #[test]
    fn if_range_compares_strongly() {
        assert!(range_allowed("\"a\"", "\"a\""));
        assert!(!range_allowed("W/\"a\"", "\"a\""));
        assert!(!range_allowed("W/\"a\"", "W/\"a\""));
        assert!(!range_allowed("Sun, 22 Nov 2026 05:05:00 GMT", "\"a\""));
    }
}
