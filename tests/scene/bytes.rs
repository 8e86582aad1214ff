//! Looking for bytes in every file, as they lie there and decompressed.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Site;

impl Site {
    /// The files below `folders` that hold `mark`.
    pub(crate) fn holding(&self, folders: &[&str], mark: &str) -> Vec<PathBuf> {
        let mut all = Vec::new();
        for folder in folders {
            files(&self.path(folder), &mut all);
        }
        let holds = |bytes: &[u8]| {
            let mut windows = bytes.windows(mark.len());
            windows.any(|window| window == mark.as_bytes())
        };
        all.retain(|path| {
            let bytes = fs_err::read(path).unwrap();
            let mut expanded = Vec::new();
            if let Ok(mut frames) = zstd::stream::read::Decoder::new(bytes.as_slice()) {
                // As far as it goes: what comes after the frames is none.
                let _ = frames.read_to_end(&mut expanded);
            }
            holds(&bytes) || holds(&expanded)
        });
        all
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // What was compiled of components is shared by all tests, and no record.
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}
