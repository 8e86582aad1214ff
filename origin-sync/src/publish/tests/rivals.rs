//! Another publisher of the same site, who is quicker, or was killed at the same number.

use snapshot::{Envelope, Namespace, Release, encode};

use super::meddled::{Meddled, Meddler};
use super::*;

/// The envelope of `release`, as whoever has the key signs it.
fn signed(key: &std::path::Path, release: &Release) -> Vec<u8> {
    let source = edge::signing::KeySource::File(key.to_owned());
    let mut envelope = Envelope::seal(encode(release).unwrap());
    let key = load_key(Some(source)).unwrap();
    envelope.sign_with(&*key, Namespace::Release).unwrap();
    envelope.to_bytes().unwrap()
}

/// Another publisher, who is always a moment quicker with the number.
#[derive(Debug)]
struct Quicker {
    key: PathBuf,
    last: Release,
    numbers: AtomicU64,
}

impl Meddler for Quicker {
    fn quicker(&self, name: &str) -> Option<Vec<u8>> {
        let (_, number) = name.rsplit_once("/releases/")?;
        self.numbers.fetch_add(1, Ordering::Relaxed);
        let rival = Release {
            sequence: Sequence(number.parse().unwrap()),
            ..self.last.clone()
        };
        Some(signed(&self.key, &rival))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_always_too_late_says_so() {
    let mut bench = Bench::new(1);
    bench.publish().await.unwrap();
    let publisher = bench.publisher();
    let found = crate::mirror::survey(&publisher.mirrors, &publisher.trust, wall_clock()).await;
    let last = crate::mirror::newest(&found).unwrap().release.clone();
    drop(publisher);
    let quicker = Arc::new(Meddled(Quicker {
        key: bench.path("keys/release"),
        last,
        numbers: AtomicU64::new(0),
    }));
    bench.mirrors = vec![bench.mirror(0).with_store(Arc::clone(&quicker) as _)];
    // Sources that say all there is are not put over its head.
    bench.rows("a,1\nb,3\n");
    let refused = bench.publish().await.unwrap_err();
    assert_eq!(refused.exit(), Exit::Lost, "{refused}");
    assert!(refused.to_string().contains("number 2 went to another"));
    assert_eq!(quicker.0.numbers.load(Ordering::Relaxed), 1);
    // A change holds on top of whatever it is, and is tried so often.
    let list = bench.path("changes.ndjson");
    fs::write(&list, "{\"put\":{\"id\":\"a\",\"v\":\"9\"}}\n").unwrap();
    let wishes = Wishes {
        changes: [("rows".parse().unwrap(), list)].into(),
        ..Wishes::default()
    };
    let publisher = bench.publisher();
    let refused = publisher.publish(wishes, ticking, &Silent).await;
    assert_eq!(refused.unwrap_err().exit(), Exit::Lost);
    assert_eq!(quicker.0.numbers.load(Ordering::Relaxed), 1 + 1 + 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_two_left_on_half_of_the_mirrors_each_stops_nobody() {
    let bench = Bench::new(2);
    let newest = async || {
        let publisher = bench.publisher();
        let found = crate::mirror::survey(&publisher.mirrors, &publisher.trust, wall_clock()).await;
        crate::mirror::newest(&found).unwrap().release.clone()
    };
    let (first, second) = ("a,1\nb,1\n", "a,2\nb,2\n");
    bench.rows(first);
    bench.publish().await.unwrap();
    let before = newest().await;
    bench.rows(second);
    bench.publish().await.unwrap();
    // As if neither had come further than its half of the mirrors.
    let rival = Release {
        sequence: Sequence(2),
        ..before.clone()
    };
    let rival = signed(&bench.path("keys/release"), &rival);
    fs::write(bench.path("mirror-1/dasom/releases/2"), rival).unwrap();
    for n in 0..2 {
        let site = bench.path(&format!("mirror-{n}/dasom"));
        fs::copy(site.join("releases/1"), site.join("release")).unwrap();
    }
    // The content of the one that is built upon: there is nothing new, and it can never stand.
    let is_first = newest().await.manifest == before.manifest;
    bench.rows(if is_first { first } else { second });
    let published = bench.publish().await.unwrap();
    assert_eq!(
        (published.exit, published.sequence),
        (Exit::Done, Sequence(3))
    );
    bench.assert_whole().await;
    assert_eq!(bench.publish().await.unwrap().exit, Exit::NothingNew);
}
