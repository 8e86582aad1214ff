//! Sources: files and rows become records, sorted by key.
//!
//! Everything wrong with a source is reported with file, line and field, as much of it as a
//! person can use at once; then nothing of the site is published.

mod by_hand;
mod changes;
mod csv;
mod fault;
mod folder;
mod lines;
mod ndjson;
mod record;
mod rows;
mod sorter;
mod sqlite;
mod workers;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};
use snapshot::manifest::Privacy;
use snapshot::{Key, SiteName};

use crate::config::{Collection, RowSource, Source};
use crate::template::Template;

use fault::At;
use lines::{Hashing, NEW_SHARE};
use rows::{Again, Naming};
use sorter::Sorter;
use workers::{Trouble, Worker};

pub use by_hand::{Given, by_hand};
pub use changes::changes;
pub use fault::{Fault, Place, SourceError};
pub use lines::{Learned, Lines, forget};
pub use record::{WEAK_SECRET_BYTES, key_of};
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
    /// Memory for putting the records of one collection in order, bytes.
    pub sort_bytes: usize,
    /// Most lines that are remembered of one collection's dump; each takes 17 bytes of memory.
    pub lines: u64,
}

impl Default for SourceLimits {
    fn default() -> Self {
        Self {
            rows: ROWS,
            row_bytes: ROW_BYTES,
            sort_bytes: SORT_BYTES,
            lines: LINES,
        }
    }
}

/// Most records of one collection, unless set otherwise.
pub const ROWS: usize = 20_000_000;
/// Longest row of a text source, bytes.
pub const ROW_BYTES: usize = 16 << 20;
/// Memory for putting the records of one collection in order, bytes.
pub const SORT_BYTES: usize = 96 << 20;
/// Most lines that are remembered of one collection's dump; each takes 17 bytes of memory.
pub const LINES: u64 = 10_000_000;
/// Most faults that are told of one source.
pub const FAULTS: usize = 20;

/// What one source gave.
#[derive(Debug)]
pub struct Read {
    /// Its records, by key.
    pub rows: Rows,
    /// Records whose secret is shorter than [`WEAK_SECRET_BYTES`].
    pub weak_secrets: usize,
    /// What the next dump of this source may be read by.
    pub learned: Option<Learned>,
}

/// Paths that may carry capabilities: shown only as how many they are.
#[derive(Default)]
pub struct Paths(pub Vec<String>);

impl std::fmt::Debug for Paths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Paths({} of ***)", self.0.len())
    }
}

/// Reads `collection` of `site`; what does not fit into memory waits in unnamed files in `scratch`.
/// Of a source of lines, those that are `known` are passed over: the rows are then what changed, not
/// all there is. Blocks.
///
/// # Errors
/// All faults together, or that the source cannot be read at all.
pub fn read(
    site: &SiteName,
    collection: &Collection,
    limits: SourceLimits,
    scratch: &Path,
    known: Option<Lines>,
) -> Result<Read, SourceError> {
    let what = format!("collection {}", collection.name);
    let mut sorted = Vec::new();
    let mut weak_secrets = 0;
    let mut learned = None;
    match &collection.source {
        Source::Folder { path } => {
            let mut sorter = Sorter::new(scratch, limits.sort_bytes);
            let faults = folder::read(path, limits, &mut sorter)?;
            faults.into_error(&what).map_or(Ok(()), Err)?;
            sorted.push(sorter.finish().map_err(SourceError::Sorting)?);
        }
        Source::Rows { rows, .. } => {
            let count = workers::count();
            let known = known.filter(|_| matches!(rows, RowSource::Ndjson { .. }));
            let hashing = match &known {
                Some(known) => known.hashing(),
                None => Hashing::new().map_err(SourceError::Sorting)?,
            };
            let makers = (0..count).map(|_| Records {
                maker: record::Maker::new(site, collection),
                sorter: Sorter::new(scratch, limits.sort_bytes / count),
                weak_secrets: 0,
                lines: 0,
                hashing,
                known: known.as_ref(),
                line: None,
                new: Sorter::new(scratch, limits.sort_bytes / count / NEW_SHARE),
            });
            let mut lines = 0;
            let mut new = Vec::new();
            for made in each_row(&what, rows, limits, makers.collect())? {
                weak_secrets += made.weak_secrets;
                lines += made.lines;
                sorted.push(made.sorter.finish().map_err(SourceError::Sorting)?);
                new.push(made.new.finish().map_err(SourceError::Sorting)?);
            }
            if let Some(known) = &known {
                let mut gone = Sorter::new(scratch, limits.sort_bytes / NEW_SHARE);
                known.gone(&mut gone).map_err(SourceError::Sorting)?;
                sorted.push(gone.finish().map_err(SourceError::Sorting)?);
            }
            if matches!(rows, RowSource::Ndjson { .. }) {
                learned = Some(Learned {
                    lines,
                    weak_secrets,
                    most: limits.lines,
                    hashing,
                    before: known,
                    new: Rows::of(new, Again::Replaces),
                });
            }
        }
    }
    let rows = Rows::of(sorted, Again::Fault(naming(what, collection)));
    Ok(Read {
        rows,
        weak_secrets,
        learned,
    })
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
    let what = format!("the URLs of {template}");
    let fillers = (0..workers::count()).map(|_| Filler {
        template,
        paths: Vec::new(),
    });
    let filled = each_row(&what, source, limits, fillers.collect())?;
    let mut paths: Vec<String> = filled.into_iter().flat_map(|filled| filled.paths).collect();
    paths.sort_unstable();
    paths.dedup();
    Ok(Paths(paths))
}

fn each_row<W: Worker>(
    what: &str,
    rows: &RowSource,
    limits: SourceLimits,
    workers: Vec<W>,
) -> Result<Vec<W>, SourceError> {
    workers::run(what, rows.path(), limits, workers, |reading| match rows {
        RowSource::Ndjson { .. } => ndjson::read(reading),
        RowSource::Csv { json, .. } => csv::read(json, reading),
        RowSource::Sqlite { query, json, .. } => sqlite::read(query, json, reading),
    })
}

/// Makes records of rows.
struct Records<'a> {
    maker: record::Maker<'a>,
    sorter: Sorter,
    weak_secrets: usize,
    /// How many there were.
    lines: u64,
    hashing: Hashing,
    known: Option<&'a Lines>,
    /// The line of the row that is to be taken.
    line: Option<Key>,
    new: Sorter,
}

impl Worker for Records<'_> {
    fn knows(&mut self, line: &[u8]) -> bool {
        self.lines += 1;
        let line = self.hashing.of(line);
        let known = self.known.is_some_and(|known| known.meet(&line));
        self.line = Key::new(line.to_vec()).ok();
        known
    }

    fn take(&mut self, place: &Place, fields: Fields) -> Result<(), Trouble> {
        let made = self.maker.make(place, fields)?;
        self.weak_secrets += usize::from(made.weak);
        let row = place.at.number();
        if let Some(line) = self.line.take() {
            let key = Content::Bytes(made.key.as_bytes().to_vec());
            self.new.push(&line, &key, row)?;
        }
        Ok(self
            .sorter
            .push(&made.key, &Content::Bytes(made.value), row)?)
    }
}

/// Makes paths of rows.
struct Filler<'a> {
    template: &'a Template,
    paths: Vec<String>,
}

impl Worker for Filler<'_> {
    fn take(&mut self, place: &Place, fields: Fields) -> Result<(), Trouble> {
        let mut texts = BTreeMap::new();
        for param in self.template.params() {
            texts.insert(param, record::needed(place, &fields, param)?);
        }
        let path = self
            .template
            .fill(|param| texts.get(param).map(String::as_str));
        self.paths.extend(path);
        Ok(())
    }
}

fn naming(what: String, collection: &Collection) -> Naming {
    let file = Arc::new(collection.source.path().to_owned());
    let field = collection.source.key().map(str::to_owned);
    let at: fn(u64) -> At = match &collection.source {
        Source::Folder { .. } => |_| At::Whole,
        Source::Rows { rows, .. } => match rows {
            RowSource::Ndjson { .. } | RowSource::Csv { .. } => At::Line,
            RowSource::Sqlite { .. } => At::Row,
        },
    };
    let private = collection.privacy != Privacy::Public;
    let twice = move |key: &Key, [first, second]: [u64; 2]| {
        let place = |row| Place {
            file: Arc::clone(&file),
            at: at(row),
        };
        // A private record's key is its secret.
        let key = if private {
            "***".to_owned()
        } else {
            key.to_string()
        };
        Fault {
            place: place(second),
            field: field.clone(),
            why: format!("key {key} was used before, at {}", place(first)),
        }
    };
    Naming {
        what,
        twice: Box::new(twice),
    }
}

#[cfg(test)]
mod tests;
