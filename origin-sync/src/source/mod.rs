//! Sources: files and rows become records, sorted by key.
//!
//! Everything wrong with a source is reported with file, line and field, as much of it as a
//! person can use at once; then nothing of the site is published.

mod csv;
mod fault;
mod folder;
mod ndjson;
mod record;
mod rows;
mod sqlite;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};
use snapshot::SiteName;
use snapshot::manifest::Privacy;

use crate::config::{Collection, RowSource, Source};
use crate::template::Template;

pub use fault::{Fault, Place, SourceError};
pub use record::WEAK_SECRET_BYTES;
pub use rows::{Content, Row, Rows};

/// A source row before it becomes a record.
type Fields = Map<String, Value>;

/// Bounds on what one source may hold.
#[derive(Clone, Copy, Debug)]
pub struct SourceLimits {
    /// Most records of one collection.
    pub rows: usize,
    /// Longest row of a text source, bytes.
    pub row_bytes: usize,
}

impl Default for SourceLimits {
    fn default() -> Self {
        Self {
            rows: ROWS,
            row_bytes: ROW_BYTES,
        }
    }
}

/// Most records of one collection, unless set otherwise.
pub const ROWS: usize = 20_000_000;
/// Longest row of a text source, bytes.
pub const ROW_BYTES: usize = 16 << 20;
/// Most faults that are told of one source.
pub const FAULTS: usize = 20;

/// What one source gave.
#[derive(Debug)]
pub struct Read {
    /// Its records, by key.
    pub rows: Rows,
    /// Records whose secret is shorter than [`WEAK_SECRET_BYTES`].
    pub weak_secrets: usize,
}

/// Paths that may carry capabilities: shown only as how many they are.
#[derive(Default)]
pub struct Paths(pub Vec<String>);

impl std::fmt::Debug for Paths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Paths({} of ***)", self.0.len())
    }
}

/// Reads `collection` of `site`. Blocks.
///
/// # Errors
/// All faults together, or that the source cannot be read at all.
pub fn read(
    site: &SiteName,
    collection: &Collection,
    limits: SourceLimits,
) -> Result<Read, SourceError> {
    let mut reading = Reading::of(collection.source.path(), limits);
    let mut weak_secrets = 0;
    match &collection.source {
        Source::Folder { path } => folder::read(path, &mut reading)?,
        Source::Rows { rows, .. } => {
            let maker = record::Maker::new(site, collection);
            let mut take = |place: Place, fields: Fields, reading: &mut Reading<'_>| match maker
                .make(&place, fields)
            {
                Ok(made) => {
                    weak_secrets += usize::from(made.weak);
                    let content = Content::Bytes(made.value);
                    reading.sorter.push(made.key, content, place);
                }
                Err(fault) => reading.fault(fault),
            };
            each_row(rows, &mut reading, &mut take)?;
        }
    }
    let (rows, duplicates) = std::mem::take(&mut reading.sorter).finish();
    for duplicate in duplicates {
        reading.fault(twice(collection, &duplicate));
    }
    reading.finish(&format!("collection {}", collection.name))?;
    Ok(Read { rows, weak_secrets })
}

/// The paths of a route, out of the rows of `source`: each parameter is the field of that name.
/// Blocks.
///
/// # Errors
/// All faults together, or that the source cannot be read at all.
pub fn paths(
    template: &Template,
    source: &RowSource,
    limits: SourceLimits,
) -> Result<Paths, SourceError> {
    let mut reading = Reading::of(source.path(), limits);
    let mut paths = Paths::default();
    let mut take = |place: Place, fields: Fields, reading: &mut Reading<'_>| {
        reading.count += 1;
        let mut texts = BTreeMap::new();
        for param in template.params() {
            match record::needed(&place, &fields, param) {
                Ok(text) => texts.insert(param, text),
                Err(fault) => return reading.fault(fault),
            };
        }
        paths
            .0
            .extend(template.fill(|param| texts.get(param).map(String::as_str)));
    };
    each_row(source, &mut reading, &mut take)?;
    reading.finish(&format!("the URLs of {template}"))?;
    paths.0.sort_unstable();
    paths.0.dedup();
    Ok(paths)
}

fn each_row(
    rows: &RowSource,
    reading: &mut Reading<'_>,
    take: &mut Take<'_>,
) -> Result<(), SourceError> {
    match rows {
        RowSource::Ndjson { path } => ndjson::read(path, reading, take),
        RowSource::Csv { path, json } => csv::read(path, json, reading, take),
        RowSource::Sqlite { path, query, json } => sqlite::read(path, query, json, reading, take),
    }
}

fn twice(collection: &Collection, duplicate: &rows::Duplicate) -> Fault {
    // A private record's key is its secret.
    let key = match collection.privacy {
        Privacy::Public => duplicate.key.to_string(),
        Privacy::Unlisted | Privacy::Sealed => "***".to_owned(),
    };
    Fault {
        place: duplicate.second.clone(),
        field: collection.source.key().map(str::to_owned),
        why: format!("key {key} was used before, at {}", duplicate.first),
    }
}

/// What takes each row of a text source.
type Take<'t> = dyn FnMut(Place, Fields, &mut Reading<'_>) + 't;

/// A source being read.
struct Reading<'a> {
    sorter: rows::Sorter,
    count: usize,
    faults: Vec<Fault>,
    more_faults: usize,
    limits: SourceLimits,
    path: &'a Path,
}

impl<'a> Reading<'a> {
    fn of(path: &'a Path, limits: SourceLimits) -> Self {
        Self {
            sorter: rows::Sorter::default(),
            count: 0,
            faults: Vec::new(),
            more_faults: 0,
            limits,
            path,
        }
    }

    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS {
            self.faults.push(fault);
        } else {
            self.more_faults += 1;
        }
    }

    fn unreadable(&self, error: impl std::fmt::Display) -> SourceError {
        SourceError::Unreadable {
            path: self.path.to_owned(),
            why: error.to_string(),
        }
    }

    /// Called before each row.
    fn check_count(&self) -> Result<(), SourceError> {
        if self.sorter.len().max(self.count) >= self.limits.rows {
            return Err(SourceError::TooManyRows {
                path: self.path.to_owned(),
                limit: self.limits.rows,
            });
        }
        Ok(())
    }

    fn finish(self, what: &str) -> Result<(), SourceError> {
        if self.faults.is_empty() {
            return Ok(());
        }
        Err(SourceError::Faults {
            what: what.to_owned(),
            faults: self.faults,
            more: self.more_faults,
        })
    }
}

#[cfg(test)]
mod tests;
