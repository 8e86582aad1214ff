//! What of ops' words reaches a reader. They come out of signed orders, but an order is written by any
//! program: so they are bounded, and made harmless, once, before a page, a header, a document or a feed
//! has them.

use snapshot::order::{Notice, Scope};
use snapshot::{Language, Timestamp, limits, words};

use super::state::NoticeLine;

/// Most notices that a page prints: the newest of all scopes.
pub const NOTICES: usize = 20;
/// Most languages of one notice.
pub const LANGUAGES: usize = 32;
/// A language that is none: "undetermined" (RFC 5646 section 4.1).
const NO_LANGUAGE: &str = "und";
/// Longest language tag that is passed on (RFC 5646 section 4.4.1), bytes.
const TAG_BYTES: usize = 35;

impl NoticeLine {
    /// `notice` about `scope` for a reader of `language`; `None` where it says nothing.
    #[must_use]
    pub fn of(scope: &Scope, notice: &Notice, language: &str) -> Option<Self> {
        let (spoken, text) = notice.text.get(language)?;
        let texts = notice.text.0.iter().take(LANGUAGES);
        Some(Self {
            scope: scope.clone(),
            at: notice.at.min(Timestamp::LAST),
            language: tag(spoken),
            text: shown(text),
            texts: texts
                .map(|(language, words)| (tag(language), shown(words)))
                .collect(),
        })
    }
}

fn shown(text: &str) -> String {
    words::shown(text, limits::NOTICE_BYTES).into_owned()
}

/// `language` as a `lang` attribute may say it.
fn tag(language: &str) -> Language {
    let subtag = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let fits = language.len() <= TAG_BYTES && language.split('-').all(subtag);
    if fits { language } else { NO_LANGUAGE }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(texts: &[(&str, &str)], language: &str) -> NoticeLine {
        let notice = Notice {
            at: Timestamp::from_secs(1),
            text: texts.iter().copied().collect(),
        };
        NoticeLine::of(&Scope::Site, &notice, language).unwrap()
    }

    #[test]
    fn words_are_shown_in_the_readers_language_or_in_another_that_is_named() {
        let both = [("ko", "불"), ("en", "fire")];
        let english = line(&both, "en");
        assert_eq!(
            (english.language.as_str(), english.text.as_str()),
            ("en", "fire")
        );
        assert_eq!(english.texts.len(), 2);
        assert_eq!(line(&both, "fr").language, "ko");
    }

    #[test]
    fn whatever_an_order_says_is_bounded_and_harmless() {
        let long = "x".repeat(60_000);
        let odd = line(
            &[("\"><script>", &long), ("en", "a\u{202e}b\n\u{0}c")],
            "en",
        );
        assert_eq!(odd.text, "ab  c");
        assert_eq!(odd.texts[0].0, "und");
        assert_eq!(odd.texts[0].1.len(), limits::NOTICE_BYTES);
        for (language, shown) in [("zh-Hant-TW", "zh-Hant-TW"), ("", "und"), ("en us", "und")] {
            assert_eq!(tag(language), shown);
        }
        assert_eq!(tag(&["abcdefgh"; 4].join("-")).len(), TAG_BYTES);
        assert_eq!(tag(&["abcdefgh"; 5].join("-")), "und");
        let late = Notice {
            at: Timestamp(u64::MAX),
            text: [("en", "x")].into_iter().collect(),
        };
        let late = NoticeLine::of(&Scope::Site, &late, "en").unwrap();
        assert_eq!(late.at.rfc3339(), "9999-01-01T00:00:00Z");
        let many: Vec<_> = (0..=LANGUAGES).map(|n| format!("l{n}")).collect();
        let many: Vec<_> = many.iter().map(|tag| (tag.as_str(), "x")).collect();
        assert_eq!(line(&many, "l0").texts.len(), LANGUAGES);
    }

    #[test]
    fn without_words_there_is_no_notice() {
        let notice = Notice {
            at: Timestamp::from_secs(1),
            text: Default::default(),
        };
        assert_eq!(NoticeLine::of(&Scope::Site, &notice, "ko"), None);
    }
}
