//! Records given by hand for a release whose sources are out of reach: lists of changes, folders,
//! files, keys to be deleted.
//!
//! A list is NDJSON: `{"put": ROW, "key": "KEY"}` or `{"delete": "KEY"}`. KEY may be left out where
//! `site.toml` says which field of the row it is. Of a private collection KEY is what names and opens
//! the record: the unguessable id, or the capability.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use snapshot::manifest::{self, Privacy};
use snapshot::{Key, SiteName, limits};

use super::record::{canonical, needed};
use super::rows::{Again, Content};
use super::sorter::Sorter;
use super::workers::{self, Trouble, Worker};
use super::{Fault, Fields, Place, Rows, SourceError, SourceLimits, folder, ndjson};
use crate::config::Collection;

/// Something given by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A list of changes.
    Changes(PathBuf),
    /// Every file below a folder, by its path.
    Folder(PathBuf),
    /// A file as the value of that key.
    Set(String, PathBuf),
    /// A key that goes.
    Delete(String),
}

/// What `given` makes of `collection`, the last word about each key; `declared` says which fields
/// its rows are named by, if that is known. Blocks.
///
/// # Errors
/// Everything that is wrong with one list or folder, or that a file cannot be read.
pub fn by_hand(
    site: &SiteName,
    collection: &manifest::Collection,
    declared: Option<&Collection>,
    given: &[Given],
    scratch: &Path,
) -> Result<BTreeMap<Key, Content>, SourceError> {
    let limits = SourceLimits::default();
    let what = format!("what is given by hand for collection {}", collection.name);
    let mut records = BTreeMap::new();
    for given in given {
        match given {
            Given::Changes(path) => {
                let taker = Taker {
                    site,
                    collection,
                    declared,
                    taken: Vec::new(),
                };
                let takers = workers::run(&what, path, limits, vec![taker], ndjson::read)?;
                records.extend(takers.into_iter().flat_map(|taker| taker.taken));
            }
            Given::Folder(path) => {
                public(collection, path, "a folder's files")?;
                let mut sorter = Sorter::new(scratch, limits.sort_bytes);
                let faults = folder::read(path, limits, &mut sorter)?;
                faults.into_error(&what).map_or(Ok(()), Err)?;
                let sorted = sorter.finish().map_err(SourceError::Sorting)?;
                for row in Rows::of(vec![sorted], Again::Replaces) {
                    let row = row?;
                    records.insert(row.key, row.content);
                }
            }
            Given::Set(key, path) => {
                public(collection, path, "a file")?;
                records.insert(named(path, key)?, file(path)?);
            }
            Given::Delete(key) => {
                let place = Path::new("--delete");
                let key = match collection.privacy {
                    Privacy::Public => key.clone(),
                    _ => seal::record_name(site.as_str(), collection.name.as_str(), key.as_str()),
                };
                records.insert(named(place, &key)?, Content::Gone);
            }
        }
    }
    Ok(records)
}

/// The bytes of a file are no record that could be sealed: nobody says by what.
fn public(collection: &manifest::Collection, path: &Path, what: &str) -> Result<(), SourceError> {
    if collection.privacy == Privacy::Public {
        return Ok(());
    }
    let (name, privacy) = (&collection.name, collection.privacy.as_str());
    Err(SourceError::Unreadable {
        path: path.to_owned(),
        why: format!(
            "collection {name} is {privacy}, and {what} cannot go there: give a list of changes"
        ),
    })
}

fn named(path: &Path, key: &str) -> Result<Key, SourceError> {
    Key::new(key).map_err(|_| SourceError::Unreadable {
        path: path.to_owned(),
        why: "a key has 1 to 1024 bytes".to_owned(),
    })
}

fn file(path: &Path) -> Result<Content, SourceError> {
    let unreadable = |why: String| SourceError::Unreadable {
        path: path.to_owned(),
        why,
    };
    let meta = fs_err::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    let length = meta.len();
    if !meta.is_file() {
        return Err(unreadable("is no file".to_owned()));
    }
    if length > limits::BLOB_BYTES {
        let most = limits::BLOB_BYTES;
        return Err(unreadable(format!("a file may have at most {most} bytes")));
    }
    if length > limits::INLINE_VALUE_BYTES as u64 {
        return Ok(Content::File(path.to_owned(), length));
    }
    let bytes = fs_err::read(path).map_err(|error| unreadable(error.to_string()))?;
    Ok(Content::Bytes(bytes))
}

/// Makes records of a list's lines, in their order: there is one of it.
struct Taker<'a> {
    site: &'a SiteName,
    collection: &'a manifest::Collection,
    declared: Option<&'a Collection>,
    taken: Vec<(Key, Content)>,
}

impl Worker for Taker<'_> {
    fn take(&mut self, place: &Place, mut fields: Fields) -> Result<(), Trouble> {
        let put = fields.remove("put");
        let given = fields.remove("key");
        let gone = fields.remove("delete");
        let taken = match (put, given, gone, fields.is_empty()) {
            (Some(Value::Object(row)), given @ (None | Some(Value::String(_))), None, true) => {
                let given = given.and_then(|given| given.as_str().map(str::to_owned));
                self.put(place, row, given)?
            }
            (None, None, Some(Value::String(key)), true) => (self.key(place, &key)?, Content::Gone),
            _ => {
                let why = "a change is {\"put\": ROW, \"key\": \"KEY\"} or {\"delete\": \"KEY\"}";
                return Err(Fault::of_row(place, why).into());
            }
        };
        self.taken.push(taken);
        Ok(())
    }
}

impl Taker<'_> {
    fn put(
        &self,
        place: &Place,
        mut row: Fields,
        given: Option<String>,
    ) -> Result<(Key, Content), Fault> {
        let sealed = self.collection.privacy == Privacy::Sealed;
        let field = self.declared.and_then(|declared| match sealed {
            true => declared.secret.as_deref(),
            false => declared.source.key(),
        });
        let name = match (given, field) {
            (Some(given), _) => given,
            (None, Some(field)) => needed(place, &row, field)?,
            (None, None) => {
                let why = "\"key\" is missing: it names the record, and no site.toml says which field does";
                return Err(Fault::of_row(place, why));
            }
        };
        if let Some(field) = field.filter(|_| sealed) {
            // The record's reader holds the capability already; nobody else may.
            row.remove(field);
        }
        let key = self.key(place, &name)?;
        let plain = canonical(place, &row)?;
        let value = match self.collection.privacy {
            Privacy::Public => plain,
            Privacy::Unlisted | Privacy::Sealed => {
                let (site, collection) = (self.site.as_str(), self.collection.name.as_str());
                seal::seal(site, collection, name.as_str(), &plain)
                    .map_err(|error| Fault::of_row(place, error.to_string()))?
            }
        };
        Ok((key, Content::Bytes(value)))
    }

    fn key(&self, place: &Place, name: &str) -> Result<Key, Fault> {
        let (site, collection) = (self.site.as_str(), self.collection.name.as_str());
        let key = match self.collection.privacy {
            Privacy::Public => name.to_owned(),
            Privacy::Unlisted | Privacy::Sealed => seal::record_name(site, collection, name),
        };
        Key::new(key).map_err(|_| Fault::of_row(place, "a key has 1 to 1024 bytes"))
    }
}
