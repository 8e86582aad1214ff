//! What a publish stands on: the last release, from wherever it can be had, or not at all.

use super::*;
use crate::build::Wish;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_without_regard_to_a_release_that_cannot_be_had() {
    let bench = Bench::new(1);
    bench.publish().await.unwrap();
    // A segment is lost, here and on the only mirror.
    let publisher = bench.publisher_in(".new");
    let release = bench.inspector().release(None).await.unwrap();
    let manifest = bench.inspector().manifest(&release).await.unwrap();
    let id = manifest.collections[0].segments[0].id.to_string();
    let lost = files(&bench.path("mirror-0/dasom/objects"));
    let lost = lost.into_iter().find(|path| path.ends_with(&id)).unwrap();
    fs::remove_file(&lost).unwrap();
    bench.rows("a,9\n");
    let publish = async |amended| {
        let wishes = Wishes {
            amended,
            accept_shrink: true,
            ..Wishes::default()
        };
        publisher.publish(wishes, ticking, &Silent).await
    };
    for amended in [None, Some(Wish::Keep)] {
        let refused = publish(amended).await.unwrap_err();
        assert_eq!(refused.exit(), Exit::BadData, "{refused}");
        assert!(refused.to_string().contains(&id), "{refused}");
        assert!(refused.hint().unwrap().contains("--take-source"));
    }
    let made = publish(Some(Wish::Take)).await.unwrap();
    assert_eq!((made.exit, made.sequence), (Exit::Done, Sequence(2)));
    let told = made.warnings.iter();
    let told = told.filter(|line| line.contains("without regard to the last release"));
    assert_eq!(told.count(), 1, "{:?}", made.warnings);
    bench.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_machine_fetches_what_canaries_are_answered_from() {
    let bench = Bench::new(2);
    let page = "<p>안녕하세요</p>".repeat(1000);
    fs::write(bench.path("public/index.html"), page).unwrap();
    bench.publish().await.unwrap();
    let changes = |rows: &str| {
        fs::write(bench.path("changes.ndjson"), rows).unwrap();
        Wishes {
            changes: [("rows".parse().unwrap(), bench.path("changes.ndjson"))].into(),
            ..Wishes::default()
        }
    };
    // And a mirror that has nothing gets everything.
    fs::remove_dir_all(bench.path("mirror-1/dasom")).unwrap();
    let other = bench.publisher_in(".new");
    let wishes = changes("{\"put\":{\"id\":\"c\",\"v\":\"3\"}}\n");
    let report = other.publish(wishes, ticking, &Silent).await.unwrap();
    assert_eq!((report.exit, report.sequence), (Exit::Done, Sequence(2)));
    for n in 0..2 {
        let alone = bench.inspector_of(n..n + 1);
        let verdict = alone.verify(None, Depth::Deep).await.unwrap();
        assert!(verdict.is_whole(), "mirror {n}: {verdict:?}");
    }
}
