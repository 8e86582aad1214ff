//! From a row to a record: its key, its JSON, and the seal over both where it is private.

use serde_json::Value;
use snapshot::manifest::Privacy;
use snapshot::{Key, SiteName};

use super::{Fault, Fields, Place};
use crate::config::Collection;

/// A secret shorter than this can be guessed by whoever has a copy of a mirror, bytes.
pub const WEAK_SECRET_BYTES: usize = 12;

/// Makes the records of one collection.
pub(super) struct Maker<'a> {
    site: &'a str,
    collection: &'a Collection,
    key: &'a str,
}

/// A record.
pub(super) struct Made {
    pub(super) key: Key,
    pub(super) value: Vec<u8>,
    pub(super) weak: bool,
}

impl<'a> Maker<'a> {
    pub(super) fn new(site: &'a SiteName, collection: &'a Collection) -> Self {
        Self {
            site: site.as_str(),
            collection,
            key: collection.source.key().unwrap_or_default(),
        }
    }

    pub(super) fn make(&self, place: &Place, mut fields: Fields) -> Result<Made, Fault> {
        let key = needed(place, &fields, self.key)?;
        let name = self.collection.name.as_str();
        match self.collection.privacy {
            Privacy::Public => Ok(Made {
                key: record_key(place, self.key, key)?,
                value: canonical(place, &fields)?,
                weak: false,
            }),
            Privacy::Unlisted => self.sealed(place, name, &key, fields),
            Privacy::Sealed => {
                let field = self.collection.secret.as_deref().unwrap_or_default();
                let secret = needed(place, &fields, field)?;
                // The record's reader holds the capability already; nobody else may.
                fields.remove(field);
                self.sealed(place, name, &secret, fields)
            }
        }
    }

    /// The key at rest of the record that `given` names: what stands in the key field, or, of a
    /// sealed collection, in the secret field.
    pub(super) fn key(&self, place: &Place, given: String) -> Result<Key, Fault> {
        let name = self.collection.name.as_str();
        let key = match self.collection.privacy {
            Privacy::Public => given,
            Privacy::Unlisted | Privacy::Sealed => {
                seal::record_name(self.site, name, given.as_str())
            }
        };
        record_key(place, self.key, key)
    }

    fn sealed(
        &self,
        place: &Place,
        name: &str,
        secret: &str,
        fields: Fields,
    ) -> Result<Made, Fault> {
        let plain = canonical(place, &fields)?;
        let key = seal::record_name(self.site, name, secret);
        let value = seal::seal(self.site, name, secret, &plain)
            .map_err(|error| Fault::of_row(place, error.to_string()))?;
        Ok(Made {
            key: record_key(place, self.key, key)?,
            value,
            weak: secret.len() < WEAK_SECRET_BYTES,
        })
    }
}

fn record_key(place: &Place, field: &str, key: String) -> Result<Key, Fault> {
    Key::new(key).map_err(|_| Fault::new(place, field, "a key has 1 to 1024 bytes"))
}

pub(super) fn needed(place: &Place, fields: &Fields, field: &str) -> Result<String, Fault> {
    let value = fields
        .get(field)
        .ok_or_else(|| Fault::new(place, field, "is missing"))?;
    match text(value) {
        Some(text) if !text.is_empty() => Ok(text),
        Some(_) => Err(Fault::new(place, field, "is empty")),
        None => Err(Fault::new(
            place,
            field,
            format!("must be a text or a whole number, not {}", kind(value)),
        )),
    }
}

/// A text or whole number as text: what can stand in a key or a URL.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a fraction",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Compact JSON with sorted keys at every depth, so that equal rows are equal bytes.
pub(super) fn canonical(place: &Place, fields: &Fields) -> Result<Vec<u8>, Fault> {
    // A map of this library keeps its keys sorted.
    serde_json::to_vec(fields).map_err(|error| Fault::of_row(place, error.to_string()))
}

/// Replaces each text of `json` by the JSON it holds.
pub(super) fn parse_json(place: &Place, fields: &mut Fields, json: &[String]) -> Result<(), Fault> {
    for name in json {
        let Some(value) = fields.get_mut(name) else {
            return Err(Fault::new(place, name, "is missing"));
        };
        if let Value::String(text) = value {
            *value = serde_json::from_str(text)
                .map_err(|error| Fault::new(place, name, format!("is not JSON: {error}")))?;
        }
    }
    Ok(())
}

/// The key at rest of the record of `collection` that `given` names: what stands in the key field
/// or, of a sealed collection, in the secret field; of a folder the path.
#[must_use]
pub fn key_of(site: &SiteName, collection: &Collection, given: &str) -> Option<Key> {
    let key = match collection.privacy {
        Privacy::Public => given.to_owned(),
        Privacy::Unlisted | Privacy::Sealed => {
            seal::record_name(site.as_str(), collection.name.as_str(), given)
        }
    };
    Key::new(key).ok()
}
