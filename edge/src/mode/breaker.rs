//! Notices that a service's origin is gone, and that it is back.
//!
//! A pure state machine: outcomes of requests, results of probes and the time go in; the wish for
//! a probe comes out. It asks nothing itself, so a simulation can drive it. Its numbers are the
//! service's [`Thresholds`], named `so` below; a release may change them at any moment.
//!
//! **Closed**: the origin answers. The newest outcomes of at most `window` are kept, twice as many as
//! `volume` or `failures` asks for. Only what says "the origin is gone" is held against it (refused or
//! timed-out connections, resets, missing first bytes, 502, 503, 504); a plain 500 or a 404 is an
//! answer. At each failure: when at least `volume` outcomes are known, at least `failures` of them
//! and at least `share` percent failed, on at least `paths` distinct paths, it becomes *suspecting*.
//! Old successes cannot dilute a sudden death, because few are kept.
//!
//! **Suspecting**: requests still go to the origin while one active probe asks the service's own
//! probe path. If that answers, the requests were at fault: back to *closed*, and no new suspicion
//! for [`QUIET`]. If it fails too, *open*. So nobody opens it with bad URLs alone. Another service
//! of the same origin going *open* raises suspicion as well: the same probe decides.
//!
//! **Open**: the snapshot answers. Probes follow at `probe-first`, doubling up to `probe-most`, each
//! moved by up to [`JITTER_PERCENT`] either way, so that a fleet does not knock in step. One that
//! answers begins *closing*, unless that would be too much of a change (below).
//!
//! **Closing**: a rising share of requests ([`SHARES`]) goes to the origin, `step` each with the same
//! jitter, so that a fleet does not step up at once, and every step up needs another probe that
//! answers. The rule of *closed* holds here as well; when it is broken a probe decides at once:
//! failed means *open* again, with the back-off where it was; answered means that the step starts
//! again. After the last step it is *closed*.
//!
//! **Held**: an origin that comes and goes must not take the service along. To open, to begin
//! closing and to be closed are changes, of which any minute sees at most `changes`. To open is always
//! allowed, for the snapshot is the safe side. So it leaves *open* only with room for all three that may
//! follow: closing, closed, and open again. Until there is that room it is *held*: the origin is known
//! to answer, the snapshot answers all the same, and probes go on, so that it never leaves but on a
//! probe that just answered.
//!
//! **Watched**: while an order keeps requests away, nobody would notice anything. So then a *closed*
//! breaker probes too, every `probe-most`; one that fails makes it *suspecting*, and so on. Whoever ends
//! the order finds the breaker where it would be had it decided all along.
//!
//! **Never seen**: a breaker that remembers no answer of its origin begins *closed* with a probe at once, so
//! that an origin that is gone is not found out by readers. One that fails makes it *suspecting*, as above.
//!
//! What a restart may not lose is [`Memory`]: whether it was open, how far the back-off was, whether an
//! answer was ever seen, and the changes of the last minute. A breaker that was anything but closed
//! starts *open*, with a probe within `probe-first`: in mid-outage the snapshot answers at once, and an
//! origin that came back meanwhile gets its requests step by step. A crash loses at most what was not
//! written down yet: the edge then learns again within a few requests, each of which falls back by itself.

mod remembered;

use std::collections::VecDeque;
use std::time::Duration;

use snapshot::manifest::Thresholds;

pub use remembered::Memory;

/// No new suspicion for this long after a probe has answered.
pub const QUIET: Duration = Duration::from_secs(1);
/// How far a wait is moved at random, either way, percent.
pub const JITTER_PERCENT: u64 = 20;
/// Shares of requests that go to the origin while closing, percent.
pub const SHARES: [u8; 3] = [10, 25, 50];
/// How long a change counts.
pub const MINUTE: Duration = Duration::from_secs(60);
/// Changes that may follow once it leaves *open*: closing, closed, and open again.
const FOLLOWING: usize = 3;

/// Where the breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The origin answers.
    Closed,
    /// The origin answers, a probe is on its way.
    Suspecting,
    /// The snapshot answers.
    Open,
    /// The snapshot answers, though the origin does too: there were too many changes.
    Held,
    /// This percentage of requests goes to the origin.
    Closing(u8),
}

/// How one request to the origin went, for the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer, also an unwelcome one.
    Answered,
    /// One of the failures that say the origin is gone.
    Gone,
}

/// What the caller has to do.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Wait,
    /// Ask the service's probe path and report with [`Breaker::probed`].
    Probe,
}

/// The state machine of one service.
#[derive(Debug)]
pub struct Breaker {
    thresholds: Thresholds,
    state: State,
    recent: VecDeque<Seen>,
    quiet_until: Duration,
    /// Failed probes since it opened: the exponent of the back-off.
    failed_probes: u32,
    /// Whether the origin ever answered.
    answered: bool,
    watched: bool,
    /// When each of the last minute's changes counts no more.
    changes: VecDeque<Duration>,
    /// How often anything of [`Memory`] changed.
    revision: u64,
    random: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed { probe: Option<Probe> },
    Suspecting,
    Open { held: bool, probe: Probe },
    Closing { step: usize, probe: Probe },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    At(Duration),
    Asked,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Duration,
    path: u64,
    outcome: Outcome,
}

impl Breaker {
    /// A closed breaker. `seed` feeds the jitter.
    #[must_use]
    pub fn new(thresholds: Thresholds, seed: u64) -> Self {
        Self {
            thresholds,
            state: State::Closed {
                probe: Some(Probe::At(Duration::ZERO)),
            },
            recent: VecDeque::new(),
            quiet_until: Duration::ZERO,
            failed_probes: 0,
            answered: false,
            watched: false,
            changes: VecDeque::new(),
            revision: 0,
            random: seed,
        }
    }

    /// Differs from what it was once [`Breaker::memory`] does, but for the time that passed.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Closed { .. } => Phase::Closed,
            State::Suspecting => Phase::Suspecting,
            State::Open { held: false, .. } => Phase::Open,
            State::Open { held: true, .. } => Phase::Held,
            State::Closing { step, .. } => Phase::Closing(SHARES.get(step).copied().unwrap_or(100)),
        }
    }

    /// Whether the last that is known of the origin is that it answered.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.answered && self.phase() != Phase::Open
    }

    /// From now on these thresholds hold. Nothing is forgotten.
    pub fn obey(&mut self, thresholds: Thresholds) {
        self.thresholds = thresholds;
    }

    /// Whether an order keeps requests away from here on.
    pub fn watch(&mut self, now: Duration, watched: bool) {
        if self.watched == watched {
            return;
        }
        self.watched = watched;
        if let State::Closed { probe } = self.state
            && probe != Some(Probe::Asked)
        {
            self.state = self.closed(now);
        }
    }

    /// A request to the origin ended at `now` (time since any fixed moment). `path` is a hash of
    /// what was asked for.
    pub fn observe(&mut self, now: Duration, path: u64, outcome: Outcome) -> Action {
        if matches!(self.state, State::Open { .. }) {
            // Stragglers from before it opened say nothing new.
            return Action::Wait;
        }
        while self.recent.len() >= self.kept() {
            self.recent.pop_front();
        }
        self.recent.push_back(Seen {
            at: now,
            path,
            outcome,
        });
        if outcome == Outcome::Answered {
            self.has_answered();
            return Action::Wait;
        }
        if now < self.quiet_until || !self.suspicious(now) {
            return Action::Wait;
        }
        self.suspect_now()
    }

    /// Another service of the same origin has lost it.
    pub fn suspect(&mut self, now: Duration) -> Action {
        if !matches!(self.state, State::Closed { .. }) || now < self.quiet_until {
            return Action::Wait;
        }
        self.suspect_now()
    }

    /// The probe asked for by [`Action::Probe`] ended at `now`.
    pub fn probed(&mut self, now: Duration, answered: bool) -> Action {
        let suspicious = self.suspicious(now);
        if answered {
            self.has_answered();
        }
        self.state = match (self.state, answered) {
            (State::Closed { .. }, true) => self.closed(now),
            (State::Closed { .. }, false) => {
                self.state = State::Suspecting;
                return Action::Probe;
            }
            (State::Suspecting, true) => {
                self.clear(now);
                self.closed(now)
            }
            (State::Suspecting, false) => {
                self.failed_probes = 0;
                self.changed(now);
                self.open(now)
            }
            (State::Open { .. }, true) => {
                self.clear(now);
                match self.held_for(now) {
                    None => {
                        self.changed(now);
                        self.closing(now, 0)
                    }
                    Some(left) => self.hold(now, left),
                }
            }
            (State::Open { .. }, false) => {
                self.count_failed_probe();
                self.open(now)
            }
            (State::Closing { .. }, false) => {
                self.count_failed_probe();
                self.changed(now);
                self.open(now)
            }
            (State::Closing { step, .. }, true) if suspicious => {
                self.clear(now);
                self.closing(now, step)
            }
            (State::Closing { step, .. }, true) if step + 1 < SHARES.len() => {
                self.closing(now, step + 1)
            }
            (State::Closing { .. }, true) => {
                self.failed_probes = 0;
                self.changed(now);
                self.closed(now)
            }
        };
        Action::Wait
    }

    /// When [`Breaker::wake`] wants to be called next, if at all.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        match self.state {
            State::Closed {
                probe: Some(Probe::At(at)),
            }
            | State::Open {
                probe: Probe::At(at),
                ..
            }
            | State::Closing {
                probe: Probe::At(at),
                ..
            } => Some(at),
            _ => None,
        }
    }

    /// Time has passed.
    pub fn wake(&mut self, now: Duration) -> Action {
        match &mut self.state {
            State::Closed { probe: Some(probe) }
            | State::Open { probe, .. }
            | State::Closing { probe, .. } => match *probe {
                Probe::At(at) if at <= now => {
                    *probe = Probe::Asked;
                    Action::Probe
                }
                _ => Action::Wait,
            },
            _ => Action::Wait,
        }
    }

    /// Raises suspicion, unless a probe that is on its way decides anyway.
    fn suspect_now(&mut self) -> Action {
        match &mut self.state {
            State::Closed { probe } => {
                let asked = *probe == Some(Probe::Asked);
                self.state = State::Suspecting;
                if asked { Action::Wait } else { Action::Probe }
            }
            State::Closing { probe, .. } if *probe != Probe::Asked => {
                *probe = Probe::Asked;
                Action::Probe
            }
            _ => Action::Wait,
        }
    }

    fn suspicious(&mut self, now: Duration) -> bool {
        let window = ms(self.thresholds.window_ms);
        while self
            .recent
            .front()
            .is_some_and(|seen| seen.at + window < now)
        {
            self.recent.pop_front();
        }
        let gone = self
            .recent
            .iter()
            .filter(|seen| seen.outcome == Outcome::Gone);
        let mut paths: Vec<u64> = gone.map(|seen| seen.path).collect();
        let (failures, known) = (paths.len(), self.recent.len());
        paths.sort_unstable();
        paths.dedup();
        let least = |threshold: u32, number: usize| number >= threshold as usize;
        least(self.thresholds.volume, known)
            && least(self.thresholds.failures, failures)
            && failures * 100 >= known * self.thresholds.share as usize
            && least(self.thresholds.paths, paths.len())
    }

    /// How many outcomes are kept.
    fn kept(&self) -> usize {
        let least = self.thresholds.volume.max(self.thresholds.failures);
        2 * (least as usize).max(1)
    }

    fn clear(&mut self, now: Duration) {
        self.recent.clear();
        self.quiet_until = now + QUIET;
    }

    fn has_answered(&mut self) {
        if !self.answered {
            self.answered = true;
            self.revision += 1;
        }
    }

    fn changed(&mut self, now: Duration) {
        self.changes.push_back(now + MINUTE);
        self.revision += 1;
    }

    fn count_failed_probe(&mut self) {
        if self.back_off() < ms(self.thresholds.probe_most_ms) {
            self.failed_probes += 1;
            self.revision += 1;
        }
    }

    /// How long it may not leave *open* yet.
    fn held_for(&mut self, now: Duration) -> Option<Duration> {
        while self.changes.front().is_some_and(|until| *until <= now) {
            self.changes.pop_front();
        }
        let over = (self.changes.len() + FOLLOWING).checked_sub(self.thresholds.changes as usize);
        let last = self.changes.get(over?.checked_sub(1)?)?;
        Some(last.saturating_sub(now))
    }

    fn hold(&mut self, now: Duration, left: Duration) -> State {
        let (first, most) = (
            self.thresholds.probe_first_ms,
            self.thresholds.probe_most_ms,
        );
        let wait = left.min(ms(most)).max(ms(first));
        // Never earlier than there is room, and not with the whole fleet.
        let wait = wait + wait.mul_f64(self.percent(JITTER_PERCENT));
        State::Open {
            held: true,
            probe: Probe::At(now + wait),
        }
    }

    fn closed(&mut self, now: Duration) -> State {
        let wait = match self.answered {
            true => self.jittered(ms(self.thresholds.probe_most_ms)),
            false => Duration::ZERO,
        };
        State::Closed {
            probe: (self.watched || !self.answered).then_some(Probe::At(now + wait)),
        }
    }

    fn closing(&mut self, now: Duration, step: usize) -> State {
        let wait = self.jittered(ms(self.thresholds.step_ms));
        State::Closing {
            step,
            probe: Probe::At(now + wait),
        }
    }

    fn open(&mut self, now: Duration) -> State {
        self.recent.clear();
        let wait = self.back_off();
        let wait = self.jittered(wait);
        State::Open {
            held: false,
            probe: Probe::At(now + wait),
        }
    }

    fn back_off(&self) -> Duration {
        let doubled = 1u32.checked_shl(self.failed_probes).unwrap_or(u32::MAX);
        let wait = ms(self.thresholds.probe_first_ms).saturating_mul(doubled);
        wait.min(ms(self.thresholds.probe_most_ms))
    }

    fn jittered(&mut self, wait: Duration) -> Duration {
        let least = wait.mul_f64((100 - JITTER_PERCENT) as f64 / 100.0);
        least + wait.mul_f64(self.percent(2 * JITTER_PERCENT))
    }

    /// A random share of at most `most` percent.
    fn percent(&mut self, most: u64) -> f64 {
        (self.draw() % (most * 1000 + 1)) as f64 / 100_000.0
    }

    /// The next number of a `splitmix64` sequence: enough to keep a fleet from knocking in step.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[cfg(test)]
mod tests;
