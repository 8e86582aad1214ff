//! Objects on their way to an edge: what has arrived stays, and one bad source costs little.

use snapshot::Digest;

use crate::scene::{Disk, Edge, Fault, Origin, Site, Wire, eventually};

/// A file that does not compress, of so many bytes.
const LARGE: usize = 4 << 20;
/// What a wire lets through before it nearly stops, bytes.
const THROUGH: usize = 3 << 19;

/// Steps that an edge takes on its disk before it is killed: more than it takes to start, and fewer than
/// the large file takes.
const LIFE: usize = 300;
/// Lives in which it has to get there.
const LIVES: usize = 20;

/// A small site with one large file, published.
async fn with_a_large_file() -> Site {
    let site = Site::small().init().await;
    let noise = (0..LARGE / 64).map(|n| Digest::of(&n.to_le_bytes()).to_string());
    site.write("public/large.txt", noise.collect::<String>());
    site.publish().await;
    site
}

/// Bytes of the edge's disk that belong to what has not arrived whole.
fn arrived(site: &Site, edge: &str) -> u64 {
    let partial = site.path(edge).join("sites/small/partial");
    let Ok(names) = fs_err::read_dir(partial) else {
        return 0;
    };
    names
        .map(|name| name.unwrap().metadata().unwrap().len())
        .sum()
}

async fn downloaded(edge: &Edge) -> u64 {
    edge.status().await["downloaded"].as_u64().unwrap()
}

#[tokio::test]
async fn what_has_arrived_of_an_object_survives_a_kill() {
    let site = with_a_large_file().await;
    let shelf = Origin::shelf(site.path("mirror")).await;
    let wire = Wire::to(shelf.at()).await;
    wire.is(Fault::Trickle {
        after: THROUGH,
        each: std::time::Duration::from_secs(1),
    });
    let mirror = format!("http://{}", wire.at());
    let mut edge = site.edge().following(&[&mirror]).spawn();
    let before = eventually("a part of the large file to be here", async || {
        let arrived = arrived(&site, "edge-1");
        (arrived >= 1 << 20).then_some(arrived)
    })
    .await;
    edge.kill();
    wire.is(Fault::None);
    edge.begin();
    edge.ready().await;
    let came = downloaded(&edge).await;
    assert!(
        came < LARGE as u64 - before + (1 << 20) / 2,
        "{came} after {before}"
    );
    assert_eq!(arrived(&site, "edge-1"), 0);
    let page = edge.get("/pages/large.txt").await;
    assert_eq!(page.body.len(), LARGE);
}

#[tokio::test]
async fn a_source_that_breaks_off_is_told_and_another_goes_on() {
    let site = with_a_large_file().await;
    let shelf = Origin::shelf(site.path("mirror")).await;
    let wire = Wire::to(shelf.at()).await;
    wire.is(Fault::ResetAfter(THROUGH));
    let (broken, whole) = (
        format!("http://{}", wire.at()),
        format!("http://{}", shelf.at()),
    );
    let edge = site.edge().following(&[&broken, &whole]).start().await;
    edge.reaches(1).await;
    let page = edge.get("/pages/large.txt").await;
    assert_eq!(page.body.len(), LARGE);
    wire.is(Fault::Refused);
    eventually("the broken source to be told", async || {
        let sources = edge.status().await["sources"].clone();
        (sources[0]["health"] == "dead" && sources[1]["health"] == "sound").then_some(())
    })
    .await;
    wire.is(Fault::None);
    eventually("the source to be sound again", async || {
        (edge.status().await["sources"][0]["health"] == "sound").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_mirror_that_lies_about_objects_is_told_and_asked_last() {
    let site = with_a_large_file().await;
    site.show("shown");
    for object in site.objects("shown") {
        let mut bytes = fs_err::read(&object).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs_err::write(object, bytes).unwrap();
    }
    let edge = site.edge().following(&["shown", "mirror"]).start().await;
    edge.reaches(1).await;
    let sources = edge.status().await["sources"].clone();
    assert_eq!(sources[0]["health"], "lying", "{sources}");
    assert!(sources[0]["aside_s"].as_u64().unwrap() > 30, "{sources}");
    assert_eq!(sources[1]["health"], "sound", "{sources}");
}

#[tokio::test]
async fn an_edge_that_is_killed_again_and_again_gets_to_the_end_of_a_large_object() {
    if !outside::have("cc") {
        return;
    }
    let site = with_a_large_file().await;
    let disk = Disk::of(&site, "edge-1");
    disk.stops_at(LIFE);
    let mut edge = site.edge().on(&disk).spawn();
    let mut killed = 0;
    loop {
        let ended = eventually("the edge to end or to finish", async || {
            if edge.has_ended() {
                return Some(true);
            }
            let answer = edge.ops("/readyz").send().await.ok()?;
            answer.status.is_success().then_some(false)
        })
        .await;
        if !ended {
            break;
        }
        killed += 1;
        assert!(killed < LIVES, "what has arrived does not stay");
        disk.is_sound();
        disk.stops_at(LIFE);
        edge.kill();
        edge.begin();
    }
    disk.is_sound();
    assert!(killed > 1, "killed {killed} times");
    let page = edge.get("/pages/large.txt").await;
    let whole = fs_err::read(site.path("public/large.txt")).unwrap();
    assert!(page.body == whole);
    assert_eq!(arrived(&site, "edge-1"), 0);
}
