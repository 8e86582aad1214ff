//! A name for each request: in its answer, its log line, and every line logged on its way.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
static COUNT: AtomicU64 = AtomicU64::new(0);

/// Unique within a process, hardly guessable, 16 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    /// The next one.
    #[must_use]
    pub fn next() -> Self {
        Self(SEED.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)))
    }
}

/// Letters of a reference: none is a vowel, so that no word comes of them, and none looks like a digit.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of one half of a reference.
const HALF: usize = 4;

impl RequestId {
    /// A short name for readers to refer to: two halves of four letters. It follows from the id, and is
    /// as good as unique among the refused writes of a day.
    #[must_use]
    pub fn reference(self) -> String {
        let mut rest = self.0;
        let mut text = String::new();
        for place in 0..2 * HALF {
            if place == HALF {
                text.push('-');
            }
            let letter = usize::try_from(rest % 20).unwrap_or(0);
            text.extend(LETTERS.get(letter).map(|letter| char::from(*letter)));
            rest /= 20;
        }
        text
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_eight_letters_and_differs_from_request_to_request() {
        assert_eq!(RequestId(0).reference(), "BBBB-BBBB");
        assert_eq!(RequestId(u64::MAX).reference().len(), 9);
        let many: std::collections::BTreeSet<_> =
            (0..1000).map(|_| RequestId::next().reference()).collect();
        assert_eq!(many.len(), 1000);
    }
}
