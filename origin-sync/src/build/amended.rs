//! What a publish of the sources makes of records that were amended by hand.

use std::collections::BTreeMap;

use snapshot::manifest::Collection;
use snapshot::{CollectionName, Key, Manifest, NodeCache, Store};

use super::BuildError;
use super::amend::mark;
use super::delta::{Job, Outcome};
use super::marks::{AmendedKey, Mark, Marks, State};
use crate::mirror::Object;

/// The marks of the release before, and what became of them.
#[derive(Debug, Default)]
pub(super) struct Amended {
    marks: Marks,
    changed: BTreeMap<(CollectionName, Key), Mark>,
    kept: Vec<AmendedKey>,
    disputed: Vec<AmendedKey>,
    seen: Vec<CollectionName>,
}

impl Amended {
    pub(super) fn of(
        manifest: &Manifest,
        store: &Store,
        cache: &NodeCache,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            marks: Marks::of(manifest, store, cache)?,
            ..Self::default()
        })
    }

    /// What of `collection` is amended and not settled.
    pub(super) fn open(&self, collection: &CollectionName) -> BTreeMap<Key, Mark> {
        self.marks.open(collection)
    }

    pub(super) fn learn(&mut self, job: &Job<'_>, outcome: &Outcome) {
        if job.before.is_some() {
            self.seen.push(job.name.clone());
        }
        for (key, mark) in &job.amended {
            let told = || AmendedKey {
                collection: job.name.clone(),
                key: key.clone(),
                at: mark.at,
            };
            let state = if outcome.settled.contains(key) {
                State::Settled
            } else if outcome.kept.contains(key) {
                self.kept.push(told());
                State::Kept
            } else if outcome.disputed.contains(key) {
                self.disputed.push(told());
                continue;
            } else {
                continue;
            };
            if state != mark.state {
                let mark = Mark { state, ..*mark };
                self.changed.insert((job.name.clone(), key.clone()), mark);
            }
        }
    }

    /// Records that stay as they were amended.
    pub(super) fn kept(&mut self) -> Vec<AmendedKey> {
        std::mem::take(&mut self.kept)
    }

    /// The collection of marks now, with its new objects.
    pub(super) fn finish(
        mut self,
        base: &Manifest,
        at: (&Store, &NodeCache),
    ) -> Result<Option<(Collection, Vec<Object>)>, BuildError> {
        if !self.disputed.is_empty() {
            return Err(BuildError::Amended(self.disputed));
        }
        // Of a collection that went, or that is sealed otherwise, no record stays.
        for gone in self.marks.collections() {
            if self.seen.contains(&gone) {
                continue;
            }
            for (key, mark) in self.marks.open(&gone) {
                let state = State::Settled;
                self.changed
                    .insert((gone.clone(), key), Mark { state, ..mark });
            }
        }
        mark(base, &self.changed, at)
    }
}
