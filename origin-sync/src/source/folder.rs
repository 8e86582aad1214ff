//! A folder of files: each becomes a record under its path. Names that start with a dot are left
//! out, except `.well-known` (RFC 8615).

use std::path::Path;
use std::sync::Arc;

use snapshot::{Key, limits};

use super::fault::At;
use super::rows::Content;
use super::{Fault, Place, Reading, SourceError};

/// Deepest folder within the folder.
pub const FOLDER_DEPTH: usize = 32;

pub(super) fn read(root: &Path, reading: &mut Reading<'_>) -> Result<(), SourceError> {
    walk(root, "", 0, reading)
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
            reading.check_count()?;
            file(&path, key, place, reading)?;
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
    place: Place,
    reading: &mut Reading<'_>,
) -> Result<(), SourceError> {
    let Ok(key) = Key::new(key) else {
        reading.fault(Fault::of_row(
            &place,
            "its path within the folder has more than 1024 bytes",
        ));
        return Ok(());
    };
    let length = fs_err::metadata(path)
        .map_err(|error| reading.unreadable(error))?
        .len();
    if length > limits::BLOB_BYTES {
        reading.fault(Fault::of_row(
            &place,
            format!("a file may have at most {} bytes", limits::BLOB_BYTES),
        ));
        return Ok(());
    }
    let content = if length > u64::try_from(limits::INLINE_VALUE_BYTES).unwrap_or(u64::MAX) {
        Content::File(path.to_owned(), length)
    } else {
        Content::Bytes(fs_err::read(path).map_err(|error| reading.unreadable(error))?)
    };
    reading.sorter.push(key, content, place);
    Ok(())
}

fn whole(path: &Path) -> Place {
    Place {
        file: Arc::new(path.to_owned()),
        at: At::Whole,
    }
}
