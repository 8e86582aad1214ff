//! Erasing a record: a release without it, of which every edge drops all that came before; the
//! releases that hold it go from the mirrors, and what they alone named with them, at once.
//!
//! ```text
//! find the releases that hold it -> remember the key -> release without it
//!     -> drop those that hold it -> sweep without grace
//! ```
//!
//! The key is remembered before anything else changes, so that no publish brings it back, whatever
//! happens here. The order of the rest is that of a publish and of a sweep: killed anywhere, erasing
//! again finishes. Nothing that no release names stays on a mirror or here, however young: what a
//! killed publish left may hold the record. A publisher who is at work elsewhere meanwhile puts again
//! what it finds gone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use snapshot::{CollectionName, Digest, Key, Manifest, Sequence};

use super::dumps::Dumps;
use super::error::PublishError;
use super::progress::Progress;
use super::report::Report;
use super::run::REBASES;
use super::steps::Steps;
use super::{Clock, Publisher};
use crate::build::{self, Built};
use crate::erased::Erased;
use crate::mirror::{self, Found};
use crate::source;
use crate::sweep::{Sweep, Swept};

/// What is to be erased, and how far it goes.
#[derive(Clone, Copy, Debug)]
pub struct Erase<'a> {
    /// The collection.
    pub collection: &'a CollectionName,
    /// The record: its key or, of a private collection, the id or capability that names it.
    pub given: &'a str,
    /// Only tell what holds it.
    pub dry_run: bool,
}

/// What was done.
#[derive(Debug)]
pub struct Erasure {
    /// The releases on the mirrors that held it.
    pub held_by: BTreeSet<Sequence>,
    /// What was published and swept; `None` of a dry run.
    pub done: Option<Done>,
}

/// A release without the record.
#[derive(Debug)]
pub struct Done {
    /// The release that tells edges to drop what was before it.
    pub release: Sequence,
    /// What was published.
    pub report: Report,
    /// What went.
    pub swept: Swept,
}

/// A record, wherever it stands.
struct Wanted<'a> {
    collection: &'a CollectionName,
    key: Key,
    /// See [`build::places`].
    places: Arc<Vec<(CollectionName, Key)>>,
}

/// By manifest: the releases that hold the record.
type Holding = BTreeMap<Digest, BTreeSet<Sequence>>;

impl Publisher {
    /// Where erased keys are remembered.
    #[must_use]
    pub fn erased_list(&self) -> PathBuf {
        self.site.file.with_file_name("erased.list")
    }

    /// Erases a record from the mirrors and the publisher's own copy, and tells the edges to.
    ///
    /// # Errors
    /// See [`PublishError`]. Until the release is committed the last one stands.
    pub async fn erase(
        &self,
        erase: Erase<'_>,
        clock: Clock,
        progress: &dyn Progress,
    ) -> Result<Erasure, PublishError> {
        let mut tries = 0;
        loop {
            match self.erase_once(erase, clock, progress).await {
                Err(PublishError::Lost { .. }) if tries < REBASES => tries += 1,
                other => return other,
            }
        }
    }

    async fn erase_once(
        &self,
        erase: Erase<'_>,
        clock: Clock,
        progress: &dyn Progress,
    ) -> Result<Erasure, PublishError> {
        self.may_publish()?;
        let wanted = self.wanted(erase)?;
        progress.step("asking the mirrors");
        let found = mirror::survey(&self.mirrors, &self.trust, clock()).await;
        self.majority_reached(&found)?;
        let Some(last) = mirror::newest(&found).cloned() else {
            return Err(no_record(erase));
        };
        progress.step("looking for the record in every release");
        let mut warnings = self.strange(&found);
        let manifest = self.base(&last, &mut warnings).await?;
        let holding = self.holding(&found, &wanted.places).await?;
        let held_by: BTreeSet<Sequence> = holding.values().flatten().copied().collect();
        let mut list = Erased::open(&self.erased_list())?;
        if held_by.is_empty() && !list.has(wanted.collection, &wanted.key) {
            return Err(no_record(erase));
        }
        if erase.dry_run {
            return Ok(Erasure {
                held_by,
                done: None,
            });
        }
        list.add(wanted.collection, &wanted.key, clock(), None)?;
        Dumps::forget(&self.store).map_err(build::BuildError::from)?;
        // Another run got as far as the release: that only gets to the mirrors that missed it.
        let by = list.by(wanted.collection, &wanted.key);
        let by = by.filter(|by| *by <= last.release.erased && held_by.iter().all(|s| s < by));
        progress.step("merging without the record");
        let built = self.without(Manifest::clone(&manifest), &wanted).await?;
        let as_of = last.release.as_of;
        let mut steps = Steps {
            publisher: self,
            found: &found,
            built: &built,
            progress,
            clock,
            warnings,
            erases: true,
        };
        let report = if by.is_some() && self.can_stand(&found, &last) {
            steps.renew(last, as_of).await?
        } else {
            steps.tried(None, as_of, false).await?;
            let last = Some(&last);
            steps.release(last, last, as_of, None).await?
        };
        let release = by.unwrap_or(report.sequence);
        list.add(wanted.collection, &wanted.key, clock(), Some(release))?;
        let swept = self.sweep_erased(&holding, clock, progress).await?;
        Ok(Erasure {
            held_by,
            done: Some(Done {
                release,
                report,
                swept,
            }),
        })
    }

    fn wanted<'a>(&self, erase: Erase<'a>) -> Result<Wanted<'a>, PublishError> {
        let mut declared = self.site.collections.iter();
        let declared = declared.find(|known| known.name == *erase.collection);
        let key = declared.and_then(|known| source::key_of(&self.site.site, known, erase.given));
        let key = key.ok_or_else(|| no_record(erase))?;
        Ok(Wanted {
            places: Arc::new(build::places(erase.collection, &key)),
            collection: erase.collection,
            key,
        })
    }

    /// The content without the record.
    async fn without(
        &self,
        manifest: Manifest,
        wanted: &Wanted<'_>,
    ) -> Result<Arc<Built>, PublishError> {
        let (store, places) = (Arc::clone(&self.store), Arc::clone(&wanted.places));
        let built = blocking(move || {
            let without = build::without(manifest.clone(), &places, &store)?;
            let mut built = build::published(without.manifest, Some(&manifest), true, &store)?;
            built.new_objects.splice(0..0, without.recipes);
            Ok::<_, build::BuildError>(Arc::new(built))
        });
        Ok(built.await??)
    }

    /// That content which no source was read for brings nothing back.
    pub(super) async fn brings_nothing_back(&self, built: &Arc<Built>) -> Result<(), PublishError> {
        let list = Erased::open(&self.erased_list())?;
        let built = Arc::clone(built);
        let look = blocking(move || {
            let stacks = built.stacks.iter().filter(|(name, _)| list.any(name));
            for (collection, stack) in stacks {
                for item in stack.entries(..) {
                    let (key, _) = item.map_err(build::BuildError::from)?;
                    if list.has(collection, &key) {
                        let collection = collection.clone();
                        return Err(PublishError::BringsBack { collection, key });
                    }
                }
            }
            Ok(())
        });
        look.await?
    }

    async fn sweep_erased(
        &self,
        holding: &Holding,
        clock: Clock,
        progress: &dyn Progress,
    ) -> Result<Swept, PublishError> {
        let sweep = Sweep {
            mirrors: &self.mirrors,
            trust: &self.trust,
            store: &self.store,
            retention: &self.site.retention,
            erasing: true,
            dry_run: false,
            clock,
            progress,
        };
        let swept = sweep.without(|manifest| holding.contains_key(manifest));
        let swept = swept.await;
        swept.map_err(|error| PublishError::NotSwept(Box::new(error)))
    }

    /// The releases on the mirrors that hold the record, by their manifests. One that cannot be read
    /// holds it, for all that is known.
    async fn holding(
        &self,
        found: &[Found],
        places: &Arc<Vec<(CollectionName, Key)>>,
    ) -> Result<Holding, PublishError> {
        let mut by_manifest = Holding::new();
        let mut holding = Holding::new();
        let filed = mirror::filed(&self.mirrors, found).await;
        for release in filed.map_err(PublishError::Unsearched)? {
            let known = by_manifest.entry(release.manifest).or_default();
            let is_new = known.is_empty();
            known.insert(release.sequence);
            if !is_new {
                continue;
            }
            let manifest = mirror::manifest(&self.mirrors, &self.store, &release).await;
            let holds = match manifest {
                Ok(manifest) => self.holds(manifest, Arc::clone(places)).await?,
                Err(_) => true,
            };
            if holds {
                holding.insert(release.manifest, BTreeSet::new());
            }
        }
        for (manifest, sequences) in &mut holding {
            sequences.extend(by_manifest.remove(manifest).unwrap_or_default());
        }
        Ok(holding)
    }

    async fn holds(
        &self,
        manifest: Manifest,
        places: Arc<Vec<(CollectionName, Key)>>,
    ) -> Result<bool, PublishError> {
        for known in &manifest.collections {
            if places.iter().all(|(name, _)| *name != known.name) {
                continue;
            }
            let (mirrors, store) = (&self.mirrors, &self.store);
            let brought = mirror::bring_segments(mirrors, store, &known.name, &known.segments);
            if brought.await.is_err() {
                return Ok(true);
            }
        }
        let store = Arc::clone(&self.store);
        let holds = blocking(move || build::holds(&manifest, &places, &store)).await?;
        Ok(holds.unwrap_or(true))
    }
}

fn no_record(erase: Erase<'_>) -> PublishError {
    PublishError::NoRecord {
        collection: erase.collection.clone(),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PublishError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| PublishError::Internal(error.to_string()))
}
