//! Words for readers, by language.

use serde::{Deserialize, Serialize};

/// A language tag's primary subtag (RFC 5646 section 2.2.1) in lower case: `ko`, `en`.
pub type Language = String;

/// The same words in several languages, the default language first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocalText(pub Vec<(Language, String)>);

impl LocalText {
    /// The words in `language`, else in the first language there is, with the language they are
    /// really in (a page marks it with `lang`). `None` when there are no words at all.
    #[must_use]
    pub fn get(&self, language: &str) -> Option<(&str, &str)> {
        let exact = self.0.iter().find(|(tag, _)| tag == language);
        exact
            .or_else(|| self.0.first())
            .map(|(tag, words)| (tag.as_str(), words.as_str()))
    }

    /// True when there are no words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<L: Into<String>, W: Into<String>> FromIterator<(L, W)> for LocalText {
    fn from_iter<I: IntoIterator<Item = (L, W)>>(iter: I) -> Self {
        Self(
            iter.into_iter()
                .map(|(l, w)| (l.into(), w.into()))
                .collect(),
        )
    }
}
