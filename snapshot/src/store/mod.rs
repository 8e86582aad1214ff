//! Objects and small state files on one machine's disk.
//!
//! ```text
//! <root>/objects/<2 hex>/<hash>        segments uncompressed, blobs, manifests, components
//! <root>/objects/<2 hex>/<hash>.tree   the hash tree of an object that is read in ranges
//! <root>/objects/<2 hex>/<hash>.blobs  the blobs that a segment names
//! <root>/staging/                      what is being written; emptied when the store is opened
//! <root>/partial/<hash>               the first bytes of what has not arrived whole
//! <root>/state/<name>                  small files, replaced as a whole
//! <root>/lock                          held while a process may write
//! ```
//!
//! An object appears under its name only after its bytes were checked against it and synced. A
//! crash loses at most what was in staging.

mod blobs;
mod error;
mod marks;
mod partial;
mod staged;
#[cfg(test)]
mod tests;

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::manifest::SegmentEntry;
use crate::segment::{NodeCache, Segment, SegmentBuilder};
use crate::{Blob, BlobRef, CollectionName, Digest, Entry, SiteName, blob, durable};

pub use error::StoreError;
pub use marks::Marks;
pub use partial::Partial;
pub use staged::Staged;

/// An object store on disk.
#[derive(Debug)]
pub struct Store {
    layout: Layout,
    read_only: bool,
    /// Held, never read: the lock goes when it is dropped.
    _lock: Option<File>,
}

/// How an object lies on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lies {
    /// What it takes, with what is kept beside it, bytes.
    pub bytes: u64,
    /// When it was written, by the disk's clock.
    pub modified: std::time::SystemTime,
}

impl Store {
    /// Opens the store at `root` for this process alone, and creates what is missing. One that
    /// exists opens on a read-only disk too.
    ///
    /// # Errors
    /// Another process holds it, or a directory cannot be made.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, StoreError> {
        let mut store = Self::open_shared(root)?;
        let path = store.layout.root.join("lock");
        let made = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let lock = match made {
            Err(e) if is_read_only(&e) => {
                store.read_only = true;
                fs::File::open(&path)?.into_file()
            }
            other => other?.into_file(),
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(store.layout.root)),
            Err(TryLockError::Error(e)) => return Err(e.into()),
        }
        match store.layout.clear_staging() {
            Err(e) if is_read_only(&e) => store.read_only = true,
            other => other?,
        }
        store._lock = Some(lock);
        Ok(store)
    }

    /// Opens the store at `root` beside whoever else has it open: for looking, and for writers that
    /// only add objects.
    ///
    /// # Errors
    /// A directory cannot be made.
    pub fn open_shared(root: impl AsRef<Path>) -> Result<Self, StoreError> {
        let layout = Layout {
            root: root.as_ref().to_owned(),
        };
        for dir in [layout.objects(), layout.staging(), layout.state()] {
            durable::create_dir(&dir)?;
        }
        Ok(Self {
            layout,
            read_only: false,
            _lock: None,
        })
    }

    /// The directory it was opened at.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.layout.root
    }

    /// A directory for unnamed files on the same disk.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.layout.staging()
    }

    /// Whether its disk took no write when it was opened.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Whether an object of that name is there. Its bytes are checked when they are read.
    #[must_use]
    pub fn contains(&self, digest: &Digest) -> bool {
        self.layout.object(digest).is_file()
    }

    /// Stores `bytes` under `digest`, which must be their hash. For manifests, components and blobs.
    ///
    /// # Errors
    /// Another hash, or a failed write.
    pub fn put_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let got = Digest::of(bytes);
        if got != *digest {
            return Err(StoreError::Digest {
                expected: *digest,
                got,
            });
        }
        let mut staged = self.stage()?;
        staged.write_all(bytes)?;
        staged.persist(digest)
    }

    /// The entry for `value`; a value too long to be inline is stored as a blob.
    ///
    /// # Errors
    /// A failed write.
    pub fn entry(&self, value: Vec<u8>) -> Result<Entry, StoreError> {
        Entry::of(value, |blob, bytes| {
            if self.contains(&blob.digest) {
                return Ok(());
            }
            self.put_bytes(&blob.digest, bytes)
        })
    }

    /// A new object, nameless until it is persisted; dropped, it leaves nothing.
    ///
    /// # Errors
    /// The temporary file cannot be created.
    pub fn stage(&self) -> Result<Staged, StoreError> {
        Staged::new(self.layout.clone())
    }

    /// A builder whose segment becomes an object here:
    /// `let (staged, entry) = builder.finish()?..; staged.persist_segment(&entry, site, collection)`.
    ///
    /// # Errors
    /// The temporary file cannot be created.
    pub fn build(
        &self,
        site: SiteName,
        collection: CollectionName,
    ) -> Result<SegmentBuilder<Staged>, StoreError> {
        let builder = SegmentBuilder::new(self.stage()?, site, collection);
        Ok(builder.spool_in(&self.layout.staging()))
    }

    /// Reads a whole object of at most `limit` bytes and checks its hash. Not for segments, whose
    /// name is the hash of their root alone.
    ///
    /// # Errors
    /// It is absent, longer, or not what its name says.
    pub fn read(&self, digest: &Digest, limit: usize) -> Result<Vec<u8>, StoreError> {
        let file = self.file(digest)?;
        let bytes = read_limited(file, limit)
            .map_err(|e| self.io(digest, e))?
            .ok_or(StoreError::TooLarge {
                object: digest.to_string(),
                limit,
            })?;
        let got = Digest::of(&bytes);
        if got != *digest {
            return Err(StoreError::Digest {
                expected: *digest,
                got,
            });
        }
        Ok(bytes)
    }

    /// The object's file; its bytes are not checked.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or it cannot be opened.
    pub fn file(&self, digest: &Digest) -> Result<File, StoreError> {
        let opened = fs::File::open(self.layout.object(digest));
        Ok(opened.map_err(|e| self.io(digest, e))?.into_file())
    }

    /// Opens a segment; its root is checked now, all else when it is read.
    ///
    /// # Errors
    /// It is absent, or not what the manifest describes.
    pub fn segment(
        &self,
        entry: &SegmentEntry,
        site: &SiteName,
        collection: &CollectionName,
        cache: &NodeCache,
    ) -> Result<Segment, StoreError> {
        let name = format!("{collection}/{}", entry.id.short());
        Ok(Segment::open(
            self.file(&entry.id)?,
            &name,
            entry,
            site,
            collection,
            cache,
        )?)
    }

    /// Opens a blob; what is read of it is checked then.
    ///
    /// # Errors
    /// It is absent, or of another length.
    pub fn blob(&self, entry: &BlobRef) -> Result<Blob, StoreError> {
        let file = self.file(&entry.digest)?;
        let mut tree = None;
        if blob::needs_tree(entry.bytes) {
            tree = Some(self.tree(entry)?);
        }
        Ok(Blob::open(file, tree, entry)?)
    }

    /// The hash tree beside a blob, grown again if it is lost or cut short.
    fn tree(&self, entry: &BlobRef) -> Result<File, StoreError> {
        let path = self.layout.tree(&entry.digest);
        let expected = blob::tree_bytes(entry.bytes);
        let known =
            fs::File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file.into_file())));
        match known {
            Ok((length, file)) if length == expected => Ok(file),
            _ => {
                self.layout
                    .grow_tree(self.file(&entry.digest)?, &entry.digest, entry.bytes)?;
                Ok(fs::File::open(&path)?.into_file())
            }
        }
    }

    /// The names of all objects, in no order.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub fn digests(
        &self,
    ) -> Result<impl Iterator<Item = Result<Digest, StoreError>> + use<>, StoreError> {
        let prefixes = fs::read_dir(self.layout.objects())?;
        Ok(prefixes.flat_map(|prefix| {
            let names = prefix.and_then(|dir| fs::read_dir(dir.path()));
            let (names, failed) = match names {
                Ok(names) => (Some(names), None),
                Err(e) => (None, Some(Err(StoreError::Io(e)))),
            };
            let found = names.into_iter().flatten().filter_map(|name| match name {
                Ok(name) => name.file_name().to_str()?.parse().ok().map(Ok),
                Err(e) => Some(Err(StoreError::Io(e))),
            });
            failed.into_iter().chain(found)
        }))
    }

    /// How an object lies on this disk; `None` if it is not there.
    ///
    /// # Errors
    /// The disk does not tell.
    pub fn lies(&self, digest: &Digest) -> Result<Option<Lies>, StoreError> {
        let about = match fs::metadata(self.layout.object(digest)) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let beside = self.layout.beside(digest).into_iter();
        let beside = beside.filter_map(|path| Some(fs::metadata(path).ok()?.len()));
        Ok(Some(Lies {
            bytes: beside.fold(about.len(), u64::saturating_add),
            modified: about.modified()?,
        }))
    }

    /// Removes an object and what is kept beside it; one that is absent is fine. Its name goes last,
    /// so that nothing is left that nobody would find. A power cut may bring it back until
    /// [`Store::settle`].
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn remove(&self, digest: &Digest) -> Result<(), StoreError> {
        let beside = self.layout.beside(digest).into_iter();
        for path in beside.chain([self.layout.object(digest)]) {
            match fs::remove_file(path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes sure that what was removed stays so over a power cut: objects, what was being written, parts.
    ///
    /// # Errors
    /// A directory that cannot be synced.
    pub fn settle(&self) -> Result<(), StoreError> {
        for prefix in fs::read_dir(self.layout.objects())? {
            durable::sync_dir(&prefix?.path())?;
        }
        durable::sync_dir(&self.layout.staging())?;
        match durable::sync_dir(&self.layout.partial()) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// Removes what was being written. For who knows that nothing is.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn clear_scratch(&self) -> Result<(), StoreError> {
        Ok(self.layout.clear_staging()?)
    }

    /// Replaces the state file `name`, as a whole and durably.
    ///
    /// # Errors
    /// A name that is not 1 to 128 of `a-z`, `0-9`, `-` and inner dots, or a failed write.
    pub fn write_state(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        Ok(durable::write(&self.layout.state_file(name)?, bytes)?)
    }

    /// The state file `name` of at most `limit` bytes; `None` if there is none.
    ///
    /// # Errors
    /// A name that is none, a file that is longer or cannot be read.
    pub fn read_state(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let file = match fs::File::open(self.layout.state_file(name)?) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let bytes = read_limited(file, limit)?.ok_or_else(|| StoreError::TooLarge {
            object: format!("state {name}"),
            limit,
        })?;
        Ok(Some(bytes))
    }

    fn io(&self, digest: &Digest, error: std::io::Error) -> StoreError {
        if error.kind() == std::io::ErrorKind::NotFound {
            return StoreError::Missing(*digest);
        }
        StoreError::Object {
            digest: *digest,
            error,
        }
    }
}

fn is_read_only(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::ReadOnlyFilesystem
}

/// `None` if there are more than `limit` bytes.
fn read_limited(file: impl Read, limit: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take((limit as u64).saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok((bytes.len() <= limit).then_some(bytes))
}

/// Where things are.
#[derive(Clone, Debug)]
struct Layout {
    root: PathBuf,
}

impl Layout {
    fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    fn partial(&self) -> PathBuf {
        self.root.join("partial")
    }

    fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    fn object(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_string();
        let prefix: String = hex.chars().take(2).collect();
        self.objects().join(prefix).join(hex)
    }

    fn tree(&self, digest: &Digest) -> PathBuf {
        self.object(digest).with_extension("tree")
    }

    fn blobs(&self, digest: &Digest) -> PathBuf {
        self.object(digest).with_extension("blobs")
    }

    /// What may lie beside an object.
    fn beside(&self, digest: &Digest) -> [PathBuf; 2] {
        [self.tree(digest), self.blobs(digest)]
    }

    fn state_file(&self, name: &str) -> Result<PathBuf, StoreError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        let dotted = name.starts_with('.') || name.ends_with('.') || name.contains("..");
        if (1..=128).contains(&name.len()) && name.bytes().all(plain) && !dotted {
            return Ok(self.state().join(name));
        }
        Err(StoreError::StateName(name.chars().take(80).collect()))
    }

    fn clear_staging(&self) -> std::io::Result<()> {
        for left in fs::read_dir(self.staging())? {
            fs::remove_file(left?.path())?;
        }
        Ok(())
    }

    /// Hashes `file`, and keeps the hash tree beside the object if the hash is its name.
    fn grow_tree(&self, file: File, digest: &Digest, bytes: u64) -> Result<(), StoreError> {
        let (got, tree) = blob::grow_tree(std::io::BufReader::new(file), bytes)?;
        if got != *digest {
            return Err(StoreError::Digest {
                expected: *digest,
                got,
            });
        }
        Ok(durable::write(&self.tree(digest), &tree)?)
    }
}
