//! Large values, handed out in ranges that were hashed first.
//!
//! A blob of up to [`limits::WHOLE_BLOB_BYTES`] is hashed whole on each read. A longer one is
//! verified in groups of 16 KiB against its BLAKE3 tree, whose inner hashes lie in a file beside
//! it, made when the blob arrived. That file is not trusted: a wrong hash in it fails the check.
//! The numbers at the comments are the steps of `FORMAT.md` section 6.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use bao_tree::io::outboard::PreOrderOutboard;
use bao_tree::io::sync::{CreateOutboard, DecodeResponseIter, encode_ranges};
use bao_tree::io::{BaoContentItem, DecodeError};
use bao_tree::{BaoTree, BlockSize, ChunkNum, ChunkRanges};

use crate::{BlobRef, Digest, limits};

/// Groups of 16 chunks of 1 KiB.
const GROUP: BlockSize = BlockSize::from_chunk_log(4);
/// What is read and verified at once, bytes; a whole number of groups.
const WINDOW_BYTES: u64 = 1 << 20;

/// A blob that cannot be read, or is not what its name says.
#[derive(Debug, thiserror::Error)]
#[error("blob {blob}, at {at}: {fault}")]
pub struct BlobError {
    /// Its name.
    pub blob: Digest,
    /// An offset in it.
    pub at: u64,
    /// What is wrong there.
    #[source]
    pub fault: BlobFault,
}

/// What is wrong with a blob.
#[derive(Debug, thiserror::Error)]
pub enum BlobFault {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file is longer or shorter than the blob.
    #[error("the file has {got} bytes where {expected} are expected")]
    Length {
        /// The blob's length.
        expected: u64,
        /// The file's.
        got: u64,
    },
    /// Larger than a blob may be.
    #[error("{got} bytes where at most {limit} are allowed")]
    TooLarge {
        /// Bytes claimed.
        got: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Other bytes than the ones that were signed.
    #[error("other bytes than its name says")]
    Bytes,
    /// The hash tree beside the blob is damaged.
    #[error("its hash tree is damaged")]
    Tree,
    /// A range that is not inside the blob.
    #[error("range {start}..{end} of a blob of {length} bytes")]
    Range {
        /// First byte asked for.
        start: u64,
        /// One past the last.
        end: u64,
        /// The blob's length.
        length: u64,
    },
}

/// An open blob.
#[derive(Debug)]
pub struct Blob {
    file: File,
    entry: BlobRef,
    tree: Option<PreOrderOutboard<File>>,
}

impl Blob {
    /// Opens `file`; `tree` is its hash tree, needed for more than [`limits::WHOLE_BLOB_BYTES`].
    pub(crate) fn open(file: File, tree: Option<File>, entry: &BlobRef) -> Result<Self, BlobError> {
        let fail = |fault| BlobError {
            blob: entry.digest,
            at: 0,
            fault,
        };
        // 6.1 No longer than a blob may be.
        if entry.bytes > limits::BLOB_BYTES {
            return Err(fail(BlobFault::TooLarge {
                got: entry.bytes,
                limit: limits::BLOB_BYTES,
            }));
        }
        // 6.2 The file has the length that the reference claims.
        let got = file.metadata().map_err(|e| fail(e.into()))?.len();
        if got != entry.bytes {
            return Err(fail(BlobFault::Length {
                expected: entry.bytes,
                got,
            }));
        }
        let tree = match (tree, needs_tree(entry.bytes)) {
            (_, false) => None,
            (None, true) => return Err(fail(BlobFault::Tree)),
            (Some(data), true) => Some(PreOrderOutboard {
                root: root(entry),
                tree: BaoTree::new(entry.bytes, GROUP),
                data,
            }),
        };
        Ok(Self {
            file,
            entry: *entry,
            tree,
        })
    }

    /// Its length, bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.entry.bytes
    }

    /// True for a blob of no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entry.bytes == 0
    }

    /// The bytes in `range`, verified. Memory: the range, and beyond it about 2 MiB.
    ///
    /// # Errors
    /// A range outside the blob, or bytes that are not what its name says.
    pub fn read(&self, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
        if range.start > range.end || range.end > self.entry.bytes {
            let (start, end) = (range.start, range.end);
            return Err(self.fail(
                start,
                BlobFault::Range {
                    start,
                    end,
                    length: self.len(),
                },
            ));
        }
        let Some(tree) = &self.tree else {
            return self.read_whole(range);
        };
        let mut bytes = Vec::with_capacity(usize::try_from(range.end - range.start).unwrap_or(0));
        let mut at = range.start;
        while at < range.end {
            let window = at - at % WINDOW_BYTES;
            let end = range.end.min(window + WINDOW_BYTES);
            self.read_window(tree, at..end, &mut bytes)
                .map_err(|fault| self.fail(at, fault))?;
            at = end;
        }
        Ok(bytes)
    }

    fn read_whole(&self, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
        let cut = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        let mut bytes = vec![0; cut(self.entry.bytes)];
        self.file
            .read_exact_at(&mut bytes, 0)
            .map_err(|e| self.fail(0, e.into()))?;
        // 6.3 Read into memory whole, then hashed.
        if Digest::of(&bytes) != self.entry.digest {
            return Err(self.fail(0, BlobFault::Bytes));
        }
        bytes.truncate(cut(range.end));
        bytes.drain(..cut(range.start));
        Ok(bytes)
    }

    /// Appends `range`, which lies in one window, to `into`.
    fn read_window(
        &self,
        tree: &PreOrderOutboard<File>,
        range: Range<u64>,
        into: &mut Vec<u8>,
    ) -> Result<(), BlobFault> {
        let group = GROUP.bytes() as u64;
        let first = range.start - range.start % group;
        let chunks = ChunkNum::chunks(first)..ChunkNum::chunks(range.end.next_multiple_of(group));
        let ranges = ChunkRanges::from(chunks);
        // 6.4 The groups and the hashes above them are read into memory, then checked from the
        // root down; only checked groups are handed out.
        let mut read = Vec::new();
        encode_ranges(&self.file, tree, &ranges, &mut read).map_err(io::Error::from)?;
        for item in DecodeResponseIter::new(tree.root, tree.tree, Cursor::new(read), &ranges) {
            let leaf = match item {
                Ok(BaoContentItem::Leaf(leaf)) => leaf,
                Ok(BaoContentItem::Parent(_)) => continue,
                Err(DecodeError::ParentHashMismatch(_)) => return Err(BlobFault::Tree),
                Err(DecodeError::LeafHashMismatch(_)) => return Err(BlobFault::Bytes),
                Err(other) => return Err(BlobFault::Io(other.into())),
            };
            let end = leaf.offset + leaf.data.len() as u64;
            let (from, to) = (range.start.max(leaf.offset), range.end.min(end));
            let cut = |offset: u64| usize::try_from(offset - leaf.offset).unwrap_or(usize::MAX);
            if from < to
                && let Some(part) = leaf.data.get(cut(from)..cut(to))
            {
                into.extend_from_slice(part);
            }
        }
        Ok(())
    }

    fn fail(&self, at: u64, fault: BlobFault) -> BlobError {
        BlobError {
            blob: self.entry.digest,
            at,
            fault,
        }
    }
}

/// Whether a blob of this length is verified in groups.
pub(crate) fn needs_tree(bytes: u64) -> bool {
    bytes > limits::WHOLE_BLOB_BYTES
}

/// Hashes `bytes` bytes of `data`, and gives the root and the hashes of the tree above its groups.
pub(crate) fn grow_tree(data: impl Read, bytes: u64) -> io::Result<(Digest, Vec<u8>)> {
    let mut tree = PreOrderOutboard {
        root: blake3::Hash::from_bytes([0; 32]),
        tree: BaoTree::new(bytes, GROUP),
        data: Vec::new(),
    };
    tree.init_from(data)?;
    Ok((Digest::from_bytes(*tree.root.as_bytes()), tree.data))
}

/// The length of the hash tree beside a blob, bytes.
pub(crate) fn tree_bytes(bytes: u64) -> u64 {
    BaoTree::new(bytes, GROUP).outboard_size()
}

fn root(entry: &BlobRef) -> blake3::Hash {
    blake3::Hash::from_bytes(*entry.digest.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    fn pattern(bytes: u64) -> Vec<u8> {
        (0..bytes).map(|i| (i / 7 % 251) as u8).collect()
    }

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    fn blob(bytes: &[u8], tree: &[u8], entry: &BlobRef) -> Result<Blob, BlobError> {
        Blob::open(file(bytes), Some(file(tree)), entry)
    }

    #[test]
    fn any_range_of_any_length() {
        let lengths = [
            0,
            1,
            65_536,
            65_537,
            81_920,
            1 << 20,
            (1 << 20) + 1,
            2_500_003,
        ];
        for bytes in lengths {
            let content = pattern(bytes);
            let entry = BlobRef::of(&content);
            let (digest, tree) = grow_tree(&content[..], bytes).unwrap();
            assert_eq!(
                (digest, tree.len() as u64),
                (entry.digest, tree_bytes(bytes))
            );
            let blob = blob(&content, &tree, &entry).unwrap();
            let edges = [
                0,
                1,
                16_383,
                16_384,
                16_385,
                1 << 20,
                (1 << 20) + 1,
                bytes / 2,
                bytes,
            ];
            for start in edges {
                for end in edges {
                    if start <= end && end <= bytes {
                        let expected = &content[start as usize..end as usize];
                        assert!(
                            blob.read(start..end).unwrap() == expected,
                            "{bytes} {start} {end}"
                        );
                    } else {
                        let error = blob.read(start..end).unwrap_err();
                        assert!(matches!(error.fault, BlobFault::Range { .. }));
                    }
                }
            }
        }
    }

    #[test]
    fn a_flipped_byte_spoils_its_group_and_no_other() {
        let mut content = pattern(500_000);
        let entry = BlobRef::of(&content);
        let (_, tree) = grow_tree(&content[..], entry.bytes).unwrap();
        content[200_000] ^= 1;
        let blob = blob(&content, &tree, &entry).unwrap();
        assert_eq!(blob.read(0..180_000).unwrap(), content[..180_000]);
        assert_eq!(blob.read(230_000..500_000).unwrap(), content[230_000..]);
        let error = blob.read(199_000..199_001).unwrap_err();
        assert!(matches!(error.fault, BlobFault::Bytes), "{error}");
        assert!(
            error.to_string().contains(&entry.digest.to_string()),
            "{error}"
        );

        let mut small = pattern(100);
        let entry = BlobRef::of(&small);
        small[99] ^= 1;
        let error = Blob::open(file(&small), None, &entry)
            .unwrap()
            .read(0..1)
            .unwrap_err();
        assert!(matches!(error.fault, BlobFault::Bytes), "{error}");
    }

    #[test]
    fn a_lying_tree_length_or_size_is_refused() {
        let content = pattern(500_000);
        let entry = BlobRef::of(&content);
        let (_, mut tree) = grow_tree(&content[..], entry.bytes).unwrap();
        tree[70] ^= 1;
        let lying = blob(&content, &tree, &entry).unwrap();
        let error = lying.read(0..10).unwrap_err();
        assert!(matches!(error.fault, BlobFault::Tree), "{error}");

        let shorter = blob(&content[1..], &tree, &entry).unwrap_err();
        assert!(
            matches!(shorter.fault, BlobFault::Length { .. }),
            "{shorter}"
        );

        // A reference whose length is a lie, beside a file that goes along with it.
        let entry = BlobRef {
            bytes: 499_999,
            ..entry
        };
        let (_, tree) = grow_tree(&content[..499_999], 499_999).unwrap();
        let lying = blob(&content[..499_999], &tree, &entry).unwrap();
        assert!(matches!(
            lying.read(0..10).unwrap_err().fault,
            BlobFault::Tree
        ));

        let entry = BlobRef {
            bytes: limits::BLOB_BYTES + 1,
            ..entry
        };
        let huge = blob(&content, &tree, &entry).unwrap_err();
        assert!(matches!(huge.fault, BlobFault::TooLarge { .. }), "{huge}");
    }
}
