//! What is known of URLs from earlier publishes, so that a publish asks what its change can reach.
//!
//! The rule: **a URL that answered is not asked again while nothing that its answer was made of has
//! changed.** An answer is a function of
//!
//! - the URL, and the site's first language, in which it is asked;
//! - the site's frame, which is one for all pages: names, languages, services, all routes (another
//!   route may catch the URL), and which collections there are ([`same_frame`]);
//! - the component that gave it, by its digest;
//! - the records that were looked up for it, found or not, and the lists of keys: the host notes
//!   every one, for it hands them out ([`MadeOf`]);
//! - this program, which is the serving path and its limits.
//!
//! All of these are compared. What is not compared is the time: every page is told the time of its
//! data, and edges show it under later times without asking anybody. A route that is told the
//! minute is asked every time, and so is whatever did not answer.
//!
//! What was noted lies in one state file of the publisher's own copy, with the manifest that it
//! was asked of. That need not be a release: a publish that fails later may leave it as well, and
//! what differs is found by comparing the two manifests. The file is a cache. Absent, damaged, too
//! long or of another program, it is as if nothing were known. URLs stand in it as hashes.

use std::collections::{BTreeMap, HashMap};

use edge::answer::MadeOf;
use edge::host::Read;
use serde::{Deserialize, Serialize};
use snapshot::{
    CollectionName, ComponentName, Digest, Manifest, Store, Timestamp, decode, encode, limits,
};

use super::super::program;
use super::frame::same_frame;
use crate::build::{BuildError, Built, changed_keys};

/// The state file.
const STATE: &str = "coverage";
/// Longest file, bytes: some 500,000 URLs.
const BYTES: usize = 64 << 20;

/// A thing that answers are made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Part {
    Component(ComponentName),
    Record(CollectionName, Digest),
    Keys(CollectionName),
}

/// What a publish noted. Parts are shared by many URLs, and stand once.
#[derive(Debug, Default)]
pub(in super::super) struct Notes {
    parts: BTreeMap<Part, u32>,
    urls: BTreeMap<Digest, Answered>,
}

/// That a URL answered.
#[derive(Debug, Serialize, Deserialize)]
struct Answered {
    /// The time of the data it was asked with.
    as_of: Timestamp,
    /// Places in the list of parts.
    parts: Vec<u32>,
}

/// The file's content.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    program: Digest,
    manifest: Digest,
    parts: Vec<Part>,
    urls: Vec<(Digest, Answered)>,
}

/// The URLs that need not be asked again.
#[derive(Debug, Default)]
pub(in super::super) struct Known {
    parts: Vec<Part>,
    urls: HashMap<Digest, Answered>,
}

impl Known {
    /// What `store` keeps, as far as it still holds for `built`. Blocks.
    ///
    /// # Errors
    /// In words, why what is kept cannot be used.
    pub(in super::super) fn open(store: &Store, built: &Built) -> Result<Self, String> {
        match program::digest() {
            Some(program) => Self::of(store, program, &built.manifest),
            None => Ok(Self::default()),
        }
    }

    fn of(store: &Store, program: Digest, now: &Manifest) -> Result<Self, String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let file = store.read_state(STATE, BYTES).map_err(|e| words(&e))?;
        let Some(file) = file else {
            return Ok(Self::default());
        };
        let kept = Kept::read(&file)?;
        if kept.program != program {
            return Ok(Self::default());
        }
        let before = store.read(&kept.manifest, limits::MANIFEST_BYTES);
        let before = before.map_err(|e| words(&e))?;
        let before: Manifest = decode(&before, limits::MANIFEST_BYTES).map_err(|e| words(&e))?;
        if !same_frame(&before, now) {
            return Ok(Self::default());
        }
        let stale = stale(store, &kept.parts, &before, now).map_err(|e| words(&e))?;
        let mut urls: HashMap<Digest, Answered> = kept.urls.into_iter().collect();
        let holds =
            |place: &u32| usize::try_from(*place).is_ok_and(|at| stale.get(at) == Some(&false));
        urls.retain(|_, answered| answered.parts.iter().all(holds));
        Ok(Self {
            parts: kept.parts,
            urls,
        })
    }

    /// If the URL of that name need not be asked: since when. It is noted for the next publish.
    pub(super) fn repeat(&self, url: &Digest, notes: &mut Notes) -> Option<Timestamp> {
        let answered = self.urls.get(url)?;
        let parts = answered.parts.iter();
        let parts: Option<Vec<&Part>> = parts
            .map(|place| self.parts.get(usize::try_from(*place).ok()?))
            .collect();
        notes.note(*url, answered.as_of, parts?.into_iter().cloned());
        Some(answered.as_of)
    }
}

/// For each of `parts`, whether it is another now.
fn stale(
    store: &Store,
    parts: &[Part],
    before: &Manifest,
    now: &Manifest,
) -> Result<Vec<bool>, BuildError> {
    let other = |part: &Part| match part {
        Part::Component(name) => {
            let digest = |manifest: &Manifest| manifest.component(name).map(|c| c.digest);
            digest(before) != digest(now)
        }
        // Until a changed key says otherwise.
        Part::Record(..) | Part::Keys(_) => false,
    };
    let mut stale: BTreeMap<&Part, bool> = parts.iter().map(|part| (part, other(part))).collect();
    // The frame is the same: both have these collections, in this order.
    for (before, after) in before.collections.iter().zip(&now.collections) {
        let mut note = |part: Part| {
            if let Some(stale) = stale.get_mut(&part) {
                *stale = true;
            }
        };
        changed_keys(store, &now.site, before, after, |key| {
            note(Part::Record(after.name.clone(), Digest::of(key.as_bytes())));
            note(Part::Keys(after.name.clone()));
        })?;
    }
    Ok(parts
        .iter()
        .map(|part| stale.get(part) != Some(&false))
        .collect())
}

impl Notes {
    /// The URL of that name answered, and that is what its answer was made of.
    pub(super) fn answered(&mut self, url: Digest, as_of: Timestamp, made_of: MadeOf) {
        let component = made_of.component.map(|name| Some(Part::Component(name)));
        let reads = made_of.reads.into_iter().map(|read| match read {
            Read::Key { store, key } => Some(Part::Record(store.parse().ok()?, key)),
            Read::Keys { store } => Some(Part::Keys(store.parse().ok()?)),
        });
        let parts: Option<Vec<Part>> = component.into_iter().chain(reads).collect();
        if let Some(parts) = parts {
            self.note(url, as_of, parts);
        }
    }

    fn note(&mut self, url: Digest, as_of: Timestamp, parts: impl IntoIterator<Item = Part>) {
        let mut places = Vec::new();
        for part in parts {
            let Ok(next) = u32::try_from(self.parts.len()) else {
                return;
            };
            places.push(*self.parts.entry(part).or_insert(next));
        }
        let parts = places;
        self.urls.insert(url, Answered { as_of, parts });
    }

    /// Keeps them in `store` as what `built` answered. Blocks.
    ///
    /// # Errors
    /// In words, why they are not kept.
    pub(in super::super) fn keep(self, store: &Store, built: &Built) -> Result<(), String> {
        match program::digest() {
            Some(program) => self.write(store, program, built.digest, BYTES),
            None => Ok(()),
        }
    }

    fn write(
        self,
        store: &Store,
        program: Digest,
        manifest: Digest,
        most: usize,
    ) -> Result<(), String> {
        let mut parts: Vec<(Part, u32)> = self.parts.into_iter().collect();
        parts.sort_unstable_by_key(|(_, place)| *place);
        let kept = Kept {
            program,
            manifest,
            parts: parts.into_iter().map(|(part, _)| part).collect(),
            urls: self.urls.into_iter().collect(),
        };
        let file = kept.file()?;
        if file.len() > most {
            return Err(format!(
                "{} bytes where at most {most} are allowed",
                file.len()
            ));
        }
        store
            .write_state(STATE, &file)
            .map_err(|error| error.to_string())
    }
}

impl Kept {
    /// Its bytes behind their hash.
    fn file(&self) -> Result<Vec<u8>, String> {
        let bytes = encode(self).map_err(|error| error.to_string())?;
        Ok([Digest::of(&bytes).as_bytes(), bytes.as_slice()].concat())
    }

    fn read(file: &[u8]) -> Result<Self, String> {
        let whole = file.split_at_checked(Digest::LEN);
        let whole = whole.filter(|(hash, bytes)| Digest::of(bytes).as_bytes() == *hash);
        let (_, bytes) = whole.ok_or_else(|| format!("state {STATE} is damaged"))?;
        decode(bytes, BYTES).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
