//! An edge's own disk goes bad while it serves: what is damaged costs its own requests, is named,
//! and comes back from a mirror.

use std::path::PathBuf;

use serde_json::Value;

use crate::scene::{Edge, Site, eventually};

/// Words that lie in one segment of the small site, and nowhere else on the edge's disk.
const WORDS: &str = "<h1>Small House</h1>";
/// The length of the photograph, bytes.
const PHOTO: u64 = 200_000;

async fn serving() -> (Site, Edge) {
    let site = Site::small().init().await;
    site.publish().await;
    let edge = site.edge().start().await;
    edge.reaches(1).await;
    (site, edge)
}

/// The edge's objects.
fn objects(site: &Site) -> Vec<PathBuf> {
    let root = site.path("edge-1/sites/small/objects");
    let shards = fs_err::read_dir(root).unwrap();
    let files = shards.flat_map(|shard| fs_err::read_dir(shard.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

/// Flips a byte in the middle of the first page; gives the segment's name.
fn spoil_page(site: &Site) -> String {
    let found = objects(site).into_iter().find_map(|path| {
        let bytes = fs_err::read(&path).unwrap();
        let words = WORDS.as_bytes();
        let at = bytes.windows(words.len()).position(|here| here == words)?;
        Some((path, bytes, at))
    });
    let (path, mut bytes, at) = found.expect("a segment with the first page");
    bytes[at + 4] ^= 1;
    // In place, as a disk does it: the edge holds the file open.
    overwrite(&path, &bytes);
    named("segment", &path)
}

/// Flips a byte in the middle of the photograph; gives the blob's name.
fn spoil_photo(site: &Site) -> String {
    let mut objects = objects(site).into_iter();
    let path = objects.find(|path| fs_err::metadata(path).unwrap().len() == PHOTO);
    let path = path.expect("the photograph");
    let mut bytes = fs_err::read(&path).unwrap();
    bytes[100_000] ^= 1;
    overwrite(&path, &bytes);
    named("blob", &path)
}

fn overwrite(path: &std::path::Path, bytes: &[u8]) {
    use std::os::unix::fs::FileExt;
    let file = fs_err::OpenOptions::new().write(true).open(path).unwrap();
    file.file().write_all_at(bytes, 0).unwrap();
}

fn named(kind: &str, path: &std::path::Path) -> String {
    format!("{kind} {}", path.file_name().unwrap().to_string_lossy())
}

/// Waits until `/status` says of `object` what `holds` asks for.
async fn told(edge: &Edge, object: &str, holds: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("word of {object}"), async || {
        let status = edge.status().await;
        let damaged = status["damaged"].as_array()?;
        let told = damaged.iter().find(|damaged| damaged["object"] == object);
        told.filter(|damaged| holds(damaged)).cloned()
    })
    .await
}

/// Waits until `path` is answered, with `bytes` in its body.
async fn comes_back(edge: &Edge, path: &str, bytes: &[u8]) {
    eventually(&format!("{path} to come back"), async || {
        let answer = edge.get(path).send().await.ok()?;
        // Damaged bytes never leave, whatever else happens.
        let mut windows = answer.body.windows(bytes.len());
        let whole = answer.status == 200 && windows.any(|window| window == bytes);
        assert!(whole || answer.status == 503, "{answer:?}");
        (answer.status == 200).then_some(())
    })
    .await;
}

async fn damaged_objects(edge: &Edge) -> String {
    let metrics = edge.ops("/metrics").await.text();
    let mut lines = metrics.lines();
    let line = lines.find(|line| line.starts_with("holdfast_damaged_objects{"));
    line.expect("the metric").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_bad_on_disk_comes_back_from_a_mirror() {
    let (site, edge) = serving().await;
    let photo = edge.get("/photos/door.jpg").await.body;
    let repaired = |damaged: &Value| damaged["repaired_at"].is_string();

    let segment = spoil_page(&site);
    assert_eq!(edge.get("/").await.status, 503);
    comes_back(&edge, "/", WORDS.as_bytes()).await;
    let damaged = told(&edge, &segment, repaired).await;
    assert!(
        damaged["reason"].as_str().unwrap().contains("hash"),
        "{damaged}"
    );

    let blob = spoil_photo(&site);
    // It streams: what was sent before the damage was whole, and the rest is cut off.
    let cut = edge.get("/photos/door.jpg").send().await;
    assert!(cut.is_err(), "{cut:?}");
    comes_back(&edge, "/photos/door.jpg", &photo).await;
    told(&edge, &blob, repaired).await;

    let log = edge.logged();
    assert!(log.contains(&segment) && log.contains(&blob), "{log}");
    let metric = damaged_objects(&edge).await;
    assert!(metric.ends_with(" 0"), "{metric}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_mirror_gone_the_rest_answers_until_it_is_back() {
    let (site, mut edge) = serving().await;
    let (mirror, away) = (site.path("mirror"), site.path("away"));
    fs_err::rename(&mirror, &away).unwrap();

    let segment = spoil_page(&site);
    assert_eq!(edge.get("/").await.status, 503);
    let failed = |damaged: &Value| damaged["error"].is_string();
    let damaged = told(&edge, &segment, failed).await;
    assert!(damaged["repaired_at"].is_null(), "{damaged}");
    assert_eq!(edge.get("/").await.status, 503);
    for path in ["/photos/door.jpg", "/notes/one.html"] {
        assert_eq!(edge.get(path).await.status, 200, "{path}");
    }
    let metric = damaged_objects(&edge).await;
    assert!(metric.ends_with(" 1"), "{metric}");
    edge.alive();

    fs_err::rename(&away, &mirror).unwrap();
    comes_back(&edge, "/", WORDS.as_bytes()).await;
}

/// A metric of the small site.
async fn counted(edge: &Edge, metric: &str) -> u64 {
    let metrics = edge.ops("/metrics").await.text();
    let start = format!("holdfast_{metric}_total{{");
    let line = metrics.lines().find(|line| line.starts_with(&start));
    let value = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    value.unwrap_or_else(|| panic!("no {metric} in {metrics}"))
}

async fn scrub(edge: &Edge) -> Value {
    edge.status().await["scrub"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_asks_for_is_read_again_found_damaged_and_repaired() {
    let site = Site::small().init().await;
    site.publish().await;
    let edge = site.edge().scrubbing(64 << 20).start().await;
    edge.reaches(1).await;
    for (spoil, rotten) in [
        (spoil_photo as fn(&Site) -> String, 1),
        (spoil_page as fn(&Site) -> String, 2),
    ] {
        let object = spoil(&site);
        told(&edge, &object, |damaged| !damaged["repaired_at"].is_null()).await;
        eventually("both to be counted", async || {
            let counted = scrub(&edge).await;
            (counted["found"] == rotten && counted["repaired"] == rotten).then_some(())
        })
        .await;
    }
    assert_eq!(counted(&edge, "scrub_found_objects").await, 2);
    assert_eq!(counted(&edge, "repaired_objects").await, 2);
    assert!(counted(&edge, "scrubbed_bytes").await > PHOTO);
    let photo = edge.get("/photos/door.jpg").await;
    assert_eq!(
        (photo.status.as_u16(), photo.body.len() as u64),
        (200, PHOTO)
    );
    // Nobody reads a site that has nothing wrong any worse for it.
    let round = scrub(&edge).await["rounds"].as_u64();
    eventually("another round", async || {
        (scrub(&edge).await["rounds"].as_u64() > round).then_some(())
    })
    .await;
    assert_eq!(scrub(&edge).await["found"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrub_goes_on_where_it_was_and_is_off_where_it_is_told_so() {
    let site = Site::small().init().await;
    site.publish().await;
    // A round takes a second and more; its place is noted at its end.
    let mut edge = site.edge().scrubbing(64 << 20).start().await;
    eventually("a round", async || {
        (scrub(&edge).await["rounds"].as_u64() > Some(0)).then_some(())
    })
    .await;
    let place = site.path("edge-1/sites/small/state/scrubbed");
    edge.kill();
    // As if it had read all but the last object.
    let last = objects(&site)
        .into_iter()
        .max_by_key(|path| path.file_name().map(ToOwned::to_owned));
    let last = last
        .unwrap()
        .file_name()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    assert!(place.exists(), "{} is where it is noted", place.display());
    fs_err::write(&place, format!("{{\"object\":{last:?},\"key\":null}}")).unwrap();
    edge.begin();
    edge.ready().await;
    eventually("the end of a round", async || {
        let scrub = scrub(&edge).await;
        (scrub["rounds"] == 1).then_some(()).inspect(|()| {
            // Nothing lay ahead of that place.
            assert_eq!(scrub["objects"], 0, "{scrub}");
        })
    })
    .await;
    let quiet = site.edge().named("edge-2").start().await;
    assert_eq!(scrub(&quiet).await["bytes_a_second"], 0);
    assert_eq!(scrub(&quiet).await["bytes"], 0);
}
