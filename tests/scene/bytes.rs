//! Looking for bytes in every file, as they lie there and decompressed.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::Site;

impl Site {
    /// The files below `folders` that hold `mark`.
    pub(crate) fn holding(&self, folders: &[&str], mark: &str) -> Vec<PathBuf> {
        loop {
            let found = folders.iter().try_fold(Vec::new(), |mut found, folder| {
                search(&self.path(folder), mark.as_bytes(), &mut found).map(|()| found)
            });
            match found {
                Ok(found) => return found,
                // Gone, or renamed, since its folder was listed: what it was is not known.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn search(folder: &Path, mark: &[u8], found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        // What was compiled of components is shared by all tests, and no record.
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            search(&path, mark, found)?;
        } else if holds(&path, mark)? {
            found.push(path);
        }
    }
    Ok(())
}

fn holds(path: &Path, mark: &[u8]) -> io::Result<bool> {
    let bytes = fs_err::read(path)?;
    let mut expanded = Vec::new();
    if let Ok(mut frames) = zstd::stream::read::Decoder::new(bytes.as_slice()) {
        // As far as it goes: what comes after the frames is none.
        let _ = frames.read_to_end(&mut expanded);
    }
    let within = |bytes: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    Ok(within(&bytes) || within(&expanded))
}
