//! Character references in text: the numeric ones, and those names that programs write when they
//! escape. Any other stays as it stands.

/// Longest reference, bytes, `&` and `;` included: `&#1114111;`.
const REFERENCE_BYTES: usize = 10;

/// `text` with its references as what they stand for.
pub(super) fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let end = from
            .bytes()
            .take(REFERENCE_BYTES)
            .position(|byte| byte == b';');
        let found = end.and_then(|end| Some((character(from.get(1..end)?)?, from.get(end + 1..)?)));
        match found {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    let code = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        "nbsp" => return Some(' '),
        _ => name.strip_prefix('#')?,
    };
    let code = match code.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => code.parse(),
    };
    char::from_u32(code.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_characters_and_the_rest_stays() {
        for (text, expected) in [
            ("a &amp; b", "a & b"),
            ("&lt;&gt;&quot;&apos;&#39;&#x27;", "<>\"'''"),
            ("&#44032;&#xAC00;", "가가"),
            ("&#1114111;", "\u{10ffff}"),
            (
                "&#1114112; &#xD800; &copy; & &;",
                "&#1114112; &#xD800; &copy; & &;",
            ),
            ("&&amp;", "&&"),
            ("&", "&"),
            ("가&나;", "가&나;"),
        ] {
            assert_eq!(decoded(text), expected);
        }
    }

    #[test]
    fn a_reference_longer_than_any_is_none() {
        let longest = format!("&#{}65;", "0".repeat(REFERENCE_BYTES - 5));
        assert_eq!(longest.len(), REFERENCE_BYTES);
        assert_eq!(decoded(&longest), "A");
        let longer = longest.replace('#', "#0");
        assert_eq!(decoded(&longer), longer);
    }
}
