//! `verify`: every object of a release, on every mirror for itself: quickly, whether all that the
//! manifest names is there; deeply, whether every byte of it is what its name says.

use std::sync::Arc;

use edge::sync::Mirror;
use edge::sync::layout::Place;
use serde_json::{Value as Json, json};
use snapshot::segment::NodeCache;
use snapshot::{Manifest, Sequence, Store, Value, limits};

use super::records::NODE_CACHE_BYTES;
use super::{InspectError, Inspector};
use crate::build;
use crate::mirror::{self, Found, Mirrors, Signed};

/// Most problems that are told of one mirror.
const PROBLEMS: usize = 50;
/// What stands for the others.
const AND_MORE: &str = "and more, which are not listed";

/// How much is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Signatures and manifests whole; of segments and components that they are there, how long
    /// they are and how they end. What only segments name, blobs, is not looked at.
    #[default]
    Quick,
    /// Every byte, every record, every blob.
    Deep,
}

/// What became of the releases' objects.
#[derive(Debug)]
pub struct Verdict {
    /// The releases, newest first.
    pub releases: Vec<Sequence>,
    /// How much was looked at.
    pub depth: Depth,
    /// Each mirror.
    pub mirrors: Vec<MirrorVerdict>,
}

/// One mirror.
#[derive(Clone, Debug, Default)]
pub struct MirrorVerdict {
    /// Its URL.
    pub url: String,
    /// Objects that were found, once for each release that names them.
    pub objects: u64,
    /// Records in them; counted only by a deep look.
    pub records: u64,
    /// What is absent or damaged.
    pub problems: Vec<String>,
}

impl Verdict {
    /// Whether every mirror has everything.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.mirrors.iter().all(|mirror| mirror.problems.is_empty())
    }

    /// For scripts.
    #[must_use]
    pub fn json(&self) -> Json {
        let is_deep = self.depth == Depth::Deep;
        let mirrors: Vec<Json> = self
            .mirrors
            .iter()
            .map(|mirror| {
                json!({
                    "url": mirror.url,
                    "objects": mirror.objects,
                    "records": is_deep.then_some(mirror.records),
                    "problems": mirror.problems,
                })
            })
            .collect();
        let releases: Vec<u64> = self.releases.iter().map(|release| release.0).collect();
        json!({
            "releases": releases,
            "deep": is_deep,
            "whole": self.is_whole(),
            "mirrors": mirrors,
        })
    }
}

impl Inspector {
    /// Verifies release `sequence`, or the newest, on each mirror for itself.
    ///
    /// # Errors
    /// No such release; no directory to work in.
    pub async fn verify(
        &self,
        sequence: Option<Sequence>,
        depth: Depth,
    ) -> Result<Verdict, InspectError> {
        let signed = self.release(sequence).await?;
        self.verify_each(vec![signed], Vec::new(), depth).await
    }

    /// Verifies every release that any mirror retains, on each mirror for itself.
    ///
    /// # Errors
    /// No release; no directory to work in.
    pub async fn verify_all(&self, depth: Depth) -> Result<Verdict, InspectError> {
        let newest = self.release(None).await?;
        let (lines, mut wrong) = self.releases(usize::MAX).await?;
        let mut all = Vec::new();
        for line in lines {
            if line.sequence == newest.release.sequence {
                all.push(newest.clone());
            } else {
                match self.release(Some(line.sequence)).await {
                    Ok(signed) => all.push(signed),
                    Err(error) => wrong.push(error.to_string()),
                }
            }
        }
        self.verify_each(all, wrong, depth).await
    }

    async fn verify_each(
        &self,
        releases: Vec<Signed>,
        wrong: Vec<String>,
        depth: Depth,
    ) -> Result<Verdict, InspectError> {
        let found = mirror::survey(&self.mirrors, &self.generation, self.now).await;
        let mut verdict = Verdict {
            releases: releases.iter().map(|s| s.release.sequence).collect(),
            depth,
            mirrors: Vec::new(),
        };
        for (mirror, found) in self.mirrors.all().iter().zip(found) {
            let dir = tempfile::tempdir()?;
            let mut one = One {
                store: Arc::new(Store::open_shared(dir.path())?),
                mirrors: Mirrors::of(self.mirrors.site.clone(), vec![mirror.clone()]),
                mirror: mirror.clone(),
                verdict: MirrorVerdict {
                    url: mirror.url().to_string(),
                    ..MirrorVerdict::default()
                },
            };
            let of_it = wrong.iter().filter(|w| w.contains(mirror.url().as_str()));
            of_it.for_each(|wrong| one.problem(wrong.clone()));
            one.pointer(found);
            for signed in &releases {
                one.statement(self, signed).await;
                one.release(signed, depth).await?;
            }
            verdict.mirrors.push(one.verdict);
        }
        Ok(verdict)
    }
}

/// One mirror being looked at.
pub(super) struct One {
    pub(super) mirror: Mirror,
    /// It alone.
    mirrors: Mirrors,
    store: Arc<Store>,
    pub(super) verdict: MirrorVerdict,
}

impl One {
    pub(super) fn problem(&mut self, what: String) {
        if self.verdict.problems.contains(&what) {
            return;
        }
        match self.verdict.problems.len() {
            ..PROBLEMS => self.verdict.problems.push(what),
            PROBLEMS => self.verdict.problems.push(AND_MORE.to_owned()),
            _ => {}
        }
    }

    fn pointer(&mut self, found: Found) {
        let holds = match found.holds {
            Ok(holds) => holds,
            Err(error) => return self.problem(error.to_string()),
        };
        for refused in holds.refused {
            self.problem(refused);
        }
        // One that is behind is no damage: it is a hint, and comes last.
        if holds.pointer.is_none() {
            self.problem("it has no pointer that is believed".to_owned());
        }
    }

    /// The release's own file. A mirror that is read over HTTP may have it without listing it.
    async fn statement(&mut self, inspector: &Inspector, signed: &Signed) {
        let site = &self.mirrors.site;
        let place = Place::retained(site, signed.release.sequence);
        let why = match self.mirror.read(&place, limits::ENVELOPE_BYTES).await {
            Ok(Some(bytes)) => {
                match Signed::judge(bytes, site, &inspector.generation, inspector.now) {
                    Ok(there) if there.is_same_release(signed) => return,
                    Ok(there) => format!(
                        "it says release {} of manifest {}",
                        there.release.sequence, there.release.manifest
                    ),
                    Err(refusal) => refusal.to_string(),
                }
            }
            Ok(None) => "is not there".to_owned(),
            Err(error) => error.to_string(),
        };
        self.problem(format!("{place}: {why}"));
    }

    async fn release(&mut self, signed: &Signed, depth: Depth) -> Result<(), InspectError> {
        match mirror::manifest(&self.mirrors, &self.store, &signed.release).await {
            Ok(manifest) => {
                self.verdict.objects += 1;
                match depth {
                    Depth::Quick => {
                        self.present(&manifest).await;
                        Ok(())
                    }
                    Depth::Deep => self.objects(&manifest).await,
                }
            }
            Err(error) => {
                self.problem(error.to_string());
                Ok(())
            }
        }
    }

    pub(super) fn site(&self) -> &snapshot::SiteName {
        &self.mirrors.site
    }

    async fn objects(&mut self, manifest: &Manifest) -> Result<(), InspectError> {
        let empty = Manifest {
            collections: Vec::new(),
            components: Vec::new(),
            ..manifest.clone()
        };
        for component in &manifest.components {
            let part = Manifest {
                components: vec![component.clone()],
                ..empty.clone()
            };
            self.part(&part, 1).await;
        }
        for collection in &manifest.collections {
            let part = Manifest {
                collections: vec![collection.clone()],
                ..empty.clone()
            };
            if self.part(&part, collection.segments.len() as u64).await {
                self.records(manifest, collection).await?;
            }
        }
        Ok(())
    }

    async fn part(&mut self, part: &Manifest, objects: u64) -> bool {
        match mirror::bring(&self.mirrors, &self.store, part).await {
            Ok(()) => {
                self.verdict.objects += objects;
                true
            }
            Err(error) => {
                self.problem(error.to_string());
                false
            }
        }
    }

    /// Reads every record and every blob; segments were verified node by node on their way in.
    async fn records(
        &mut self,
        manifest: &Manifest,
        collection: &snapshot::manifest::Collection,
    ) -> Result<(), InspectError> {
        let (store, site) = (Arc::clone(&self.store), manifest.site.clone());
        let declared = collection.clone();
        let work = tokio::task::spawn_blocking(move || {
            let cache = NodeCache::new(NODE_CACHE_BYTES);
            let stack = build::open(&store, &cache, &site, &declared.name, &declared.segments)?;
            let mut blobs = Vec::new();
            let mut records = 0;
            for record in stack.iter(..) {
                records += 1;
                if let (_, Value::Blob(blob)) = record? {
                    blobs.push(blob);
                }
            }
            blobs.sort_unstable();
            blobs.dedup();
            Ok::<_, InspectError>((records, blobs))
        });
        let (records, blobs) = work
            .await
            .map_err(|error| InspectError::Internal(error.to_string()))??;
        self.verdict.records += records;
        if records != collection.records {
            self.problem(format!(
                "collection {}: {records} records where the manifest states {}",
                collection.name, collection.records
            ));
        }
        for blob in blobs {
            match mirror::bring_blob(&self.mirrors, &self.store, &blob).await {
                Ok(()) => self.verdict.objects += 1,
                Err(error) => self.problem(error.to_string()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_problems_the_first_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let mirror = Mirror::open(&"file:///absent".parse().unwrap()).unwrap();
        let mut one = One {
            mirrors: Mirrors::of("dasom".parse().unwrap(), vec![mirror.clone()]),
            mirror,
            store: Arc::new(Store::open_shared(dir.path()).unwrap()),
            verdict: MirrorVerdict::default(),
        };
        for n in 0..PROBLEMS + 3 {
            one.problem(format!("problem {n}"));
        }
        let told = one.verdict.problems;
        assert_eq!(told.len(), PROBLEMS + 1);
        assert_eq!(told[PROBLEMS], "and more, which are not listed");
    }
}
