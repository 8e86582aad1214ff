//! `inspect verify`: every object of a release, on every mirror for itself.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use snapshot::segment::NodeCache;
use snapshot::{Manifest, Sequence, Store, Value};

use super::records::NODE_CACHE_BYTES;
use super::{InspectError, Inspector};
use crate::build;
use crate::mirror::{self, Mirrors, Signed};

/// Most problems that are told of one mirror.
const PROBLEMS: usize = 50;
/// What stands for the others.
const AND_MORE: &str = "and more, which are not listed";

/// What became of a release's objects.
#[derive(Debug)]
pub struct Verdict {
    /// The release.
    pub sequence: Sequence,
    /// Each mirror.
    pub mirrors: Vec<MirrorVerdict>,
}

/// One mirror.
#[derive(Clone, Debug, Default)]
pub struct MirrorVerdict {
    /// Its URL.
    pub url: String,
    /// Objects that are there and are what their names say.
    pub objects: u64,
    /// Records in them.
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
        let mirrors: Vec<Json> = self
            .mirrors
            .iter()
            .map(|mirror| {
                json!({
                    "url": mirror.url,
                    "objects": mirror.objects,
                    "records": mirror.records,
                    "problems": mirror.problems,
                })
            })
            .collect();
        json!({ "sequence": self.sequence.0, "whole": self.is_whole(), "mirrors": mirrors })
    }
}

impl Inspector {
    /// Fetches and verifies everything of a release, from each mirror for itself.
    ///
    /// # Errors
    /// No such release; no directory to work in.
    pub async fn verify(&self, sequence: Option<Sequence>) -> Result<Verdict, InspectError> {
        let signed = self.release(sequence).await?;
        let mut verdict = Verdict {
            sequence: signed.release.sequence,
            mirrors: Vec::new(),
        };
        for mirror in self.mirrors.all() {
            let only = Mirrors::of(self.mirrors.site.clone(), vec![mirror.clone()]);
            let dir = tempfile::tempdir()?;
            let mut one = One {
                store: Arc::new(Store::open_shared(dir.path())?),
                mirrors: only,
                verdict: MirrorVerdict {
                    url: mirror.url().to_string(),
                    ..MirrorVerdict::default()
                },
            };
            let found = mirror::survey(&one.mirrors, &self.generation, self.now).await;
            match found.into_iter().next().map(|found| found.holds) {
                Some(Ok(holds)) => {
                    for refused in holds.refused {
                        one.problem(refused);
                    }
                    if holds.pointer.is_none() {
                        one.problem("it has no pointer that is believed".to_owned());
                    }
                }
                Some(Err(error)) => one.problem(error.to_string()),
                None => {}
            }
            one.release(&signed).await?;
            verdict.mirrors.push(one.verdict);
        }
        Ok(verdict)
    }
}

struct One {
    mirrors: Mirrors,
    store: Arc<Store>,
    verdict: MirrorVerdict,
}

impl One {
    fn problem(&mut self, what: String) {
        match self.verdict.problems.len() {
            ..PROBLEMS => self.verdict.problems.push(what),
            PROBLEMS => self.verdict.problems.push(AND_MORE.to_owned()),
            _ => {}
        }
    }

    async fn release(&mut self, signed: &Signed) -> Result<(), InspectError> {
        match mirror::manifest(&self.mirrors, &self.store, &signed.release).await {
            Ok(manifest) => {
                self.verdict.objects += 1;
                self.objects(&manifest).await
            }
            Err(error) => {
                self.problem(error.to_string());
                Ok(())
            }
        }
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
        let mut one = One {
            mirrors: Mirrors::of("dasom".parse().unwrap(), Vec::new()),
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
