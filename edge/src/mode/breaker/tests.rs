//! The breaker in a seeded world of clients, paths and an origin that comes and goes.

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
