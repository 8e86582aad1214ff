//! Edits of a byte stream by position: pieces inserted, ranges cut, everything else untouched.
//!
//! The tokenizer only tells *where*; the page's own bytes never pass through it and back. So
//! whatever the tokenizer gives up on, no byte of the page is lost, doubled or changed.

use std::collections::VecDeque;

/// One edit; positions are offsets in the page, ascending in the order they are noted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Edit {
    Insert(u64, String),
    CutFrom(u64),
    CutTo(u64),
}

impl Edit {
    const fn at(&self) -> u64 {
        match self {
            Self::Insert(at, _) | Self::CutFrom(at) | Self::CutTo(at) => *at,
        }
    }
}

/// Holds input back until the tokenizer has passed it, then lets it out with the edits applied.
#[derive(Debug, Default)]
pub(super) struct Splice {
    edits: VecDeque<Edit>,
    /// Input that is not let out yet.
    held: Vec<u8>,
    /// Where `held` starts.
    start: u64,
    cutting: bool,
}

impl Splice {
    pub(super) fn take_in(&mut self, input: &[u8]) {
        self.held.extend_from_slice(input);
    }

    pub(super) fn insert(&mut self, at: u64, piece: String) {
        self.edits.push_back(Edit::Insert(at, piece));
    }

    pub(super) fn cut_from(&mut self, at: u64) {
        self.edits.push_back(Edit::CutFrom(at));
    }

    pub(super) fn cut_to(&mut self, at: u64) {
        self.edits.push_back(Edit::CutTo(at));
    }

    /// Lets out everything before `passed`, to which all edits are known.
    pub(super) fn let_out(&mut self, passed: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.held.len());
        let mut done = 0;
        while let Some(edit) = self.edits.pop_front_if(|edit| edit.at() <= passed) {
            done = self.advance(done, edit.at(), &mut out);
            match edit {
                Edit::Insert(_, piece) if !self.cutting => out.extend_from_slice(piece.as_bytes()),
                Edit::Insert(..) => {}
                Edit::CutFrom(_) => self.cutting = true,
                Edit::CutTo(_) => self.cutting = false,
            }
        }
        done = self.advance(done, passed, &mut out);
        self.held.drain(..done);
        self.start += done as u64;
        out
    }

    /// Lets out all that is left as it is, an open cut included: for when the tokenizer gave up.
    pub(super) fn give_up(&mut self, passed: u64) -> Vec<u8> {
        let mut out = self.let_out(passed);
        self.cutting = false;
        self.edits.retain(|edit| matches!(edit, Edit::Insert(..)));
        out.extend(self.let_out(u64::MAX));
        out
    }

    /// Moves from index `done` of what is held to the offset `to` of the page; the new index.
    fn advance(&self, done: usize, to: u64, out: &mut Vec<u8>) -> usize {
        let end = usize::try_from(to.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let end = end.clamp(done, self.held.len().max(done));
        if !self.cutting {
            out.extend_from_slice(self.held.get(done..end).unwrap_or_default());
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_apply_once_their_place_has_passed() {
        let mut splice = Splice::default();
        splice.take_in(b"0123456789");
        splice.insert(2, "<i>".to_owned());
        splice.cut_from(2);
        splice.insert(3, "lost".to_owned());
        splice.cut_to(5);
        splice.cut_from(7);
        assert_eq!(splice.let_out(1), b"0");
        assert_eq!(splice.let_out(8), b"1<i>56");
        splice.take_in(b"abc");
        splice.cut_to(11);
        assert_eq!(splice.let_out(13), b"bc");
    }

    #[test]
    fn giving_up_loses_nothing_more() {
        let mut splice = Splice::default();
        splice.take_in(b"0123456789");
        splice.cut_from(2);
        splice.insert(6, "<i>".to_owned());
        splice.cut_from(7);
        assert_eq!(splice.give_up(4), b"0145<i>6789");
        splice.take_in(b"ab");
        assert_eq!(splice.give_up(4), b"ab");
    }
}
