//! An object of which a part is here: it keeps its place on disk over a broken connection, a change
//! of source and a restart.
//!
//! ```text
//! <root>/partial/<hash>    the first bytes of an object; how many is how long the file is
//! ```
//!
//! Nothing here is synced or trusted: after a power cut the bytes may be anything. An object is
//! verified whole before it is named, and one that does not verify is removed.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write};
use std::path::PathBuf;

use fs_err as fs;
use tempfile::{NamedTempFile, TempPath};

use super::{Layout, Staged, Store, StoreError};
use crate::{Digest, durable};

/// The first bytes of an object. Dropped, it stays; finished, it is [`Staged`].
#[derive(Debug)]
pub struct Partial {
    file: File,
    path: PathBuf,
    layout: Layout,
}

impl Store {
    /// What is here of an object that has not arrived whole. One writer at a time.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn partial(&self, digest: &Digest) -> Result<Partial, StoreError> {
        let dir = self.layout.partial();
        durable::create_dir(&dir)?;
        let path = dir.join(digest.to_string());
        let file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)?;
        Ok(Partial {
            file: file.into_file(),
            path,
            layout: self.layout.clone(),
        })
    }

    /// How many bytes of an object are here that has not arrived whole.
    #[must_use]
    pub fn partial_bytes(&self, digest: &Digest) -> u64 {
        let path = self.layout.partial().join(digest.to_string());
        fs::metadata(path).map_or(0, |metadata| metadata.len())
    }

    /// Forgets what is here of objects that have not arrived whole.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn clear_partials(&self) -> Result<(), StoreError> {
        let names = match fs::read_dir(self.layout.partial()) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            names => names?,
        };
        for name in names {
            fs::remove_file(name?.path())?;
        }
        Ok(())
    }
}

impl Partial {
    /// Keeps the first `bytes` and goes on after them.
    ///
    /// # Errors
    /// The disk's.
    pub fn cut(&mut self, bytes: u64) -> Result<(), StoreError> {
        self.file.set_len(bytes)?;
        self.file.seek(SeekFrom::Start(bytes))?;
        Ok(())
    }

    /// It has all its bytes: verified and named next, or gone.
    ///
    /// # Errors
    /// The disk's.
    pub fn finish(self) -> Result<Staged, StoreError> {
        let path = TempPath::try_from_path(self.path)?;
        let file = NamedTempFile::from_parts(self.file, path);
        Ok(Staged::of(file, self.layout))
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stays_over_a_restart_and_is_gone_once_it_is_whole_or_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Store::open(dir.path()).unwrap();
        let digest = Digest::of(b"one two");
        let store = open();
        store.partial(&digest).unwrap().write_all(b"one,").unwrap();
        drop(store);
        let store = open();
        assert_eq!(store.partial_bytes(&digest), 4);
        let mut partial = store.partial(&digest).unwrap();
        partial.cut(3).unwrap();
        partial.write_all(b" two").unwrap();
        partial.finish().unwrap().persist(&digest).unwrap();
        assert!(store.contains(&digest));
        assert_eq!(store.partial_bytes(&digest), 0);
        let other = Digest::of(b"other");
        let mut partial = store.partial(&other).unwrap();
        partial.write_all(b"lies!").unwrap();
        partial.finish().unwrap().persist(&other).unwrap_err();
        assert_eq!(store.partial_bytes(&other), 0);
        store.partial(&other).unwrap().write_all(b"o").unwrap();
        store.clear_partials().unwrap();
        assert_eq!(store.partial_bytes(&other), 0);
    }
}
