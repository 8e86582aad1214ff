//! A guest's own words, on their way to the log.
//!
//! They can be of any length, and on a route that is `single` they can hold what only its reader
//! may know. So they are cut short, and there they are left out.

use std::fmt;

use snapshot::manifest::Isolation;

/// Characters of a guest's own words, or of what the engine says of it, that are logged.
const LOGGED_CHARS: usize = 500;

/// What the log says instead.
const LEFT_OUT: &str = "(not told: the route is single)";

/// Whether a guest's own words may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    Told,
    LeftOut,
}

impl Words {
    pub(super) const fn of(isolation: Isolation) -> Self {
        match isolation {
            Isolation::Shared => Self::Told,
            Isolation::Single => Self::LeftOut,
        }
    }

    /// What the log may say of `said`.
    pub(super) fn logged(self, said: &impl fmt::Debug) -> String {
        match self {
            Self::Told => excerpt(&format!("{said:?}")),
            Self::LeftOut => LEFT_OUT.to_owned(),
        }
    }
}

/// The start of `words`.
pub(super) fn excerpt(words: &str) -> String {
    words.chars().take(LOGGED_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_words_are_cut_short_and_those_about_one_reader_are_left_out() {
        let said = "가".repeat(LOGGED_CHARS * 4);
        let told = Words::of(Isolation::Shared).logged(&said);
        assert_eq!(told.chars().count(), LOGGED_CHARS);
        let left_out = Words::of(Isolation::Single).logged(&"110-2345");
        assert_eq!(left_out, LEFT_OUT);
    }
}
