//! What a reader sees of a page, for holding two pages side by side: their words, without mark-up,
//! scripts, hidden parts and the edge's own banner.
//!
//! Two texts are the same if they differ in white space alone. Beyond that, pages that were made at
//! two moments differ in numbers (a time, a count, a balance), which is told apart from other words.

mod reference;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lol_html::html_content::{EndTag, TextType};
use lol_html::send::{Element, HtmlRewriter, Settings};
use lol_html::{MemorySettings, doc_text, element};

use super::rewrite::TOKENIZER_BYTES;
use reference::decoded;

/// How much of a page is read at a time, bytes.
const PIECE_BYTES: usize = 16 << 10;

/// The words of a page. Never printed: they can be anybody's.
#[derive(Clone, PartialEq, Eq)]
pub struct Visible(String);

/// How two texts differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Not at all, or in white space.
    None,
    /// In numbers alone.
    Numbers,
    /// In words: this percentage of those of the longer text, at least 1, is not in the other.
    Words(u8),
}

/// A page too twisted to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the page cannot be read within {TOKENIZER_BYTES} bytes of memory")]
pub struct Unreadable;

impl Visible {
    /// The words of an HTML page.
    ///
    /// # Errors
    /// See [`Unreadable`].
    pub fn of_html(page: &[u8]) -> Result<Self, Unreadable> {
        let reading = Arc::new(Mutex::new(Reading::default()));
        let (on_element, on_text) = (Arc::clone(&reading), Arc::clone(&reading));
        let settings = Settings::new_send()
            .append_element_content_handler(element!("*", move |element| {
                enter(&on_element, element)
            }))
            .append_document_content_handler(doc_text!(move |chunk| {
                if matches!(chunk.text_type(), TextType::Data | TextType::RCData) {
                    lock(&on_text).take(chunk.as_str());
                }
                Ok(())
            }))
            .with_strict(false)
            .with_memory_settings(
                MemorySettings::new().with_max_allowed_memory_usage(TOKENIZER_BYTES),
            );
        let mut tokenizer = HtmlRewriter::new(settings, |_: &[u8]| {});
        // What is given whole is not held to the tokenizer's limit.
        for piece in page.chunks(PIECE_BYTES) {
            tokenizer.write(piece).map_err(|_| Unreadable)?;
        }
        tokenizer.end().map_err(|_| Unreadable)?;
        let text = std::mem::take(&mut lock(&reading).text);
        Ok(Self(decoded(&text)))
    }

    /// Text that is shown as it is.
    #[must_use]
    pub fn of_text(text: &[u8]) -> Self {
        Self(String::from_utf8_lossy(text).into_owned())
    }

    /// How it differs from `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Difference {
        let inked = |text: &str| text.split_whitespace().collect::<String>();
        let (one, two) = (inked(&self.0), inked(&other.0));
        if one == two {
            return Difference::None;
        }
        if masked(&one) == masked(&two) {
            return Difference::Numbers;
        }
        Difference::Words(self.apart(other))
    }

    fn apart(&self, other: &Self) -> u8 {
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        let (mut mine, mut theirs) = (0, 0);
        for word in self.0.split_whitespace() {
            *counts.entry(word).or_default() += 1;
            mine += 1;
        }
        for word in other.0.split_whitespace() {
            *counts.entry(word).or_default() -= 1;
            theirs += 1;
        }
        let more: i64 = counts.values().filter(|count| **count > 0).sum();
        let less: i64 = counts.values().filter(|count| **count < 0).sum();
        let percent = more.max(-less) * 100 / i64::max(mine, theirs).max(1);
        u8::try_from(percent.clamp(1, 100)).unwrap_or(100)
    }
}

impl std::fmt::Debug for Visible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Visible({} bytes)", self.0.len())
    }
}

/// `text` with a `#` for each number, with the marks that stand within one: dates, times, amounts.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if !c.is_ascii_digit() {
            out.push(c);
            continue;
        }
        out.push('#');
        while let Some(next) = characters.peek().copied() {
            let within = matches!(next, '.' | ',' | ':' | '-' | '/');
            let follows = || {
                characters
                    .clone()
                    .nth(1)
                    .is_some_and(|c| c.is_ascii_digit())
            };
            if !(next.is_ascii_digit() || within && follows()) {
                break;
            }
            characters.next();
        }
    }
    out
}

#[derive(Default)]
struct Reading {
    text: String,
    /// Open elements whose inside is not shown.
    hidden: u32,
}

impl Reading {
    fn take(&mut self, text: &str) {
        if self.hidden == 0 {
            self.text.push_str(text);
        }
    }
}

fn enter(reading: &Arc<Mutex<Reading>>, element: &mut Element<'_, '_>) -> lol_html::HandlerResult {
    let name = element.tag_name();
    // Beside inline mark-up no word ends.
    if !INLINE.contains(&name.as_str()) {
        lock(reading).take(" ");
    }
    if !is_hidden(&name, element) || !element.can_have_content() {
        return Ok(());
    }
    lock(reading).hidden += 1;
    let reading = Arc::clone(reading);
    element.on_end_tag(Box::new(move |_: &mut EndTag<'_>| {
        let mut reading = lock(&reading);
        reading.hidden = reading.hidden.saturating_sub(1);
        Ok(())
    }))
}

/// Elements that break no word.
const INLINE: [&str; 12] = [
    "a", "abbr", "b", "bdi", "code", "em", "i", "mark", "small", "span", "strong", "time",
];

fn is_hidden(name: &str, element: &Element<'_, '_>) -> bool {
    let is = |attribute: &str, value: &str| {
        element
            .get_attribute(attribute)
            .is_some_and(|own| own == value)
    };
    let banner = element.get_attribute("class");
    matches!(name, "template" | "noscript" | "svg" | "head" | "title")
        || element.has_attribute("hidden")
        || is("aria-hidden", "true")
        || banner.is_some_and(|class| class == "holdfast-banner")
}

/// A panic inside a handler would poison the lock; what it guards is then as good as before.
fn lock(reading: &Mutex<Reading>) -> MutexGuard<'_, Reading> {
    reading.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(page: &str) -> Visible {
        Visible::of_html(page.as_bytes()).unwrap()
    }

    #[test]
    fn only_what_is_seen_counts() {
        let plain = of("<body><h1>Door</h1><p>The  <b>bell</b> rings</p></body>");
        assert_eq!(
            plain.0.split_whitespace().collect::<Vec<_>>().join(" "),
            "Door The bell rings"
        );
        for page in [
            "<title>t</title><body><h1>Door</h1>\n<p>The bell rings</p></body>",
            "<h1>Door</h1><script>x()</script><style>a{}</style><p>The bell <i>rings</i></p>",
            "<h1>Door</h1><p hidden>now</p><!-- now --><template>now</template><p>The bell rings</p>",
            "<div class=\"holdfast-banner\"><p>Down</p></div><h1>Door</h1><p>The bell&#32;r&#x69;ngs</p>",
        ] {
            assert_eq!(of(page).difference(&plain), Difference::None, "{page}");
        }
    }

    #[test]
    fn numbers_are_told_from_words() {
        for (one, other, expected) in [
            ("as of 14:05", "as of 9:10", Difference::Numbers),
            ("1,204,000 won", "98 won", Difference::Numbers),
            ("2026년 11월 3일", "2026년 12월 10일", Difference::Numbers),
            ("won 5", "won", Difference::Words(50)),
            ("a b c d", "a b c e", Difference::Words(25)),
            ("a b", "", Difference::Words(100)),
            ("&amp; &lt;", "& <", Difference::None),
        ] {
            let found = of(&format!("<p>{one}</p>")).difference(&of(&format!("<p>{other}</p>")));
            assert_eq!(found, expected, "{one} / {other}");
        }
    }

    #[test]
    fn a_page_that_takes_too_much_memory_is_not_read_and_none_is_printed() {
        let page = format!("<p a=\"{}\">", "x".repeat(TOKENIZER_BYTES));
        assert_eq!(Visible::of_html(page.as_bytes()), Err(Unreadable));
        assert_eq!(format!("{:?}", of("<p>s3cret</p>")), "Visible(7 bytes)");
    }
}
