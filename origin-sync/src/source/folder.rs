//! A folder of files: each becomes a record under its path. Names that start with a dot are left
//! out, except `.well-known` (RFC 8615).

use std::path::Path;
use std::sync::Arc;

use snapshot::{Key, limits};

use super::fault::{At, Faults};
use super::rows::Content;
use super::sorter::Sorter;
use super::{Fault, Place, SourceError, SourceLimits};

/// Deepest folder within the folder.
pub const FOLDER_DEPTH: usize = 32;

/// Lets `sorter` take every file below `root`; gives what is wrong with them.
pub(super) fn read(
    root: &Path,
    limits: SourceLimits,
    sorter: &mut Sorter,
) -> Result<Faults, SourceError> {
    let mut reading = Reading {
        root,
        limits,
        sorter,
        count: 0,
        faults: Faults::default(),
    };
    walk(root, "", 0, &mut reading)?;
    Ok(reading.faults)
}

/// A folder being read.
struct Reading<'a> {
    root: &'a Path,
    limits: SourceLimits,
    sorter: &'a mut Sorter,
    count: usize,
    faults: Faults,
}

impl Reading<'_> {
    fn fault(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    fn unreadable(&self, error: impl std::fmt::Display) -> SourceError {
        SourceError::Unreadable {
            path: self.root.to_owned(),
            why: error.to_string(),
        }
    }

    /// Counts one file; called before it is looked at.
    fn begin_file(&mut self) -> Result<(), SourceError> {
        if self.count >= self.limits.rows {
            return Err(SourceError::TooManyRows {
                path: self.root.to_owned(),
                limit: self.limits.rows,
            });
        }
        self.count += 1;
        Ok(())
    }
}

fn walk(
    dir: &Path,
    below: &str,
    depth: usize,
    reading: &mut Reading<'_>,
) -> Result<(), SourceError> {
    if depth > FOLDER_DEPTH {
        let place = whole(dir);
        reading.fault(Fault::of_row(
            &place,
            format!("folders may be at most {FOLDER_DEPTH} deep"),
        ));
        return Ok(());
    }
    let entries = fs_err::read_dir(dir).map_err(|error| reading.unreadable(error))?;
    for entry in entries {
        let entry = entry.map_err(|error| reading.unreadable(error))?;
        let path = entry.path();
        let place = whole(&path);
        let file_name = entry.file_name();
        let Some(name) = file_name.to_str() else {
            reading.fault(Fault::of_row(&place, "its name is not UTF-8"));
            continue;
        };
        if name.starts_with('.') && name != ".well-known" {
            continue;
        }
        let kind = entry
            .file_type()
            .map_err(|error| reading.unreadable(error))?;
        let key = format!("{below}{name}");
        if kind.is_dir() {
            walk(&path, &format!("{key}/"), depth + 1, reading)?;
        } else if kind.is_file() {
            reading.begin_file()?;
            file(&path, key, &place, reading)?;
        } else {
            // A link may lead out of the folder, to what nobody meant to publish.
            reading.fault(Fault::of_row(
                &place,
                "is neither a file nor a folder (links are not followed)",
            ));
        }
    }
    Ok(())
}

fn file(
    path: &Path,
    key: String,
    place: &Place,
    reading: &mut Reading<'_>,
) -> Result<(), SourceError> {
    let Ok(key) = Key::new(key) else {
        reading.fault(Fault::of_row(
            place,
            "its path within the folder has more than 1024 bytes",
        ));
        return Ok(());
    };
    let length = fs_err::metadata(path)
        .map_err(|error| reading.unreadable(error))?
        .len();
    if length > limits::BLOB_BYTES {
        reading.fault(Fault::of_row(
            place,
            format!("a file may have at most {} bytes", limits::BLOB_BYTES),
        ));
        return Ok(());
    }
    let content = if length > u64::try_from(limits::INLINE_VALUE_BYTES).unwrap_or(u64::MAX) {
        Content::File(path.to_owned(), length)
    } else {
        Content::Bytes(fs_err::read(path).map_err(|error| reading.unreadable(error))?)
    };
    let row = reading.count as u64;
    let taken = reading.sorter.push(&key, &content, row);
    taken.map_err(SourceError::Sorting)
}

fn whole(path: &Path) -> Place {
    Place {
        file: Arc::new(path.to_owned()),
        at: At::Whole,
    }
}
