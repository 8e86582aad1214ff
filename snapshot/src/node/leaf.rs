//! The fast way to read a leaf: one pass that only the one canonical spelling gets through.

use super::{PLAIN, Row, RowValue};
use crate::{BlobRef, Digest};

/// The entries of a leaf below a root, if `bytes` are one in canonical form and nothing else. `None`
/// tells no more than that they are not.
pub(super) fn rows(bytes: &[u8]) -> Option<Vec<Row<'_>>> {
    let mut input = Input(bytes.strip_prefix(&[0x93, PLAIN, 0])?);
    let count = match input.byte()? {
        few @ 0x90..=0x9f => usize::from(few & 0x0f),
        0xdc => usize::from(u16::from_be_bytes(input.array()?)).at_least(16)?,
        _ => return None,
    };
    // An entry takes four bytes at least, so the count cannot ask for more than the bytes may hold.
    let mut rows = Vec::with_capacity(count.min(bytes.len() / 4));
    for _ in 0..count {
        rows.push(input.row()?);
    }
    input.0.is_empty().then_some(rows)
}

/// What is still to be read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn row(&mut self) -> Option<Row<'a>> {
        let fields = self.byte()?;
        if !matches!(fields, 0x91..=0x93) {
            return None;
        }
        let key = self.bin()?;
        let value = match fields {
            0x91 => RowValue::Tombstone,
            0x92 => RowValue::Inline(self.bin()?),
            _ => RowValue::Blob(BlobRef {
                digest: Digest::from_bytes(self.bin()?.try_into().ok()?),
                bytes: self.integer()?,
            }),
        };
        Some(Row { key, value })
    }

    fn bin(&mut self) -> Option<&'a [u8]> {
        let length = match self.byte()? {
            0xc4 => usize::from(self.byte()?),
            0xc5 => usize::from(u16::from_be_bytes(self.array()?)).at_least(1 << 8)?,
            _ => return None,
        };
        let (bin, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bin)
    }

    fn integer(&mut self) -> Option<u64> {
        match self.byte()? {
            small @ 0..=0x7f => Some(u64::from(small)),
            0xcc => u64::from(self.byte()?).at_least(1 << 7),
            0xcd => u64::from(u16::from_be_bytes(self.array()?)).at_least(1 << 8),
            0xce => u64::from(u32::from_be_bytes(self.array()?)).at_least(1 << 16),
            0xcf => u64::from_be_bytes(self.array()?).at_least(1 << 32),
            _ => None,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }
}

/// Numbers that a shorter form would hold are refused.
trait AtLeast: PartialOrd + Sized {
    fn at_least(self, least: Self) -> Option<Self> {
        (self >= least).then_some(self)
    }
}

impl AtLeast for usize {}
impl AtLeast for u64 {}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::codec;
    use crate::node::{Entries, Node};

    fn slow(bytes: &[u8]) -> Option<Vec<Row<'_>>> {
        let node: Node<'_> = codec::decode(bytes, usize::MAX).ok()?;
        match (node.head, node.entries) {
            (None, Entries::Leaf(rows)) => Some(rows),
            _ => None,
        }
    }

    type Value = (u8, Vec<u8>, u64);

    fn encoded(rows: &[(Vec<u8>, Value)]) -> Vec<u8> {
        let row = |(key, (kind, value, bytes)): &'_ (Vec<u8>, Value)| match kind {
            0 => codec::encode(&(serde_bytes::Bytes::new(key),)),
            1 => codec::encode(&(serde_bytes::Bytes::new(key), serde_bytes::Bytes::new(value))),
            _ => codec::encode(&(serde_bytes::Bytes::new(key), Digest::of(value), bytes)),
        };
        let body: Vec<u8> = rows.iter().flat_map(|r| row(r).unwrap()).collect();
        crate::node::assemble(None, 0, rows.len(), &body).unwrap()
    }

    fn any_rows() -> impl Strategy<Value = Vec<(Vec<u8>, Value)>> {
        let length = prop_oneof![0..4usize, 30..34usize, 254..258usize, 1000..1030usize];
        let bytes = || {
            length
                .clone()
                .prop_flat_map(|length| vec(any::<u8>(), length))
        };
        let number = (any::<u64>(), 0..64u32).prop_map(|(number, shift)| number >> shift);
        vec((bytes(), (0..3u8, bytes(), number)), 0..20)
    }

    proptest! {
        #[test]
        fn is_what_the_slow_way_reads(rows in any_rows()) {
            let bytes = encoded(&rows);
            prop_assert_eq!(super::rows(&bytes).map(|rows| rows.len()), Some(rows.len()));
            prop_assert_eq!(super::rows(&bytes), slow(&bytes));
        }

        #[test]
        fn refuses_what_the_slow_way_refuses(
            rows in any_rows(),
            changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            cut in any::<Option<prop::sample::Index>>(),
        ) {
            let mut bytes = encoded(&rows);
            for (at, byte) in changes {
                // The headers are at the front and the most is to be got wrong there.
                let at = at.index(bytes.len().min(64));
                bytes[at] = byte;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            prop_assert_eq!(super::rows(&bytes), slow(&bytes));
        }
    }

    #[test]
    fn a_longer_spelling_is_refused() {
        let short = [0x93, 0, 0, 0x91, 0x91, 0xc4, 1, b'a'];
        assert!(rows(&short).is_some());
        for long in [
            &[0x93, 0, 0, 0xdc, 0, 1, 0x91, 0xc4, 1, b'a'][..],
            &[0x93, 0, 0, 0x91, 0x91, 0xc5, 0, 1, b'a'],
            &[0x93, 0, 0, 0x91, 0x91, 0xc4, 1, b'a', 0],
        ] {
            assert_eq!((rows(long), slow(long)), (None, None), "{long:?}");
        }
    }
}
