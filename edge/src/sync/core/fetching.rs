//! Objects of the release that is brought in: asked for, and what comes of it for who was asked.

use std::time::Duration;

use snapshot::Digest;

use super::{Action, Core, Job, key};
use crate::sync::refusal::Check;
use crate::sync::work::{Phase, SourceId, Standing, Unbrought};

impl Core {
    pub(super) fn fetched(
        &mut self,
        job: Job,
        id: SourceId,
        object: &Digest,
        result: Result<(), Unbrought>,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        self.note(id, result.as_ref().err(), now);
        let standing = self.standing(now);
        let name = match self.sources.get(id) {
            Some(source) => source.name.as_str(),
            None => "",
        };
        if self.repairs.is(job) {
            let source = (id, name);
            let next = self.repairs.fetched(source, object, result, &standing, now);
            return actions.extend(next);
        }
        let Some(work) = self.work.as_mut().filter(|work| work.job == job) else {
            return;
        };
        let Phase::Fetching(_, fetching) = &mut work.phase else {
            return;
        };
        match fetching.answered(object, (id, name), result) {
            Err(refusal) if refusal.check == Check::Object && work.inputs.contains(object) => {
                fetching.forgo(object);
                work.barred.insert(*object);
                self.fetch(now, actions);
            }
            Err(refusal) => self.refuse(refusal, now, actions),
            Ok(()) => self.fetch(now, actions),
        }
    }

    /// Notes what an object that came, or did not, says of the source.
    fn note(&mut self, id: SourceId, failed: Option<&Unbrought>, now: Duration) {
        let jitter = self.jitter();
        let Some(source) = self.sources.get_mut(id) else {
            return;
        };
        match failed {
            None => source.health.gave(now),
            Some(Unbrought { fault, reason }) => {
                source.health.failed(*fault, reason, now, jitter);
            }
        }
    }

    /// What each source is good for, for the release that is being brought in or is in use.
    pub(super) fn standing(&self, now: Duration) -> Vec<Standing> {
        let work = self.work.as_ref().map(|work| &work.offer);
        let sought = work.or(self.serving.as_ref()).map(key);
        let standing = self.sources.iter().map(|source| Standing {
            aside: source.health.is_aside(now),
            behind: source.offer.as_ref().map(key) != sought,
            peer: source.peer,
        });
        standing.collect()
    }

    /// Asks for more objects, or plans again when there are no more to ask for.
    pub(super) fn fetch(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let standing = self.standing(now);
        let Some(work) = &mut self.work else {
            return;
        };
        let Phase::Fetching(round, fetching) = &mut work.phase else {
            return;
        };
        if fetching.lacking() == 0 {
            work.phase = Phase::Planning(*round + 1);
            actions.push(work.plan());
            return;
        }
        let errands = fetching.next(&standing).into_iter();
        actions.extend(errands.map(|errand| Action::Fetch(work.job, errand)));
    }
}
