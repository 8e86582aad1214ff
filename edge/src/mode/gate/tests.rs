//! One gate beside an origin that answers or does not, in no time: thresholds are a few milliseconds.

use std::sync::atomic::AtomicBool;

use futures::FutureExt as _;
use snapshot::Timestamp;
use snapshot::order::Mode;
use tokio::sync::broadcast::error::TryRecvError;

use super::super::breaker::SHARES;
use super::super::effective::Reason;
use super::*;

const NOW: Timestamp = Timestamp::from_secs(7_000);

/// As by default, and in no time.
const QUICK: Thresholds = Thresholds {
    volume: 5,
    failures: 5,
    share: 50,
    paths: 3,
    window_ms: 10_000,
    probe_first_ms: 2,
    probe_most_ms: 20,
    step_ms: 20,
    changes: 8,
};

fn herald() -> Arc<Herald> {
    Herald::new(Arc::new(|| NOW))
}

fn beginning() -> Beginning {
    Beginning {
        service: Some("pay".parse().unwrap()),
        thresholds: QUICK,
        ordered: Ordered::default(),
        memory: None,
    }
}

/// An origin that answers or does not.
#[derive(Clone, Default)]
struct Origin(Arc<AtomicBool>);

impl Origin {
    fn is(&self, answers: bool) {
        self.0.store(answers, Ordering::Relaxed);
    }

    fn gate(&self, herald: &Arc<Herald>, beginning: Beginning) -> Gate {
        let answers = Arc::clone(&self.0);
        Gate::new(herald, beginning, move || {
            let answers = Arc::clone(&answers);
            async move { answers.load(Ordering::Relaxed) }
        })
    }
}

fn forced(mode: Mode) -> Ordered {
    Ordered {
        service: mode,
        ..Ordered::default()
    }
}

fn fail(gate: &Gate) {
    for path in 0..QUICK.failures {
        gate.observe(&format!("/{path}"), Outcome::Gone, Some("connect"));
    }
}

async fn until(gate: &Gate, state: &str, reason: &str) -> ServiceMode {
    let mut mode = gate.watch();
    let reached = mode.wait_for(|mode| {
        let effective = mode.effective;
        effective.as_str() == state && effective.reason().as_str() == reason
    });
    *reached.await.unwrap()
}

#[tokio::test]
async fn it_opens_tells_why_and_closes_by_itself() {
    let (origin, herald) = (Origin::default(), herald());
    let mut events = herald.events();
    let gate = origin.gate(&herald, beginning());
    assert_eq!(gate.admit_read(), Admission::Origin);
    fail(&gate);
    gate.degraded().await;
    let mode = gate.mode();
    assert_eq!(mode.effective.reason().as_str(), "connect");
    assert_eq!(mode.since, Some(NOW));
    assert_eq!(gate.admit_read(), Admission::Snapshot);
    assert_eq!(gate.admit_write(), Admission::Snapshot);

    origin.is(true);
    until(&gate, "probing", "recovering").await;
    assert_eq!(gate.admit_write(), Admission::Origin);
    let admitted = (0..100).filter(|_| gate.admit_read() == Admission::Origin);
    assert_eq!(admitted.count(), usize::from(SHARES[0]));
    until(&gate, "normal", "calm").await;

    let gone = Effective::Degraded(Reason::OriginGone("connect"));
    let calm = Effective::Normal(Reason::Calm);
    for (expected_old, expected_new) in [
        (Effective::Normal(Reason::Suspecting), gone),
        (gone, Effective::Probing(SHARES[0])),
        (Effective::Probing(SHARES[2]), calm),
    ] {
        let told = events.recv().await.unwrap();
        let expected = Event::Changed {
            service: Some("pay".parse().unwrap()),
            old: expected_old,
            new: expected_new,
            at: NOW,
        };
        assert_eq!(told, expected);
    }
    assert_eq!(events.try_recv(), Err(TryRecvError::Empty));
}

#[tokio::test]
async fn orders_win_over_the_breaker_and_give_back_to_it() {
    let (origin, herald) = (Origin::default(), herald());
    let gate = origin.gate(&herald, beginning());
    gate.order(forced(Mode::Degraded));
    assert!(gate.mode().effective.is_degraded());
    // Nothing is asked of it, and yet it is known to be gone.
    until(&gate, "degraded", "service-order").await;
    while !gate.has_lost_origin() {
        tokio::task::yield_now().await;
    }
    gate.order(Ordered::default());
    assert_eq!(gate.mode().effective.reason().as_str(), "probe");
    // Back again meanwhile: the order ends, and nobody waits for the breaker.
    gate.order(forced(Mode::Degraded));
    origin.is(true);
    while gate.has_lost_origin() {
        tokio::task::yield_now().await;
    }
    gate.order(Ordered::default());
    assert_ne!(gate.admit_write(), Admission::Snapshot);
}

#[tokio::test]
async fn normal_waits_for_a_probe_that_answers_unless_it_insists() {
    let (origin, herald) = (Origin::default(), herald());
    let gate = origin.gate(&herald, beginning());
    fail(&gate);
    gate.degraded().await;
    gate.order(forced(Mode::Normal));
    let mode = gate.mode().effective;
    assert_eq!(mode, Effective::Degraded(Reason::NotSeenHealthy));
    gate.order(Ordered {
        insists: true,
        ..forced(Mode::Normal)
    });
    assert_eq!(gate.admit_read(), Admission::Origin);
    gate.order(forced(Mode::Normal));
    assert_eq!(gate.admit_read(), Admission::Snapshot);
    origin.is(true);
    until(&gate, "normal", "service-order").await;

    // An edge that never asked does not know either, and finds out at once.
    origin.is(false);
    let asleep = origin.gate(
        &herald,
        Beginning {
            ordered: forced(Mode::Normal),
            ..beginning()
        },
    );
    let mode = asleep.mode().effective;
    assert_eq!(mode, Effective::Degraded(Reason::NotSeenHealthy));
    origin.is(true);
    until(&asleep, "normal", "service-order").await;
}

#[tokio::test]
async fn a_restart_in_mid_outage_starts_from_the_snapshot_and_asks() {
    let (origin, herald) = (Origin::default(), herald());
    let gate = origin.gate(&herald, beginning());
    fail(&gate);
    gate.degraded().await;
    let memory = Some(gate.memory());
    drop(gate);
    let remembering = || Beginning {
        memory: memory.clone(),
        ..beginning()
    };
    let again = origin.gate(&herald, remembering());
    let mode = again.mode();
    assert_eq!(mode.effective.as_str(), "degraded");
    assert_eq!(mode.effective.reason().as_str(), "connect");
    assert_eq!(mode.since, Some(NOW));
    assert_eq!(again.admit_read(), Admission::Snapshot);
    origin.is(true);
    until(&again, "normal", "calm").await;
    // Whoever insists need not wait for that.
    origin.is(false);
    let ordered = Ordered {
        insists: true,
        ..forced(Mode::Normal)
    };
    let forced = origin.gate(
        &herald,
        Beginning {
            ordered,
            ..remembering()
        },
    );
    assert_eq!(forced.admit_read(), Admission::Origin);
    assert_eq!(forced.mode().since, Some(NOW));
}

#[tokio::test]
async fn what_is_to_be_remembered_is_told_and_calm_is_not() {
    let (origin, herald) = (Origin::default(), herald());
    origin.is(true);
    let gate = origin.gate(&herald, beginning());
    gate.observe("/", Outcome::Answered, None);
    // That it was seen well.
    herald.remember.notified().await;
    for path in 0..1000 {
        gate.observe(&format!("/{path}"), Outcome::Answered, None);
    }
    assert_eq!(herald.remember.notified().now_or_never(), None);
    origin.is(false);
    fail(&gate);
    gate.degraded().await;
    herald.remember.notified().await;
    assert!(gate.memory().open);
    herald.lost.notified().await;
}

#[tokio::test]
async fn a_release_changes_the_thresholds_of_a_breaker_at_work() {
    let (origin, herald) = (Origin::default(), herald());
    let gate = origin.gate(&herald, beginning());
    fail(&gate);
    gate.degraded().await;
    gate.obey(Thresholds {
        failures: 1,
        volume: 1,
        paths: 1,
        ..QUICK
    });
    assert_eq!(gate.mode().effective.as_str(), "degraded");
    origin.is(true);
    until(&gate, "normal", "calm").await;
    origin.is(false);
    // It takes a while until suspicion is raised again.
    while !gate.mode().effective.is_degraded() {
        gate.observe("/", Outcome::Gone, Some("reset"));
        tokio::task::yield_now().await;
    }
    assert_eq!(gate.mode().effective.reason().as_str(), "reset");
}

#[tokio::test]
async fn without_an_origin_the_snapshot_answers() {
    let gate = Gate::without_origin(&herald(), beginning());
    fail(&gate);
    assert_eq!(gate.admit_read(), Admission::Snapshot);
    assert_eq!(gate.mode().since, None);
}
