//! `log`: which releases there are, where, and what each changed.

use std::collections::BTreeMap;

use edge::sync::layout::Place;
use serde_json::{Value, json};
use snapshot::{CollectionName, Digest, Manifest, Sequence, Timestamp, limits};

use super::{InspectError, Inspector};
use crate::mirror::{self, Signed};

/// One release.
#[derive(Clone, Debug)]
pub struct ReleaseLine {
    /// Its sequence.
    pub sequence: Sequence,
    /// Its manifest.
    pub manifest: Digest,
    /// The newest time that it is known to be true of.
    pub as_of: Timestamp,
    /// Who signed it.
    pub signers: Vec<String>,
    /// How many mirrors have it.
    pub mirrors: usize,
    /// How many pointers name it.
    pub pointers: usize,
    /// What it changed; nothing if no mirror has its manifest.
    pub changed: Option<Changed>,
    pub(crate) signed: Signed,
}

/// What a release has that the one before it on the mirrors has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The release before it; of the oldest one everything is new.
    pub since: Option<Sequence>,
    /// Collections that do not say the same: their records before, if they were there, and now, if
    /// they still are.
    pub collections: Vec<(CollectionName, Option<u64>, Option<u64>)>,
    /// Segments, components, blobs and the manifest, if they are new; of the oldest release
    /// without blobs.
    pub objects: u64,
    /// Their bytes at rest, on the first mirror that has each.
    pub bytes: u64,
    /// How many of them no mirror has.
    pub missing: u64,
}

impl Changed {
    fn json(&self) -> Value {
        let collections = self.collections.iter().map(|(name, before, now)| {
            json!({ "collection": name.as_str(), "before": before, "records": now })
        });
        json!({
            "since": self.since.map(|since| since.0),
            "collections": collections.collect::<Vec<_>>(),
            "objects": self.objects,
            "bytes": self.bytes,
            "missing": self.missing,
        })
    }
}

impl ReleaseLine {
    /// For scripts.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "sequence": self.sequence.0,
            "manifest": self.manifest.to_string(),
            "as_of_ms": self.as_of.0,
            "signers": self.signers,
            "mirrors": self.mirrors,
            "pointers": self.pointers,
            "changed": self.changed.as_ref().map(Changed::json),
        })
    }
}

impl Inspector {
    /// The newest `most` releases that are believed, newest first, each with what it changed, and
    /// what was refused or out of reach.
    ///
    /// # Errors
    /// The directory to work in; what is wrong with a mirror is told beside the rest.
    pub async fn log(&self, most: usize) -> Result<(Vec<ReleaseLine>, Vec<String>), InspectError> {
        // One more than is told, which the oldest of them is compared with.
        let read = most.saturating_add(1);
        let (mut lines, mut wrong) = self.releases(read).await?;
        lines.truncate(read);
        let is_oldest_told = lines.len() <= most;
        let mut before: Option<(Sequence, Option<Manifest>)> = None;
        for (at, line) in lines.iter_mut().rev().enumerate() {
            let brought = mirror::manifest(&self.mirrors, &self.store, &line.signed.release).await;
            let manifest = brought.map_err(|error| wrong.push(error.to_string())).ok();
            let told = at > 0 || is_oldest_told;
            let since = match &before {
                None => Some(None),
                Some((sequence, Some(was))) => Some(Some((*sequence, was))),
                Some((_, None)) => None,
            };
            if let (Some(now), Some(since), true) = (&manifest, since, told) {
                match self.changed((line.manifest, now), since).await {
                    Ok(changed) => line.changed = Some(changed),
                    Err(error) => wrong.push(format!("release {}: {error}", line.sequence)),
                }
            }
            before = Some((line.sequence, manifest));
        }
        lines.truncate(most);
        Ok((lines, wrong))
    }

    /// The releases that are believed, newest first, and what was refused or out of reach; of each
    /// mirror the newest `most` are read.
    ///
    /// # Errors
    /// Never so far: what is wrong is told beside the rest.
    pub(crate) async fn releases(
        &self,
        most: usize,
    ) -> Result<(Vec<ReleaseLine>, Vec<String>), InspectError> {
        let found = mirror::survey(&self.mirrors, &self.generation, self.now).await;
        let mut lines: BTreeMap<(Sequence, Digest), ReleaseLine> = BTreeMap::new();
        let mut wrong = Vec::new();
        for (mirror, found) in self.mirrors.all().iter().zip(found) {
            let holds = match found.holds {
                Ok(holds) => holds,
                Err(error) => {
                    wrong.push(error.to_string());
                    continue;
                }
            };
            for sequence in holds.sequences.into_iter().take(most) {
                let place = Place::retained(&self.mirrors.site, sequence);
                let site = &self.mirrors.site;
                match mirror.read(&place, limits::ENVELOPE_BYTES).await {
                    Ok(Some(bytes)) => {
                        match Signed::judge(bytes, site, &self.generation, self.now) {
                            Ok(signed) => line(&mut lines, signed).mirrors += 1,
                            Err(refusal) => {
                                wrong.push(format!("{} {place}: {refusal}", mirror.url()));
                            }
                        }
                    }
                    Ok(None) => {}
                    Err(error) => wrong.push(error.to_string()),
                }
            }
            if let Some(pointer) = holds.pointer {
                line(&mut lines, pointer).pointers += 1;
            }
        }
        Ok((lines.into_values().rev().collect(), wrong))
    }
}

fn line(lines: &mut BTreeMap<(Sequence, Digest), ReleaseLine>, signed: Signed) -> &mut ReleaseLine {
    let release = &signed.release;
    let line = lines
        .entry((release.sequence, release.manifest))
        .or_insert_with(|| ReleaseLine {
            sequence: release.sequence,
            manifest: release.manifest,
            as_of: release.as_of,
            signers: signed.signers.clone(),
            mirrors: 0,
            pointers: 0,
            changed: None,
            signed: signed.clone(),
        });
    if release.as_of > line.as_of {
        line.as_of = release.as_of;
        line.signed = signed;
    }
    line
}
