//! Killed while something is taken away: what stays is whole, and a rerun finishes.

use std::time::Duration;

use futures::future::join_all;

use super::{LANES, STEPS, change, origin_sync, published, verify};
use crate::scene::Disk;

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_killed_at_each_step_loses_nothing_that_stays_and_a_rerun_finishes() {
    if !outside::have("cc") {
        return;
    }
    let two = "\n[retention]\nreleases = 2\nyounger = \"0s\"\ngrace = \"10m\"\nsweep = false\n";
    let lane = async |lane: usize| {
        let site = published().await;
        let toml = fs_err::read_to_string(site.path("site.toml")).unwrap();
        site.write("site.toml", format!("{toml}{two}"));
        let disk = Disk::of(&site, "");
        let (mut newest, mut steps) = (1, lane);
        loop {
            for _ in 0..3 {
                newest += 1;
                change(&site, newest);
                site.write("photos/door.jpg", [newest.to_le_bytes()[0]; 9000]);
                site.publish().await;
            }
            for folder in ["mirror", ".holdfast/objects"] {
                site.age(folder, Duration::from_secs(3600));
            }
            disk.stops_at(steps + 1);
            let killed = origin_sync(&site, Some(&disk), &["sweep", "--json"]).await;
            disk.is_sound();
            let before = (newest - 1).to_string();
            let older = ["verify", "--deep", "--release", &before];
            verify(&site).await;
            origin_sync(&site, None, &older).await.expect(0);
            let again = origin_sync(&site, None, &["sweep", "--json"]).await;
            let again = again.expect(0).json();
            verify(&site).await;
            origin_sync(&site, None, &older).await.expect(0);
            if killed.code != -1 {
                killed.expect(0);
                assert_eq!(again["mirrors"][0]["objects"], 0, "{again}");
                return steps;
            }
            steps += LANES;
        }
    };
    let steps = join_all((0..LANES).map(lane)).await;
    println!("a sweep takes about {steps:?} steps");
    assert!(steps.iter().all(|steps| *steps > 10), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erase_killed_at_some_steps_leaves_a_whole_release_and_a_rerun_finishes() {
    if !outside::have("cc") {
        return;
    }
    let lane = async |lane: usize| {
        let site = published().await;
        let disk = Disk::of(&site, "");
        for step in (lane..STEPS).step_by(LANES * 3) {
            let (file, mark) = (format!("gone-{step}.html"), format!("marked-{step}-gone"));
            site.write(&format!("notes/{file}"), &mark);
            site.publish().await;
            assert!(!site.holding(&["mirror"], &mark).is_empty());
            let what = format!("notes/{file}");
            let erase = ["erase", &what, "--json"];
            disk.stops_at(step + 1);
            let killed = origin_sync(&site, Some(&disk), &erase).await;
            disk.is_sound();
            verify(&site).await;
            origin_sync(&site, None, &erase).await.expect(0);
            verify(&site).await;
            for words in [&file, &mark] {
                let left = site.holding(&["mirror", ".holdfast"], words);
                assert!(left.is_empty(), "step {step}: {words} in {left:?}");
            }
            // Its source still has it.
            let told = site.try_publish(&[]).await.expect(10);
            told.says(&["erased records are still in the sources"]);
            if killed.code != -1 {
                return step;
            }
        }
        panic!("an erase takes more than {STEPS} steps");
    };
    let steps = join_all((0..LANES).map(lane)).await;
    println!("an erase takes about {steps:?} steps");
    assert!(steps.iter().all(|steps| *steps > 10), "{steps:?}");
}
