//! Files that are either whole or absent, and stay so over a power cut.
//!
//! The one place for it: temporary file in the same directory, sync, rename (or hard link, where
//! an existing file must stay), sync of the directory. A crash leaves at most a temporary file.

use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use fs_err as fs;
use tempfile::NamedTempFile;

/// Puts `bytes` at `path`, replacing what was there. The file's mode is 0600.
///
/// # Errors
/// Any failed step; then `path` is as it was.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    persist(filled(path, bytes)?, path)
}

/// Puts `bytes` at `path` only if nothing is there. The file's mode is 0600.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], or any failed step; then `path` is as it was.
pub fn create_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = filled(path, bytes)?;
    file.as_file().sync_all().map_err(|e| named(e, path))?;
    fs::hard_link(file.path(), path)?;
    sync_dir(parent(path)?)
}

/// Moves a finished temporary file to `path` on the same file system, durably.
///
/// # Errors
/// Any failed step; then `path` is as it was.
pub fn persist(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all().map_err(|e| named(e, path))?;
    file.persist(path).map_err(|e| named(e.error, path))?;
    sync_dir(parent(path)?)
}

/// Creates `path` and what is missing above it, for the owner only (0700), durably.
///
/// # Errors
/// A directory that cannot be created.
pub fn create_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = parent(path)?;
    create_dir(above)?;
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(e) => Err(named(e, path)),
        Ok(()) => sync_dir(above),
    }
}

/// Makes the names in `dir` survive a power cut.
///
/// # Errors
/// The directory cannot be opened or synced.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

fn filled(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let dir = parent(path)?;
    let mut file = tempfile::Builder::new()
        .prefix(".tmp-")
        .tempfile_in(dir)
        .map_err(|e| named(e, dir))?;
    file.write_all(bytes).map_err(|e| named(e, path))?;
    Ok(file)
}

fn parent(path: &Path) -> io::Result<&Path> {
    match path.parent() {
        Some(dir) if dir.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(dir) => Ok(dir),
        None => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} has no directory above it", path.display()),
        )),
    }
}

fn named(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn write_replaces_and_create_new_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        let refused = create_new(&path, b"three").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        create_new(&dir.path().join("other"), b"three").unwrap();
        let names = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(names, 2, "temporary files are left");
    }

    #[test]
    fn files_and_directories_are_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        create_dir(&inner).unwrap();
        create_dir(&inner).unwrap();
        let path = inner.join("state");
        write(&path, b"one").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(&inner), mode(&dir.path().join("a")), mode(&path)),
            (0o700, 0o700, 0o600)
        );
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("taken");
        fs::create_dir(&path).unwrap();
        let error = write(&path, b"one").unwrap_err();
        assert!(error.to_string().contains("taken"), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
