//! Two publishers, who sweep as well, in random turns and at once: whatever stays is whole.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use fs_err as fs;
use proptest::prelude::*;
use snapshot::OfferedBundle;
use snapshot::order::{Mode, Order, Pin};
use snapshot::{Envelope, Epoch, Scope, Timestamp, encode};

use super::*;
use crate::inspect::Depth;
use crate::mirror::{self, Object, Upload};
use crate::publish::tests::meddled::{Dying, Meddled, Meddler};
use crate::publish::tests::{Bench, files};
use crate::publish::{PublishError, Report, Silent, Wishes, wall_clock};

const MINUTE: Duration = Duration::from_secs(60);

/// What happens next.
#[derive(Clone, Debug)]
enum Turn {
    /// That publisher publishes these rows, of few kinds, so that objects come back.
    Publish(usize, u8),
    /// And the other sweeps meanwhile.
    PublishBesideSweep(usize, u8),
    /// And the other erases, so that it may have to publish again.
    PublishBesideErasure(usize, u8),
    /// It is killed after so many writes.
    Killed(usize, u8, i64),
    Sweep(usize),
    /// So many minutes go by.
    Wait(u64),
    /// One of the releases is pinned, by its place among them.
    Pin(usize),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        3 => (0..2usize, 0..5u8).prop_map(|(who, rows)| Turn::Publish(who, rows)),
        2 => (0..2usize, 0..5u8).prop_map(|(who, rows)| Turn::PublishBesideSweep(who, rows)),
        2 => (0..2usize, 0..5u8).prop_map(|(who, rows)| Turn::PublishBesideErasure(who, rows)),
        1 => (0..2usize, 0..5u8, 0..9i64).prop_map(|(who, rows, n)| Turn::Killed(who, rows, n)),
        2 => (0..2usize).prop_map(Turn::Sweep),
        3 => (1..90u64).prop_map(Turn::Wait),
        1 => (0..9usize).prop_map(Turn::Pin),
    ]
}

struct World {
    bench: Bench,
    pinned: Option<u64>,
}

impl World {
    fn publisher(&self, who: usize) -> crate::publish::Publisher {
        let mut publisher = self.bench.publisher_in(&format!(".holdfast-{who}"));
        publisher.site.retention = Retention {
            releases: 2,
            younger: Duration::ZERO,
            grace: 60 * MINUTE,
            sweep: false,
            every: MINUTE,
        };
        publisher
    }

    async fn sweep(&self, who: usize, erasing: bool) {
        let publisher = self.publisher(who);
        let sweep = Sweep {
            mirrors: &publisher.mirrors,
            trust: &publisher.trust,
            store: &publisher.store,
            retention: &publisher.site.retention,
            erasing,
            dry_run: false,
            clock: wall_clock,
            progress: &Silent,
        };
        match sweep.run().await {
            Ok(swept) => assert_eq!(swept.exit(), Exit::Done, "{swept:?}"),
            // Nothing was published yet.
            Err(error) => assert!(matches!(error, SweepError::NoRelease(_)), "{error}"),
        }
    }

    async fn publish(&self, who: usize, rows: u8) {
        self.try_publish(who, rows).await.unwrap();
    }

    async fn try_publish(&self, who: usize, rows: u8) -> Result<Report, PublishError> {
        self.bench.rows(&format!("a,{rows}\nb,{}\n", rows / 2));
        let publisher = self.publisher(who);
        publisher
            .publish(Wishes::default(), wall_clock, &Silent)
            .await
    }

    fn waits(&self, by: Duration) {
        for path in files(&self.bench.path("mirror-0/dasom")) {
            let file = fs::OpenOptions::new().read(true).open(&path).unwrap();
            let was = file.metadata().unwrap().modified().unwrap();
            file.file().set_modified(was - by).unwrap();
        }
    }

    fn releases(&self) -> Vec<u64> {
        let names = files(&self.bench.path("mirror-0/dasom/releases"));
        let names = names
            .iter()
            .filter_map(|path| path.file_name()?.to_str()?.parse().ok());
        let mut releases: Vec<u64> = names.collect();
        releases.sort_unstable();
        releases
    }

    fn pin(&mut self, at: usize) {
        let Some(release) = self.releases().get(at).copied() else {
            return;
        };
        let root = self.bench.path("mirror-0/dasom");
        let bytes = fs::read(root.join(format!("releases/{release}"))).unwrap();
        let envelope = Envelope::from_bytes(&bytes).unwrap();
        let known: snapshot::Release = snapshot::decode(envelope.payload(), 1 << 16).unwrap();
        let order = Order {
            version: Order::VERSION,
            site: known.site,
            scope: Scope::Site,
            epoch: Epoch(1),
            predecessor: None,
            mode: Mode::Automatic,
            insists: false,
            notices: Vec::new(),
            pin: Some(Pin {
                sequence: known.sequence,
                manifest: known.manifest,
            }),
            back: None,
            who: "sora".to_owned(),
            why: "why not".to_owned(),
            ends_at: None,
            signed_at: Timestamp(1),
        };
        let mut bundle = OfferedBundle::default();
        bundle.put(Envelope::seal(encode(&order).unwrap())).unwrap();
        fs::write(root.join("orders"), bundle.to_bytes().unwrap()).unwrap();
        self.pinned = Some(release);
    }

    async fn plays(&mut self, turn: &Turn) {
        let before = self.releases();
        match *turn {
            Turn::Publish(who, rows) => self.publish(who, rows).await,
            Turn::PublishBesideSweep(who, rows) => {
                tokio::join!(self.publish(who, rows), self.sweep(1 - who, false));
            }
            Turn::PublishBesideErasure(who, rows) => {
                let (published, ()) =
                    tokio::join!(self.try_publish(who, rows), self.sweep(1 - who, true));
                if let Err(error) = published {
                    assert_eq!(error.exit(), Exit::NotCommitted, "{error}");
                }
            }
            Turn::Killed(who, rows, writes) => {
                let dying = Dying::after(writes);
                self.bench.rows(&format!("a,{rows}\n"));
                let mut publisher = self.publisher(who);
                let mirror = self.bench.mirror(0).with_store(Arc::new(dying));
                publisher.mirrors = Mirrors::of(publisher.site.site.clone(), vec![mirror]);
                let accept_shrink = Wishes {
                    accept_shrink: true,
                    ..Wishes::default()
                };
                let _ = publisher.publish(accept_shrink, wall_clock, &Silent).await;
            }
            Turn::Sweep(who) => self.sweep(who, false).await,
            Turn::Wait(minutes) => self.waits(MINUTE * u32::try_from(minutes).unwrap()),
            Turn::Pin(at) => self.pin(at),
        }
        let after = self.releases();
        // The two newest there were, or are, and the pinned one.
        let mut must: Vec<u64> = after.iter().rev().take(2).copied().collect();
        must.extend(self.pinned);
        if !matches!(
            turn,
            Turn::PublishBesideSweep(..) | Turn::PublishBesideErasure(..)
        ) {
            must.extend(before.iter().rev().take(1));
        }
        assert!(
            must.iter().all(|n| after.contains(n)),
            "{must:?} of {after:?}"
        );
        // A first publish may be killed right before its pointer.
        if self.bench.path("mirror-0/dasom/release").exists() {
            let verdict = self
                .bench
                .inspector()
                .verify_all(Depth::Deep)
                .await
                .unwrap();
            assert!(verdict.is_whole(), "after {turn:?}: {verdict:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 20, ..ProptestConfig::default() })]
    #[test]
    fn whatever_publishers_and_sweepers_do_what_stays_is_whole(
        turns in prop::collection::vec(turn(), 8..24),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut world = World { bench: Bench::new(1), pinned: None };
            for turn in &turns {
                world.plays(turn).await;
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_object_that_no_release_names_is_put_again() {
    let world = World {
        bench: Bench::new(1),
        pinned: None,
    };
    let publisher = world.publisher(0);
    let digest = Digest::of(b"object");
    publisher.store.put_bytes(&digest, b"object").unwrap();
    let wanted = vec![Some(Arc::new(vec![Object::raw(digest)]))];
    let unsettled = Upload {
        store: &publisher.store,
        wanted: wanted.clone(),
        unsettled: [digest].into(),
        grace: 60 * MINUTE,
    };
    let settled = Upload {
        wanted,
        unsettled: [].into(),
        ..unsettled
    };
    let puts = async |upload: &Upload<'_>| {
        let sent = mirror::upload(&publisher.mirrors, upload, &|_, _| ()).await;
        sent.unwrap().objects
    };
    assert_eq!(puts(&unsettled).await, 1);
    world.waits(29 * MINUTE);
    assert_eq!(puts(&unsettled).await, 0, "it stays for as long again");
    world.waits(2 * MINUTE);
    assert_eq!(puts(&settled).await, 0, "the last release names it");
    assert_eq!(puts(&unsettled).await, 1);
    assert_eq!(puts(&unsettled).await, 0, "it is young now");
    // Swept by somebody between being looked at and the commit.
    let place = edge::sync::layout::Place::object(&publisher.mirrors.site, &digest);
    let mirror = &publisher.mirrors.all()[0];
    listing::remove(mirror, &place).await.unwrap();
    let failed = mirror::confirm(&publisher.mirrors, &unsettled)
        .await
        .unwrap();
    assert!(failed.iter().all(Option::is_none), "{failed:?}");
    assert!(listing::modified(mirror, &place).await.unwrap().is_some());
}

/// Another publisher commits just when an object is taken away.
#[derive(Debug)]
struct Committing {
    from: PathBuf,
    to: PathBuf,
}

impl Meddler for Committing {
    fn remove(&self) {
        // Once: it is there then.
        fs::rename(&self.from, &self.to).ok();
    }
}

/// A sweeper takes so many objects away, each right after it was put.
#[derive(Debug)]
struct Sweeping(AtomicI64);

impl Meddler for Sweeping {
    fn takes(&self, name: &str) -> bool {
        name.contains("/objects/") && self.0.fetch_sub(1, Ordering::Relaxed) > 0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_beside_an_erasure_is_put_back() {
    let world = World {
        bench: Bench::new(1),
        pinned: None,
    };
    world.publish(0, 1).await;
    let root = world.bench.path("mirror-0/dasom");
    let pointer = fs::read(root.join("release")).unwrap();
    world.publish(0, 2).await;
    // The second one's objects are there, and it is about to be committed.
    fs::write(root.join("release"), pointer).unwrap();
    let committing = Committing {
        from: world.bench.path("release-2"),
        to: root.join("releases/2"),
    };
    fs::rename(&committing.to, &committing.from).unwrap();
    let publisher = world.publisher(1);
    let mirror = world
        .bench
        .mirror(0)
        .with_store(Arc::new(Meddled(committing)));
    let mirrors = Mirrors::of(publisher.site.site.clone(), vec![mirror]);
    let sweep = Sweep {
        mirrors: &mirrors,
        trust: &publisher.trust,
        store: &publisher.store,
        retention: &publisher.site.retention,
        erasing: true,
        dry_run: false,
        clock: wall_clock,
        progress: &Silent,
    };
    let swept = sweep.run().await.unwrap();
    assert_eq!((swept.exit(), swept.mirrors[0].objects), (Exit::Done, 0));
    assert_eq!(world.releases(), [1, 2]);
    let verdict = world.bench.inspector().verify_all(Depth::Deep).await;
    let verdict = verdict.unwrap();
    assert!(verdict.is_whole(), "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_taken_right_after_it_was_put_is_put_once_more() {
    let bench = Bench::new(1);
    bench.rows("a,1\n");
    let publish = async |objects| {
        let store = Meddled(Sweeping(AtomicI64::new(objects)));
        let mut publisher = bench.publisher_in(".holdfast");
        let mirror = bench.mirror(0).with_store(Arc::new(store));
        publisher.mirrors = Mirrors::of(publisher.site.site.clone(), vec![mirror]);
        publisher
            .publish(Wishes::default(), wall_clock, &Silent)
            .await
    };
    let never = publish(i64::MAX).await.unwrap_err();
    assert_eq!(never.exit(), Exit::NotCommitted);
    assert!(
        never.to_string().contains("is not what was written"),
        "{never}"
    );
    publish(2).await.unwrap();
    let verdict = bench.inspector().verify_all(Depth::Deep).await.unwrap();
    assert!(verdict.is_whole(), "{verdict:?}");
}
