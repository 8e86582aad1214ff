//! An edge on a disk that fails: it serves on with what it holds, says what is wrong, and catches
//! up once the disk works again.

use serde_json::Value;

use crate::scene::{Disk, Edge, Site, eventually};

/// Steps at which disks fill: more than an edge takes to bring a release in.
const STEPS: usize = 40;
/// Edges at once.
const LANES: usize = 10;

async fn published() -> Site {
    let site = Site::small().init().await;
    site.publish().await;
    site
}

/// Words that the `n`th release is the first to have.
fn news(n: u64) -> String {
    format!("Small House, edition {n}")
}

/// Publishes the `n`th release.
async fn publish(site: &Site, n: u64) {
    site.write("public/plain.txt", news(n));
    site.publish().await;
}

async fn serves(edge: &Edge) {
    assert!(edge.get("/").await.text().contains("Small House"));
    assert_eq!(edge.get("/photos/door.jpg").await.status, 200);
}

/// An edge that holds the first release, on a disk of its own.
async fn started(site: &Site, name: &str) -> (Disk, Edge) {
    let disk = Disk::of(site, name);
    let edge = site.edge().named(name).on(&disk).start().await;
    edge.reaches(1).await;
    (disk, edge)
}

/// Whether release `n` is in use (`None`), or why not.
async fn ended(edge: &Edge, n: u64) -> Option<String> {
    eventually(&format!("release {n}, or a refusal of it"), async || {
        if edge.sequence().await? == n {
            return Some(None);
        }
        let status = edge.status().await;
        let refusals = status["refusals"].as_array()?;
        let refusal = refusals
            .iter()
            .find(|refusal| refusal["check"] == "disk" && refusal["sequence"] == n)?;
        Some(Some(refusal["reason"].as_str()?.to_owned()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_whose_disk_fills_at_each_step_serves_on_and_catches_up() {
    if !outside::have("cc") {
        return;
    }
    let site = published().await;
    let mut edges = Vec::new();
    for lane in 0..LANES {
        edges.push(started(&site, &format!("edge-{lane}")).await);
    }
    // Each disk fills at another step of the way to each release, so that every step has its turn.
    let rounds = STEPS / LANES;
    let newest = 1 + rounds as u64;
    let mut full = 0;
    for n in 2..=newest {
        for (lane, (disk, _)) in edges.iter().enumerate() {
            disk.is_full_from(rounds * lane + usize::try_from(n).unwrap() - 1);
        }
        publish(&site, n).await;
        for (disk, edge) in &edges {
            if let Some(reason) = ended(edge, n).await {
                full += 1;
                assert!(reason.contains("No space left on device"), "{reason}");
                assert!(edge.logged().contains("No space left on device"));
                serves(edge).await;
            }
            disk.is_sound();
        }
    }
    for (_, edge) in &edges {
        edge.reaches(newest).await;
        assert_eq!(edge.get("/pages/plain.txt").await.text(), news(newest));
    }
    println!("disks filled on {full} of {STEPS} ways to a release");
    assert!(full > 10 && full < STEPS, "{full} of {STEPS}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_starts_on_a_full_disk_with_what_it_holds() {
    if !outside::have("cc") {
        return;
    }
    let site = published().await;
    let (disk, mut edge) = started(&site, "edge-1").await;
    edge.kill();
    publish(&site, 2).await;
    // What only saves time cannot be kept either.
    fs_err::remove_file(site.path("edge-1/compiled/key")).unwrap();
    disk.is_full_from(1);
    edge.begin();
    edge.ready().await;
    serves(&edge).await;
    edge.refuses("disk", "No space left on device").await;
    disk.is_sound();
    edge.reaches(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_on_a_read_only_disk_starts_serves_and_says_so() {
    if !outside::have("cc") {
        return;
    }
    let site = published().await;
    let (disk, mut edge) = started(&site, "edge-1").await;
    // While it runs, and from the start.
    for starts in [false, true] {
        disk.is_read_only();
        if starts {
            edge.kill();
            edge.begin();
            edge.ready().await;
            let status = edge.status().await;
            let alarms = status["remarks"].to_string();
            assert!(alarms.contains("is read-only"), "{status}");
            assert!(edge.logged().contains("is read-only"));
        } else {
            publish(&site, 2).await;
        }
        edge.refuses("disk", "Read-only file system").await;
        serves(&edge).await;
    }
    // An order is in force all the same: holding it back helps nobody.
    site.order(&["degrade", "pay", "--why", "drill"]).await;
    eventually("the order", async || {
        let page = edge.get("/").await.text();
        page.contains("Pay in cash").then_some(())
    })
    .await;
    disk.is_sound();
    edge.reaches(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_sector_costs_its_own_requests_until_it_is_repaired() {
    if !outside::have("cc") {
        return;
    }
    let site = published().await;
    let (disk, mut edge) = started(&site, "edge-1").await;
    let photo = edge.get("/photos/door.jpg").await.body;
    let objects = site.path("edge-1/sites/small/objects");
    let file = find(&objects, photo.len());
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let (mirror, away) = (site.path("mirror"), site.path("away"));
    fs_err::rename(&mirror, &away).unwrap();

    disk.is_bad_at(&file);
    let cut = edge.get("/photos/door.jpg").send().await;
    assert!(cut.is_err() || cut.is_ok_and(|answer| answer.status == 503));
    assert_eq!(edge.get("/").await.status, 200);
    let named = async |is: fn(&Value) -> bool| {
        eventually("word of the photograph", async || {
            let status = edge.status().await;
            let damaged = status["damaged"].as_array()?.clone();
            let mut damaged = damaged.into_iter();
            damaged.find(|one| one["object"].as_str().is_some_and(|o| o.contains(&name)) && is(one))
        })
        .await
    };
    let damaged = named(|one| one["repaired_at"].is_null()).await;
    assert!(
        damaged["reason"].to_string().contains("os error 5"),
        "{damaged}"
    );
    assert!(edge.logged().contains(&name));

    fs_err::rename(&away, &mirror).unwrap();
    named(|one| one["repaired_at"].is_string()).await;
    // The old sector is still bad; nobody reads it any more.
    assert_eq!(edge.get("/photos/door.jpg").await.body, photo);
    edge.alive();
}

/// Whatever cannot be read at a start is brought again: the manifest, segments, what was in use.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_over_a_bad_sector_brings_back_what_it_hid() {
    if !outside::have("cc") {
        return;
    }
    let site = published().await;
    let (disk, mut edge) = started(&site, "edge-1").await;
    let root = site.path("edge-1/sites/small");
    let mut files = Vec::new();
    for shard in fs_err::read_dir(root.join("objects")).unwrap() {
        let shard = fs_err::read_dir(shard.unwrap().path()).unwrap();
        files.extend(shard.map(|file| file.unwrap().path()));
    }
    files.push(root.join("state/sync"));
    files.push(root.join("state/orders"));
    for file in files.into_iter().filter(|file| file.exists()) {
        edge.kill();
        disk.is_bad_at(&file);
        edge.begin();
        eventually("release 1", async || {
            edge.alive();
            edge.ops("/status").send().await.ok()?;
            (edge.sequence().await? == 1).then_some(())
        })
        .await;
        for path in ["/", "/notes/one.html", "/photos/door.jpg"] {
            eventually(&format!("{path} with {}", file.display()), async || {
                let answer = edge.get(path).send().await.ok()?;
                (answer.status == 200).then_some(())
            })
            .await;
        }
    }
}

fn find(objects: &std::path::Path, bytes: usize) -> std::path::PathBuf {
    let shards = fs_err::read_dir(objects).unwrap();
    let mut files = shards.flat_map(|shard| fs_err::read_dir(shard.unwrap().path()).unwrap());
    let found = files.find(|file| {
        let about = file.as_ref().unwrap().metadata().unwrap();
        about.len() == bytes as u64
    });
    found.expect("the photograph").unwrap().path()
}
