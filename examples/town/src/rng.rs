//! A seeded stream of choices, so that every run makes the same town. Its ids and capabilities
//! come from the seed as well: an example, not a way to make secrets.

use crate::words::{self, Pair};

/// Deterministic choices from a seed and a label; labels keep tables independent of each other.
#[derive(Debug)]
pub struct Rng(blake3::OutputReader);

impl Rng {
    /// The stream for `label` under `seed`.
    #[must_use]
    pub fn new(seed: u64, label: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes()).update(label.as_bytes());
        Self(hasher.finalize_xof())
    }

    /// Below `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes).checked_rem(bound).unwrap_or(0)
    }

    /// One of `choices`, which must not be empty.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let at = self.below(choices.len() as u64);
        choices.get(usize::try_from(at).unwrap_or(0))
    }

    /// `digits` decimal digits, the first not 0.
    pub fn digits(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|at| {
                let digit = if at == 0 {
                    1 + self.below(9)
                } else {
                    self.below(10)
                };
                char::from_digit(u32::try_from(digit).unwrap_or(0), 10).unwrap_or('0')
            })
            .collect()
    }

    /// One of the pairs.
    pub fn pair(&mut self, choices: &[Pair]) -> (String, String) {
        self.pick(choices)
            .map(|(ko, en)| ((*ko).to_owned(), (*en).to_owned()))
            .unwrap_or_default()
    }

    /// A person: Korean puts the family name first without a space.
    pub fn person(&mut self, family: &(String, String), given: &[Pair]) -> (String, String) {
        let (ko, en) = self.pair(given);
        (format!("{}{ko}", family.0), format!("{en} {}", family.1))
    }

    /// A person of the town, of any family.
    pub fn anyone(&mut self) -> (String, String) {
        let family = self.pair(words::FAMILY);
        self.person(&family, words::GIVEN)
    }

    /// A mobile telephone's number.
    pub fn mobile(&mut self) -> String {
        format!("010-{}-{}", self.digits(4), self.digits(4))
    }

    /// A day of this year in one of `months`.
    pub fn day(&mut self, months: std::ops::RangeInclusive<u64>) -> String {
        let month = months.start() + self.below(months.end() - months.start() + 1);
        format!("2026-{month:02}-{:02}", 1 + self.below(28))
    }

    /// An id nobody guesses: `length` letters and digits without look-alikes.
    pub fn id(&mut self, length: usize) -> String {
        const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
        (0..length)
            .filter_map(|_| self.pick(ALPHABET).map(|b| char::from(*b)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_makes_one_town() {
        let ids = |seed| {
            (0..4)
                .map(|_| Rng::new(seed, "t").id(16))
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
    }
}
