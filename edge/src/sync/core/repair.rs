//! Bringing damaged objects of the release in use back, one at a time:
//!
//! ```text
//! idle -> inspecting -> fetching -> reopening -> idle
//! ```
//!
//! *Inspecting* reads the object on this disk once more, whole: a sector that could not be read for
//! a moment is no reason to fetch. *Fetching* asks every source in turn. *Reopening* lets reads go
//! to the new file. Whether or not it worked, an object is then left alone for a while that doubles
//! each time, so that neither a disk that spoils what is written to it nor an object that no mirror
//! has keeps the mirrors busy.

use std::collections::BTreeMap;
use std::time::Duration;

use snapshot::Digest;

use super::{Action, Job};
use crate::copy::Want;
use crate::sync::refusal::{Check, Held, Refusal};
use crate::sync::work::{Fetching, SourceId, Standing, Unbrought};

/// What is damaged, and the one object that is being brought back.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    damaged: BTreeMap<Digest, Want>,
    held: Held<Digest>,
    current: Option<Repair>,
}

#[derive(Debug)]
struct Repair {
    job: Job,
    want: Want,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Inspecting,
    Fetching(Fetching),
    Reopening,
}

impl Repairs {
    /// Takes in what reads found damaged.
    pub(super) fn damaged(&mut self, wants: Vec<Want>) {
        let known = wants.into_iter().map(|want| (want.digest, want));
        self.damaged.extend(known);
    }

    /// Another release is in use, opened anew: what is still damaged will be found again.
    pub(super) fn forget(&mut self) {
        self.damaged.clear();
    }

    pub(super) const fn busy(&self) -> bool {
        self.current.is_some()
    }

    /// What is being brought back, in words.
    pub(super) fn doing(&self) -> Option<String> {
        let current = self.current.as_ref()?;
        Some(format!("repairing {}", current.want.describe()))
    }

    /// Whether an event belongs to the repair under way.
    pub(super) fn is(&self, job: Job) -> bool {
        self.current
            .as_ref()
            .is_some_and(|repair| repair.job == job)
    }

    /// Whether there is an object to take up.
    pub(super) fn due(&self, now: Duration) -> Option<Want> {
        let mut free = self.damaged.values();
        let free = free.find(|want| !self.held.holds(&want.digest, now));
        free.filter(|_| !self.busy()).cloned()
    }

    pub(super) fn begin(&mut self, job: Job, want: Want) -> Action {
        self.current = Some(Repair {
            job,
            want: want.clone(),
            phase: Phase::Inspecting,
        });
        Action::Inspect(job, want)
    }

    pub(super) fn inspected(
        &mut self,
        job: Job,
        whole: bool,
        standing: &[Standing],
    ) -> Vec<Action> {
        let Some(repair) = self.current.as_mut().filter(|repair| repair.job == job) else {
            return Vec::new();
        };
        if whole {
            return vec![repair.reopen()];
        }
        let fetching = Fetching::new(vec![repair.want.clone()], 0, standing.len());
        repair.phase = Phase::Fetching(fetching);
        repair.fetch(standing)
    }

    pub(super) fn fetched(
        &mut self,
        source: (SourceId, &str),
        object: &Digest,
        result: Result<(), Unbrought>,
        standing: &[Standing],
        now: Duration,
    ) -> Vec<Action> {
        let Some(repair) = &mut self.current else {
            return Vec::new();
        };
        let Phase::Fetching(fetching) = &mut repair.phase else {
            return Vec::new();
        };
        match fetching.answered(object, source, result) {
            Ok(()) if fetching.lacking() == 0 => vec![repair.reopen()],
            Ok(()) => repair.fetch(standing),
            Err(refusal) => self.end(Err(refusal), now),
        }
    }

    pub(super) fn reopened(
        &mut self,
        job: Job,
        result: Result<(), String>,
        now: Duration,
    ) -> Vec<Action> {
        if !self.is(job) {
            return Vec::new();
        }
        let refused = |reason| Refusal::new(Check::Disk, None, reason);
        self.end(result.map_err(refused), now)
    }

    fn end(&mut self, result: Result<(), Refusal>, now: Duration) -> Vec<Action> {
        let Some(repair) = self.current.take() else {
            return Vec::new();
        };
        self.held.add(repair.want.digest, now);
        match result {
            Ok(()) => {
                self.damaged.remove(&repair.want.digest);
                Vec::new()
            }
            Err(refusal) => vec![Action::Unrepaired(repair.want, refusal)],
        }
    }
}

impl Repair {
    fn reopen(&mut self) -> Action {
        self.phase = Phase::Reopening;
        Action::Reopen(self.job, self.want.clone())
    }

    fn fetch(&mut self, standing: &[Standing]) -> Vec<Action> {
        let Phase::Fetching(fetching) = &mut self.phase else {
            return Vec::new();
        };
        let next = fetching.next(standing).into_iter();
        next.map(|errand| Action::Fetch(self.job, errand)).collect()
    }
}
