//! The breaker in a seeded world of clients, paths and an origin that comes and goes.

use super::*;

const FIRST_BYTE: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(10);

fn breaker(seed: u64) -> Breaker {
    Breaker::new(Thresholds::default(), seed)
}

/// A seeded world: clients ask random paths of an origin that is up, refuses or swallows.
struct World {
    now: Duration,
    breaker: Breaker,
    random: Breaker,
    probe_ends: Option<(Duration, bool)>,
    waiting: Vec<(Duration, u64)>,
    turn: u32,
    /// When the mode changed.
    changes: Vec<Duration>,
    /// Ticks for which the breaker was held.
    held: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Origin {
    Up,
    BlackHole,
    Refuses,
    /// Everything answers but this share of one path.
    OneBadPath,
    /// Every path fails with 503, the probe path answers.
    OnlyProbeAnswers,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            now: Duration::ZERO,
            breaker: breaker(seed),
            random: breaker(seed ^ 0xabcd),
            probe_ends: None,
            waiting: Vec::new(),
            turn: 0,
            changes: Vec::new(),
            held: 0,
        }
    }

    fn act(&mut self, action: Action, origin: Origin) {
        if action == Action::Probe {
            assert!(self.probe_ends.is_none(), "two probes at once");
            let (takes, ok) = match origin {
                Origin::BlackHole => (Duration::from_secs(1), false),
                Origin::Refuses => (TICK, false),
                _ => (TICK, true),
            };
            self.probe_ends = Some((self.now + takes, ok));
        }
    }

    fn step(&mut self, origin: Origin, requests: u32) {
        self.now += TICK;
        let before = mode(self.breaker.phase());
        self.live(origin, requests);
        if mode(self.breaker.phase()) != before {
            self.changes.push(self.now);
        }
        self.held += u32::from(self.breaker.phase() == Phase::Held);
    }

    fn live(&mut self, origin: Origin, requests: u32) {
        if let Some((at, ok)) = self.probe_ends
            && at <= self.now
        {
            self.probe_ends = None;
            let action = self.breaker.probed(self.now, ok);
            self.act(action, origin);
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
                Phase::Open | Phase::Held => 0,
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
                Origin::OnlyProbeAnswers | Origin::Refuses => (path, Outcome::Gone),
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

/// What is seen of a phase from outside: the mode.
fn mode(phase: Phase) -> &'static str {
    match phase {
        Phase::Closed | Phase::Suspecting => "normal",
        Phase::Open | Phase::Held => "degraded",
        Phase::Closing(_) => "probing",
    }
}

#[test]
fn an_origin_that_was_never_seen_is_asked_at_once_and_no_reader_finds_out() {
    for (origin, phase) in [(Origin::Up, Phase::Closed), (Origin::Refuses, Phase::Open)] {
        let mut world = World::new(3);
        assert_eq!(world.breaker.wakes_at(), Some(Duration::ZERO));
        for _ in 0..10 {
            world.step(origin, 0);
        }
        assert_eq!(world.breaker.phase(), phase);
    }
    // Who remembers an answer waits for readers.
    let memory = Memory {
        answered: true,
        ..Memory::default()
    };
    let so = Thresholds::default();
    let remembers = Breaker::remembering(so, 3, Duration::ZERO, &memory);
    assert_eq!(remembers.wakes_at(), None);
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
    let thresholds = Thresholds::default();
    let (first, most) = (ms(thresholds.probe_first_ms), ms(thresholds.probe_most_ms));
    let mut waits = Vec::new();
    let mut breaker = breaker(7);
    let mut now = Duration::ZERO;
    breaker.state = breaker.open(now);
    for _ in 0..12 {
        let at = breaker.wakes_at().unwrap();
        waits.push(at - now);
        now = at;
        assert_eq!(breaker.wake(now), Action::Probe);
        assert_eq!(breaker.probed(now, false), Action::Wait);
    }
    assert!(waits[0] >= first.mul_f64(0.8) && waits[0] <= first.mul_f64(1.2));
    assert!(waits[11] >= most.mul_f64(0.8) && waits[11] <= most.mul_f64(1.2));
    assert_ne!(waits[10], waits[11]);
    // Nothing is written down for ever while the origin is gone.
    assert_eq!(breaker.memory(now).failed_probes, 4);
}

#[test]
fn failures_older_than_the_window_count_no_more() {
    let mut breaker = breaker(1);
    for path in 0..4 {
        assert_eq!(
            breaker.observe(Duration::ZERO, path, Outcome::Gone),
            Action::Wait
        );
    }
    let later = ms(breaker.thresholds.window_ms) + TICK;
    assert_eq!(breaker.observe(later, 9, Outcome::Gone), Action::Wait);
    assert_eq!(breaker.phase(), Phase::Closed);
}

#[test]
fn each_threshold_is_asked_for() {
    // Outcomes in this order: `.` answered, a letter failed on the path of that name.
    let suspects = |change: fn(&mut Thresholds), outcomes: &str| {
        let mut thresholds = Thresholds::default();
        change(&mut thresholds);
        let mut breaker = Breaker::new(thresholds, 1);
        let observed = outcomes.bytes().map(|outcome| match outcome {
            b'.' => breaker.observe(TICK, 0, Outcome::Answered),
            path => breaker.observe(TICK, path.into(), Outcome::Gone),
        });
        observed.filter(|action| *action == Action::Probe).count() == 1
    };
    assert!(suspects(|_| {}, "abcde"));
    assert!(!suspects(|_| {}, "abcd"));
    assert!(!suspects(|_| {}, "ababababab"));
    assert!(suspects(|t| t.paths = 2, "ababababab"));
    assert!(suspects(|t| t.failures = 4, "abcd.e"));
    assert!(!suspects(|t| t.volume = 6, "abcde"));
    assert!(suspects(|t| t.volume = 6, "abcdef"));
    assert!(suspects(|_| {}, "a.b.c.d.e"));
    assert!(!suspects(|t| t.share = 60, "a.b.c.d.e"));
    assert!(suspects(|t| t.share = 60, "a.b.c.d.efg"));
}

/// An origin that is up and down for random whiles.
fn flap(world: &mut World, time: Duration) {
    let end = world.now + time;
    while world.now < end {
        let up = ms(100 + world.random.draw() % 9_000);
        world.run(Origin::Up, up);
        let down = ms(100 + world.random.draw() % 4_000);
        world.run(Origin::Refuses, down);
    }
}

#[test]
fn a_flapping_origin_does_not_take_the_mode_along_and_calm_ends_it() {
    let mut held = 0;
    for seed in 0..50 {
        let mut world = World::new(seed);
        let most = 4 + (seed % 5) as usize;
        world.breaker.obey(Thresholds {
            changes: most as u32,
            ..Thresholds::default()
        });
        flap(&mut world, Duration::from_secs(600));
        for (at, change) in world.changes.iter().enumerate() {
            let within = world.changes[at..].iter();
            let within = within.take_while(|later| **later < *change + MINUTE);
            assert!(within.count() <= most, "seed {seed}: {:?}", world.changes);
        }
        held += world.held;
        let took = world.until(Origin::Up, |b| b.phase() == Phase::Closed);
        assert!(took <= Duration::from_secs(80), "seed {seed}: {took:?}");
    }
    assert!(held > 1000, "{held}");
}

#[test]
fn it_opens_even_when_it_may_not_change_again() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        for _ in 0..5 {
            world.until(Origin::Refuses, |b| mode(b.phase()) == "degraded");
            world.until(Origin::Up, |b| b.phase() == Phase::Closed);
        }
        let took = world.until(Origin::Refuses, |b| b.phase() == Phase::Open);
        assert!(took <= QUIET + Duration::from_secs(1), "{took:?}");
    }
}

#[test]
fn an_order_that_keeps_requests_away_leaves_probes() {
    let mut world = World::new(3);
    world.run(Origin::Up, Duration::from_secs(1));
    let most = ms(world.breaker.thresholds.probe_most_ms).mul_f64(1.2);
    world.breaker.watch(world.now, true);
    let start = world.now;
    while world.breaker.phase() != Phase::Open {
        world.step(Origin::BlackHole, 0);
        assert!(world.now - start < most + Duration::from_secs(3));
    }
    assert!(!world.breaker.is_well());
    while world.breaker.phase() != Phase::Closed {
        world.step(Origin::Up, 0);
    }
    assert!(world.breaker.is_well());
    // And none once requests are back.
    world.breaker.watch(world.now, false);
    assert_eq!(world.breaker.wakes_at(), None);
}

#[test]
fn what_it_remembers_it_goes_on_with() {
    for seed in 0..50 {
        let mut world = World::new(seed);
        world.until(Origin::BlackHole, |b| b.phase() == Phase::Open);
        world.run(Origin::BlackHole, Duration::from_secs(30));
        let memory = world.breaker.memory(world.now);
        assert_eq!(memory.failed_probes, 4);
        let now = Duration::from_secs(5);
        let thresholds = Thresholds::default();
        let mut again = Breaker::remembering(thresholds, seed, now, &memory);
        assert_eq!(again.phase(), Phase::Open);
        assert!(again.wakes_at().unwrap() <= now + ms(thresholds.probe_first_ms));
        assert_eq!(again.memory(now), memory);
        // Still gone: the back-off is where it was.
        let at = again.wakes_at().unwrap();
        assert_eq!(again.wake(at), Action::Probe);
        assert_eq!(again.probed(at, false), Action::Wait);
        let most = ms(thresholds.probe_most_ms);
        assert!(again.wakes_at().unwrap() >= at + most.mul_f64(0.8));
        // Back: closing, whatever nonsense was written down.
        let nonsense = Memory {
            failed_probes: u32::MAX,
            changes: vec![Duration::MAX; 1000],
            ..memory
        };
        let again = Breaker::remembering(thresholds, seed, now, &nonsense);
        let (now, memory) = (world.now, again.memory(now));
        world.breaker = Breaker::remembering(thresholds, seed, now, &memory);
        world.probe_ends = None;
        let took = world.until(Origin::Up, |b| b.phase() == Phase::Closed);
        assert!(took <= Duration::from_secs(80), "seed {seed}: {took:?}");
    }
}
