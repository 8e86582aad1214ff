//! "Did you mean": the known word that a wrong one was most likely meant to be.

/// Most edits between a slip and the word that was meant.
const EDITS: usize = 2;

/// The word of `known` that is nearest to `written`, if any is near.
pub(super) fn nearest<'k>(known: &[&'k str], written: &str) -> Option<&'k str> {
    let near = known.iter().map(|word| (distance(word, written), *word));
    near.filter(|(edits, _)| *edits <= EDITS)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, word)| word)
}

/// Edit distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (cb, above) in b.iter().zip(row.windows(2)) {
            let &[diagonal, up] = above else { continue };
            left = (diagonal + usize::from(ca != *cb))
                .min(up + 1)
                .min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_wins_and_a_far_one_is_not_meant() {
        assert_eq!(nearest(&["poll", "mirrors"], "miror"), Some("mirrors"));
        assert_eq!(nearest(&["key", "keys"], "keys"), Some("keys"));
        assert_eq!(nearest(&["name", "data"], "port"), None);
        assert_eq!(distance("", "key"), 3);
    }
}
