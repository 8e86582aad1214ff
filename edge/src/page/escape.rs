//! Plain text into mark-up. What ops, publishers and readers wrote is hostile until it went
//! through here.

use std::fmt;

use snapshot::words::visible;

/// Shows as text in an element's content and in a double-quoted attribute, whatever it holds.
///
/// What has no place in a paragraph is left out, or a space ([`visible`]).
#[derive(Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for c in self.0.chars().filter_map(visible) {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// `text` as text of a page that is not a reader's.
pub(crate) fn escaped(text: &str) -> impl fmt::Display {
    Text(text)
}

/// `html` with every character beyond ASCII as a reference: reads the same in any encoding of a
/// page that agrees with ASCII.
pub(super) fn ascii(html: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(html.len() * 2);
    for c in html.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "&#{};", u32::from(c));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_place() {
        assert_eq!(
            Text("<a href=\"x\" b='y'>&amp;\u{202e}\0\n").to_string(),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;  "
        );
    }

    #[test]
    fn references_stand_for_any_character() {
        assert_eq!(ascii("가<b>"), "&#44032;<b>");
    }
}
