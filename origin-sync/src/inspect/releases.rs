//! `inspect releases`: which releases there are, and where.

use std::collections::BTreeMap;

use edge::sync::layout::Place;
use serde_json::{Value, json};
use snapshot::{Digest, Sequence, Timestamp, limits};

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
        })
    }
}

impl Inspector {
    /// Every release that is believed, newest first, and what was refused or out of reach.
    ///
    /// # Errors
    /// Never so far: what is wrong is told beside the rest.
    pub async fn releases(&self) -> Result<(Vec<ReleaseLine>, Vec<String>), InspectError> {
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
            for sequence in holds.sequences {
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
    let release = signed.release;
    let line = lines
        .entry((release.sequence, release.manifest))
        .or_insert_with(|| ReleaseLine {
            sequence: release.sequence,
            manifest: release.manifest,
            as_of: release.as_of,
            signers: signed.signers,
            mirrors: 0,
            pointers: 0,
        });
    line.as_of = line.as_of.max(release.as_of);
    line
}
