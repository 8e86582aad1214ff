//! The core's bounds, each reached.

use super::simulation::offer;
use super::*;
use crate::copy::Kind;
use crate::sync::work::{FETCHES, Fault, Unbrought};

const NOW: Duration = Duration::ZERO;

fn want(n: usize) -> Want {
    Want {
        digest: Digest::of(&n.to_le_bytes()),
        kind: Kind::Blob(1),
    }
}

fn objects(objects: Vec<Want>) -> Lacking {
    Lacking {
        objects,
        ..Lacking::default()
    }
}

/// A core that plans its first release, from the only mirror.
fn planning() -> (Core, Job) {
    let mut core = Core::new(vec!["mirror".to_owned()], Duration::from_secs(1), None, 0);
    core.handle(NOW, Event::Tick);
    let offered = Event::Polled(0, Polled::Offers(offer(1, 0, 1)));
    match core.handle(NOW, offered).as_slice() {
        [Action::Plan(job, ..)] => (core, *job),
        other => panic!("expected a plan: {other:?}"),
    }
}

#[test]
fn a_release_that_always_lacks_something_ends() {
    let (mut core, job) = planning();
    for _ in 0..ROUNDS {
        let actions = core.handle(NOW, Event::Planned(job, Ok(objects(vec![want(0)]))));
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
    let actions = core.handle(NOW, Event::Planned(job, Ok(objects(vec![want(0)]))));
    let [Action::Refuse(refused, refusal)] = actions.as_slice() else {
        panic!("expected a refusal: {actions:?}");
    };
    assert_eq!(refused.release().sequence, Sequence(1));
    let expected = format!(
        "object: blob {}: still lacking after it was brought",
        want(0).digest
    );
    assert_eq!(refusal.to_string(), expected);
}

#[test]
fn only_so_many_objects_are_fetched_at_once() {
    let (mut core, job) = planning();
    let wants: Vec<Want> = (0..=FETCHES).map(want).collect();
    let actions = core.handle(NOW, Event::Planned(job, Ok(objects(wants))));
    assert_eq!(actions.len(), FETCHES);
    let Some(Action::Fetch(_, first)) = actions.first() else {
        panic!("expected fetches: {actions:?}");
    };
    let arrived = Event::Fetched(job, first.source, first.want.digest, Ok(()));
    let actions = core.handle(NOW, arrived);
    assert!(
        matches!(actions.as_slice(), [Action::Fetch(..)]),
        "{actions:?}"
    );
}

/// A release of one component, a merged segment, and one that is merged from what has to be fetched.
#[test]
fn what_cannot_be_merged_is_fetched_and_what_can_is_not() {
    let (mut core, job) = planning();
    let lacking = Lacking {
        objects: vec![want(0)],
        inputs: vec![want(1)],
        merges: vec![want(2)],
    };
    let actions = core.handle(NOW, Event::Planned(job, Ok(lacking)));
    assert_eq!(actions.len(), 2, "merging waits: {actions:?}");
    core.handle(NOW, Event::Fetched(job, 0, want(0).digest, Ok(())));
    let nobody = Unbrought {
        fault: Fault::Absent,
        reason: "not there".to_owned(),
    };
    let failed = || Err(nobody.clone());
    let barred = |actions: &[Action]| match actions {
        [Action::Plan(_, _, barred)] => barred.clone(),
        other => panic!("expected a plan: {other:?}"),
    };
    let actions = core.handle(NOW, Event::Fetched(job, 0, want(1).digest, failed()));
    assert_eq!(barred(&actions), BTreeSet::from([want(1).digest]));
    let lacking = Lacking {
        merges: vec![want(2), want(3)],
        ..Lacking::default()
    };
    let actions = core.handle(NOW, Event::Planned(job, Ok(lacking)));
    assert!(matches!(actions.as_slice(), [Action::Merge(_, w)] if *w == want(2)));
    let actions = core.handle(NOW, Event::Merged(job, want(2).digest, failed()));
    assert!(matches!(actions.as_slice(), [Action::Merge(_, w)] if *w == want(3)));
    let actions = core.handle(NOW, Event::Merged(job, want(3).digest, Ok(())));
    let expected = BTreeSet::from([want(1).digest, want(2).digest]);
    assert_eq!(barred(&actions), expected);
}

#[test]
fn a_disk_that_takes_no_merge_keeps_the_release_back() {
    let (mut core, job) = planning();
    let lacking = Lacking {
        merges: vec![want(2)],
        ..Lacking::default()
    };
    core.handle(NOW, Event::Planned(job, Ok(lacking)));
    let full = Unbrought {
        fault: Fault::Disk,
        reason: "No space left on device".to_owned(),
    };
    let actions = core.handle(NOW, Event::Merged(job, want(2).digest, Err(full)));
    let [Action::Refuse(_, refusal)] = actions.as_slice() else {
        panic!("expected a refusal: {actions:?}");
    };
    assert_eq!(refusal.check, Check::Disk);
}
