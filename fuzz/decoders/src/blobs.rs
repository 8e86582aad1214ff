//! Large values on an edge's own disk, which may be damaged.

use std::sync::LazyLock;

use snapshot::{BlobRef, Store};
use tempfile::TempDir;

crate::decoders![blob, blob_tree];

/// Of several groups, so that it has a tree.
static CONTENT: LazyLock<Vec<u8>> = LazyLock::new(|| (0..=250u8).cycle().take(100_000).collect());

/// A store with one sound blob.
struct Kept {
    dir: TempDir,
    store: Store,
    entry: BlobRef,
}

impl Kept {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("an empty folder");
        let entry = BlobRef::of(&CONTENT);
        store
            .put_bytes(&entry.digest, &CONTENT)
            .expect("room for it");
        Self { dir, store, entry }
    }

    /// What the file of the blob, or the one beside it, holds.
    fn path(&self, ending: &str) -> std::path::PathBuf {
        let name = self.entry.digest.to_string();
        let prefix: String = name.chars().take(2).collect();
        let folder = self.dir.path().join("objects").join(prefix);
        folder.join(name + ending)
    }

    /// Reads the blob whole with these bytes in that file. What is read is never anything else.
    fn read(&self, ending: &str, bytes: &[u8]) -> bool {
        fs_err::write(self.path(ending), bytes).expect("a file of ours");
        let read = self.store.blob(&self.entry).ok();
        let read = read.and_then(|blob| blob.read(0..self.entry.bytes).ok());
        assert!(read.as_ref().is_none_or(|read| *read == *CONTENT));
        read.is_some()
    }
}

/// A blob's own bytes.
fn blob(bytes: &[u8]) -> bool {
    static KEPT: LazyLock<Kept> = LazyLock::new(Kept::new);
    KEPT.read("", bytes)
}

/// The hash tree beside it.
fn blob_tree(bytes: &[u8]) -> bool {
    static KEPT: LazyLock<Kept> = LazyLock::new(Kept::new);
    KEPT.read(".tree", bytes)
}

mod valid {
    //! A sound blob and its tree.

    use super::{CONTENT, Kept};

    pub(super) fn blob() -> Vec<Vec<u8>> {
        vec![CONTENT.clone()]
    }

    pub(super) fn blob_tree() -> Vec<Vec<u8>> {
        let kept = Kept::new();
        let tree = fs_err::read(kept.path(".tree"));
        vec![tree.expect("a blob of this length has a tree")]
    }
}
