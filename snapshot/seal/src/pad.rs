//! Lengths that tell only a class: a sealed record is 256 bytes, 1, 4 or 16 KiB, or a multiple
//! of 16 KiB long, header and tag included.

use alloc::vec::Vec;

/// Sealed lengths up to which a record is padded, bytes. Beyond, multiples of the last.
const CLASSES: [usize; 4] = [256, 1024, 4096, 16 * 1024];
/// Marks the end of the plaintext; zeros follow (ISO/IEC 7816-4).
const MARK: u8 = 0x80;

/// Appends the mark and zeros to the plaintext that starts at `start`, until the whole, with
/// `overhead` bytes around it, has the length of a class.
pub(crate) fn pad(buffer: &mut Vec<u8>, overhead: usize) {
    buffer.push(MARK);
    let whole = class(buffer.len() + overhead);
    buffer.resize(whole - overhead, 0);
}

/// True for a length that a sealed record can have.
pub(crate) fn is_class(whole: usize) -> bool {
    whole != 0 && class(whole) == whole
}

/// Length of the plaintext within its padding; `None` if the padding is not what [`pad`] writes.
pub(crate) fn unpadded(padded: &[u8], overhead: usize) -> Option<usize> {
    let end = padded.iter().rposition(|byte| *byte != 0)?;
    let marked = padded.get(end) == Some(&MARK);
    let smallest = class(end + 1 + overhead) == padded.len() + overhead;
    (marked && smallest).then_some(end)
}

fn class(bytes: usize) -> usize {
    let largest = 16 * 1024;
    CLASSES
        .into_iter()
        .find(|class| bytes <= *class)
        .unwrap_or_else(|| bytes.div_ceil(largest) * largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_the_documented_ones() {
        for (bytes, whole) in [
            (1, 256),
            (256, 256),
            (257, 1024),
            (1025, 4096),
            (4097, 16_384),
            (16_385, 32_768),
            (32_769, 49_152),
        ] {
            assert_eq!(class(bytes), whole);
            assert!(is_class(whole));
        }
        assert!(!is_class(0) && !is_class(255) && !is_class(20_000));
    }

    #[test]
    fn padding_is_refused_unless_it_is_the_one_spelling() {
        let mut good = alloc::vec![b'a'];
        pad(&mut good, 29);
        assert_eq!(unpadded(&good, 29), Some(1));
        assert_eq!(unpadded(&[0; 227], 29), None);
        let mut unmarked = good.clone();
        unmarked[1] = 0x40;
        assert_eq!(unpadded(&unmarked, 29), None);
        // A short text in a class that is too large for it.
        good.resize(1024 - 29, 0);
        assert_eq!(unpadded(&good, 29), None);
    }
}
