//! The property tests: any bytes, and documents that were changed as an attacker would.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

/// Cases of each kind for each decoder: all of them together take some seconds.
const CASES: u32 = 1024;
/// Longest document of any bytes.
const BYTES: usize = 512;

/// What a length field may claim.
const LIES: [u64; 9] = [
    0,
    1,
    0x7f,
    0xff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    i64::MAX as u64,
    u64::MAX,
];

/// One change to a document.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Cut(Index, Index),
    Repeat(Index, Index, u8),
    Insert(Index, Vec<u8>),
    /// A part of another document in place of a part of this one.
    Splice(Index, Index, Index),
    /// Another number, in so many bytes, most significant first or last.
    Lie(Index, u64, usize, bool),
    /// Another number in digits.
    Say(Index, String),
}

/// Holds `decode` to what every body promises.
pub(crate) fn hold(decode: fn(&[u8]) -> bool, valid: &[Vec<u8>]) {
    for document in valid {
        assert!(decode(document), "refused: {:?}", crate::text(document));
    }
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&vec(any::<u8>(), 0..BYTES), |bytes| {
            decode(&bytes);
            Ok(())
        })
        .unwrap();
    let changed = (any::<Index>(), any::<Index>(), vec(change(), 1..5));
    runner
        .run(&changed, |(one, other, changes)| {
            let (one, other) = (one.get(valid), other.get(valid));
            let bytes = changes
                .iter()
                .fold(one.clone(), |bytes, change| change.made(bytes, other));
            decode(&bytes);
            Ok(())
        })
        .unwrap();
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let number = prop_oneof![select(&LIES[..]), any::<u64>()];
    prop_oneof![
        4 => (at(), 0..8u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        2 => (at(), at()).prop_map(|(from, to)| Change::Cut(from, to)),
        1 => (at(), at(), any::<u8>()).prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
        2 => (at(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (at(), at(), at()).prop_map(|(from, to, at)| Change::Splice(from, to, at)),
        4 => (at(), number, select(&[1usize, 2, 4, 8][..]), any::<bool>())
            .prop_map(|(at, lie, width, big)| Change::Lie(at, lie, width, big)),
        2 => (at(), "-?[0-9]{1,25}").prop_map(|(at, digits)| Change::Say(at, digits)),
    ]
}

impl Change {
    fn made(&self, mut bytes: Vec<u8>, other: &[u8]) -> Vec<u8> {
        match self {
            Self::Flip(at, bit) => {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] ^= 1 << bit;
                }
            }
            Self::Cut(from, to) => {
                bytes.drain(span(from, to, bytes.len()));
            }
            Self::Repeat(from, to, times) => {
                let span = span(from, to, bytes.len().min(64));
                let part = bytes[span.clone()].repeat(usize::from(*times));
                bytes.splice(span, part);
            }
            Self::Insert(at, new) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Splice(from, to, at) => {
                let part = other[span(from, to, other.len())].to_vec();
                let at = at.index(bytes.len() + 1);
                let end = bytes.len().min(at + part.len());
                bytes.splice(at..end, part);
            }
            Self::Lie(at, lie, width, big) => {
                let lie = if *big {
                    lie.to_be_bytes()[8 - width..].to_vec()
                } else {
                    lie.to_le_bytes()[..*width].to_vec()
                };
                let at = at.index(bytes.len() + 1);
                let end = bytes.len().min(at + width);
                bytes.splice(at..end, lie);
            }
            Self::Say(at, digits) => {
                let at = at.index(bytes.len() + 1);
                // In place of the next number, if there is one.
                let found = bytes[at..].iter().position(u8::is_ascii_digit);
                let at = at + found.unwrap_or(0);
                let number = bytes[at..].iter().take_while(|b| b.is_ascii_digit());
                let end = at + number.count();
                bytes.splice(at..end, digits.bytes());
            }
        }
        bytes
    }
}

/// What lies between two places, of a document of so many bytes.
fn span(one: &Index, other: &Index, len: usize) -> std::ops::Range<usize> {
    let (one, other) = (one.index(len + 1), other.index(len + 1));
    one.min(other)..one.max(other)
}

#[test]
fn names_are_told_apart() {
    let mut names: Vec<_> = crate::targets().map(|target| target.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
