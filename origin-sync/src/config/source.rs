//! Where a collection's records come from, as declared.

use std::path::{Path, PathBuf};

use edge::settings::{Placed, Section};

use super::resolve;

/// Where a collection's records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Every file below a folder, by its path: assets.
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// Rows, which become compact JSON objects with sorted keys.
    Rows {
        /// Where they are.
        rows: RowSource,
        /// The field that names the record.
        key: String,
    },
}

/// Where rows are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowSource {
    /// One JSON object a line.
    Ndjson {
        /// The file.
        path: PathBuf,
    },
    /// Comma-separated values with a header line; every field is a text.
    Csv {
        /// The file.
        path: PathBuf,
        /// Fields whose text is JSON, to be taken in as such.
        json: Vec<String>,
    },
    /// What one query of a SQLite database gives.
    Sqlite {
        /// The database.
        path: PathBuf,
        /// The query; it can only read.
        query: String,
        /// Columns whose text is JSON, to be taken in as such.
        json: Vec<String>,
    },
}

impl RowSource {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Ndjson { path } | Self::Csv { path, .. } | Self::Sqlite { path, .. } => path,
        }
    }
}

impl Source {
    /// The file or folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Folder { path } => path,
            Self::Rows { rows, .. } => rows.path(),
        }
    }

    /// Whether its records are files rather than rows.
    #[must_use]
    pub const fn is_folder(&self) -> bool {
        matches!(self, Self::Folder { .. })
    }

    /// The field that names a record; `None` for files.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Folder { .. } => None,
            Self::Rows { key, .. } => Some(key),
        }
    }
}

/// A collection's source: a folder, or rows with the field that names a record.
pub(super) fn read(mut section: Section<'_, '_>, dir: &Path) -> Option<Source> {
    let folder = section.text("folder");
    let source = if let Some(folder) = folder {
        let path = resolve(dir, &folder.value);
        Some(Source::Folder { path })
    } else {
        let rows = row_source(&mut section, dir, "folder, ndjson, csv, sqlite");
        let key = match rows {
            Some(_) => needed(&mut section, "key"),
            None => section.text("key").map(|at| at.value),
        };
        rows.zip(key).map(|(rows, key)| Source::Rows { rows, key })
    };
    section.finish();
    source
}

/// A source of rows that need no name.
pub(super) fn read_rows(mut section: Section<'_, '_>, dir: &Path) -> Option<RowSource> {
    let rows = row_source(&mut section, dir, "ndjson, csv, sqlite");
    section.finish();
    rows
}

fn row_source(section: &mut Section<'_, '_>, dir: &Path, kinds: &str) -> Option<RowSource> {
    let ndjson = section.text("ndjson");
    let csv = section.text("csv");
    let sqlite = section.text("sqlite");
    let written = ["ndjson", "csv", "sqlite"].map(|kind| section.was_written(kind));
    if written.iter().filter(|written| **written).count() != 1 {
        let message = format!("{} must name exactly one of {kinds}", section.name());
        section.problems().add(section.span(), message);
        // What else it says belongs to one of them, whichever is meant.
        for key in ["query", "json"] {
            section.take(key);
        }
        return None;
    }
    let path = |at: Placed<String>| resolve(dir, &at.value);
    if let Some(file) = ndjson {
        return Some(RowSource::Ndjson { path: path(file) });
    }
    let json = texts(section, "json");
    if let Some(file) = csv {
        return Some(RowSource::Csv {
            path: path(file),
            json,
        });
    }
    let query = needed(section, "query");
    sqlite.zip(query).map(|(file, query)| RowSource::Sqlite {
        path: path(file),
        query,
        json,
    })
}

fn needed(section: &mut Section<'_, '_>, key: &'static str) -> Option<String> {
    let help = match key {
        "query" => "the SELECT whose rows are the records",
        _ => "the field that names a record",
    };
    let found = section.required(key, help, Section::text);
    found.map(|at| at.value)
}

/// A list of texts; empty if absent.
pub(super) fn texts(section: &mut Section<'_, '_>, key: &'static str) -> Vec<String> {
    let list = section.texts(key).map(|list| list.value);
    let values = list.into_iter().flatten().map(|at| at.value);
    values.collect()
}
