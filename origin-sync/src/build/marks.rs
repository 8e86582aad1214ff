//! Which records were amended by hand, so that the next publish of the sources does not undo it
//! unasked.
//!
//! They are a collection of the site's own, [`AMENDED`], which no route names: it travels with the
//! release, is signed with it and outlives the machine that amended. A mark never goes; it says what
//! became of the amendment. So the collection never falls, and no edge takes that for a loss.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use snapshot::manifest::{Collection, Privacy};
use snapshot::{CollectionName, Digest, Key, Manifest, NodeCache, Store, Timestamp, Value, limits};

use super::{BuildError, open};
use crate::source::Content;

/// The collection of marks; no site may declare one of this name.
pub const AMENDED: &str = "amended";

/// What became of an amendment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It stands, and nobody said yet whether it or the source is right.
    Amended,
    /// It was said that it stays, whatever the source says.
    Kept,
    /// The source counts again: it was said so, or it says the same by now.
    Settled,
}

impl State {
    const ALL: [Self; 3] = [Self::Amended, Self::Kept, Self::Settled];

    const fn word(self) -> &'static str {
        match self {
            Self::Amended => "amended",
            Self::Kept => "kept",
            Self::Settled => "settled",
        }
    }
}

/// What is to become of records that were amended where the sources say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// They stay as they were amended, and do so from now on.
    Keep,
    /// The sources count again.
    Take,
}

/// One amendment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) state: State,
    pub(super) at: Timestamp,
}

/// A record that was amended by hand, of which the source says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmendedKey {
    /// Its collection.
    pub collection: CollectionName,
    /// Its key at rest.
    pub key: Key,
    /// When it was amended.
    pub at: Timestamp,
}

impl std::fmt::Display for AmendedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.at.rfc3339();
        write!(
            f,
            "{}/{}  amended {at}",
            self.collection,
            key_text(&self.key)
        )
    }
}

impl AmendedKey {
    /// For scripts.
    #[must_use]
    pub fn json(&self) -> Json {
        json!({
            "collection": self.collection.as_str(),
            "key": key_text(&self.key),
            "at_ms": self.at.0,
        })
    }
}

/// Every mark of a release.
#[derive(Debug, Default)]
pub(super) struct Marks(BTreeMap<CollectionName, BTreeMap<Key, Mark>>);

impl Marks {
    /// Those of `manifest`, whose segments are in `store`. Blocks.
    pub(super) fn of(
        manifest: &Manifest,
        store: &Store,
        cache: &NodeCache,
    ) -> Result<Self, BuildError> {
        let mut marks = Self::default();
        let Some(collection) = collection(manifest) else {
            return Ok(marks);
        };
        let (name, segments) = (&collection.name, &collection.segments);
        for record in open(store, cache, &manifest.site, name, segments)?.iter(..) {
            let (key, value) = record?;
            let read = match &value {
                Value::Inline(bytes) => read(bytes),
                Value::Blob(_) => None,
            };
            let (of, amended, mark) = read.ok_or_else(|| BuildError::Mark(key_text(&key)))?;
            marks.0.entry(of).or_default().insert(amended, mark);
        }
        Ok(marks)
    }

    /// What of `collection` is amended and not settled.
    pub(super) fn open(&self, collection: &CollectionName) -> BTreeMap<Key, Mark> {
        let all = self.0.get(collection).into_iter().flatten();
        let open = all.filter(|(_, mark)| mark.state != State::Settled);
        open.map(|(key, mark)| (key.clone(), *mark)).collect()
    }

    /// Collections that have marks.
    pub(super) fn collections(&self) -> BTreeSet<CollectionName> {
        self.0.keys().cloned().collect()
    }
}

/// The collection of marks in `manifest`.
pub(super) fn collection(manifest: &Manifest) -> Option<&Collection> {
    let mut all = manifest.collections.iter();
    all.find(|collection| collection.name.as_str() == AMENDED)
}

/// Under which key of [`AMENDED`] the mark of a record stands, if there is one.
pub(super) fn mark_key(collection: &CollectionName, key: &Key) -> Option<Key> {
    let mut name = [collection.as_str().as_bytes(), b"/", key.as_bytes()].concat();
    if name.len() > limits::KEY_BYTES {
        name = format!("{collection}/{}", Digest::of(key.as_bytes())).into_bytes();
    }
    Key::new(name).ok()
}

/// A mark as a record of [`AMENDED`].
pub(super) fn record(
    collection: &CollectionName,
    key: &Key,
    mark: Mark,
) -> Result<(Key, Content), BuildError> {
    let name = mark_key(collection, key).ok_or_else(|| BuildError::Mark(key_text(key)))?;
    let mut value = json!({
        "collection": collection.as_str(),
        "state": mark.state.word(),
        "at_ms": mark.at.0,
    });
    let (field, text) = match plain(key) {
        Some(text) => ("key", text.to_owned()),
        None => (
            "key_hex",
            key.as_bytes().iter().map(|b| format!("{b:02x}")).collect(),
        ),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert(field.to_owned(), text.into());
    }
    Ok((name, Content::Bytes(value.to_string().into_bytes())))
}

/// A key as a person reads it.
#[must_use]
pub fn key_text(key: &Key) -> String {
    plain(key).map_or_else(|| key.to_string(), str::to_owned)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let bytes = digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    bytes.collect()
}

fn plain(key: &Key) -> Option<&str> {
    let text = std::str::from_utf8(key.as_bytes()).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

/// How the collection of marks is declared.
pub(super) fn declared(
    segments: Vec<snapshot::manifest::SegmentEntry>,
    records: u64,
) -> Option<Collection> {
    Some(Collection {
        name: AMENDED.parse().ok()?,
        privacy: Privacy::Public,
        complete: false,
        records,
        segments,
    })
}

fn read(bytes: &[u8]) -> Option<(CollectionName, Key, Mark)> {
    let fields: Map<String, Json> = serde_json::from_slice(bytes).ok()?;
    let text = |name: &str| fields.get(name)?.as_str();
    let word = text("state")?;
    let state = State::ALL.into_iter().find(|state| state.word() == word)?;
    let at = Timestamp(fields.get("at_ms")?.as_u64()?);
    let key = match text("key") {
        Some(key) => key.as_bytes().to_vec(),
        None => unhex(text("key_hex")?)?,
    };
    let key = Key::new(key).ok()?;
    Some((text("collection")?.parse().ok()?, key, Mark { state, at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_however_long_its_key() {
        let pages: CollectionName = "pages".parse().unwrap();
        let long = ["k", "\u{1}", "\"", "\u{ac00}k"];
        let long = long.map(|part| part.repeat(limits::KEY_BYTES / part.len()));
        for key in ["index.html".to_owned()].into_iter().chain(long) {
            let key = Key::new(key).unwrap();
            for state in State::ALL {
                let at = Timestamp(1_700_000_000_000);
                let (name, content) = record(&pages, &key, Mark { state, at }).unwrap();
                assert!(name.as_bytes().starts_with(b"pages/"));
                let Content::Bytes(bytes) = content else {
                    panic!("{content:?}");
                };
                assert!(bytes.len() <= limits::INLINE_VALUE_BYTES);
                assert_eq!(
                    read(&bytes),
                    Some((pages.clone(), key.clone(), Mark { state, at }))
                );
            }
        }
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"collection":"a","key":"b","state":"?","at_ms":1}"#,
        ] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
    }
}
