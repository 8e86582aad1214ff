//! Frames at rest that promise or produce far more than they take: written by hand, for no
//! compressor makes them.

/// What starts every zstd frame (RFC 8878, 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The largest block, bytes, and the window that it needs.
const BLOCK: u32 = 128 << 10;
/// A window of 128 KiB: an exponent of 7 above 1 KiB, without a mantissa.
const SMALL_WINDOW: u8 = 7 << 3;
/// A window of 2 TiB, the largest that can be asked for but a mantissa.
const LARGE_WINDOW: u8 = 31 << 3;
/// A block that is one byte, repeated.
const REPEATED: u32 = 1 << 1;

/// A frame of `blocks` times 128 KiB of zeros: four bytes for each.
#[must_use]
pub fn bomb(blocks: usize) -> Vec<u8> {
    frame(SMALL_WINDOW, blocks)
}

/// A small frame that asks for more memory than anyone has.
#[must_use]
pub fn greedy() -> Vec<u8> {
    frame(LARGE_WINDOW, 1)
}

fn frame(window: u8, blocks: usize) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    // No content size, no checksum, no dictionary.
    bytes.extend([0, window]);
    for block in 1..=blocks {
        let last = u32::from(block == blocks);
        let [low, middle, high, _] = (last | REPEATED | BLOCK << 3).to_le_bytes();
        bytes.extend([low, middle, high, 0]);
    }
    bytes
}
