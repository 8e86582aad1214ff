//! The one release that is being brought in: what it still lacks and who was asked for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
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

/// What was wrong when an object did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This edge's own disk: no source is to blame.
    Disk,
    /// This edge did not want it any more: no source is to blame.
    Stopped,
    /// The source does not hold it. A mirror that lags is not to blame either.
    Absent,
    /// The source is out of reach, or the connection broke.
    Dead,
    /// It gave less than the floor, and there are others.
    Slow,
    /// It gave fewer bytes than the object has.
    Short,
    /// What it gave is not what the name says.
    Lying,
}

/// Why an object did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbrought {
    /// What was wrong.
    pub fault: Fault,
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

/// What a source is good for at the moment: the smaller, the better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    /// Its health says to leave it alone.
    pub(super) aside: bool,
    /// It does not offer the release, so it may lack its objects.
    pub(super) behind: bool,
    /// It is another edge, which has readers of its own.
    pub(super) peer: bool,
}

/// An object to ask for now, and whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// The source.
    pub source: SourceId,
    /// The object.
    pub want: Want,
    /// Nobody else is left to ask: slow is better than nothing.
    pub patient: bool,
}

/// The objects of one round.
#[derive(Debug)]
pub(super) struct Fetching {
    sources: usize,
    first: SourceId,
    lacking: BTreeMap<Digest, Lacking>,
    pub(super) total: usize,
    pub(super) bytes: u64,
    pub(super) bytes_total: u64,
}

#[derive(Debug)]
struct Lacking {
    want: Want,
    asked: Option<SourceId>,
    tried: BTreeSet<SourceId>,
    /// Sources that were left because they were slow: asked again, with patience, when all others
    /// failed.
    slow: BTreeSet<SourceId>,
    patient: bool,
    /// What this edge's own disk said, if it failed.
    disk: Option<String>,
    /// The first source that gave something else, and what was wrong with it: that one does not have it says
    /// less.
    lie: Option<(String, String)>,
}

impl Fetching {
    /// Begins with the source that offered the release, all else being equal.
    pub(super) fn new(wants: Vec<Want>, first: SourceId, sources: usize) -> Self {
        let total = wants.len();
        let bytes = wants.iter().map(Want::bytes);
        let bytes_total = bytes.fold(0, u64::saturating_add);
        let lacking = wants.into_iter().map(|want| {
            let lacking = Lacking {
                want,
                asked: None,
                tried: BTreeSet::new(),
                slow: BTreeSet::new(),
                patient: false,
                disk: None,
                lie: None,
            };
            (lacking.want.digest, lacking)
        });
        Self {
            sources: sources.max(1),
            first,
            lacking: lacking.collect(),
            total,
            bytes: 0,
            bytes_total,
        }
    }

    /// What to ask for now, and whom: of the sources that were not asked for it yet the best, and of
    /// equals the least busy.
    pub(super) fn next(&mut self, standing: &[Standing]) -> Vec<Errand> {
        let mut busy = vec![0_usize; self.sources];
        for source in self.lacking.values().filter_map(|lacking| lacking.asked) {
            if let Some(busy) = busy.get_mut(source) {
                *busy += 1;
            }
        }
        let free = FETCHES.saturating_sub(busy.iter().sum());
        let (first, sources) = (self.first, self.sources);
        let idle = self.lacking.values_mut().filter(|l| l.asked.is_none());
        let mut errands = Vec::new();
        for lacking in idle.take(free) {
            let untried = (0..sources).filter(|id| !lacking.tried.contains(id));
            let rank = |id: &SourceId| {
                let standing = standing.get(*id).copied().unwrap_or_default();
                let turn = (*id + sources - first % sources) % sources;
                (standing, busy.get(*id).copied().unwrap_or(0), turn)
            };
            let Some(source) = untried.clone().min_by_key(rank) else {
                continue;
            };
            let patient = lacking.patient || (untried.count() == 1 && lacking.slow.is_empty());
            lacking.asked = Some(source);
            if let Some(busy) = busy.get_mut(source) {
                *busy += 1;
            }
            errands.push(Errand {
                source,
                want: lacking.want.clone(),
                patient,
            });
        }
        errands
    }

    /// Notes an answer. The refusal is the release's: every source failed for this object.
    pub(super) fn answered(
        &mut self,
        object: &Digest,
        (id, source): (SourceId, &str),
        result: Result<(), Unbrought>,
    ) -> Result<(), Refusal> {
        let Some(lacking) = self.lacking.get_mut(object) else {
            return Ok(());
        };
        match result {
            Ok(()) => {
                self.bytes = self.bytes.saturating_add(lacking.want.bytes());
                self.lacking.remove(object);
            }
            Err(Unbrought { fault, reason }) => {
                lacking.asked = None;
                lacking.tried.insert(id);
                match fault {
                    Fault::Disk => lacking.disk = Some(reason.clone()),
                    Fault::Short | Fault::Lying => {
                        let lie = || (source.to_owned(), reason.clone());
                        lacking.lie.get_or_insert_with(lie);
                    }
                    Fault::Slow if !lacking.patient => {
                        lacking.slow.insert(id);
                    }
                    _ => {}
                }
                if lacking.tried.len() < self.sources {
                    return Ok(());
                }
                let object = Some(lacking.want.describe());
                if let Some(reason) = lacking.disk.take() {
                    return Err(Refusal::new(Check::Disk, object, reason));
                }
                if !lacking.slow.is_empty() {
                    let slow = std::mem::take(&mut lacking.slow);
                    lacking.tried.retain(|id| !slow.contains(id));
                    lacking.patient = true;
                    return Ok(());
                }
                let lie = lacking.lie.take();
                let (source, reason) = lie.unwrap_or_else(|| (source.to_owned(), reason));
                let mut refusal = Refusal::new(Check::Object, object, reason);
                refusal.source = Some(source);
                return Err(refusal);
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

    fn want(n: u8) -> Want {
        Want {
            digest: Digest::of(&[n]),
            kind: Kind::Blob(1),
        }
    }

    fn failed(fault: Fault, reason: &str) -> Result<(), Unbrought> {
        let reason = reason.to_owned();
        Err(Unbrought { fault, reason })
    }

    fn asked(fetching: &mut Fetching, standing: &[Standing]) -> Vec<(SourceId, bool)> {
        let errands = fetching.next(standing).into_iter();
        errands
            .map(|errand| (errand.source, errand.patient))
            .collect()
    }

    #[test]
    fn a_full_disk_is_named_whatever_other_sources_say() {
        let object = want(0).digest;
        let mut fetching = Fetching::new(vec![want(0)], 0, 2);
        let full = failed(Fault::Disk, "full");
        fetching.answered(&object, (0, "a"), full).unwrap();
        let absent = failed(Fault::Absent, "not there");
        let refusal = fetching.answered(&object, (1, "b"), absent);
        let expected = format!("disk: blob {object}: full");
        assert_eq!(refusal.unwrap_err().to_string(), expected);
    }

    #[test]
    fn objects_are_spread_over_good_sources_and_the_others_come_last() {
        let wants = (0..4).map(want).collect();
        let mut fetching = Fetching::new(wants, 1, 4);
        let good = Standing::default();
        let aside = Standing {
            aside: true,
            ..good
        };
        let behind = Standing {
            behind: true,
            ..good
        };
        let peer = Standing { peer: true, ..good };
        let got = asked(&mut fetching, &[good, good, behind, aside]);
        assert_eq!(got, [(1, false), (0, false), (1, false), (0, false)]);
        for (standing, expected) in [
            ([peer, good, behind, aside], 0),
            ([behind, good, aside, good], 3),
        ] {
            let mut fetching = Fetching::new(vec![want(0)], 1, 4);
            assert_eq!(asked(&mut fetching, &standing), [(1, false)]);
            let dead = failed(Fault::Dead, "reset");
            fetching.answered(&want(0).digest, (1, "b"), dead).unwrap();
            assert_eq!(asked(&mut fetching, &standing), [(expected, false)]);
        }
    }

    #[test]
    fn a_slow_source_is_left_and_asked_again_with_patience_when_the_others_failed() {
        let (object, good) = (want(0).digest, [Standing::default(); 2]);
        let mut fetching = Fetching::new(vec![want(0)], 0, 2);
        assert_eq!(asked(&mut fetching, &good), [(0, false)]);
        let slow = || failed(Fault::Slow, "slow");
        fetching.answered(&object, (0, "a"), slow()).unwrap();
        assert_eq!(asked(&mut fetching, &good), [(1, false)]);
        let dead = failed(Fault::Dead, "reset");
        fetching.answered(&object, (1, "b"), dead).unwrap();
        assert_eq!(asked(&mut fetching, &good), [(0, true)]);
        let refusal = fetching.answered(&object, (0, "a"), slow()).unwrap_err();
        assert_eq!(refusal.source.as_deref(), Some("a"));
    }

    #[test]
    fn the_only_source_is_asked_with_patience_at_once() {
        let mut fetching = Fetching::new(vec![want(0)], 0, 1);
        assert_eq!(asked(&mut fetching, &[Standing::default()]), [(0, true)]);
    }
}
