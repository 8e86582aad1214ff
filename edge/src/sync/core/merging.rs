//! Segments of the release that are merged from those that are held, instead of fetched.

use std::time::Duration;

use snapshot::Digest;

use super::{Action, Core, Job};
use crate::sync::refusal::{Check, Refusal};
use crate::sync::work::{Fault, Phase, Unbrought};

impl Core {
    pub(super) fn merged(
        &mut self,
        job: Job,
        segment: Digest,
        result: Result<(), Unbrought>,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let Some(work) = self.work.as_mut().filter(|work| work.job == job) else {
            return;
        };
        let Phase::Merging(_, merges) = &mut work.phase else {
            return;
        };
        let Some(want) = merges.pop_front() else {
            return;
        };
        match result {
            Err(failed) if failed.fault == Fault::Disk => {
                let object = Some(want.describe());
                let refusal = Refusal::new(Check::Disk, object, failed.reason);
                return self.refuse(refusal, now, actions);
            }
            Err(_) => {
                work.barred.insert(segment);
            }
            Ok(()) => {}
        }
        self.merge(actions);
    }

    /// Asks for the next merge, or plans again when there are no more to ask for.
    pub(super) fn merge(&mut self, actions: &mut Vec<Action>) {
        let Some(work) = &mut self.work else {
            return;
        };
        let Phase::Merging(round, merges) = &work.phase else {
            return;
        };
        match merges.front() {
            Some(want) => actions.push(Action::Merge(work.job, want.clone())),
            None => {
                work.phase = Phase::Planning(*round + 1);
                actions.push(work.plan());
            }
        }
    }
}
