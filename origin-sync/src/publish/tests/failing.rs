//! Mirrors that fail while others go on.

use std::time::Duration;

use edge::sync::mirror::Patience;

use super::meddled::{Meddled, Mute};
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_never_answers_holds_nobody_up() {
    let mut bench = Bench::new(3);
    bench.publish().await.unwrap();
    let patience = Patience {
        small: Duration::from_millis(100),
        ..Patience::default()
    };
    let silent = bench.mirror(1).with_store(Arc::new(Meddled(Mute)));
    bench.mirrors[1] = silent.with_patience(patience);
    bench.rows("a,2\nb,2\n");
    let report = bench.publish().await.unwrap();
    assert_eq!(
        (report.exit, report.sequence),
        (Exit::MirrorsMissed, Sequence(2))
    );
    let missed = report.mirrors[1].missed.as_deref().unwrap();
    assert!(missed.contains("no answer within"), "{missed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_dies_is_not_tried_for_every_object() {
    let mut bench = Bench::new(3);
    bench.publish().await.unwrap();
    for n in 0..200 {
        let page = format!("{n}").repeat(2000);
        fs::write(bench.path(&format!("public/{n}.txt")), page).unwrap();
    }
    let dying = Arc::new(Dying::after(20));
    bench.mirrors[1] = bench.mirror(1).with_store(Arc::clone(&dying) as _);
    let report = bench.publish().await.unwrap();
    assert_eq!(report.exit, Exit::MirrorsMissed);
    assert!((1..20).contains(&dying.0.tried()), "{}", dying.0.tried());
    for n in [0, 2] {
        let alone = bench.inspector_of(n..n + 1);
        assert!(alone.verify(None, Depth::Deep).await.unwrap().is_whole());
    }
}
