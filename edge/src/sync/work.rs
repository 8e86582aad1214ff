//! The one release that is being brought in: what it still lacks and who was asked for it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use snapshot::trust::AcceptedRelease;
use snapshot::{Digest, Release};

use super::refusal::{Check, Refusal};
use crate::copy::Want;

/// Most objects fetched at once.
pub const FETCHES: usize = 8;
/// A release is complete after its manifest, its components, segments and what others are merged
/// from, the merges, the segments whose merge failed, and its blobs: five rounds, and one more where
/// an input is had from no source. One that still lacks something after this many never ends.
pub const ROUNDS: u32 = 7;

/// A source's place in the configured order.
pub type SourceId = usize;

/// A release that is trusted. Shared, not copied: it travels with every action.
#[derive(Clone, Debug)]
pub struct Offer(pub Arc<AcceptedRelease>);

impl Offer {
    /// What it says.
    #[must_use]
    pub fn release(&self) -> &Release {
        &self.0.release
    }
}

/// Why an object did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbrought {
    /// It is this edge's own disk: no source is to blame.
    pub disk: bool,
    /// What happened.
    pub reason: String,
}

/// How far the release is.
#[derive(Debug)]
pub(super) enum Phase {
    /// Looking for what is lacking, for the nth time.
    Planning(u32),
    /// Fetching it.
    Fetching(u32, Fetching),
    /// Merging these segments, one after another, the first one now.
    Merging(u32, VecDeque<Want>),
    /// Loading it, counting, asking its canaries.
    Checking,
    /// Writing it down and switching.
    Switching,
}

/// The objects of one round.
#[derive(Debug)]
pub(super) struct Fetching {
    sources: usize,
    first: SourceId,
    lacking: BTreeMap<Digest, Lacking>,
    pub(super) total: usize,
}

#[derive(Debug)]
struct Lacking {
    want: Want,
    asked: bool,
    tried: usize,
    /// What this edge's own disk said, if it failed.
    disk: Option<String>,
}

impl Fetching {
    /// Begins with the source that offered the release.
    pub(super) fn new(wants: Vec<Want>, first: SourceId, sources: usize) -> Self {
        let total = wants.len();
        let lacking = wants.into_iter().map(|want| {
            let lacking = Lacking {
                want,
                asked: false,
                tried: 0,
                disk: None,
            };
            (lacking.want.digest, lacking)
        });
        Self {
            sources,
            first,
            lacking: lacking.collect(),
            total,
        }
    }

    /// What to ask for now, and whom.
    pub(super) fn next(&mut self) -> Vec<(SourceId, Want)> {
        let busy = self
            .lacking
            .values()
            .filter(|lacking| lacking.asked)
            .count();
        let free = FETCHES.saturating_sub(busy);
        let (first, sources) = (self.first, self.sources.max(1));
        let idle = self.lacking.values_mut().filter(|lacking| !lacking.asked);
        idle.take(free)
            .map(|lacking| {
                lacking.asked = true;
                ((first + lacking.tried) % sources, lacking.want.clone())
            })
            .collect()
    }

    /// Notes an answer. The refusal is the release's: every source failed for this object.
    pub(super) fn answered(
        &mut self,
        object: &Digest,
        source: &str,
        result: Result<(), Unbrought>,
    ) -> Result<(), Refusal> {
        let Some(lacking) = self.lacking.get_mut(object) else {
            return Ok(());
        };
        match result {
            Ok(()) => {
                self.lacking.remove(object);
            }
            Err(Unbrought { disk, reason }) => {
                lacking.asked = false;
                lacking.tried += 1;
                if disk {
                    lacking.disk = Some(reason.clone());
                }
                if lacking.tried >= self.sources {
                    let object = Some(lacking.want.describe());
                    if let Some(reason) = lacking.disk.take() {
                        return Err(Refusal::new(Check::Disk, object, reason));
                    }
                    let mut refusal = Refusal::new(Check::Object, object, reason);
                    refusal.source = Some(source.to_owned());
                    return Err(refusal);
                }
            }
        }
        Ok(())
    }

    /// Does without an object.
    pub(super) fn forgo(&mut self, object: &Digest) {
        self.lacking.remove(object);
    }

    pub(super) fn lacking(&self) -> usize {
        self.lacking.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::Kind;

    #[test]
    fn a_full_disk_is_named_whatever_other_sources_say() {
        let digest = Digest::of(b"a");
        let kind = Kind::Blob(1);
        let mut fetching = Fetching::new(vec![Want { digest, kind }], 0, 2);
        let failed = |disk, reason: &str| {
            let reason = reason.to_owned();
            Err(Unbrought { disk, reason })
        };
        fetching
            .answered(&digest, "a", failed(true, "full"))
            .unwrap();
        let refusal = fetching.answered(&digest, "b", failed(false, "not there"));
        let expected = format!("disk: blob {digest}: full");
        assert_eq!(refusal.unwrap_err().to_string(), expected);
    }
}
