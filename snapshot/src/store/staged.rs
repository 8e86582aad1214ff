//! An object on its way into the store: written, checked as it lies on disk, synced, named.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::num::NonZeroUsize;
use std::thread;

use tempfile::NamedTempFile;

use super::{Layout, StoreError, read_limited};
use crate::manifest::SegmentEntry;
use crate::segment::{NodeCache, Segment};
use crate::{CollectionName, Digest, SiteName, blob, durable, limits};

/// What an object is written by, bytes.
const WRITE_BYTES: usize = 1 << 20;

/// A nameless object being written. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Staged {
    file: BufWriter<NamedTempFile>,
    layout: Layout,
    /// Threads that a segment is verified on.
    threads: usize,
}

impl Staged {
    pub(super) fn new(layout: Layout) -> Result<Self, StoreError> {
        let file = NamedTempFile::new_in(layout.staging())?;
        Ok(Self::of(file, layout))
    }

    pub(super) fn of(file: NamedTempFile, layout: Layout) -> Self {
        Self {
            file: BufWriter::with_capacity(WRITE_BYTES, file),
            layout,
            threads: 1,
        }
    }

    /// Lets a segment be verified on all cores, where nobody else needs them.
    #[must_use]
    pub fn on_all_cores(self) -> Self {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { threads, ..self }
    }

    /// Gives the object its name, if that is the hash of all its bytes: manifests, components,
    /// blobs. An object of that name is replaced by these same bytes, which repairs a damaged one.
    ///
    /// # Errors
    /// Another hash, or a failed write; then nothing is stored.
    pub fn persist(self, digest: &Digest) -> Result<(), StoreError> {
        let (file, layout) = self.written()?;
        let bytes = file.as_file().metadata()?.len();
        if bytes > limits::BLOB_BYTES {
            return Err(StoreError::BlobTooLarge(*digest));
        }
        let path = layout.object(digest);
        if let Some(prefix) = path.parent() {
            durable::create_dir(prefix)?;
        }
        // Read back from the file: what is named is what lies there.
        if blob::needs_tree(bytes) {
            layout.grow_tree(reopen(&file)?, digest, bytes)?;
        } else {
            let all = read_limited(reopen(&file)?, limits::WHOLE_BLOB_BYTES as usize)?
                .unwrap_or_default();
            let got = Digest::of(&all);
            if got != *digest {
                return Err(StoreError::Digest {
                    expected: *digest,
                    got,
                });
            }
        }
        Ok(durable::persist(file, &path)?)
    }

    /// Gives a segment its name, if every node of it is what `entry` says.
    ///
    /// # Errors
    /// A segment that does not verify, or a failed write; then nothing is stored.
    pub fn persist_segment(
        self,
        entry: &SegmentEntry,
        site: &SiteName,
        collection: &CollectionName,
    ) -> Result<(), StoreError> {
        let threads = self.threads;
        let (file, layout) = self.written()?;
        let name = format!("{collection}/{} as it arrived", entry.id.short());
        let cache = NodeCache::new(0);
        thread::scope(|scope| {
            // The disk takes it while it is looked at.
            let synced = scope.spawn(|| file.as_file().sync_all());
            Segment::open(reopen(&file)?, &name, entry, site, collection, &cache)?
                .verify_on(threads)?;
            let stopped = |_| Err(io::Error::other("stopped"));
            Ok::<_, StoreError>(synced.join().unwrap_or_else(stopped)?)
        })?;
        let path = layout.object(&entry.id);
        if let Some(prefix) = path.parent() {
            durable::create_dir(prefix)?;
        }
        Ok(durable::persist(file, &path)?)
    }

    fn written(self) -> Result<(NamedTempFile, Layout), StoreError> {
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok((file, self.layout))
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The same file with a position of its own.
fn reopen(file: &NamedTempFile) -> Result<File, StoreError> {
    Ok(file.reopen()?)
}

#[cfg(test)]
mod tests {
    use crate::{Digest, Store, StoreError, limits};

    #[test]
    fn an_object_larger_than_any_blob_is_not_stored() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let staged = store.stage().unwrap();
        let file = staged.file.get_ref().as_file();
        file.set_len(limits::BLOB_BYTES + 1).unwrap();
        let name = Digest::of(b"");
        let error = staged.persist(&name).unwrap_err();
        assert!(
            matches!(error, StoreError::BlobTooLarge(d) if d == name),
            "{error}"
        );
    }
}
