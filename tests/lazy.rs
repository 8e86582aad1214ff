//! Lazy collections: fetched when they are read, checked from the signed root down, kept within a bound.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use snapshot::Digest;
use snapshot::at_rest::{compress, expand};

use crate::scene::{Disk, Edge, Origin, Site, eventually};

/// Notes of a published site: some 17 frames, more than the cache of these edges holds.
const NOTES: usize = 600;
/// What the cache of these edges holds at most, bytes.
const CACHE: u64 = 1 << 20;
const LAZY: &str = "lazy = [\"notes\", \"photos\"]\nlazy-cache = 1048576\n";

fn words(n: usize) -> String {
    let lines = (0..54).map(|line| Digest::of(format!("{n} {line}").as_bytes()).to_string() + "\n");
    lines.collect()
}

fn path(n: usize) -> String {
    format!("/notes/{n:03}.txt")
}

/// A small site with many notes, published.
async fn noted() -> Site {
    let site = Site::small().init().await;
    for n in 0..NOTES {
        site.write(&format!("notes/{n:03}.txt"), words(n));
    }
    site.publish().await;
    site
}

/// The objects of the notes' segments.
fn segments(site: &Site, mirror: &str) -> Vec<PathBuf> {
    let manifest = site.forge(mirror).manifest;
    let notes = manifest.collection(&"notes".parse().unwrap()).unwrap();
    let ids = notes.segments.iter().map(|entry| entry.id.to_string());
    ids.map(|id| site.at(mirror).join("objects").join(&id[..2]).join(id))
        .collect()
}

async fn lazy(edge: &Edge) -> Value {
    edge.status().await["lazy"].clone()
}

/// Every file below `folder`, bytes.
fn weight(folder: &Path) -> u64 {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return 0;
    };
    let each = entries.map(|entry| entry.unwrap().path());
    each.map(|path| match path.is_dir() {
        true => weight(&path),
        false => fs_err::metadata(&path).map_or(0, |about| about.len()),
    })
    .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_still_answers_without_sources_and_the_rest_is_a_503() {
    let site = noted().await;
    let mut shelf = Origin::shelf(site.path("mirror")).await;
    let mirror = format!("http://{}", shelf.at());
    let mut edge = site.edge().following(&[&mirror]).set(LAZY).start().await;
    edge.reaches(1).await;
    // Nothing of them came with the release.
    let at_start = lazy(&edge).await;
    assert_eq!(
        (&at_start["bytes"], &at_start["fetched"]),
        (&0.into(), &0.into())
    );
    for segment in segments(&site, "mirror") {
        let id = segment.file_name().unwrap().to_str().unwrap();
        assert!(shelf.seen().iter().all(|seen| !seen.target.contains(id)));
    }
    assert!(weight(&site.path("edge-1/sites/small/objects")) < 64 << 10);

    assert_eq!(edge.get(&path(7)).await.text(), words(7));
    let photo = edge.get("/photos/door.jpg").await;
    assert!(photo.status == 200 && photo.body.len() == 200_000);
    let told = lazy(&edge).await;
    assert!(told["fetched"].as_u64().unwrap() >= 3, "{told}");
    assert_eq!(told["failed"], 0, "{told}");
    assert!(weight(&site.path("edge-1/sites/small/objects")) < 64 << 10);

    shelf.die().await;
    assert_eq!(edge.get(&path(7)).await.text(), words(7));
    assert_eq!(edge.get("/photos/door.jpg").await.status, 200);
    // Collections that are held whole know nothing of it.
    assert_eq!(edge.get("/pages/plain.txt").await.status, 200);
    // Neither held nor, for all this edge can tell, absent.
    for away in [path(500), "/notes/nowhere.txt".to_owned()] {
        let page = edge.get(&away).await;
        assert_eq!(page.status, 503, "{away}");
        assert_eq!(page.headers["cache-control"], "no-store");
    }
    let told = lazy(&edge).await;
    assert!(told["failed"].as_u64().unwrap() >= 1, "{told}");
    assert!(
        told["error"]
            .as_str()
            .unwrap()
            .contains("no source gives it"),
        "{told}"
    );
    let metrics = edge.ops("/metrics").await.text();
    assert!(
        metrics.contains("\nholdfast_lazy_failed_total{site=\"small\"} "),
        "{metrics}"
    );

    // A restart needs nobody, and forgets nothing of what was read.
    edge.kill();
    edge.begin();
    edge.ready().await;
    assert_eq!(edge.sequence().await, Some(1));
    assert_eq!(edge.get(&path(7)).await.text(), words(7));
    assert_eq!(edge.get("/photos/door.jpg").await.status, 200);
    assert_eq!(edge.get(&path(500)).await.status, 503);
    assert!(
        edge.status().await["damaged"]
            .as_array()
            .unwrap()
            .is_empty()
    );

    // No failure was remembered.
    shelf.rise().await;
    eventually("the other note to be had", async || {
        let page = edge.get(&path(500)).await;
        (page.status == 200 && page.text() == words(500)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_stays_within_its_bound_while_everything_is_read() {
    let site = noted().await;
    let edge = site.edge().set(LAZY).start().await;
    edge.reaches(1).await;
    for n in 0..NOTES {
        assert_eq!(edge.get(&path(n)).await.text(), words(n), "{n}");
        if n % 50 == 0 {
            let told = lazy(&edge).await;
            assert!(told["bytes"].as_u64().unwrap() <= CACHE, "{told}");
            assert!(weight(&site.path("edge-1/sites/small/lazy")) <= CACHE);
        }
    }
    let told = lazy(&edge).await;
    assert_eq!(told["bytes_most"], CACHE);
    // It was full, and what it held was used again and again.
    assert!(told["bytes"].as_u64().unwrap() > CACHE / 2, "{told}");
    assert!(told["hits"].as_u64().unwrap() > 500, "{told}");
    assert!(told["fetched"].as_u64().unwrap() >= 15, "{told}");
    assert_eq!(told["failed"], 0, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_mirrors_frame_is_refused_and_the_next_source_asked() {
    let site = noted().await;
    site.show("shown");
    let manifest = site.forge("shown").manifest;
    let notes = manifest.collection(&"notes".parse().unwrap()).unwrap();
    for (entry, object) in notes.segments.iter().zip(segments(&site, "shown")) {
        // Whole frames of whole nodes, with a true table, and one letter of each note another.
        let (at_rest, mut nodes) = (fs_err::read(&object).unwrap(), Vec::new());
        expand(&mut at_rest.as_slice(), entry, &mut nodes).unwrap();
        let ends = |at: &usize| {
            nodes[*at] == b'\n' && nodes[at - 8..*at].iter().all(u8::is_ascii_hexdigit)
        };
        let letters: Vec<usize> = (8..nodes.len()).filter(ends).collect();
        for at in letters {
            nodes[at] = b' ';
        }
        let mut lying = Vec::new();
        compress(&mut std::io::Cursor::new(nodes), &mut lying).unwrap();
        fs_err::write(object, lying).unwrap();
    }
    let edge = site
        .edge()
        .following(&["shown", "mirror"])
        .set(LAZY)
        .start()
        .await;
    edge.reaches(1).await;
    for n in [0, 300, 599] {
        assert_eq!(edge.get(&path(n)).await.text(), words(n));
    }
    assert_eq!(lazy(&edge).await["failed"], 0);

    let alone = site.edge().named("alone").following(&["shown"]);
    let alone = alone.set(LAZY).start().await;
    alone.reaches(1).await;
    assert_eq!(alone.get(&path(300)).await.status, 503);
    let why = lazy(&alone).await["error"].as_str().unwrap().to_owned();
    assert!(
        why.contains("another node than the one that was signed"),
        "{why}"
    );
    assert_eq!(alone.get("/pages/plain.txt").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn misses_for_one_frame_make_one_fetch() {
    let site = noted().await;
    let shelf = Origin::shelf(site.path("mirror")).await;
    let mirror = format!("http://{}", shelf.at());
    let edge = site.edge().following(&[&mirror]).set(LAZY).start().await;
    edge.reaches(1).await;
    let page = path(300);
    let asked = (0..24).map(|_| async { edge.get(&page).await.text() });
    for text in futures::future::join_all(asked).await {
        assert_eq!(text, words(300));
    }
    let mut ranges = BTreeMap::<(String, String), usize>::new();
    for seen in shelf.seen() {
        if let Some(range) = seen.headers.get("range") {
            let range = range.to_str().unwrap().to_owned();
            *ranges.entry((seen.target.clone(), range)).or_default() += 1;
        }
    }
    // The table, and the frames with the root and the leaf.
    assert!(ranges.len() >= 2, "{ranges:?}");
    assert!(ranges.values().all(|times| *times == 1), "{ranges:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_with_changed_notes_switches_in_without_them() {
    let site = noted().await;
    site.show("shown");
    let edge = site.edge().following(&["shown"]).set(LAZY).start().await;
    edge.reaches(1).await;
    for n in 0..100 {
        site.write(&format!("notes/{n:03}.txt"), words(n + 1000));
    }
    site.publish().await;
    site.show("shown");
    for segment in segments(&site, "shown") {
        fs_err::remove_file(segment).unwrap();
    }
    edge.reaches(2).await;
    assert_eq!(edge.get(&path(5)).await.status, 503);
    site.show("shown");
    eventually("the new note to be had", async || {
        let page = edge.get(&path(5)).await;
        (page.status == 200 && page.text() == words(1005)).then_some(())
    })
    .await;

    // A canary that touches them is asked, and what no source gives refuses the release.
    site.edit(
        "site.toml",
        "[publish]",
        "[[canary]]\npath = \"/notes/003.txt\"\n[publish]",
    );
    site.write("notes/003.txt", words(2003));
    site.publish().await;
    let newest = segments(&site, "mirror").remove(0);
    let id = newest.file_name().unwrap().to_owned();
    site.show_objects("shown");
    let gone = segments_of(&site, &id);
    let kept = fs_err::read(&gone).unwrap();
    fs_err::remove_file(&gone).unwrap();
    site.show_pointer("shown");
    edge.refuses("canary", "").await;
    assert_eq!(edge.sequence().await, Some(2));
    fs_err::write(&gone, kept).unwrap();
    edge.reaches(3).await;
    assert_eq!(edge.get("/notes/003.txt").await.text(), words(2003));
}

fn segments_of(site: &Site, id: &std::ffi::OsStr) -> PathBuf {
    let shard = &id.to_str().unwrap()[..2];
    site.at("shown").join("objects").join(shard).join(id)
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_and_lazy_are_the_edges_own_choice_and_can_change() {
    let site = noted().await;
    let mut edge = site.edge().set(LAZY).start().await;
    edge.reaches(1).await;
    assert_eq!(edge.get(&path(7)).await.status, 200);
    assert!(site.path("edge-1/sites/small/lazy").exists());
    edge.kill();
    site.edit("edge-1.toml", LAZY, "");
    edge.begin();
    edge.ready().await;
    eventually("the notes to be held whole", async || {
        (edge.status().await["release"]["sequence"] == 1).then_some(())
    })
    .await;
    assert!(!site.path("edge-1/sites/small/lazy").exists());
    fs_err::rename(site.path("mirror"), site.path("away")).unwrap();
    for n in [0, 300, 599] {
        assert_eq!(edge.get(&path(n)).await.text(), words(n));
    }
    edge.kill();
    fs_err::rename(site.path("away"), site.path("mirror")).unwrap();
    let typo = site
        .edge()
        .named("typo")
        .set("lazy = [\"nots\"]\n")
        .start()
        .await;
    typo.reaches(1).await;
    let alarms = typo.status().await["remarks"].to_string();
    assert!(
        alarms.contains("`lazy` names the collection nots"),
        "{alarms}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_killed_at_some_steps_of_lazy_reads_reads_on_when_started_again() {
    if !outside::have("cc") {
        return;
    }
    let site = noted().await;
    for step in (2..200).step_by(9) {
        let name = format!("edge-{step}");
        let disk = Disk::of(&site, &name);
        disk.stops_at(step);
        let mut edge = site.edge().named(&name).on(&disk).set(LAZY).spawn();
        let finished = eventually("the edge to end or to finish", async || {
            if edge.has_ended() {
                return Some(false);
            }
            let note = edge.get(&path(7)).send().await.ok()?;
            assert!(note.status != 200 || note.text() == words(7));
            let photo = edge.get("/photos/door.jpg").send().await.ok()?;
            (note.status == 200 && photo.status == 200).then_some(true)
        })
        .await;
        disk.is_sound();
        edge.kill();
        edge.begin();
        edge.ready().await;
        for n in [7, 8, 300] {
            assert_eq!(edge.get(&path(n)).await.text(), words(n), "step {step}");
        }
        let photo = edge.get("/photos/door.jpg").await;
        assert_eq!(photo.body.len(), 200_000, "step {step}");
        assert!(weight(&site.path(&name).join("sites/small/lazy")) <= CACHE);
        if finished {
            return;
        }
    }
    panic!("an edge takes more than 200 steps");
}
