//! Words that a person wrote for readers, in any language: what may be said, and how words that came
//! from anywhere are shown all the same.
//!
//! They end up in pages, headers, feeds, terminals and other people's channels. So they are one
//! paragraph of text that can be seen: nothing that steers a terminal, breaks a line, turns the
//! direction of what stands beside it, or stands for text that was broken on its way.

use std::borrow::Cow;

use crate::limits;

/// Words that may not be said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitWords {
    /// Nothing that can be seen.
    #[error("it has no words")]
    Empty,
    /// More than a page has room for.
    #[error("it has {0} bytes: expected at most {most}", most = limits::NOTICE_BYTES)]
    Long(usize),
    /// A character without a place in a paragraph.
    #[error("character {at} is U+{:04X}, {what}", u32::from(*.found))]
    Character {
        /// Which it is, from 1.
        at: usize,
        /// The character.
        found: char,
        /// What it does.
        what: &'static str,
    },
}

/// Whether `words` may be said to readers.
///
/// # Errors
/// The first thing that is wrong with them.
pub fn fit(words: &str) -> Result<(), UnfitWords> {
    if words.trim().is_empty() {
        return Err(UnfitWords::Empty);
    }
    if words.len() > limits::NOTICE_BYTES {
        return Err(UnfitWords::Long(words.len()));
    }
    let strange = words.chars().enumerate();
    let mut strange = strange.filter_map(|(at, found)| Some((at + 1, found, does(found)?)));
    match strange.next() {
        None => Ok(()),
        Some((at, found, what)) => Err(UnfitWords::Character { at, found, what }),
    }
}

/// `words` as they may be shown, wherever they came from: at most `most` bytes, each line break and
/// control character a space, and nothing that turns directions.
#[must_use]
pub fn shown(words: &str, most: usize) -> Cow<'_, str> {
    if words.len() <= most && words.chars().all(|c| visible(c) == Some(c)) {
        return Cow::Borrowed(words);
    }
    const CUT: char = '\u{2026}';
    let mut out = String::new();
    for c in words.chars().filter_map(visible) {
        if out.len() + c.len_utf8() + CUT.len_utf8() > most {
            out.push(CUT);
            break;
        }
        out.push(c);
    }
    Cow::Owned(out)
}

/// What is shown for `c`; `None` for nothing at all.
#[must_use]
pub fn visible(c: char) -> Option<char> {
    match does(c) {
        None | Some(BROKEN) => Some(c),
        Some(CONTROL | LINE) => Some(' '),
        Some(_) => None,
    }
}

const CONTROL: &str = "a control character";
const LINE: &str = "a line break: a notice is one paragraph";
const TURNS: &str = "which turns the direction of text";
const BROKEN: &str = "which stands for broken text";
const NONE: &str = "which is no character";

/// What `c` does that words may not.
fn does(c: char) -> Option<&'static str> {
    match c {
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => Some(LINE),
        c if c.is_control() => Some(CONTROL),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Some(TURNS),
        '\u{fffd}' => Some(BROKEN),
        '\u{feff}' | '\u{fdd0}'..='\u{fdef}' => Some(NONE),
        c if u32::from(c) & 0xfffe == 0xfffe => Some(NONE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_visible_paragraph() {
        for good in [
            "\u{bd88}\u{c774}\u{c57c}",
            "17:30 <b>\"&'",
            "\u{1f525} fire",
            "\u{200f}שלום",
        ] {
            assert_eq!(fit(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", "it has no words"),
            (" \u{3000} ", "it has no words"),
            (
                "a\nb",
                "character 2 is U+000A, a line break: a notice is one paragraph",
            ),
            (
                "a\rb",
                "character 2 is U+000D, a line break: a notice is one paragraph",
            ),
            ("\u{1b}[2J", "character 1 is U+001B, a control character"),
            ("a\tb", "character 2 is U+0009, a control character"),
            ("a\u{85}", "character 2 is U+0085, a control character"),
            (
                "pay \u{202e}yap",
                "character 5 is U+202E, which turns the direction of text",
            ),
            (
                "\u{2066}x",
                "character 1 is U+2066, which turns the direction of text",
            ),
            (
                "caf\u{fffd}",
                "character 4 is U+FFFD, which stands for broken text",
            ),
            ("\u{feff}x", "character 1 is U+FEFF, which is no character"),
            ("\u{1fffe}", "character 1 is U+1FFFE, which is no character"),
        ] {
            assert_eq!(fit(bad).unwrap_err().to_string(), why, "{bad:?}");
        }
        assert_eq!(fit(&"x".repeat(limits::NOTICE_BYTES)), Ok(()));
        let long = fit(&"x".repeat(limits::NOTICE_BYTES + 1)).unwrap_err();
        assert_eq!(long.to_string(), "it has 1201 bytes: expected at most 1200");
    }

    #[test]
    fn whatever_comes_is_shown_without_harm() {
        let most = limits::NOTICE_BYTES;
        for (given, seen) in [
            ("plain", "plain"),
            ("a\r\n\u{1b}[31mb\u{2029}c", "a   [31mb c"),
            ("\u{202e}pay\u{202c}\u{feff}\u{ffff}", "pay"),
            ("caf\u{fffd}", "caf\u{fffd}"),
        ] {
            assert_eq!(shown(given, most), seen, "{given:?}");
        }
        assert!(matches!(shown("plain", most), Cow::Borrowed(_)));
        assert_eq!(shown("가나다라", 9), "가나\u{2026}");
        assert_eq!(shown(&"x".repeat(10 << 20), most).len(), most);
    }
}
