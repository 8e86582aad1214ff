//! `diff`: what one release has that another has not.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use snapshot::manifest::{Collection, Privacy};
use snapshot::{CollectionName, Key, Manifest, Sequence, Value};

use super::{InspectError, Inspector};
use crate::{build, mirror};

/// What differs between two releases.
#[derive(Debug)]
pub struct Difference {
    /// The one that is compared with.
    pub from: Sequence,
    /// The other.
    pub to: Sequence,
    /// Collections that are not the same.
    pub collections: Vec<CollectionDifference>,
    /// Components that are new, gone or have other bytes.
    pub components: Vec<String>,
    /// Whether titles, languages, services, routes or canaries differ.
    pub settings: bool,
}

/// What differs in one collection.
#[derive(Debug)]
pub struct CollectionDifference {
    /// Its name.
    pub name: CollectionName,
    /// Who may read it at rest, in the later release if it is still there.
    pub privacy: Privacy,
    /// Records that only the later release has.
    pub added: u64,
    /// Records with another value.
    pub changed: u64,
    /// Records that only the earlier release has.
    pub removed: u64,
    /// Their keys in order, if they were asked for and anyone may read them in both releases.
    pub keys: Option<Vec<KeyChange>>,
}

/// One record that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// Its key.
    pub key: Key,
    /// How it differs.
    pub kind: Kind,
}

/// How a record differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only the later release has it.
    Added,
    /// It has another value.
    Changed,
    /// Only the earlier release has it.
    Removed,
}

impl Kind {
    /// The sign in front of a key.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Added => '+',
            Self::Changed => '~',
            Self::Removed => '-',
        }
    }
}

impl Difference {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.collections.is_empty() && self.components.is_empty() && !self.settings
    }

    /// For scripts.
    #[must_use]
    pub fn json(&self) -> Json {
        let collections = self.collections.iter().map(CollectionDifference::json);
        json!({
            "from": self.from.0,
            "to": self.to.0,
            "collections": collections.collect::<Vec<_>>(),
            "components": self.components,
            "settings": self.settings,
        })
    }
}

impl CollectionDifference {
    pub(super) const fn records(&self) -> u64 {
        self.added + self.changed + self.removed
    }

    fn json(&self) -> Json {
        let keys = self.keys.as_ref().map(|keys| {
            let of = |kind| {
                let wanted = keys.iter().filter(move |change| change.kind == kind);
                wanted.map(|c| c.key.to_string()).collect::<Vec<_>>()
            };
            json!({
                "added": of(Kind::Added),
                "changed": of(Kind::Changed),
                "removed": of(Kind::Removed),
            })
        });
        json!({
            "collection": self.name.as_str(),
            "privacy": self.privacy.as_str(),
            "added": self.added,
            "changed": self.changed,
            "removed": self.removed,
            "keys": keys,
        })
    }
}

impl Inspector {
    /// What `to` has that `from` has not, in `only` or everywhere; with `keys`, which records of
    /// public collections. Collections that the two share are not fetched.
    ///
    /// # Errors
    /// No such release or collection, or no mirror has it whole.
    pub async fn diff(
        &self,
        from: Sequence,
        to: Sequence,
        only: Option<&str>,
        keys: bool,
    ) -> Result<Difference, InspectError> {
        let before = self.manifest(&self.release(Some(from)).await?).await?;
        let after = self.manifest(&self.release(Some(to)).await?).await?;
        let mut names: Vec<CollectionName> = [&after, &before]
            .iter()
            .flat_map(|manifest| &manifest.collections)
            .map(|collection| collection.name.clone())
            .collect();
        names.sort();
        names.dedup();
        if let Some(only) = only {
            let all: Vec<&str> = names.iter().map(CollectionName::as_str).collect();
            if !all.contains(&only) {
                let only = only.chars().take(80).collect();
                return Err(InspectError::NoCollection(only, all.join(", ")));
            }
            names.retain(|name| name.as_str() == only);
        }
        let mut collections = Vec::new();
        for name in &names {
            let pair = (before.collection(name), after.collection(name));
            if pair.0 != pair.1 {
                let difference = self.collection(&after, name, pair, keys).await?;
                // A stack that was only merged says what it said.
                if difference.records() > 0 || !same_kind(pair) {
                    collections.push(difference);
                }
            }
        }
        Ok(Difference {
            from,
            to,
            collections,
            components: match only {
                Some(_) => Vec::new(),
                None => components(&before, &after),
            },
            settings: only.is_none() && bare(&before) != bare(&after),
        })
    }

    /// What differs in one collection of `manifest` and another.
    pub(super) async fn collection(
        &self,
        manifest: &Manifest,
        name: &CollectionName,
        (before, after): (Option<&Collection>, Option<&Collection>),
        keys: bool,
    ) -> Result<CollectionDifference, InspectError> {
        let sides = [before, after];
        let parts = Manifest {
            collections: sides.into_iter().flatten().cloned().collect(),
            components: Vec::new(),
            ..manifest.clone()
        };
        mirror::bring(&self.mirrors, &self.store, &parts).await?;
        let is_public = |side: Option<&Collection>| {
            side.is_none_or(|collection| collection.privacy == Privacy::Public)
        };
        let shown = keys && sides.into_iter().all(is_public);
        let privacy = after.or(before).map(|side| side.privacy);
        let (store, site) = (Arc::clone(&self.store), manifest.site.clone());
        let (before, after) = (side(name, before), side(name, after));
        let mut difference = CollectionDifference {
            name: name.clone(),
            privacy: privacy.unwrap_or_default(),
            added: 0,
            changed: 0,
            removed: 0,
            keys: shown.then(Vec::new),
        };
        let work = tokio::task::spawn_blocking(move || {
            build::compare(&store, &site, &before, &after, |key, was, is| {
                count(&mut difference, key, was.as_ref(), is.as_ref());
            })?;
            Ok::<_, InspectError>(difference)
        });
        work.await
            .map_err(|error| InspectError::Internal(error.to_string()))?
    }
}

/// Counts a record that differs.
fn count(into: &mut CollectionDifference, key: &Key, was: Option<&Value>, is: Option<&Value>) {
    let kind = match (was, is) {
        (None, _) => Kind::Added,
        (_, None) => Kind::Removed,
        _ => Kind::Changed,
    };
    match kind {
        Kind::Added => into.added += 1,
        Kind::Changed => into.changed += 1,
        Kind::Removed => into.removed += 1,
    }
    if let Some(keys) = &mut into.keys {
        let key = key.clone();
        keys.push(KeyChange { key, kind });
    }
}

/// A collection that is not there has no records.
fn side(name: &CollectionName, given: Option<&Collection>) -> Collection {
    given.cloned().unwrap_or_else(|| Collection {
        name: name.clone(),
        privacy: Privacy::Public,
        complete: false,
        records: 0,
        segments: Vec::new(),
    })
}

fn same_kind(pair: (Option<&Collection>, Option<&Collection>)) -> bool {
    match pair {
        (Some(a), Some(b)) => (a.privacy, a.complete) == (b.privacy, b.complete),
        _ => false,
    }
}

fn components(before: &Manifest, after: &Manifest) -> Vec<String> {
    let apart = |a: &Manifest, b: &Manifest| {
        let differs = a.components.iter().filter(|c| !b.components.contains(c));
        differs.map(|c| c.name.to_string()).collect::<Vec<_>>()
    };
    let mut names = [apart(before, after), apart(after, before)].concat();
    names.sort();
    names.dedup();
    names
}

/// The manifest without content; that a release accepts a shrink is about the step to it.
fn bare(manifest: &Manifest) -> Manifest {
    Manifest {
        collections: Vec::new(),
        components: Vec::new(),
        accepts_shrink: false,
        ..manifest.clone()
    }
}
