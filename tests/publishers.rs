//! Two publishers at once, each on a disk of its own, with one key and the same mirrors: whatever
//! the mirrors do or do not do, nothing is lost and nobody is told a lie.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::scene::{Bucket, Ended, Site, binary, run};

const ROWS: &str = r#"
site = "rows"
title = "Rows"
languages = ["en"]
[service.home]
title = "Home"
meanwhile = ""
probe = "/health"
[status]
serve = false
[collection.pages]
source = { folder = "public" }
complete = true
[collection.clubs]
source = { csv = "clubs.csv", key = "id" }
[[route]]
path = "/"
assets = "pages"
[publish]
mirrors = ["mirror"]
key = "keys/release"
"#;

/// How often they meet.
const ROUNDS: usize = 4;

/// A site with one release on its mirrors, and a second machine's declaration of it.
async fn site(mirrors: &[String]) -> Site {
    let site = Site::new("rows", ROWS)
        .file(
            "public/index.html",
            "<!doctype html><html lang=en><title>Rows</title><p>rows</p>",
        )
        .file("clubs.csv", "id,title\nclub-1,Hill\n");
    let site = site.init().await;
    if !mirrors.is_empty() {
        let quoted: Vec<String> = mirrors.iter().map(|mirror| format!("{mirror:?}")).collect();
        site.edit(
            "site.toml",
            "[\"mirror\"]",
            &format!("[{}]", quoted.join(", ")),
        );
    }
    let ended = site.try_publish(&["--json"]).await.expect(0);
    assert_eq!(ended.json()["sequence"], 1);
    // The other machine: another copy of its own, everything else alike.
    let text = fs_err::read_to_string(site.path("site.toml")).unwrap();
    site.write(
        "other.toml",
        text.replace("[publish]\n", "[publish]\ncache = \"other\"\n"),
    );
    site
}

/// Both publish one change each, at once; how each ended.
async fn both(site: &Site, round: usize, arguments: &[&str]) -> Vec<(String, Ended)> {
    let publish = ["site.toml", "other.toml"].map(|config| {
        let club = format!("{}-{round}", config.trim_end_matches(".toml"));
        let list = format!("{club}.ndjson");
        site.write(
            &list,
            format!("{{\"put\":{{\"id\":{club:?},\"title\":\"New\"}}}}\n"),
        );
        let mut publish = std::process::Command::new(binary("origin-sync"));
        publish
            .args(["publish", "--json", "--config"])
            .arg(site.path(config));
        publish.arg(format!("--changes=clubs={}", site.path(&list).display()));
        publish.args(arguments);
        async move { (club, run(publish).await) }
    });
    futures::future::join_all(publish).await
}

/// The keys of the clubs of the newest release, by whoever looks at the mirrors.
async fn clubs(site: &Site) -> BTreeSet<String> {
    let mut list = std::process::Command::new(binary("origin-sync"));
    list.args(["inspect", "ls", "clubs", "--config"])
        .arg(site.path("site.toml"));
    let ended = run(list).await.expect(0);
    let words = ended
        .out
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words
        .filter(|word| word.contains('-'))
        .map(str::to_owned)
        .collect()
}

/// Every release there is, by whoever looks at the mirrors: number and manifest.
async fn releases(site: &Site) -> Vec<Value> {
    let mut list = std::process::Command::new(binary("origin-sync"));
    list.args(["log", "--json", "--config"])
        .arg(site.path("site.toml"));
    let ended = run(list).await.expect(0);
    let lines = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Meets in repeated rounds. Whoever is told "published" finds its club in the newest release, and
/// its number names its manifest on the mirrors; whoever is not is told so by its exit code.
async fn meet(site: &Site, publishers: Option<&str>) {
    let mut expected = clubs(site).await;
    let mut rebased = 0;
    for round in 0..ROUNDS {
        let ended = both(site, round, &[]).await;
        let releases = releases(site).await;
        let mut numbers = BTreeSet::new();
        for (club, ended) in ended {
            assert!([0, 25].contains(&ended.code), "{ended:?}");
            if ended.code != 0 {
                ended.says(&["another publisher's release"]);
                continue;
            }
            let report = ended.json();
            assert!(
                publishers.is_none_or(|all| report["publishers"] == all),
                "{report}"
            );
            assert!(
                numbers.insert(report["sequence"].as_u64()),
                "one number twice"
            );
            let there = releases.iter().any(|line| {
                (&line["sequence"], &line["manifest"]) == (&report["sequence"], &report["manifest"])
            });
            assert!(there, "{report}\n{releases:#?}");
            rebased += usize::from(!report["warnings"].as_array().unwrap().is_empty());
            expected.insert(club);
        }
        let held = clubs(site).await;
        assert!(
            held.is_superset(&expected),
            "{held:?} lacks some of {expected:?}"
        );
    }
    println!("{rebased} of {ROUNDS} rounds were put on top of the other's release");
    let mut verify = std::process::Command::new(binary("origin-sync"));
    verify
        .args(["verify", "--deep", "--config"])
        .arg(site.path("site.toml"));
    run(verify).await.expect(0);
}

#[tokio::test]
async fn in_a_folder_each_gets_a_number_and_nothing_is_lost() {
    let site = site(&[]).await;
    meet(&site, Some("several")).await;
}

#[tokio::test]
async fn in_three_folders_the_most_decide() {
    let site = {
        let site = Site::new("unused", "");
        let folders = ["a", "b", "c"].map(|name| site.path(name));
        for folder in &folders {
            fs_err::create_dir_all(folder).unwrap();
        }
        (
            site,
            folders.map(|folder: PathBuf| folder.display().to_string()),
        )
    };
    let (_folders, mirrors) = site;
    let site = self::site(&mirrors).await;
    meet(&site, Some("several")).await;
}

#[tokio::test]
async fn in_a_bucket_that_honours_conditions_each_gets_a_number() {
    let Some(bucket) = Bucket::moto() else {
        return;
    };
    let bucket = bucket.await;
    let keys = Site::new("keys", "");
    let site = site(&[bucket.mirror(&keys).replace(
        "s3.credentials",
        &keys.path("s3.credentials").display().to_string(),
    )])
    .await;
    meet(&site, None).await;
}

#[tokio::test]
async fn in_a_bucket_that_does_not_nobody_is_told_a_lie() {
    let Some(bucket) = Bucket::s3s() else {
        return;
    };
    let bucket = bucket.await;
    let keys = Site::new("keys", "");
    let site = site(&[bucket.mirror(&keys).replace(
        "s3.credentials",
        &keys.path("s3.credentials").display().to_string(),
    )])
    .await;
    meet(&site, Some("one")).await;
}

#[tokio::test]
async fn sources_are_not_read_over_the_head_of_a_release_that_was_quicker() {
    let site = site(&[]).await;
    // Both read what there is: one has a row more.
    site.write("clubs.csv", "id,title\nclub-1,Hill\nclub-2,Lake\n");
    for round in 0..ROUNDS {
        site.write("clubs.csv", format!("id,title\nclub-1,Hill {round}\n"));
        let one = site.publishing(&["--json"]);
        let text = fs_err::read_to_string(site.path("other.toml")).unwrap();
        site.write(
            "clubs-other.csv",
            format!("id,title\nclub-1,Lake {round}\n"),
        );
        site.write(
            "other-rows.toml",
            text.replace("clubs.csv", "clubs-other.csv"),
        );
        let mut other = std::process::Command::new(binary("origin-sync"));
        other
            .args(["publish", "--json", "--config"])
            .arg(site.path("other-rows.toml"));
        let (one, other) = tokio::join!(run(one), run(other));
        let mut won = 0;
        for ended in [one, other] {
            match ended.code {
                0 => won += 1,
                25 => {
                    ended.says(&["another publisher's release", "publish again"]);
                }
                code => panic!("{code}: {ended:?}"),
            }
        }
        assert!(won >= 1, "somebody has the number");
    }
}
