//! The core of sync: which release an edge is on, and how it gets to the next.
//!
//! It does no I/O and has no clock. Events and the time go in, actions come out; the driver
//! carries them out and answers each with one event. The same code runs in a seeded simulation.
//!
//! **Sources.** Each source is asked on its own beat: every `poll`, give or take a fifth, whether
//! it answers or not, so that a crisis costs what calm costs. A source remembers its last valid
//! offer; one that is dead, slow or lying changes nothing for the others.
//!
//! **Work.** At most one release is brought in at a time:
//!
//! ```text
//! idle -> planning -> fetching or merging -> planning -> ... -> checking -> switching -> idle
//! ```
//!
//! *Planning* asks the driver what the release still lacks: first the manifest, then segments and
//! components, then blobs. *Fetching* asks a few objects at a time, spread over the sources that offer
//! this release and are in good [`health`](Health), then over the others; each object from one source
//! after another, and one that no source gives refuses the release. A source that is slow is left for
//! the next, and asked again with patience when all others failed. *Merging*
//! makes segments from those that are held, one at a time, since it is this edge's own disk that
//! readers are answered from meanwhile. A segment whose merge fails, or is merged from what no source
//! gives, is planned again to be fetched like any other. When nothing lacks, *checking* loads it, compares counts and asks its canaries. *Switching* writes it down
//! and swaps it in; only then does it count as accepted. A newer offer that comes meanwhile waits:
//! finishing what was begun is what guarantees progress when releases come faster than they load.
//!
//! **Pin.** While an order pins a release, that release alone is brought in, wherever it stands in
//! history, and nothing else is: newer offers are remembered, and the best of them is taken up once the
//! pin is gone. What was being brought in when the pin came is let go before it would be used.
//!
//! A heartbeat (same sequence, same manifest, later as-of) has nothing to fetch or check and goes
//! straight to switching.
//!
//! **Refusal.** Any failure ends the work, leaves the edge on its last good release and holds the
//! refused one back for a while that doubles each time: a poisoned release is not fetched again at
//! every poll, and a mirror that was repaired is noticed without anyone's help. What this edge's own
//! disk does not take is no fault of the release: the delay does not grow, so that an edge
//! catches up soon after there is space. The next best offer is then tried, once all that was asked for
//! has come or was stopped: of one object there is one writer, and idle means that nobody writes.
//!
//! **Repair.** A read that finds a segment or blob of the release in use damaged on this disk makes
//! the object lacking again. It is fetched and reopened as [`repair`] says, while no release is being
//! brought in; a release goes first, since it replaces what is damaged or fetches it itself.
//!
//! **What a crash can lose.** Nothing that was accepted: the driver writes down before it swaps.
//! Objects that were fetched stay, so the work is resumed rather than repeated.

mod choosing;
mod event;
mod fetching;
mod health;
mod merging;
mod polling;
mod repair;

use std::collections::BTreeSet;
use std::time::Duration;

use snapshot::{Digest, Sequence};

use super::refusal::{Check, Held, Refusal};
use super::work::{Fetching, Offer, Phase, ROUNDS, SourceId};
use crate::copy::{Lacking, Want};

use repair::Repairs;

pub use event::{Action, Event, Job, Polled};
pub use health::{ASIDE_FIRST, ASIDE_MOST, Aside, Health, LIAR_FIRST, LIAR_MOST};

/// The state.
#[derive(Debug)]
pub struct Core {
    poll: Duration,
    sources: Vec<Source>,
    serving: Option<Offer>,
    /// The best release that this edge holds itself, if it is better than what a pin keeps it on.
    own: Option<Offer>,
    work: Option<Work>,
    held: Held<(Sequence, Digest)>,
    pin: Option<Pinned>,
    repairs: Repairs,
    /// Nothing new is begun.
    held_up: bool,
    /// Objects that were asked for and have neither come nor failed: of the work, the repair, or what
    /// was refused meanwhile.
    under_way: usize,
    jobs: u64,
    random: u64,
}

/// The release that an order keeps this edge on.
#[derive(Debug)]
struct Pinned {
    release: (Sequence, Digest),
    /// Where it was found.
    offer: Option<(SourceId, Offer)>,
}

#[derive(Debug)]
struct Source {
    name: String,
    polling: bool,
    next: Duration,
    offer: Option<Offer>,
    health: Health,
    /// Whether it ever answered a poll, or failed to.
    asked: bool,
    peer: bool,
}

/// How far the fetching of a release is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The release.
    pub sequence: u64,
    /// Objects that arrived.
    pub objects: usize,
    /// Objects in all.
    pub objects_total: usize,
    /// Their bytes, as they will lie on this disk.
    pub bytes: u64,
    /// The bytes of all.
    pub bytes_total: u64,
}

#[derive(Debug)]
struct Work {
    job: Job,
    offer: Offer,
    source: SourceId,
    phase: Phase,
    /// What is fetched only to be merged.
    inputs: BTreeSet<Digest>,
    /// Segments whose merge failed, and inputs that no source gives.
    barred: BTreeSet<Digest>,
}

impl Work {
    fn plan(&self) -> Action {
        Action::Plan(self.job, self.offer.clone(), self.barred.clone())
    }
}

impl Core {
    /// An edge on `serving`, with `sources` by name. `seed` drives the jitter.
    #[must_use]
    pub fn new(sources: Vec<String>, poll: Duration, serving: Option<Offer>, seed: u64) -> Self {
        let source = |name| Source {
            name,
            polling: false,
            next: Duration::ZERO,
            offer: None,
            health: Health::Sound,
            asked: false,
            peer: false,
        };
        Self {
            poll,
            sources: sources.into_iter().map(source).collect(),
            serving,
            own: None,
            work: None,
            held: Held::default(),
            pin: None,
            repairs: Repairs::default(),
            held_up: false,
            under_way: 0,
            jobs: 0,
            random: seed,
        }
    }

    /// The sources from the `first` on are other edges.
    #[must_use]
    pub fn with_peers(mut self, first: SourceId) -> Self {
        for source in self.sources.iter_mut().skip(first) {
            source.peer = true;
        }
        self
    }

    /// How a source does.
    #[must_use]
    pub fn health(&self, id: SourceId) -> Option<&Health> {
        self.sources.get(id).map(|source| &source.health)
    }

    /// How far the fetching is, while there is any.
    #[must_use]
    pub fn fetching(&self) -> Option<Fetched> {
        let work = self.work.as_ref()?;
        let Phase::Fetching(_, fetching) = &work.phase else {
            return None;
        };
        Some(Fetched {
            sequence: work.offer.release().sequence.0,
            objects: fetching.total.saturating_sub(fetching.lacking()),
            objects_total: fetching.total,
            bytes: fetching.bytes,
            bytes_total: fetching.bytes_total,
        })
    }

    /// Whether every source was asked and nothing is left to do for now.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let all_asked = self.sources.iter().all(|source| source.asked);
        all_asked && self.is_idle()
    }

    /// The release in use.
    #[must_use]
    pub fn serving(&self) -> Option<&Offer> {
        self.serving.as_ref()
    }

    /// What is going on, in words.
    #[must_use]
    pub fn doing(&self) -> String {
        let Some(work) = &self.work else {
            let repairing = self.repairs.doing();
            return repairing.unwrap_or_else(|| self.waiting());
        };
        let release = work.offer.release().sequence;
        match &work.phase {
            Phase::Planning(_) => format!("looking at release {release}"),
            Phase::Fetching(_, fetching) => format!(
                "fetching release {release}: {} of {} objects to go",
                fetching.lacking(),
                fetching.total
            ),
            Phase::Merging(_, merges) => format!(
                "merging for release {release}: {} segments to go",
                merges.len()
            ),
            Phase::Checking => format!("trying release {release}"),
            Phase::Switching => format!("switching to release {release}"),
        }
    }

    fn waiting(&self) -> String {
        match (&self.pin, &self.serving) {
            (None, _) => "following".to_owned(),
            (Some(pin), Some(serving)) if key(serving) == pin.release => {
                format!("staying on release {}, which is pinned", pin.release.0)
            }
            (Some(pin), _) => format!("looking for release {}, which is pinned", pin.release.0),
        }
    }

    /// Whether no release is being brought in, nothing repaired, and nothing fetched of what was refused.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.work.is_none() && !self.repairs.busy() && self.under_way == 0
    }

    /// Lets what is under way end and nothing else begin, until told otherwise; a tick then takes
    /// up what waits.
    pub const fn hold(&mut self, up: bool) {
        self.held_up = up;
    }

    /// Others are believed from now on: what sources offer is judged anew before it is taken up, and what
    /// is in use stands above it no longer, unless it is `believed` still.
    pub fn reconsider(&mut self, believed: bool) {
        for source in &mut self.sources {
            source.offer = None;
        }
        if let Some(pin) = &mut self.pin {
            pin.offer = None;
        }
        self.own = None;
        if !believed {
            self.serving = None;
        }
    }

    /// When the next [`Event::Tick`] is due, at the latest.
    #[must_use]
    pub fn wake(&self) -> Option<Duration> {
        let idle = self.sources.iter().filter(|source| !source.polling);
        idle.map(|source| source.next).min()
    }

    /// Takes in one event; `now` is the time since the start, and never goes back.
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Tick => {}
            Event::Polled(id, polled) => self.polled(id, polled, now),
            Event::Planned(job, lacking) => self.planned(job, lacking, now, &mut actions),
            Event::Fetched(job, id, object, result) => {
                self.under_way = self.under_way.saturating_sub(1);
                self.fetched(job, id, &object, result, now, &mut actions);
            }
            Event::Merged(job, segment, result) => {
                self.merged(job, segment, result, now, &mut actions);
            }
            Event::Checked(job, result) => self.checked(job, result, now, &mut actions),
            Event::Switched(job, result) => self.switched(job, result, now, &mut actions),
            Event::Damaged(wants) => self.repairs.damaged(wants),
            Event::Inspected(job, whole) => {
                let standing = self.standing(now);
                actions.extend(self.repairs.inspected(job, whole, &standing));
            }
            Event::Reopened(job, result) => {
                actions.extend(self.repairs.reopened(job, result, now));
            }
        }
        self.begin(now, &mut actions);
        self.repair(now, &mut actions);
        self.ask(now, &mut actions);
        let asked = actions.iter();
        self.under_way += asked
            .filter(|action| matches!(action, Action::Fetch(..)))
            .count();
        actions
    }

    fn planned(
        &mut self,
        job: Job,
        lacking: Result<Lacking, Refusal>,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let sources = self.sources.len();
        let Some(work) = self.work.as_mut().filter(|work| work.job == job) else {
            return;
        };
        let Phase::Planning(round) = work.phase else {
            return;
        };
        match lacking {
            Err(refusal) => self.refuse(refusal, now, actions),
            Ok(lacking) if lacking.is_nothing() => {
                work.phase = Phase::Checking;
                actions.push(Action::Check(job, work.offer.clone()));
            }
            Ok(lacking) if round >= ROUNDS => {
                let Lacking {
                    objects,
                    inputs,
                    merges,
                } = lacking;
                let mut wants = objects.iter().chain(&inputs).chain(&merges);
                let object = wants.next().map(Want::describe);
                let reason = "still lacking after it was brought";
                self.refuse(Refusal::new(Check::Object, object, reason), now, actions);
            }
            Ok(lacking) if lacking.objects.is_empty() && lacking.inputs.is_empty() => {
                work.phase = Phase::Merging(round, lacking.merges.into());
                self.merge(actions);
            }
            Ok(lacking) => {
                let mut wants = lacking.objects;
                work.inputs = lacking.inputs.iter().map(|want| want.digest).collect();
                work.inputs
                    .retain(|input| wants.iter().all(|want| want.digest != *input));
                wants.extend(lacking.inputs);
                let fetching = Fetching::new(wants, work.source, sources);
                work.phase = Phase::Fetching(round, fetching);
                self.fetch(now, actions);
            }
        }
    }

    fn checked(
        &mut self,
        job: Job,
        result: Result<(), Refusal>,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let Some(work) = self.work.as_mut().filter(|work| work.job == job) else {
            return;
        };
        match result {
            Err(refusal) => self.refuse(refusal, now, actions),
            Ok(())
                if self
                    .pin
                    .as_ref()
                    .is_some_and(|pin| pin.release != key(&work.offer)) =>
            {
                self.work = None;
            }
            Ok(()) => {
                work.phase = Phase::Switching;
                actions.push(Action::Switch(job, work.offer.clone()));
            }
        }
    }

    fn switched(
        &mut self,
        job: Job,
        result: Result<(), Refusal>,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        if self.work.as_ref().is_none_or(|work| work.job != job) {
            return;
        }
        match result {
            Err(refusal) => self.refuse(refusal, now, actions),
            Ok(()) => {
                let before = self.serving.as_ref().map(key);
                self.serving = self.work.take().map(|work| work.offer);
                if let Some(serving) = &self.serving {
                    if before != Some(key(serving)) {
                        self.repairs.forget();
                    }
                    // The same sequence may still bring a greater digest: keep holding it.
                    self.held
                        .forget_through(Sequence(serving.release().sequence.0.saturating_sub(1)));
                }
            }
        }
    }

    fn refuse(&mut self, refusal: Refusal, now: Duration, actions: &mut Vec<Action>) {
        if let Some(work) = self.work.take() {
            let release = key(&work.offer);
            match refusal.check {
                Check::Disk => self.held.add_briefly(release, now),
                _ => self.held.add(release, now),
            }
            actions.push(Action::Refuse(work.offer, refusal));
        }
    }

    /// Takes up what is to be in use and is not.
    fn begin(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.held_up || !self.is_idle() {
            return;
        }
        let Some((source, offer)) = self.best(now) else {
            return;
        };
        self.jobs += 1;
        let job = Job(self.jobs);
        let heartbeat = self
            .serving
            .as_ref()
            .is_some_and(|ours| key(ours) == key(&offer));
        let mut work = Work {
            job,
            offer,
            source,
            phase: Phase::Planning(0),
            inputs: BTreeSet::new(),
            barred: BTreeSet::new(),
        };
        if heartbeat {
            actions.push(Action::Switch(job, work.offer.clone()));
            work.phase = Phase::Switching;
        } else {
            actions.push(work.plan());
        }
        self.work = Some(work);
    }

    /// Takes up a damaged object, if no release is being brought in.
    fn repair(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.held_up || !self.is_idle() || self.sources.is_empty() {
            return;
        }
        if let Some(want) = self.repairs.due(now) {
            self.jobs += 1;
            actions.push(self.repairs.begin(Job(self.jobs), want));
        }
    }
}

fn key(offer: &Offer) -> (Sequence, Digest) {
    (offer.release().sequence, offer.release().manifest)
}

#[cfg(test)]
mod limits;
#[cfg(test)]
mod simulation;
