//! Publishing once more what was published: back to an earlier release, and from staging to
//! production.

use std::process::Command;

use serde_json::{Value, json};

use crate::scene::{Ended, INDEX, Site, binary, run};

fn page(words: &str) -> String {
    INDEX.replace("the house has a door", words)
}

async fn origin_sync(site: &Site, arguments: &[&str]) -> Ended {
    let mut command = Command::new(binary("origin-sync"));
    command.args(arguments);
    command.arg("--config").arg(site.path("site.toml"));
    run(command).await
}

async fn rollback(site: &Site, to: &str) -> Ended {
    origin_sync(site, &["rollback", "--to", to, "--json"]).await
}

async fn differing(site: &Site, a: &str, b: &str) -> Value {
    let found = origin_sync(site, &["diff", a, b, "--json"]).await;
    found.expect(0).json()["collections"].clone()
}

/// The small site with two mirrors, three releases: the first, one with another first page and
/// photograph, one with another note.
async fn three() -> Site {
    let site = Site::small().init().await;
    site.edit("site.toml", "[\"mirror\"]", "[\"mirror\", \"second\"]");
    fs_err::create_dir(site.path("second")).unwrap();
    site.publish().await;
    site.write("public/index.html", page("the house has two doors"));
    site.write("photos/door.jpg", vec![7; 90_000]);
    site.publish().await;
    site.write(
        "notes/one.html",
        "<!doctype html><title>One</title><p>two</p>",
    );
    assert_eq!(site.publish().await["sequence"], 3);
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_is_a_new_release_of_the_old_manifest() {
    let site = three().await;
    let edge = site.edge().start().await;
    edge.reaches(3).await;
    let log = origin_sync(&site, &["log", "--json"]).await.expect(0);
    let first: Value = serde_json::from_str(log.out.lines().last().unwrap()).unwrap();

    let back = rollback(&site, "1").await.expect(0).json();
    assert_eq!(back["sequence"], 4);
    assert_eq!(
        (&back["manifest"], &back["as_of_ms"]),
        (&first["manifest"], &first["as_of_ms"])
    );
    // No mirror needed anything: what an old release names is still there.
    assert_eq!(back["objects"], 0);
    let pages = json!({
        "collection": "pages", "records": 2, "upserts": 1, "removed": 0, "segments": 1,
    });
    assert!(
        back["collections"].as_array().unwrap().contains(&pages),
        "{back}"
    );
    edge.reaches(4).await;
    assert!(edge.get("/").await.text().contains("the house has a door"));
    assert_eq!(differing(&site, "1", "4").await, json!([]));
    origin_sync(&site, &["verify", "--deep"]).await.expect(0);

    // Once more changes nothing, and does not make old data look new.
    let again = rollback(&site, "1").await.expect(10).json();
    assert_eq!(
        (&again["sequence"], &again["renewed"]),
        (&json!(4), &json!(false))
    );
    assert_eq!(again["as_of_ms"], first["as_of_ms"]);

    // The next publish makes of the sources what it would have made.
    assert_eq!(site.publish().await["sequence"], 5);
    assert_eq!(differing(&site, "3", "5").await, json!([]));
    edge.reaches(5).await;
    assert!(
        edge.get("/")
            .await
            .text()
            .contains("the house has two doors")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_mirror_or_the_publisher_lost_comes_from_whoever_has_it() {
    let site = three().await;
    fs_err::remove_dir_all(site.path(".holdfast/objects")).unwrap();
    let photo = site.objects("second").into_iter().find(|path| {
        let bytes = fs_err::metadata(path).unwrap().len();
        bytes == 200_000
    });
    fs_err::remove_file(photo.as_ref().unwrap()).unwrap();
    let back = rollback(&site, "1").await.expect(0).json();
    assert_eq!(
        (&back["sequence"], &back["objects"]),
        (&json!(4), &json!(1))
    );
    assert!(photo.as_ref().unwrap().exists());
    origin_sync(&site, &["verify", "--deep"]).await.expect(0);

    // What is nowhere is named, and nothing is published.
    assert_eq!(site.publish().await["sequence"], 5);
    fs_err::remove_dir_all(site.path(".holdfast/objects")).unwrap();
    let photo = photo.unwrap();
    let name = photo.file_name().unwrap().to_str().unwrap().to_owned();
    let other = site
        .objects("mirror")
        .into_iter()
        .find(|path| path.ends_with(&name));
    fs_err::remove_file(photo).unwrap();
    fs_err::remove_file(other.unwrap()).unwrap();
    let lacking = rollback(&site, "1").await.expect(65);
    let lacking = lacking.says(&["release 1 cannot be had whole", &name, "is not there"]);
    assert_eq!(lacking.json()["result"], "bad-data");
    let newest = origin_sync(&site, &["log", "--last", "1", "--json"]).await;
    assert_eq!(newest.expect(0).json()["sequence"], 5);
    rollback(&site, "77")
        .await
        .expect(65)
        .says(&["no release 77"]);
    origin_sync(&site, &["rollback"])
        .await
        .expect(64)
        .says(&["--to"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_loses_records_has_to_be_meant_and_tells_edges() {
    let site = Site::small().init().await;
    site.publish().await;
    for n in 0..9 {
        site.write(
            &format!("notes/{n}.html"),
            "<!doctype html><title>N</title>n",
        );
    }
    site.publish().await;
    let edge = site.edge().start().await;
    edge.reaches(2).await;
    let refused = rollback(&site, "1").await.expect(20);
    refused.says(&[
        "collection notes fell from 10 records to 1",
        "--accept-shrink",
    ]);
    let meant = ["rollback", "--to", "1", "--accept-shrink", "--json"];
    let back = origin_sync(&site, &meant).await.expect(0).json();
    assert_eq!(back["sequence"], 3);
    // Another manifest, in that field alone: one object.
    assert_eq!(back["objects"], 1);
    let found = origin_sync(&site, &["diff", "1", "3", "--json"]).await;
    let found = found.expect(0).json();
    assert_eq!(
        (&found["collections"], &found["settings"]),
        (&json!([]), &json!(false))
    );
    edge.reaches(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_release_whose_canary_fails_now_is_not_gone_back_to() {
    let site = Site::small().init().await;
    site.publish().await;
    // Released without being asked: the forge signs what no publisher would.
    let forge = site.forge("mirror");
    let mut manifest = forge.manifest.clone();
    manifest.canaries[0].contains = "not on it".to_owned();
    let release = forge.next_of(&manifest).unwrap();
    let envelope = forge.signed(&release).unwrap().to_bytes().unwrap();
    let number = release.sequence.0;
    fs_err::write(
        site.at("mirror").join(format!("releases/{number}")),
        envelope,
    )
    .unwrap();
    site.write("public/index.html", page("the house has two doors"));
    let newest = site.publish().await["sequence"].as_u64().unwrap();
    assert!(newest > number);
    let refused = rollback(&site, &number.to_string()).await.expect(20);
    refused.says(&["does not contain \"not on it\""]);
}

/// Production of the same site as `staging`, in a folder of its own, with keys of its own.
async fn production(staging: &Site) -> Site {
    let text = fs_err::read_to_string(staging.path("site.toml")).unwrap();
    // No source of it exists here.
    let site = Site::new("small", &text).file("public/index.html", "<p>not a source");
    let site = site.init().await;
    fs_err::remove_dir_all(site.path("public")).unwrap();
    site
}

async fn promote(from: &str, to: &Site, more: &[&str]) -> Ended {
    let mut command = Command::new(binary("origin-sync"));
    command.args(["promote", "--from", from, "--json", "--to"]);
    command.arg(to.path("site.toml")).args(more);
    run(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_very_manifest_of_staging_goes_to_production() {
    let staging = Site::small().init().await;
    staging.publish().await;
    staging.write("public/index.html", page("the house has two doors"));
    let tried = staging.publish().await;
    let to = production(&staging).await;
    let toml = staging.path("site.toml");
    let done = promote(toml.to_str().unwrap(), &to, &[])
        .await
        .expect(0)
        .json();
    // Its own first number, the very manifest, the time of the data.
    assert_eq!(done["sequence"], 1);
    assert_eq!(
        (&done["manifest"], &done["as_of_ms"]),
        (&tried["manifest"], &tried["as_of_ms"])
    );
    origin_sync(&to, &["verify", "--deep"]).await.expect(0);
    let edge = to.edge().start().await;
    edge.reaches(1).await;
    assert!(
        edge.get("/")
            .await
            .text()
            .contains("the house has two doors")
    );

    // An earlier one of staging, from its mirror alone, judged by staging's trust.
    let mirror = staging.path("mirror");
    let trust = staging.path("trust");
    let given = ["--release", "1", "--from-trust", trust.to_str().unwrap()];
    let mirror = mirror.to_str().unwrap();
    assert_eq!(
        promote(mirror, &to, &given).await.expect(0).json()["sequence"],
        2
    );
    edge.reaches(2).await;
    assert!(edge.get("/").await.text().contains("the house has a door"));
    // Production does not believe staging's key by itself.
    promote(mirror, &to, &[])
        .await
        .expect(65)
        .says(&["no mirror has a release"]);
    let absent = ["--release", "9", given[2], given[3]];
    promote(mirror, &to, &absent)
        .await
        .expect(65)
        .says(&["no release 9"]);

    // Another name is another site.
    let text = fs_err::read_to_string(&toml).unwrap();
    staging.write(
        "other.toml",
        text.replace("site = \"small\"", "site = \"other\""),
    );
    let other = staging.path("other.toml");
    let refused = promote(other.to_str().unwrap(), &to, &[]).await.expect(64);
    refused.says(&["under one name", "the same `site"]);
}
