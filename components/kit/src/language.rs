//! The reader's language. Rows may speak any; the words of the guests themselves are Korean, and
//! English for everyone else.

/// A language tag of the site, as the host negotiated it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language(String);

impl Language {
    /// Of a tag such as `ko` or `en-GB`.
    #[must_use]
    pub fn new(tag: &str) -> Self {
        Self(tag.to_owned())
    }

    /// For `lang` attributes and the ends of field names.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.0
    }

    /// Whether the reader reads Korean.
    #[must_use]
    pub fn is_korean(&self) -> bool {
        self.0
            .split('-')
            .next()
            .is_some_and(|primary| primary.eq_ignore_ascii_case("ko"))
    }

    /// The words in the reader's language.
    #[must_use]
    pub fn pick<T>(&self, korean: T, english: T) -> T {
        if self.is_korean() { korean } else { english }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korean_is_korean_in_any_region() {
        for (tag, korean) in [("ko", true), ("KO-KR", true), ("en", false), ("kok", false)] {
            assert_eq!(Language::new(tag).is_korean(), korean, "{tag}");
        }
        assert_eq!(Language::new("ja").pick("가", "a"), "a");
    }
}
