//! Retention and sweep, by the real programs: old releases go from mirrors, own copies and edges,
//! what any kept release or pin names stays, and who publishes meanwhile loses nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use snapshot::order::{Mode, Pin};
use snapshot::{Envelope, Epoch, OfferedBundle, Order, Scope, Sequence, Timestamp, encode};

use crate::scene::{Bucket, Edge, Ended, INDEX, Site, binary, eventually, run};

const HOUR: Duration = Duration::from_secs(3600);

/// Two releases stay, and nothing for being young.
const TWO: &str = "\n[retention]\nreleases = 2\nyounger = \"0s\"\ngrace = \"10m\"\nsweep = false\n";

/// The small site, keeping two releases, with so many published.
async fn published(releases: usize) -> Site {
    let site = Site::small().init().await;
    let toml = fs_err::read_to_string(site.path("site.toml")).unwrap();
    site.write("site.toml", format!("{toml}{TWO}"));
    for n in 0..releases {
        publish(&site, n).await;
    }
    site
}

/// Publishes a first page with so many doors, and a photograph of its own.
async fn publish(site: &Site, n: usize) {
    change(site, n);
    site.publish().await;
}

fn change(site: &Site, n: usize) {
    let page = INDEX.replace("the house has a door", &format!("the house has {n} doors"));
    site.write("public/index.html", page);
    let photo = [n.to_le_bytes()[0]; 9000];
    site.write("photos/door.jpg", photo);
}

async fn sweep(site: &Site, arguments: &[&str]) -> Ended {
    let all = [&["--json"], arguments].concat();
    run(site.sweeping(&all)).await
}

/// Everything that the release names is on the mirror, and right.
async fn is_whole(site: &Site, release: u64) {
    let mut verify = Command::new(binary("origin-sync"));
    verify.args(["verify", "--deep", "--release", &release.to_string()]);
    verify.arg("--config").arg(site.path("site.toml"));
    run(verify).await.expect(0);
}

fn releases(site: &Site) -> BTreeSet<String> {
    let folder = fs_err::read_dir(site.at("mirror").join("releases")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_releases_go_with_what_they_alone_named() {
    let site = published(5).await;
    let foreign = [
        site.at("mirror").join("releases/README"),
        site.at("mirror").join("objects/00/not-ours"),
        // An object's name in another's place.
        site.at("mirror").join("objects/zz").join("0".repeat(64)),
    ];
    for path in &foreign {
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, "foreign").unwrap();
    }
    let young = sweep(&site, &[]).await.expect(0).json();
    let mirror = &young["mirrors"][0];
    assert_eq!(mirror["releases"], serde_json::json!([1, 2, 3]));
    assert_eq!(mirror["objects"], 0, "all is younger than the grace");
    assert!(mirror["young"].as_u64().unwrap() > 3, "{mirror}");

    for folder in ["mirror", ".holdfast/objects"] {
        site.age(folder, HOUR);
    }
    let before = site.objects("mirror");
    let told = sweep(&site, &["--dry-run"]).await.expect(0).json();
    assert_eq!(site.objects("mirror"), before, "told, not done");
    let ended = sweep(&site, &[]).await.expect(0);
    ended.says(&["README is no name of ours", "not-ours is no name of ours"]);
    let swept = sweep(&site, &[]).await.expect(0).json();
    assert_eq!(swept["mirrors"][0]["objects"], 0, "once is enough");
    let gone = before.len() - site.objects("mirror").len();
    assert_eq!(told["mirrors"][0]["objects"], gone);
    assert!(gone > 6, "{gone}");
    assert!(told["own"]["objects"].as_u64().unwrap() >= 6, "{told}");
    assert_eq!(swept["own"]["objects"], 0);
    assert_eq!(swept["kept"], 2);
    assert!(foreign.iter().all(|path| path.exists()));
    let kept = ["4", "5", "README"].map(str::to_owned);
    assert_eq!(releases(&site), BTreeSet::from(kept));
    is_whole(&site, 4).await;
    is_whole(&site, 5).await;
    // The own copy is good for the next publish, and a lost one is fetched again.
    publish(&site, 6).await;
    is_whole(&site, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publish_sweeps_by_itself_now_and_then() {
    let site = published(0).await;
    site.edit("site.toml", "sweep = false", "every = \"1s\"");
    for n in 0..4 {
        publish(&site, n).await;
    }
    site.age("mirror", HOUR);
    // The last sweep is old, whenever it was.
    site.write(".holdfast/state/swept", "1 0\n");
    change(&site, 4);
    let report = site.publish().await;
    let mirror = &report["swept"]["mirrors"][0];
    assert!(mirror["objects"].as_u64().unwrap() > 2, "{report}");
    assert_eq!(releases(&site).len(), 2);
    is_whole(&site, 4).await;
    is_whole(&site, 5).await;
    // One that took long is not due for long.
    site.write(".holdfast/state/swept", later());
    change(&site, 5);
    assert_eq!(site.publish().await["swept"], Value::Null);
}

/// A sweep that ended this moment and took an hour.
fn later() -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    format!("{} 3600000\n", now.as_millis())
}

/// Pins a release by an order that nobody signed: what stays is not a matter of trust.
fn pin(site: &Site, release: u64) {
    let bytes = fs_err::read(site.at("mirror").join(format!("releases/{release}"))).unwrap();
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
            sequence: Sequence(release),
            manifest: known.manifest,
        }),
        back: None,
        who: "sora".to_owned(),
        why: "the newer one is wrong".to_owned(),
        ends_at: None,
        signed_at: Timestamp(1),
    };
    let mut bundle = OfferedBundle::default();
    bundle.put(Envelope::seal(encode(&order).unwrap())).unwrap();
    fs_err::write(site.at("mirror").join("orders"), bundle.to_bytes().unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pinned_stays_and_orders_that_cannot_be_read_stop_it() {
    let site = published(5).await;
    pin(&site, 2);
    site.age("mirror", HOUR);
    sweep(&site, &[]).await.expect(0);
    assert_eq!(releases(&site), ["2", "4", "5"].map(str::to_owned).into());
    is_whole(&site, 2).await;

    let (before, orders) = (site.objects("mirror"), site.at("mirror").join("orders"));
    fs_err::write(&orders, "no orders").unwrap();
    publish(&site, 5).await;
    site.age("mirror", HOUR);
    let ended = sweep(&site, &[]).await.expect(23);
    ended.says(&["orders", "1 are needed"]);
    assert!(before.iter().all(|path| path.exists()));
    assert!(releases(&site).contains("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_while_anything_that_stays_cannot_be_read() {
    let site = published(4).await;
    // Of the release before the newest, the own copy is lost and the mirror's damaged.
    let manifest = site.forge("mirror").manifest;
    let pages = manifest
        .collections
        .iter()
        .find(|c| c.name.as_str() == "pages");
    let newest = pages.unwrap().segments[0].id.to_string();
    let place = format!("objects/{}/{newest}", &newest[..2]);
    fs_err::remove_file(site.path(".holdfast").join(&place)).unwrap();
    fs_err::write(site.at("mirror").join(&place), "damaged").unwrap();
    site.age("mirror", HOUR);
    let (before, filed) = (site.objects("mirror"), releases(&site));
    let ended = sweep(&site, &[]).await.expect(65);
    ended.says(&["release 4 stays", &newest, "hint:"]);
    assert_eq!((site.objects("mirror"), releases(&site)), (before, filed));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_trust_folder_sweeps_nothing() {
    let (site, other) = (published(4).await, Site::small().init().await);
    site.age("mirror", HOUR);
    let before = site.objects("mirror");
    let trust = other.path("trust");
    let ended = sweep(&site, &["--trust", trust.to_str().unwrap()]).await;
    ended.expect(65).says(&["that the trust files accept"]);
    assert_eq!(site.objects("mirror"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_mirror_is_away_every_release_stays_and_without_a_majority_all() {
    let site = published(0).await;
    site.edit(
        "site.toml",
        "[\"mirror\"]",
        "[\"mirror\", \"second\", \"third\"]",
    );
    for mirror in ["second", "third"] {
        fs_err::create_dir(site.path(mirror)).unwrap();
    }
    for n in 0..4 {
        publish(&site, n).await;
    }
    for mirror in ["mirror", "second", "third"] {
        site.age(mirror, HOUR);
    }
    let (before, filed) = (site.objects("mirror"), releases(&site));
    let abandoned = site.at("mirror").join("objects/ab");
    fs_err::create_dir_all(&abandoned).unwrap();
    fs_err::write(abandoned.join("ab".repeat(32)), "of a killed publish").unwrap();
    site.age("mirror", HOUR);
    fs_err::rename(site.path("second"), site.path("away")).unwrap();
    let ended = sweep(&site, &[]).await.expect(21);
    ended.says(&["second is not there", "it alone may know of a pin"]);
    assert_eq!((site.objects("mirror"), releases(&site)), (before, filed));
    fs_err::rename(site.path("away"), site.path("second")).unwrap();
    let before = site.objects("mirror");
    sweep(&site, &[]).await.expect(0);
    assert!(site.objects("mirror").len() < before.len());
    fs_err::rename(site.path("second"), site.path("away")).unwrap();
    fs_err::rename(site.path("third"), site.path("gone")).unwrap();
    publish_without_majority(&site).await;
}

async fn publish_without_majority(site: &Site) {
    let before = site.objects("mirror");
    let ended = sweep(site, &[]).await.expect(23);
    ended.says(&["1 of 3 mirrors", "2 are needed"]);
    assert_eq!(site.objects("mirror"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_swept_like_a_folder() {
    let Some(bucket) = Bucket::s3s() else {
        return;
    };
    let (bucket, site) = (bucket.await, published(0).await);
    let mirror = bucket.mirror(&site);
    site.edit("site.toml", "\"mirror\"", &format!("{mirror:?}"));
    for n in 0..4 {
        publish(&site, n).await;
    }
    let folder = bucket.folder();
    site.age(folder.to_str().unwrap(), HOUR);
    let before = bucket.files("small/objects").len();
    let told = sweep(&site, &["--dry-run"]).await.expect(0).json();
    assert_eq!(bucket.files("small/objects").len(), before);
    let swept = sweep(&site, &[]).await.expect(0).json();
    let mirror = &swept["mirrors"][0];
    assert_eq!(mirror["releases"], serde_json::json!([1, 2]));
    assert_eq!(mirror["objects"], told["mirrors"][0]["objects"]);
    let gone = before - bucket.files("small/objects").len();
    assert!(gone >= 4 && mirror["objects"] == gone, "{swept}");
    is_whole(&site, 3).await;
    is_whole(&site, 4).await;
    let again = sweep(&site, &[]).await.expect(0).json();
    assert_eq!(again["mirrors"][0]["objects"], 0);
}

fn stored(site: &Site, edge: &str) -> Vec<PathBuf> {
    let folder = format!("{edge}/sites/{}/objects", site.name());
    let shards = fs_err::read_dir(site.path(&folder)).unwrap();
    let files = shards.flat_map(|shard| fs_err::read_dir(shard.unwrap().path()).unwrap());
    let files = files.map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_none()).collect()
}

async fn keeps(edge: &Edge, releases: &[u64]) -> Value {
    eventually("the edge to keep two releases", async || {
        let store = edge.status().await["store"].clone();
        let done = store["releases"] == serde_json::json!(releases);
        (done && store["freed_objects"].as_u64()? > 0).then_some(store)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_keeps_its_release_and_the_one_before_and_frees_the_rest() {
    let site = published(1).await;
    let mut edge = site.edge().set("grace = \"0s\"").start().await;
    for n in 1..5 {
        publish(&site, n).await;
        edge.reaches(n as u64 + 1).await;
    }
    keeps(&edge, &[5, 4]).await;
    // What the mirror keeps is what these two name, once it is swept too.
    site.age("mirror", HOUR);
    sweep(&site, &[]).await.expect(0);
    let names = |paths: Vec<PathBuf>| -> BTreeSet<_> {
        let names = paths
            .iter()
            .map(|path| path.file_name().unwrap().to_owned());
        names.collect()
    };
    let on_mirror = names(site.objects("mirror"));
    eventually("the edge to hold just that", async || {
        (names(stored(&site, "edge-1")) == on_mirror).then_some(())
    })
    .await;
    let store = eventually("the status to tell it", async || {
        let store = edge.status().await["store"].clone();
        (store["objects"].as_u64()? == on_mirror.len() as u64).then_some(store)
    })
    .await;
    assert!(store["bytes"].as_u64().unwrap() > 10_000, "{store}");
    assert_eq!(store["error"], Value::Null);
    // A restart keeps both, with everything else gone.
    edge.kill();
    fs_err::rename(site.path("mirror"), site.path("away")).unwrap();
    edge.begin();
    edge.ready().await;
    assert!(edge.get("/").await.text().contains("the house has 4 doors"));
    assert_eq!(edge.get("/photos/door.jpg").await.status, 200);
    eventually("the releases to be known", async || {
        let kept = edge.status().await["store"]["releases"].clone();
        (kept == serde_json::json!([5, 4])).then_some(())
    })
    .await;
    assert_eq!(names(stored(&site, "edge-1")), on_mirror);
}
