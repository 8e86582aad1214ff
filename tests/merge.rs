//! Merged segments: an edge makes them out of what it holds and downloads nothing for them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use snapshot::manifest::{Collection, SegmentEntry};
use snapshot::{Digest, Manifest};

use crate::scene::{Edge, Site, eventually};

/// The mirror that the edge follows; what is published goes to another folder first.
const SHOWN: &str = "shown";
/// Pages besides those of the small site, of 3,000 bytes each that do not compress well.
const PAGES: usize = 200;
/// What following through a merge may take from a mirror, bytes.
const MOST: u64 = 64 << 10;

fn page(n: usize, edition: usize) -> String {
    let noise = (0..47).map(|i| Digest::of(format!("{n} {edition} {i}").as_bytes()).to_string());
    format!("page {n}, edition {edition}\n{}", noise.collect::<String>())
}

/// The site as it should be: which edition of each page, the last release's.
struct World {
    site: Site,
    editions: [usize; PAGES],
}

impl World {
    /// Published twice: all pages, and two fifths of them anew; the next publish merges the two. Shown
    /// is the first.
    async fn before_a_merge() -> Self {
        let mut world = Self {
            site: Site::small().init().await,
            editions: [0; PAGES],
        };
        world.publish(0..PAGES, 1).await;
        world.site.show(SHOWN);
        world.publish(0..PAGES * 2 / 5, 2).await;
        world
    }

    async fn publish(&mut self, pages: std::ops::Range<usize>, edition: usize) {
        for n in pages {
            self.editions[n] = edition;
            self.site
                .write(&format!("public/{n:03}.txt"), page(n, edition));
        }
        self.site.publish().await;
    }

    /// Every page of the edge is that of the last publish.
    async fn is_served(&self, edge: &Edge) {
        for (n, edition) in self.editions.iter().enumerate() {
            let got = edge.get(&format!("/pages/{n:03}.txt")).await;
            assert_eq!(got.text(), page(n, *edition), "{n}");
        }
    }

    /// The segment that the last publish merged.
    fn segment(&self) -> SegmentEntry {
        let mut manifest = self.site.forge("mirror").manifest;
        let merged = pages(&mut manifest).segments.pop().unwrap();
        assert_eq!((merged.from.len(), merged.bottom), (2, true));
        merged
    }

    /// Shows the objects of the last publish but for `absent`; the pointer is as it was.
    fn show_without(&self, absent: &[Digest]) {
        self.site.show_objects(SHOWN);
        for object in absent {
            self.site.forge(SHOWN).remove(object).unwrap();
        }
    }

    /// The objects shown, by their lengths.
    fn shown(&self) -> BTreeMap<PathBuf, u64> {
        let objects = self.site.objects(SHOWN).into_iter();
        let length = |path: PathBuf| (path.clone(), fs_err::metadata(path).unwrap().len());
        objects.map(length).collect()
    }
}

fn pages(manifest: &mut Manifest) -> &mut Collection {
    let mut collections = manifest.collections.iter_mut();
    collections.find(|c| c.name.as_str() == "pages").unwrap()
}

fn merged(status: &Value) -> (u64, u64) {
    let of = |what: &str| status["merged"][what].as_u64().unwrap();
    (of("segments"), of("bytes"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_merges_what_it_holds_and_downloads_nothing_for_it() {
    let mut world = World::before_a_merge().await;
    let edge = world.site.edge().following(&[SHOWN]).start().await;
    world.site.show(SHOWN);
    edge.reaches(2).await;
    world.is_served(&edge).await;

    world.publish(0..1, 3).await;
    let (segment, before) = (world.segment(), world.shown());
    // The mirror has nothing but what else is new.
    world.show_without(&[segment.id]);
    let mut new = world.shown();
    new.retain(|path, _| !before.contains_key(path));
    let bytes: u64 = new.values().sum();
    println!(
        "{} objects of {bytes} bytes were there to be read",
        new.len()
    );
    assert!(bytes <= MOST, "{new:?}");
    world.site.show_pointer(SHOWN);
    // Readers are answered all the while.
    eventually("release 3 to be in use", async || {
        let page = edge.get("/pages/150.txt").await;
        assert_eq!(
            (page.status.as_u16(), page.text()),
            (200, self::page(150, 1))
        );
        (edge.sequence().await? == 3).then_some(())
    })
    .await;
    world.is_served(&edge).await;
    let status = edge.status().await;
    assert_eq!(merged(&status), (1, segment.bytes));
    assert_eq!(status["remarks"], Value::Array(Vec::new()));
    assert_eq!(status["refusals"], Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_skipped_a_release_fetches_the_smaller_input() {
    let mut world = World::before_a_merge().await;
    let edge = world.site.edge().following(&[SHOWN]).start().await;
    edge.reaches(1).await;
    world.publish(0..1, 3).await;
    let segment = world.segment();
    world.show_without(&[segment.id]);
    world.site.show_pointer(SHOWN);
    edge.reaches(3).await;
    world.is_served(&edge).await;
    assert_eq!(merged(&edge.status().await), (1, segment.bytes));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_fetches_what_it_cannot_merge() {
    let mut world = World::before_a_merge().await;
    let edge = world.site.edge().following(&[SHOWN]).start().await;
    edge.reaches(1).await;
    world.publish(0..1, 3).await;
    // The input that the edge never saw is gone from the mirror as well.
    let segment = world.segment();
    world.show_without(&[segment.from[0].id]);
    world.site.show_pointer(SHOWN);
    edge.reaches(3).await;
    world.is_served(&edge).await;
    // An edge that holds nothing takes the whole.
    let empty = world.site.edge().named("empty").following(&[SHOWN]);
    let empty = empty.start().await;
    world.is_served(&empty).await;
    for edge in [edge, empty] {
        let status = edge.status().await;
        assert_eq!(merged(&status), (0, 0));
        assert_eq!(status["remarks"], Value::Array(Vec::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_that_lies_is_an_alarm_and_a_fetch() {
    let mut world = World::before_a_merge().await;
    let edge = world.site.edge().following(&[SHOWN]).start().await;
    world.site.show(SHOWN);
    edge.reaches(2).await;
    world.publish(0..1, 3).await;
    world.site.show_objects(SHOWN);
    // The older wins: what comes out is the first release's pages.
    let (forge, mut manifest) = (world.site.forge(SHOWN), world.site.forge("mirror").manifest);
    let lie = pages(&mut manifest).segments.last_mut().unwrap();
    lie.from.reverse();
    let (id, oldest) = (lie.id, lie.from[0].id);
    let release = forge.next_of(&manifest).unwrap();
    let envelope = forge.signed(&release).unwrap();
    forge.point(&envelope.to_bytes().unwrap()).unwrap();
    edge.reaches(3).await;
    world.is_served(&edge).await;
    let status = edge.status().await;
    assert_eq!(merged(&status), (0, 0));
    let alarms = status["remarks"].as_array().unwrap();
    let words =
        format!("segment {id}: merged as the manifest says it is {oldest}: it is fetched instead");
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!(alarms[0]["text"], words);
}
