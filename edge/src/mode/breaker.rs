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
mod tests {
    use super::*;

    const FIRST_BYTE: Duration = Duration::from_secs(2);
    const TICK: Duration = Duration::from_millis(10);

    /// A seeded world: clients ask random paths of an origin that is up, refuses or swallows.
    struct World {
        now: Duration,
        breaker: Breaker,
        random: Breaker,
        probe_ends: Option<(Duration, bool)>,
        waiting: Vec<(Duration, u64)>,
        turn: u32,
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Origin {
        Up,
        BlackHole,
        /// Everything answers but this share of one path.
        OneBadPath,
        /// Every path fails with 503, the probe path answers.
        OnlyProbeAnswers,
    }

    impl World {
        fn new(seed: u64) -> Self {
            Self {
                now: Duration::ZERO,
                breaker: Breaker::new(seed),
                random: Breaker::new(seed ^ 0xabcd),
                probe_ends: None,
                waiting: Vec::new(),
                turn: 0,
            }
        }

        fn act(&mut self, action: Action, origin: Origin) {
            if action == Action::Probe {
                assert!(self.probe_ends.is_none(), "two probes at once");
                let (takes, ok) = match origin {
                    Origin::BlackHole => (Duration::from_secs(1), false),
                    _ => (TICK, true),
                };
                self.probe_ends = Some((self.now + takes, ok));
            }
        }

        fn step(&mut self, origin: Origin, requests: u32) {
            self.now += TICK;
            if let Some((at, ok)) = self.probe_ends
                && at <= self.now
            {
                self.probe_ends = None;
                self.breaker.probed(self.now, ok);
            }
            let woken = self.breaker.wake(self.now);
            self.act(woken, origin);
            let (due, waiting) = self.waiting.iter().partition(|(at, _)| *at <= self.now);
            self.waiting = waiting;
            let due: Vec<(Duration, u64)> = due;
            for (_, path) in due {
                let action = self.breaker.observe(self.now, path, Outcome::Gone);
                self.act(action, origin);
            }
            for _ in 0..requests {
                let path = self.random.draw() % 50;
                let share = match self.breaker.phase() {
                    Phase::Open => 0,
                    Phase::Closing(share) => u32::from(share),
                    _ => 100,
                };
                self.turn += share;
                if self.turn < 100 {
                    continue;
                }
                self.turn -= 100;
                let outcome = match origin {
                    Origin::BlackHole => {
                        self.waiting.push((self.now + FIRST_BYTE, path));
                        continue;
                    }
                    // One bad URL, asked for far more often than all others together.
                    Origin::OneBadPath if path < 45 => (7, Outcome::Gone),
                    Origin::OnlyProbeAnswers => (path, Outcome::Gone),
                    _ => (path, Outcome::Answered),
                };
                let action = self.breaker.observe(self.now, outcome.0, outcome.1);
                self.act(action, origin);
            }
        }

        /// Steps until `done`; the time it took.
        fn until(&mut self, origin: Origin, done: impl Fn(&Breaker) -> bool) -> Duration {
            let start = self.now;
            while !done(&self.breaker) {
                self.step(origin, 2);
                assert!(self.now - start < Duration::from_secs(120), "never");
            }
            self.now - start
        }

        fn run(&mut self, origin: Origin, time: Duration) {
            let end = self.now + time;
            while self.now < end {
                self.step(origin, 2);
            }
        }
    }

    #[test]
    fn one_bad_path_never_opens_it() {
        for seed in 0..50 {
            let mut world = World::new(seed);
            for _ in 0..6000 {
                world.step(Origin::OneBadPath, 2);
                assert_eq!(world.breaker.phase(), Phase::Closed, "seed {seed}");
            }
        }
    }

    #[test]
    fn bad_paths_do_not_open_it_while_the_probe_answers() {
        for seed in 0..50 {
            let mut world = World::new(seed);
            for _ in 0..6000 {
                world.step(Origin::OnlyProbeAnswers, 2);
                assert_ne!(world.breaker.phase(), Phase::Open, "seed {seed}");
            }
        }
    }

    #[test]
    fn a_black_hole_opens_it_within_a_timeout_and_a_probe() {
        for seed in 0..50 {
            let mut world = World::new(seed);
            world.run(Origin::Up, Duration::from_secs(20));
            let took = world.until(Origin::BlackHole, |b| b.phase() == Phase::Open);
            assert!(
                took <= FIRST_BYTE + Duration::from_millis(1200),
                "seed {seed}: {took:?}"
            );
        }
    }

    #[test]
    fn recovery_closes_by_itself_and_gradually() {
        for seed in 0..50 {
            let mut world = World::new(seed);
            world.until(Origin::BlackHole, |b| b.phase() == Phase::Open);
            world.run(Origin::BlackHole, Duration::from_secs(60));
            let mut seen = Vec::new();
            let start = world.now;
            while world.breaker.phase() != Phase::Closed {
                if seen.last() != Some(&world.breaker.phase()) {
                    seen.push(world.breaker.phase());
                }
                world.step(Origin::Up, 2);
                assert!(world.now - start < Duration::from_secs(20), "seed {seed}");
            }
            let shares: Vec<Phase> = SHARES.iter().copied().map(Phase::Closing).collect();
            assert_eq!(seen, [vec![Phase::Open], shares].concat(), "seed {seed}");
        }
    }

    #[test]
    fn dying_again_while_closing_opens_it_again() {
        for seed in 0..50 {
            let mut world = World::new(seed);
            world.until(Origin::BlackHole, |b| b.phase() == Phase::Open);
            world.until(Origin::Up, |b| matches!(b.phase(), Phase::Closing(_)));
            let took = world.until(Origin::BlackHole, |b| b.phase() == Phase::Open);
            assert!(took <= Duration::from_secs(3), "seed {seed}: {took:?}");
        }
    }

    #[test]
    fn waits_between_probes_grow_to_their_limit_and_differ() {
        let mut waits = Vec::new();
        let mut breaker = Breaker::new(7);
        let mut now = Duration::ZERO;
        breaker.state = breaker.open(now);
        for _ in 0..12 {
            let at = breaker.wakes_at().unwrap();
            waits.push(at - now);
            now = at;
            assert_eq!(breaker.wake(now), Action::Probe);
            breaker.probed(now, false);
        }
        assert!(waits[0] >= BACKOFF_FIRST.mul_f64(0.8) && waits[0] <= BACKOFF_FIRST.mul_f64(1.2));
        assert!(waits[11] >= BACKOFF_MAX.mul_f64(0.8) && waits[11] <= BACKOFF_MAX.mul_f64(1.2));
        assert_ne!(waits[10], waits[11]);
    }

    #[test]
    fn failures_older_than_the_window_count_no_more() {
        let mut breaker = Breaker::new(1);
        for path in 0..4 {
            assert_eq!(
                breaker.observe(Duration::ZERO, path, Outcome::Gone),
                Action::Wait
            );
        }
        let later = WINDOW + TICK;
        assert_eq!(breaker.observe(later, 9, Outcome::Gone), Action::Wait);
        assert_eq!(breaker.phase(), Phase::Closed);
    }
}
