//! A list of changes: NDJSON, on each line `{"put": ROW}`, where ROW is a row of the collection's
//! source, or `{"delete": "KEY"}`, where KEY is what stands in its key field; of a sealed collection,
//! in its secret field. Of several changes of one key the last counts.

use std::path::Path;

use serde_json::Value;
use snapshot::SiteName;

use super::rows::{Again, Content};
use super::sorter::Sorter;
use super::workers::{self, Trouble, Worker};
use super::{Fault, Fields, Place, Read, Rows, SourceError, SourceLimits, ndjson, record};
use crate::config::Collection;

/// Reads what is to be changed in `collection` of `site` from the file at `path`. Blocks.
///
/// # Errors
/// All faults together, or that the file cannot be read at all.
pub fn changes(
    site: &SiteName,
    collection: &Collection,
    path: &Path,
    limits: SourceLimits,
    scratch: &Path,
) -> Result<Read, SourceError> {
    let what = format!("the changes of collection {}", collection.name);
    let count = workers::count();
    let takers = (0..count).map(|_| Taker {
        maker: record::Maker::new(site, collection),
        sorter: Sorter::new(scratch, limits.sort_bytes / count),
        weak_secrets: 0,
    });
    let takers = workers::run(&what, path, limits, takers.collect(), ndjson::read)?;
    let weak_secrets = takers.iter().map(|taker| taker.weak_secrets).sum();
    let sorted = takers.into_iter().map(|taker| taker.sorter.finish());
    let sorted: Result<Vec<_>, _> = sorted.collect();
    let rows = Rows::of(sorted.map_err(SourceError::Sorting)?, Again::Replaces);
    Ok(Read {
        rows,
        weak_secrets,
        learned: None,
    })
}

/// Makes records and removals of changes.
struct Taker<'a> {
    maker: record::Maker<'a>,
    sorter: Sorter,
    weak_secrets: usize,
}

impl Worker for Taker<'_> {
    fn take(&mut self, place: &Place, fields: Fields) -> Result<(), Trouble> {
        let mut fields = fields.into_iter();
        let row = place.at.number();
        match (fields.next(), fields.next()) {
            (Some((verb, Value::Object(put))), None) if verb == "put" => {
                let made = self.maker.make(place, put)?;
                self.weak_secrets += usize::from(made.weak);
                self.sorter
                    .push(&made.key, &Content::Bytes(made.value), row)?;
            }
            (Some((verb, Value::String(key))), None) if verb == "delete" => {
                let key = self.maker.key(place, key)?;
                self.sorter.push(&key, &Content::Gone, row)?;
            }
            _ => {
                let why = "a change is {\"put\": ROW} or {\"delete\": \"KEY\"}";
                return Err(Fault::of_row(place, why).into());
            }
        }
        Ok(())
    }
}
