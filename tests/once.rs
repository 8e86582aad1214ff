//! `edge sync`: an edge's disk filled without anybody being answered.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use snapshot::Digest;
use stage::process::Process;

use crate::scene::{Fault, Origin, Site, Wire, eventually, run};

#[tokio::test]
async fn an_edge_that_was_filled_before_its_first_start_needs_no_mirror() {
    let site = Site::small().init().await;
    site.publish().await;
    site.order(&["degrade", "pay", "--why", "fire", "--for", "1d"])
        .await;
    let mut edge = site.edge().prepared();
    let filled = run(edge.syncing()).await.expect(0);
    assert!(
        filled.out.starts_with("small: release 1, up to date; "),
        "{}",
        filled.out
    );
    assert!(filled.err.starts_with("small: "), "{}", filled.err);
    // A second time nothing comes.
    let again = run(edge.syncing()).await.expect(0);
    assert_eq!(again.out, "small: release 1, up to date; 0 bytes came\n");
    site.write("public/plain.txt", "changed words\n");
    site.publish().await;
    run(edge.syncing()).await.expect(0);
    fs_err::rename(site.path("mirror"), site.path("gone")).unwrap();
    // With no source, what is held stays.
    let alone = run(edge.syncing()).await.expect(5);
    assert!(
        alone.out.starts_with("small: release 2, not up to date"),
        "{}",
        alone.out
    );
    alone.says(&["mirror", "is not there"]);
    edge.begin();
    edge.ready().await;
    let status = edge.status().await;
    assert_eq!(status["orders"][0]["mode"], "degraded");
    assert_eq!(edge.sequence().await, Some(2));
    assert_eq!(edge.get("/pages/plain.txt").await.body, "changed words\n");
}

#[tokio::test]
async fn a_release_that_is_refused_is_no_success() {
    let site = Site::small().init().await;
    site.publish().await;
    for object in site.objects("mirror") {
        let mut bytes = fs_err::read(&object).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs_err::write(object, bytes).unwrap();
    }
    let edge = site.edge().prepared();
    let refused = run(edge.syncing()).await.expect(1);
    assert!(
        refused.out.starts_with("small: no release, not up to date"),
        "{}",
        refused.out
    );
    refused.says(&["edge: small: manifest ", "object: "]);
}

#[tokio::test]
async fn beside_a_running_edge_its_progress_is_shown() {
    let site = Site::small().init().await;
    let noise = (0..4 << 14).map(|n: u32| Digest::of(&n.to_le_bytes()).to_string());
    site.write("public/large.txt", noise.collect::<String>());
    site.publish().await;
    let shelf = Origin::shelf(site.path("mirror")).await;
    let wire = Wire::to(shelf.at()).await;
    wire.is(Fault::Trickle {
        after: 3 << 19,
        each: Duration::from_secs(1),
    });
    let mirror = format!("http://{}", wire.at());
    let edge = site.edge().following(&[&mirror]).spawn();
    eventually("the edge to fetch", async || {
        edge.ops("/livez").send().await.ok()?;
        edge.status().await["fetching"].as_object().map(|_| ())
    })
    .await;
    let log = site.path("sync.log");
    let _watching = Process::start("edge sync", edge.syncing(), &log).unwrap();
    let says_in = async |log: &Path, words: &str| {
        eventually(words, async || {
            // A bar is drawn in characters that may be half written.
            let said = fs_err::read(log).ok()?;
            String::from_utf8_lossy(&said).contains(words).then_some(())
        })
        .await;
    };
    let says = async |words: &str| says_in(&log, words).await;
    says("edge-1 runs and follows by itself").await;
    says("small: fetching release 1: ").await;
    if outside::have("script") {
        let shown = site.path("terminal.log");
        let line = format!("{:?}", edge.syncing()).replace('"', "");
        let line = format!("stty cols 100 rows 30; {line}");
        let mut terminal = Command::new("script");
        terminal.args(["-qefc", &line, "/dev/null"]);
        let _shown = Process::start("edge sync at a terminal", terminal, &shown).unwrap();
        says_in(&shown, "░").await;
        says_in(&shown, " of 2 objects, ").await;
    }
    // That breaks the connection: the release is resumed at once, or refused and taken a little later.
    wire.is(Fault::None);
    says("up to date; ").await;
    let ended = eventually("the edge to be up to date", async || {
        let ended = run(edge.syncing()).await;
        (ended.code == 0).then_some(ended)
    })
    .await;
    assert!(
        ended.out.starts_with("small: release 1, up to date; "),
        "{}",
        ended.out
    );
}
