//! Whole publishes into folders: what is written, what is refused, and that being killed at any
//! write leaves the last release standing and the next run finishing.

mod base;
mod dumps;
mod failing;
pub(crate) mod meddled;
mod rivals;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use edge::sync::Mirror;
use fs_err as fs;
use snapshot::Sequence;

use self::meddled::Dying;
use super::*;
use crate::exit::Exit;
use crate::init::{Init, init};
use crate::inspect::{Depth, Inspector};

const ROWS: &str = "\n[collection.rows]\nsource = { csv = \"rows.csv\", key = \"id\" }\n";

pub(crate) struct Bench {
    dir: tempfile::TempDir,
    mirrors: Vec<Mirror>,
}

impl Bench {
    pub(crate) fn new(mirrors: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        init(&Init {
            dir: dir.path().to_owned(),
            site: Some("dasom".parse().unwrap()),
            pages: None,
        })
        .unwrap();
        let mut bench = Self {
            dir,
            mirrors: Vec::new(),
        };
        let site = fs::read_to_string(bench.path("site.toml")).unwrap();
        fs::write(
            bench.path("site.toml"),
            site.replace("\n[publish]", &format!("{ROWS}\n[publish]")),
        )
        .unwrap();
        bench.rows("a,1\nb,2\n");
        for n in 0..mirrors {
            let folder = bench.path(&format!("mirror-{n}"));
            fs::create_dir(&folder).unwrap();
            bench.mirrors.push(bench.mirror(n));
        }
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn rows(&self, rows: &str) {
        fs::write(self.path("rows.csv"), format!("id,v\n{rows}")).unwrap();
    }

    pub(crate) fn mirror(&self, n: usize) -> Mirror {
        let folder = self.path(&format!("mirror-{n}"));
        let url = edge::sync::mirror::parse_url(folder.to_str().unwrap(), &folder).unwrap();
        Mirror::open(&url).unwrap()
    }

    fn publisher(&self) -> Publisher {
        self.publisher_in(".holdfast")
    }

    /// A publisher with an own copy of that name.
    pub(crate) fn publisher_in(&self, cache: &str) -> Publisher {
        let mut site = Site::load(&self.path("site.toml")).unwrap();
        site.publish.cache = self.path(cache);
        let signer = load_key(site.publish.key.clone()).unwrap();
        let trust = trust(site.publish.trust.as_deref(), &*signer, &site.site).unwrap();
        Publisher {
            mirrors: Mirrors::of(site.site.clone(), self.mirrors.clone()),
            signer,
            trust,
            store: Arc::new(Store::open(&site.publish.cache).unwrap()),
            limits: SourceLimits::default(),
            site,
        }
    }

    async fn publish(&self) -> Result<Report, PublishError> {
        let publisher = self.publisher();
        publisher.publish(Wishes::default(), ticking, &Silent).await
    }

    pub(crate) fn inspector(&self) -> Inspector {
        self.inspector_of(0..self.mirrors.len())
    }

    /// What sees these mirrors alone.
    fn inspector_of(&self, mirrors: std::ops::Range<usize>) -> Inspector {
        let site = "dasom".parse().unwrap();
        let all = mirrors.map(|n| self.mirror(n)).collect();
        let trust = read_trust(&self.path("trust")).unwrap();
        Inspector::new(Mirrors::of(site, all), trust, wall_clock()).unwrap()
    }

    async fn value(&self, key: &str) -> String {
        let value = self.inspector().value("rows", Some(key), None, None).await;
        String::from_utf8(value.unwrap()).unwrap()
    }

    async fn assert_whole(&self) {
        let verdict = self.inspector().verify(None, Depth::Deep).await.unwrap();
        assert!(verdict.is_whole(), "{verdict:?}");
    }

    fn objects(&self, n: usize) -> usize {
        files(&self.path(&format!("mirror-{n}/dasom/objects"))).len()
    }
}

pub(crate) fn files(dir: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// A clock that is later each time it is asked.
fn ticking() -> Timestamp {
    static TICKS: AtomicU64 = AtomicU64::new(0);
    wall_clock().plus(std::time::Duration::from_millis(
        TICKS.fetch_add(1, Ordering::Relaxed),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_release_then_nothing_new_then_only_the_change() {
    let bench = Bench::new(1);
    let first = bench.publish().await.unwrap();
    assert_eq!((first.exit, first.sequence), (Exit::Done, Sequence(1)));
    let coverage = first.coverage.as_ref().unwrap();
    assert_eq!(coverage.totals(), (2, 0, 2), "/ and /index.html");
    bench.assert_whole().await;
    let objects = bench.objects(0);

    let same = bench.publish().await.unwrap();
    assert_eq!((same.exit, same.sequence), (Exit::NothingNew, Sequence(1)));
    assert!(same.as_of > first.as_of, "its time was renewed");
    assert_eq!(same.objects, 0);
    assert_eq!(bench.objects(0), objects);
    assert!(same.text().starts_with("nothing new: release 1 stands"));

    bench.rows("a,1\nb,3\n");
    let second = bench.publish().await.unwrap();
    assert_eq!((second.exit, second.sequence), (Exit::Done, Sequence(2)));
    assert_eq!(second.objects, 2, "a segment and a manifest");
    assert_eq!(bench.objects(0), objects + 2);
    assert!(bench.value("b").await.contains("\"v\":\"3\""));
    bench.assert_whole().await;
    let (releases, wrong) = bench.inspector().releases(usize::MAX).await.unwrap();
    assert_eq!(releases.len(), 2, "{wrong:?}");
    assert_eq!(
        (releases[0].sequence, releases[0].pointers),
        (Sequence(2), 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_write_the_last_release_stands_and_the_next_run_finishes() {
    let mut bench = Bench::new(1);
    bench.publish().await.unwrap();
    for writes in 0.. {
        bench.rows(&format!("a,1\nb,round {writes}\n"));
        let dying = Dying::after(writes);
        let before = bench
            .inspector()
            .releases(usize::MAX)
            .await
            .unwrap()
            .0
            .len();
        bench.mirrors = vec![bench.mirror(0).with_store(Arc::new(dying))];
        let killed = bench.publish().await;
        // Whatever was written until then: the newest release there is, is whole.
        bench.assert_whole().await;
        bench.mirrors = vec![bench.mirror(0)];
        let after = bench
            .inspector()
            .releases(usize::MAX)
            .await
            .unwrap()
            .0
            .len();
        match &killed {
            Ok(report) if report.exit == Exit::Done => break,
            Ok(report) => {
                assert_eq!(report.exit, Exit::MirrorsMissed);
                assert_eq!(after, before + 1, "committed, not pointed at");
            }
            Err(error) => {
                assert_eq!(error.exit(), Exit::NotCommitted, "{error}");
                assert_eq!(after, before);
            }
        }
        let finished = bench.publish().await.unwrap();
        assert!(
            matches!(finished.exit, Exit::Done | Exit::NothingNew),
            "{finished:?}"
        );
        assert!(bench.value("b").await.contains(&format!("round {writes}")));
        bench.assert_whole().await;
        assert!(writes < 20, "a publish of one change takes few writes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_majority_commits_and_the_missed_mirror_is_brought_up_later() {
    let bench = Bench::new(3);
    fs::rename(bench.path("mirror-2"), bench.path("away")).unwrap();
    let published = bench.publish().await.unwrap();
    assert_eq!(
        (published.exit, published.is_new),
        (Exit::MirrorsMissed, true)
    );
    assert!(
        published.mirrors[2]
            .missed
            .as_ref()
            .unwrap()
            .contains("is not there")
    );
    fs::rename(bench.path("away"), bench.path("mirror-2")).unwrap();
    let again = bench.publish().await.unwrap();
    assert_eq!(again.exit, Exit::NothingNew);
    bench.assert_whole().await;
    assert_eq!(bench.objects(2), bench.objects(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_the_mirrors_is_no_majority() {
    let bench = Bench::new(2);
    fs::rename(bench.path("mirror-1"), bench.path("away")).unwrap();
    let refused = bench.publish().await.unwrap_err();
    assert_eq!(refused.exit(), Exit::NotCommitted);
    assert!(
        refused
            .to_string()
            .contains("1 of 2 mirrors can be reached, 2 are needed")
    );
    assert!(
        files(&bench.path("mirror-0")).is_empty(),
        "nothing is written"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_row_publishes_nothing() {
    let bench = Bench::new(1);
    bench.rows("a,1\nb\n");
    let refused = bench.publish().await.unwrap_err();
    assert_eq!(refused.exit(), Exit::BadData);
    assert!(refused.to_string().contains("rows.csv:3"), "{refused}");
    bench.rows("a,1\na,2\n");
    let refused = bench.publish().await.unwrap_err();
    assert!(
        refused.to_string().contains("key a was used before"),
        "{refused}"
    );
    assert!(files(&bench.path("mirror-0")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_believes_writes_nothing() {
    let bench = Bench::new(1);
    let mut publisher = bench.publisher();
    let stranger = edge::signing::KeySource::File(bench.path("keys/operator"));
    publisher.signer = load_key(Some(stranger)).unwrap();
    let refused = publisher
        .publish(Wishes::default(), ticking, &Silent)
        .await
        .unwrap_err();
    assert_eq!(refused.exit(), Exit::KeyRefused, "{refused}");
    assert!(files(&bench.path("mirror-0")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_taken_is_left_to_its_taker() {
    let bench = Bench::new(1);
    bench.publish().await.unwrap();
    fs::write(bench.path("mirror-0/dasom/releases/2"), "someone was here").unwrap();
    bench.rows("a,2\nb,2\n");
    let refused = bench.publish().await.unwrap_err();
    assert_eq!(refused.exit(), Exit::NotCommitted);
    assert!(
        refused.to_string().contains("number 2 is taken"),
        "{refused}"
    );
    let published = bench.publish().await.unwrap();
    assert_eq!(published.sequence, Sequence(3), "a number is signed once");
    assert!(
        !published.warnings.is_empty(),
        "the stranger's file is told of"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_very_many_strangers_releases_a_bounded_number_is_read() {
    let bench = Bench::new(1);
    bench.publish().await.unwrap();
    let publisher = bench.publisher();
    let survey = async || {
        let found = crate::mirror::survey(&publisher.mirrors, &publisher.trust, wall_clock()).await;
        found.into_iter().next().unwrap().holds.unwrap()
    };
    for number in 2..=16 {
        let place = bench.path(&format!("mirror-0/dasom/releases/{number}"));
        fs::write(place, "someone was here").unwrap();
    }
    let holds = survey().await;
    assert_eq!((holds.newest.is_some(), holds.refused.len()), (true, 15));
    fs::write(bench.path("mirror-0/dasom/releases/17"), "and here").unwrap();
    let holds = survey().await;
    assert_eq!((holds.newest.is_some(), holds.refused.len()), (false, 16));
    // What the pointer says still counts.
    assert!(holds.pointer.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_machine_goes_on_where_the_last_one_was() {
    let bench = Bench::new(1);
    bench.publish().await.unwrap();
    fs::remove_dir_all(bench.path(".holdfast")).unwrap();
    assert_eq!(bench.publish().await.unwrap().exit, Exit::NothingNew);
    fs::remove_dir_all(bench.path(".holdfast")).unwrap();
    bench.rows("a,9\nb,2\n");
    let published = bench.publish().await.unwrap();
    assert_eq!((published.sequence, published.objects), (Sequence(2), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_does_not_answer_refuses_the_release() {
    let bench = Bench::new(1);
    let site = fs::read_to_string(bench.path("site.toml")).unwrap();
    let bad = site.replace(
        "# contains = \"a text of the page\"",
        "contains = \"not on it\"",
    );
    fs::write(bench.path("site.toml"), bad).unwrap();
    let refused = bench.publish().await.unwrap_err();
    assert_eq!(refused.exit(), Exit::GuardRefused);
    assert!(
        refused
            .to_string()
            .contains("does not contain \"not on it\""),
        "{refused}"
    );
    assert!(files(&bench.path("mirror-0")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_mirror_is_told_of() {
    let bench = Bench::new(2);
    bench.publish().await.unwrap();
    let object = files(&bench.path("mirror-1/dasom/objects"))
        .into_iter()
        .next()
        .unwrap();
    let mut bytes = fs::read(&object).unwrap();
    bytes[0] ^= 1;
    fs::write(&object, bytes).unwrap();
    let verdict = bench.inspector().verify(None, Depth::Deep).await.unwrap();
    assert!(verdict.mirrors[0].problems.is_empty());
    assert!(!verdict.mirrors[1].problems.is_empty());
    assert!(!verdict.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_publisher_at_a_time() {
    let bench = Bench::new(1);
    let publisher = bench.publisher();
    let second = Store::open(&publisher.site.publish.cache).unwrap_err();
    assert_eq!(PublishError::from(second).exit(), Exit::Local);
}
