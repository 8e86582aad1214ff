//! Notices that a service's origin is gone, and that it is back.
//!
//! A pure state machine: outcomes of requests, results of probes and the time go in; the wish for
//! a probe comes out. It asks nothing itself, so a simulation can drive it.
//!
//! **Closed**: the origin answers. The last [`RECENT`] outcomes of at most [`WINDOW`] are kept.
//! Only what says "the origin is gone" is held against it (refused or timed-out connections,
//! resets, missing first bytes, 502, 503, 504); a plain 500 or a 404 is an answer. When at least
//! [`FAILURES`] of them failed, at least half of all, on at least [`PATHS`] distinct paths, it
//! becomes *suspecting*. Old successes cannot dilute a sudden death, because few are kept.
//!
//! **Suspecting**: requests still go to the origin while one active probe asks the service's own
//! probe path. If that answers, the requests were at fault: back to *closed*, and no new suspicion
//! for [`QUIET`]. If it fails too, *open*. So nobody opens it with bad URLs alone. Another service
//! of the same origin going *open* raises suspicion as well: the same probe decides.
//!
//! **Open**: the snapshot answers. Probes follow at [`BACKOFF_FIRST`], doubling up to
//! [`BACKOFF_MAX`], each moved by up to [`JITTER_PERCENT`] either way, so that a fleet does not knock
//! in step. One that answers begins *closing*.
//!
//! **Closing**: a rising share of requests ([`SHARES`]) goes to the origin, [`STEP`] each, and every
//! step up needs another probe that answers. The rule of *closed* holds here as well; when it is
//! broken a probe decides at once: failed means *open* again, with the back-off where it was;
//! answered means that the step starts again. After the last step it is *closed*.
//!
//! Nothing here is kept across a restart: a new edge starts *closed* and learns within a few
//! requests, each of which falls back by itself anyway.

use std::collections::VecDeque;
use std::time::Duration;

/// Outcomes kept.
pub const RECENT: usize = 10;
/// How long an outcome counts.
pub const WINDOW: Duration = Duration::from_secs(10);
/// Failures among the kept outcomes that raise suspicion, if they are also half of them.
pub const FAILURES: usize = 5;
/// Distinct paths that must be among those failures.
pub const PATHS: usize = 3;
/// No new suspicion for this long after a probe has answered.
pub const QUIET: Duration = Duration::from_secs(1);
/// The first wait between probes while open.
pub const BACKOFF_FIRST: Duration = Duration::from_millis(500);
/// The longest wait between probes while open, before jitter.
pub const BACKOFF_MAX: Duration = Duration::from_secs(8);
/// How far a wait is moved at random, either way, percent.
pub const JITTER_PERCENT: u64 = 20;
/// Shares of requests that go to the origin while closing, percent.
pub const SHARES: [u8; 3] = [10, 25, 50];
/// How long each share lasts.
pub const STEP: Duration = Duration::from_secs(1);

/// Where the breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The origin answers.
    Closed,
    /// The origin answers, a probe is on its way.
    Suspecting,
    /// The snapshot answers.
    Open,
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
    state: State,
    recent: VecDeque<Seen>,
    quiet_until: Duration,
    /// Failed probes since it opened: the exponent of the back-off.
    failed_probes: u32,
    random: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Suspecting,
    Open { probe: Probe },
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
    pub fn new(seed: u64) -> Self {
        Self {
            state: State::Closed,
            recent: VecDeque::with_capacity(RECENT),
            quiet_until: Duration::ZERO,
            failed_probes: 0,
            random: seed,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Closed => Phase::Closed,
            State::Suspecting => Phase::Suspecting,
            State::Open { .. } => Phase::Open,
            State::Closing { step, .. } => Phase::Closing(SHARES.get(step).copied().unwrap_or(100)),
        }
    }

    /// A request to the origin ended at `now` (time since any fixed moment). `path` is a hash of
    /// what was asked for.
    pub fn observe(&mut self, now: Duration, path: u64, outcome: Outcome) -> Action {
        if matches!(self.state, State::Open { .. }) {
            // Stragglers from before it opened say nothing new.
            return Action::Wait;
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Seen {
            at: now,
            path,
            outcome,
        });
        if now < self.quiet_until || !self.suspicious(now) {
            return Action::Wait;
        }
        match &mut self.state {
            State::Closed => {
                self.state = State::Suspecting;
                Action::Probe
            }
            State::Closing { probe, .. } if *probe != Probe::Asked => {
                *probe = Probe::Asked;
                Action::Probe
            }
            _ => Action::Wait,
        }
    }

    /// Another service of the same origin has lost it.
    pub fn suspect(&mut self, now: Duration) -> Action {
        if !matches!(self.state, State::Closed) || now < self.quiet_until {
            return Action::Wait;
        }
        self.state = State::Suspecting;
        Action::Probe
    }

    /// The probe asked for by [`Action::Probe`] ended at `now`.
    pub fn probed(&mut self, now: Duration, answered: bool) {
        let suspicious = self.suspicious(now);
        self.state = match (self.state, answered) {
            (State::Closed, _) => State::Closed,
            (State::Suspecting, true) => {
                self.clear(now);
                State::Closed
            }
            (State::Suspecting, false) => {
                self.failed_probes = 0;
                self.open(now)
            }
            (State::Open { .. }, true) => {
                self.clear(now);
                Self::closing(now, 0)
            }
            (State::Open { .. } | State::Closing { .. }, false) => {
                self.failed_probes = self.failed_probes.saturating_add(1);
                self.open(now)
            }
            (State::Closing { step, .. }, true) if suspicious => {
                self.clear(now);
                Self::closing(now, step)
            }
            (State::Closing { step, .. }, true) if step + 1 < SHARES.len() => {
                Self::closing(now, step + 1)
            }
            (State::Closing { .. }, true) => {
                self.failed_probes = 0;
                State::Closed
            }
        };
    }

    /// When [`Breaker::wake`] wants to be called next, if at all.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Duration> {
        match self.state {
            State::Open {
                probe: Probe::At(at),
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
            State::Open { probe } | State::Closing { probe, .. } => match *probe {
                Probe::At(at) if at <= now => {
                    *probe = Probe::Asked;
                    Action::Probe
                }
                _ => Action::Wait,
            },
            _ => Action::Wait,
        }
    }

    fn suspicious(&mut self, now: Duration) -> bool {
        while self
            .recent
            .front()
            .is_some_and(|seen| seen.at + WINDOW < now)
        {
            self.recent.pop_front();
        }
        let gone = self
            .recent
            .iter()
            .filter(|seen| seen.outcome == Outcome::Gone);
        let mut paths: Vec<u64> = gone.map(|seen| seen.path).collect();
        let failures = paths.len();
        paths.sort_unstable();
        paths.dedup();
        failures >= FAILURES && failures * 2 >= self.recent.len() && paths.len() >= PATHS
    }

    fn clear(&mut self, now: Duration) {
        self.recent.clear();
        self.quiet_until = now + QUIET;
    }

    fn closing(now: Duration, step: usize) -> State {
        State::Closing {
            step,
            probe: Probe::At(now + STEP),
        }
    }

    fn open(&mut self, now: Duration) -> State {
        self.recent.clear();
        let doubled = BACKOFF_FIRST.saturating_mul(1 << self.failed_probes.min(16));
        let wait = doubled.min(BACKOFF_MAX);
        let percent = 100 - JITTER_PERCENT + self.draw() % (2 * JITTER_PERCENT + 1);
        let wait = wait.mul_f64(percent as f64 / 100.0);
        State::Open {
            probe: Probe::At(now + wait),
        }
    }

    /// The next number of a `splitmix64` sequence: enough to keep a fleet from knocking in step.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests;
