//! Where a node ends, without decoding it: for cutting frames.

/// The length of the node that `bytes` start with; `None` if they start with none, or with a part
/// of one. It says nothing about the node's content.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    if !matches!(bytes.first(), Some(0x93 | 0x97)) {
        return None;
    }
    let mut at = 0usize;
    // Values still to come; each takes at least a byte, so the input bounds the work.
    let mut pending = 1u64;
    while pending > 0 {
        let rest = bytes.get(at..)?;
        let (length, inside) = match *rest.first()? {
            0x00..=0x7f => (1, 0),
            first @ 0x90..=0x9f => (1, first & 0x0f),
            first @ 0xa0..=0xbf => (1 + usize::from(first & 0x1f), 0),
            0xcc => (2, 0),
            0xcd => (3, 0),
            0xce => (5, 0),
            0xcf => (9, 0),
            0xc4 | 0xd9 => (2 + usize::from(*rest.get(1)?), 0),
            0xc5 => (3 + usize::from(pair(rest)?), 0),
            0xdc => {
                pending = pending.saturating_add(u64::from(pair(rest)?));
                (3, 0)
            }
            _ => return None,
        };
        pending = pending.saturating_add(u64::from(inside)) - 1;
        at = at.checked_add(length)?;
    }
    (at <= bytes.len()).then_some(at)
}

fn pair(rest: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes([*rest.get(1)?, *rest.get(2)?]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;
    use crate::node::{Entries, Head, Node, Row, RowValue, VERSION};
    use crate::{BlobRef, codec};

    #[test]
    fn finds_the_end_of_any_node() {
        let key = Key::new("a").unwrap();
        let values = [
            RowValue::Tombstone,
            RowValue::Inline(&[7; 300]),
            RowValue::Blob(BlobRef::of(b"x")),
        ];
        let head = Head {
            version: VERSION,
            site: "dasom".parse().unwrap(),
            collection: "c".repeat(63).parse().unwrap(),
            records: u64::MAX,
        };
        for head in [None, Some(head)] {
            for count in [1, 3, 15, 16, 40] {
                let rows = (0..count).map(|i| Row {
                    key: key.as_bytes(),
                    value: values[i % 3],
                });
                let entries = Entries::Leaf(rows.collect());
                let node = Node {
                    head: head.clone(),
                    level: 0,
                    entries,
                };
                let mut bytes = codec::encode(&node).unwrap();
                assert_eq!(length(&bytes[..bytes.len() - 1]), None);
                let expected = Some(bytes.len());
                bytes.extend([1, 2, 3]);
                assert_eq!(length(&bytes), expected);
            }
        }
    }

    #[test]
    fn garbage_is_no_node() {
        for bad in [
            &[][..],
            &[0x93],
            &[0x01],
            &[0x93, 0xc1, 0, 0],
            &[0x93, 0xdc, 0xff, 0xff],
        ] {
            assert_eq!(length(bad), None, "{bad:?}");
        }
    }
}
