//! Hundreds of seeded histories: mirrors that die, lag, lie and heal, releases that are good,
//! poisoned or fork, answers that come late, objects that go bad on this disk. What must hold in all
//! of them is asserted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use snapshot::trust::{AcceptedRelease, Novelty};
use snapshot::{Envelope, Release, Timestamp};

use super::*;
use crate::copy::Kind;
use crate::sync::work::{FETCHES, Fault, Unbrought};

const SOURCES: usize = 3;
const POLL: Duration = Duration::from_secs(1);
/// When the mirrors heal and the last release, a good one, is out.
const CALM: Duration = Duration::from_secs(120);
const END: Duration = Duration::from_secs(180);
/// When the disk stops going bad.
const SOUND: Duration = Duration::from_secs(150);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Nature {
    Good,
    Poisoned,
    /// One object is damaged on every mirror.
    Damaged,
    BadManifest,
}

struct World {
    random: u64,
    queue: BTreeMap<(Duration, u64), Event>,
    events: u64,
    releases: Vec<(Offer, Nature)>,
    mirrors: [(usize, bool); SOURCES],
    disk: BTreeSet<Digest>,
    /// Objects on the disk whose bytes went bad.
    damaged: BTreeSet<Digest>,
    /// How often each object that went bad was inspected.
    inspected: BTreeMap<Digest, u32>,
    repaired: usize,
    in_flight: usize,
    merging: usize,
    /// Merges, by whether they failed.
    merged: BTreeMap<bool, usize>,
    planned: BTreeMap<Digest, u32>,
    served: Vec<(Sequence, Digest, Timestamp)>,
}

pub(super) fn offer(sequence: u64, fork: u8, as_of: u64) -> Offer {
    let manifest = Digest::of(format!("{sequence} {fork}").as_bytes());
    offering(Sequence(sequence), manifest, as_of)
}

/// An accepted release without any signature: the core never looks at one.
fn offering(sequence: Sequence, manifest: Digest, as_of: u64) -> Offer {
    let release = Release {
        version: Release::VERSION,
        least_edge: snapshot::EdgeVersion::FIRST,
        site: "dasom".parse().unwrap(),
        sequence,
        manifest,
        manifest_bytes: 1,
        as_of: Timestamp(as_of),
        positions: Vec::new(),
        signed_at: Timestamp(as_of),
        erased: Sequence(0),
    };
    let nobody: [u8; 0] = [];
    let envelope = Envelope::seal(Vec::new());
    let parts = (
        release,
        envelope,
        nobody.as_slice(),
        Novelty::New,
        Timestamp(as_of),
    );
    let bytes = snapshot::encode(&parts).unwrap();
    Offer(Arc::new(AcceptedRelease::from_bytes(&bytes).unwrap()))
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            random: seed,
            queue: BTreeMap::new(),
            events: 0,
            releases: vec![(offer(1, 0, 1), Nature::Good)],
            mirrors: [(0, true); SOURCES],
            disk: BTreeSet::new(),
            damaged: BTreeSet::new(),
            inspected: BTreeMap::new(),
            repaired: 0,
            in_flight: 0,
            merging: 0,
            merged: BTreeMap::new(),
            planned: BTreeMap::new(),
            served: Vec::new(),
        }
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.random >> 33) % sides
    }

    fn later(&mut self, now: Duration, event: Event) {
        let delay = Duration::from_millis(self.roll(400));
        self.events += 1;
        self.queue.insert((now + delay, self.events), event);
    }

    /// The outside changes: a publish, a heartbeat, a fork, a mirror that dies or lags.
    fn happen(&mut self, now: Duration, in_use: Option<Digest>) {
        let calm = now >= CALM;
        let newest = self.releases.last().unwrap().0.release().clone();
        let as_of = newest.as_of.0 + 1;
        match self.roll(6) {
            0 if !calm => {
                let nature = match self.roll(5) {
                    0 => Nature::Poisoned,
                    1 => Nature::Damaged,
                    2 => Nature::BadManifest,
                    _ => Nature::Good,
                };
                self.releases
                    .push((offer(newest.sequence.0 + 1, 0, as_of), nature));
            }
            1 if !calm => {
                // A heartbeat of the newest.
                let nature = self.releases.last().unwrap().1;
                let beat = offering(newest.sequence, newest.manifest, as_of);
                self.releases.push((beat, nature));
            }
            2 if !calm => {
                self.releases
                    .push((offer(newest.sequence.0, 1, as_of), Nature::Good));
            }
            _ => {}
        }
        if let Some(manifest) = in_use.filter(|_| now < SOUND) {
            self.spoil(now, manifest);
        }
        for n in 0..SOURCES {
            let dead = !calm && self.roll(4) == 0;
            let lag = if calm { 0 } else { self.roll(3) as usize };
            self.mirrors[n] = (self.releases.len().saturating_sub(1 + lag), !dead);
        }
    }

    /// An object of the release in use goes bad, once in its life, and a read finds out.
    fn spoil(&mut self, now: Duration, manifest: Digest) {
        let (spoils, n) = (self.roll(3) == 0, self.roll(10));
        if !spoils {
            return;
        }
        let digest = Digest::of(format!("{manifest} object {n}").as_bytes());
        if self.inspected.contains_key(&digest) {
            return;
        }
        self.inspected.insert(digest, 0);
        assert!(self.disk.contains(&digest), "in use and not whole");
        self.damaged.insert(digest);
        let kind = Kind::Component(1);
        self.later(now, Event::Damaged(vec![Want { digest, kind }]));
    }

    /// Damaged objects of the release in use.
    fn damaged_in_use(&self) -> usize {
        let (_, manifest, _) = self.served.last().unwrap();
        let objects = (0..10).map(|n| Digest::of(format!("{manifest} object {n}").as_bytes()));
        objects
            .filter(|object| self.damaged.contains(object))
            .count()
    }

    fn nature(&self, offer: &Offer) -> Nature {
        let of = |(known, _): &&(Offer, Nature)| key(known) == key(offer);
        self.releases.iter().find(of).unwrap().1
    }

    /// What a release needs besides its manifest: ten objects, and then two blobs. The first two are
    /// merged, the second of them from what has to be fetched.
    fn lacking(&self, offer: &Offer, barred: &BTreeSet<Digest>) -> Lacking {
        let manifest = offer.release().manifest;
        let mut lacking = Lacking::default();
        let absent = |want: &Want| !self.disk.contains(&want.digest);
        let want = |what: &str, n: u32, kind| {
            let digest = Digest::of(format!("{manifest} {what} {n}").as_bytes());
            Want { digest, kind }
        };
        let (digest, kind) = (manifest, Kind::Manifest(1));
        lacking
            .objects
            .extend(Some(Want { digest, kind }).filter(absent));
        if !lacking.is_nothing() {
            return lacking;
        }
        let input = want("input", 1, Kind::Component(1));
        for n in 0..10 {
            let object = want("object", n, Kind::Component(1));
            let is_barred =
                barred.contains(&object.digest) || n == 1 && barred.contains(&input.digest);
            if !absent(&object) {
            } else if n > 1 || is_barred {
                lacking.objects.push(object);
            } else if n == 1 && absent(&input) {
                lacking.inputs.push(input.clone());
            } else {
                lacking.merges.push(object);
            }
        }
        if lacking.is_nothing() {
            let blobs = (0..2).map(|n| want("blob", n, Kind::Blob(1)));
            lacking.objects.extend(blobs.filter(absent));
        }
        lacking
    }

    fn act(&mut self, now: Duration, action: Action) {
        let event = match action {
            Action::Poll(id) => {
                let (newest, alive) = self.mirrors[id];
                let polled = match (alive, self.roll(20)) {
                    (false, _) => Polled::Unreachable,
                    (true, 0) => Polled::Refused,
                    (true, 1) => Polled::Nothing,
                    (true, _) => Polled::Offers(self.releases[newest].0.clone()),
                };
                Event::Polled(id, polled)
            }
            Action::Plan(job, offer, barred) => {
                assert_eq!(self.in_flight, 0, "planned while something is fetched");
                let lacking = self.lacking(&offer, &barred);
                if lacking
                    .objects
                    .first()
                    .is_some_and(|want| matches!(want.kind, Kind::Manifest(_)))
                {
                    *self.planned.entry(offer.release().manifest).or_default() += 1;
                }
                let bad = self.nature(&offer) == Nature::BadManifest;
                let known = self.disk.contains(&offer.release().manifest);
                Event::Planned(
                    job,
                    if bad && known {
                        Err(Refusal::new(Check::Manifest, None, "bad"))
                    } else {
                        Ok(lacking)
                    },
                )
            }
            Action::Fetch(job, errand) => {
                let (id, want) = (errand.source, errand.want);
                self.in_flight += 1;
                assert!(self.in_flight <= FETCHES, "too many fetches at once");
                let (mut damaged, mut absent) = (false, false);
                for (offer, nature) in &self.releases {
                    let release = offer.release();
                    let is = |what: &str| {
                        let named = format!("{} {what}", release.manifest);
                        Digest::of(named.as_bytes()) == want.digest
                    };
                    damaged |= *nature == Nature::Damaged && is("object 3");
                    // Of every other release, what only a merge needs is on no mirror.
                    absent |= release.sequence.0 % 2 == 0 && is("input 1");
                }
                let fails = damaged || absent || !self.mirrors[id].1 || self.roll(10) == 0;
                let result = if fails {
                    let fault = match self.roll(8) {
                        _ if absent => Fault::Absent,
                        0 | 1 => Fault::Disk,
                        2 => Fault::Short,
                        3 if !errand.patient => Fault::Slow,
                        4 => Fault::Lying,
                        _ => Fault::Dead,
                    };
                    let reason = "damaged".to_owned();
                    Err(Unbrought { fault, reason })
                } else {
                    Ok(())
                };
                Event::Fetched(job, id, want.digest, result)
            }
            Action::Merge(job, want) => {
                self.merging += 1;
                assert_eq!(self.merging, 1, "one at a time");
                let disk = now < CALM && self.roll(20) == 0;
                let fails = disk || self.roll(4) == 0;
                *self.merged.entry(fails).or_default() += 1;
                let reason = "another".to_owned();
                let fault = if disk { Fault::Disk } else { Fault::Lying };
                let failed = || Err(Unbrought { fault, reason });
                Event::Merged(job, want.digest, if fails { failed() } else { Ok(()) })
            }
            Action::Check(job, offer) => Event::Checked(
                job,
                match self.nature(&offer) {
                    Nature::Good => Ok(()),
                    _ => Err(Refusal::new(Check::Canary, None, "trapped")),
                },
            ),
            Action::Switch(job, offer) => {
                assert_eq!(
                    self.nature(&offer),
                    Nature::Good,
                    "switched to a bad release"
                );
                if let Some(last) = self.served.last() {
                    assert!(
                        offer.release().rank() > (last.0, last.1, last.2),
                        "went back"
                    );
                }
                if self.roll(20) == 0 {
                    Event::Switched(job, Err(Refusal::new(Check::Disk, None, "full")))
                } else {
                    self.served.push({
                        let (sequence, manifest, as_of) = offer.release().rank();
                        (sequence, manifest, as_of)
                    });
                    Event::Switched(job, Ok(()))
                }
            }
            Action::Inspect(job, want) => {
                *self.inspected.entry(want.digest).or_default() += 1;
                Event::Inspected(job, !self.damaged.contains(&want.digest))
            }
            Action::Reopen(job, want) => {
                assert!(!self.damaged.contains(&want.digest), "reopened unrepaired");
                let fails = now < CALM && self.roll(20) == 0;
                self.repaired += 1;
                let failed = || Err("too many open files".to_owned());
                Event::Reopened(job, if fails { failed() } else { Ok(()) })
            }
            Action::Refuse(..) | Action::Unrepaired(..) => return,
        };
        self.later(now, event);
    }
}

fn run(seed: u64) -> (World, Core) {
    let mut world = World::new(seed);
    let names = (0..SOURCES).map(|n| format!("mirror {n}")).collect();
    let mut core = Core::new(names, POLL, None, seed);
    let mut now = Duration::ZERO;
    let mut changes = Duration::ZERO;
    let mut last = false;
    let mut actions = core.handle(now, Event::Tick);
    while now < END {
        for action in actions {
            world.act(now, action);
        }
        let due = world.queue.keys().next().map(|(at, _)| *at);
        let next = [due, core.wake(), Some(changes)]
            .into_iter()
            .flatten()
            .min()
            .unwrap();
        now = now.max(next);
        if now >= changes {
            if now >= CALM && !last {
                last = true;
                let (newest, _) = world.releases.last().unwrap();
                let (sequence, as_of) = (newest.release().sequence.0, newest.release().as_of.0);
                world
                    .releases
                    .push((offer(sequence + 1, 0, as_of + 1), Nature::Good));
            }
            let in_use = core.serving().map(|serving| serving.release().manifest);
            world.happen(now, in_use);
            changes = now + Duration::from_secs(2);
        }
        let event = match world.queue.first_entry() {
            Some(entry) if entry.key().0 <= now => entry.remove(),
            _ => Event::Tick,
        };
        if let Event::Merged(_, object, result) = &event {
            world.merging -= 1;
            if result.is_ok() {
                world.disk.insert(*object);
            }
        }
        if let Event::Fetched(_, _, object, result) = &event {
            world.in_flight -= 1;
            if result.is_ok() {
                world.disk.insert(*object);
                world.damaged.remove(object);
            }
        }
        actions = core.handle(now, event);
        // What was refused may still be under way.
        assert!(world.in_flight == 0 || !core.is_idle(), "idle too soon");
    }
    (world, core)
}

#[test]
fn every_history_ends_on_the_newest_good_release() {
    let mut merged = BTreeMap::new();
    for seed in 0..300 {
        let (world, core) = run(seed);
        for (failed, times) in &world.merged {
            *merged.entry(*failed).or_insert(0) += times;
        }
        let newest = &world.releases.last().unwrap().0;
        assert_eq!(
            core.serving().map(key),
            Some(key(newest)),
            "seed {seed}: {}",
            core.doing()
        );
    }
    assert!(merged.values().all(|times| *times > 300), "{merged:?}");
}

#[test]
fn a_refused_release_is_not_fetched_at_every_poll() {
    for seed in 0..100 {
        let (world, _) = run(seed);
        // In three minutes the back-off of 10, 20, 40, 80 seconds leaves room for five attempts.
        assert!(
            world.planned.values().all(|n| *n <= 5),
            "seed {seed}: {:?}",
            world.planned
        );
    }
}

#[test]
fn every_damaged_object_in_use_is_repaired_and_none_keeps_the_mirrors_busy() {
    let mut repaired = 0;
    for seed in 0..300 {
        let (world, core) = run(seed);
        assert_eq!(world.damaged_in_use(), 0, "seed {seed}: {}", core.doing());
        // As with releases, the back-off leaves room for five attempts.
        assert!(
            world.inspected.values().all(|n| *n <= 5),
            "seed {seed}: {:?}",
            world.inspected
        );
        repaired += world.repaired;
    }
    assert!(repaired > 300, "{repaired}");
}
