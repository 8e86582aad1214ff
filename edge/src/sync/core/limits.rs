//! The core's bounds, each reached.

use super::simulation::offer;
use super::*;
use crate::copy::Kind;
use crate::sync::work::FETCHES;

const NOW: Duration = Duration::ZERO;

fn want(n: usize) -> Want {
    Want {
        digest: Digest::of(&n.to_le_bytes()),
        kind: Kind::Blob(1),
    }
}

/// A core that plans its first release, from the only mirror.
fn planning() -> (Core, Job) {
    let mut core = Core::new(vec!["mirror".to_owned()], Duration::from_secs(1), None, 0);
    core.handle(NOW, Event::Tick);
    let offered = Event::Polled(0, Polled::Offers(offer(1, 0, 1)));
    match core.handle(NOW, offered).as_slice() {
        [Action::Plan(job, _)] => (core, *job),
        other => panic!("expected a plan: {other:?}"),
    }
}

#[test]
fn a_release_that_always_lacks_something_ends() {
    let (mut core, job) = planning();
    for _ in 0..ROUNDS {
        let actions = core.handle(NOW, Event::Planned(job, Ok(vec![want(0)])));
        assert!(
            matches!(actions.as_slice(), [Action::Fetch(..)]),
            "{actions:?}"
        );
        let arrived = Event::Fetched(job, 0, want(0).digest, Ok(()));
        let actions = core.handle(NOW, arrived);
        assert!(
            matches!(actions.as_slice(), [Action::Plan(..)]),
            "{actions:?}"
        );
    }
    let actions = core.handle(NOW, Event::Planned(job, Ok(vec![want(0)])));
    let [Action::Refuse(refused, refusal)] = actions.as_slice() else {
        panic!("expected a refusal: {actions:?}");
    };
    assert_eq!(refused.release().sequence, Sequence(1));
    let expected = format!(
        "object: blob {}: still lacking after it was fetched",
        want(0).digest
    );
    assert_eq!(refusal.to_string(), expected);
}

#[test]
fn only_so_many_objects_are_fetched_at_once() {
    let (mut core, job) = planning();
    let wants: Vec<Want> = (0..=FETCHES).map(want).collect();
    let actions = core.handle(NOW, Event::Planned(job, Ok(wants)));
    assert_eq!(actions.len(), FETCHES);
    let Some(Action::Fetch(_, source, first)) = actions.first() else {
        panic!("expected fetches: {actions:?}");
    };
    let arrived = Event::Fetched(job, *source, first.digest, Ok(()));
    let actions = core.handle(NOW, arrived);
    assert!(
        matches!(actions.as_slice(), [Action::Fetch(..)]),
        "{actions:?}"
    );
}
