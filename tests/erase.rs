//! Erasing, proven by looking at the bytes: after `origin-sync erase` no file of a mirror, of the
//! publisher's own copy or of an edge holds the record, compressed or not, and nothing brings it back.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::scene::{Bucket, Edge, Ended, Site, binary, eventually, free, run};

const HOUSE: &str = r#"
site = "house"
title = "House"
languages = ["en"]
[service.home]
title = "Home"
meanwhile = ""
probe = "/health"
[collection.pages]
source = { folder = "public" }
complete = true
[collection.clubs]
source = { csv = "clubs.csv", key = "id" }
complete = true
[collection.gifts]
source = { csv = "gifts.csv", key = "id" }
privacy = "unlisted"
[[route]]
path = "/"
assets = "pages"
[[route]]
path = "/p/{*path}"
assets = "pages"
[retention]
younger = "0s"
[publish]
mirrors = ["mirror"]
key = "keys/release"
"#;

/// What must not be found anywhere: in a key, a short value, and a blob.
const MARKS: [&str; 3] = ["marked-key-5309", "marked-value-8128", "marked-photo-6174"];

fn clubs(marked: bool) -> String {
    let row = format!("{},{}\n", MARKS[0], MARKS[1]);
    let others = "ant,hill\nbee,mill\ncow,lane\n";
    format!("id,point\n{others}{}", if marked { &row } else { "" })
}

/// The house, with a record and a file to be erased, published several times.
async fn house() -> Site {
    let page = "<!doctype html><html lang=en><title>House</title><p>house</p>";
    let photo = MARKS[2].repeat(1000);
    let site = Site::new("house", HOUSE)
        .file("public/index.html", page)
        .file("public/photo.txt", photo)
        .file("gifts.csv", "id,gift\ngift-0123456789abcdef0123,lamp\n")
        .file("clubs.csv", clubs(true))
        .init()
        .await;
    site.publish().await;
    for n in 0..3 {
        site.write("clubs.csv", format!("{}dog,{n}\n", clubs(true)));
        site.publish().await;
    }
    site
}

/// Changes the marked record by hand.
async fn amend(site: &Site) {
    site.write("by-hand", format!("{} by hand", MARKS[1]));
    let mut amend = Command::new(binary("origin-sync"));
    let set = format!("clubs/{}=@{}", MARKS[0], site.path("by-hand").display());
    amend.args(["amend", "--set", &set]);
    amend.arg("--config").arg(site.path("site.toml"));
    run(amend).await.expect(0);
}

async fn erase(site: &Site, what: &str, edges: &[&Edge], more: &[&str]) -> Ended {
    let mut erase = Command::new(binary("origin-sync"));
    erase.arg("erase").arg(what).arg("--json").args(more);
    erase.arg("--config").arg(site.path("site.toml"));
    for edge in edges {
        erase.arg("--edge").arg(format!("http://{}", edge.control));
    }
    run(erase).await
}

/// No byte of it anywhere.
#[track_caller]
fn is_nowhere(site: &Site, folders: &[&str], marks: &[&str]) {
    for mark in marks {
        assert_eq!(site.holding(folders, mark), Vec::<PathBuf>::new(), "{mark}");
    }
}

const EVERYWHERE: [&str; 4] = ["mirror", ".holdfast", "edge-1", "edge-2"];

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_record_is_in_no_file_anywhere() {
    let site = house().await;
    let one = site.edge().start().await;
    let two = site.edge().named("edge-2").start().await;
    for edge in [&one, &two] {
        edge.reaches(4).await;
    }
    // Amended by hand, it has a mark that tells its key, and a killed write left some of it.
    amend(&site).await;
    site.write("mirror/house/objects/ab/abcd#1", MARKS[1]);
    for edge in [&one, &two] {
        edge.reaches(5).await;
    }
    for mark in MARKS {
        let holding = site.holding(&EVERYWHERE, mark);
        for folder in EVERYWHERE {
            let below = site.path(folder);
            let known = holding.iter().any(|path| path.starts_with(&below));
            assert!(known, "{mark} is looked for wrongly: not in {folder}");
        }
    }
    let what = format!("clubs/{}", MARKS[0]);
    let told = erase(&site, &what, &[&one, &two], &["--dry-run"]).await;
    let told = told.expect(0).json();
    assert_eq!(told["held_by"], json!([1, 2, 3, 4, 5]));
    assert!(
        !site.holding(&["mirror"], MARKS[0]).is_empty(),
        "told, not done"
    );
    let done = erase(&site, &what, &[&one, &two], &[]).await;
    let done = done.expect(0).says(&["gone from 2 of 2 edges"]);
    let json = done.json();
    assert_eq!(
        (&json["held_by"], &json["erased_by"]),
        (&told["held_by"], &json!(6))
    );
    assert_eq!(json["swept"]["mirrors"][0]["leftovers"], 1);
    assert_eq!(json["edges"][0]["gone"], true);
    is_nowhere(&site, &EVERYWHERE, &MARKS[..2]);
    let list = fs_err::read_to_string(site.path("erased.list")).unwrap();
    assert!(
        list.contains("clubs ") && !list.contains(MARKS[0]),
        "{list}"
    );
    // A file whose bytes are a blob.
    let done = erase(&site, "pages/photo.txt", &[&one, &two], &[]).await;
    done.expect(0).says(&["gone from 2 of 2 edges"]);
    is_nowhere(&site, &EVERYWHERE, &MARKS);
    for edge in [&one, &two] {
        edge.reaches(7).await;
        assert_eq!(edge.get("/p/photo.txt").await.status, 404);
        assert_eq!(edge.get("/").await.status, 200);
    }
    let mut verify = Command::new(binary("origin-sync"));
    verify.args(["verify", "--deep"]);
    verify.arg("--config").arg(site.path("site.toml"));
    run(verify).await.expect(0);

    // The sources still have both: they are left out, and told.
    site.write("clubs.csv", format!("{}eel,pond\n", clubs(true)));
    let ended = site.try_publish(&["--json"]).await.expect(0);
    ended.says(&[MARKS[0], "photo.txt", "--take-erased"]);
    for edge in [&one, &two] {
        edge.reaches(8).await;
    }
    is_nowhere(&site, &EVERYWHERE, &MARKS);
    // Unless they are wanted, by a publish that stands.
    let canary = "[[canary]]\npath = \"/\"\ncontains = \"castle\"\n";
    site.edit("site.toml", "[retention]", &format!("{canary}[retention]"));
    site.try_publish(&["--take-erased"]).await.expect(20);
    site.edit("site.toml", canary, "");
    let ended = site.try_publish(&["--json"]).await;
    ended.says(&[MARKS[0], "photo.txt", "--take-erased"]);
    site.try_publish(&["--take-erased"]).await.expect(0);
    one.reaches(9).await;
    assert_eq!(one.get("/p/photo.txt").await.status, 200);
    site.write("clubs.csv", clubs(true));
    let ended = site.try_publish(&["--json"]).await.expect(0);
    assert!(!ended.err.contains(MARKS[0]), "it is remembered no longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_gone_everywhere_is_told_and_goes_later() {
    let site = house().await;
    let mut one = site.edge().start().await;
    let mut two = site.edge().named("edge-2").start().await;
    for edge in [&one, &two] {
        edge.reaches(4).await;
    }
    two.kill();
    let what = format!("clubs/{}", MARKS[0]);
    let ended = erase(&site, &what, &[&one, &two], &["--wait", "1s"]).await;
    let ended = ended.expect(3);
    let ended = ended.says(&["gone from 1 of 2 edges", "not reached"]);
    let url = format!("http://{}/", two.control);
    let json = ended.json();
    assert_eq!(
        (&json["edges"][1]["url"], &json["edges"][1]["gone"]),
        (&json!(url), &json!(false))
    );
    is_nowhere(&site, &["mirror", ".holdfast", "edge-1"], &MARKS[..2]);
    assert!(!site.holding(&["edge-2"], MARKS[1]).is_empty());
    // An edge that comes back late drops it by itself, by whatever release comes then.
    site.write("clubs.csv", format!("{}eel,pond\n", clubs(false)));
    site.publish().await;
    two.begin();
    two.ready().await;
    two.reaches(6).await;
    eventually("the second edge to have dropped it", async || {
        let erased = two.status().await["store"]["erased"].as_u64()?;
        (erased == 5).then_some(())
    })
    .await;
    is_nowhere(&site, &EVERYWHERE, &MARKS[..2]);
    // And stays without, started again with the mirror gone.
    one.kill();
    fs_err::rename(site.path("mirror"), site.path("away")).unwrap();
    one.begin();
    one.ready().await;
    assert_eq!(one.get("/").await.status, 200);
    is_nowhere(
        &site,
        &["away", ".holdfast", "edge-1", "edge-2"],
        &MARKS[..2],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_removed_before_goes_from_what_held_it() {
    let site = house().await;
    site.write("clubs.csv", format!("{}dog,9\n", clubs(false)));
    site.publish().await;
    assert!(!site.holding(&["mirror", ".holdfast"], MARKS[0]).is_empty());
    let what = format!("clubs/{}", MARKS[0]);
    let ended = erase(&site, &what, &[], &[]).await.expect(0);
    ended.says(&["gone from 0 of 0 edges", "none is named"]);
    is_nowhere(&site, &["mirror", ".holdfast"], &MARKS[..2]);
    // Once more changes nothing and is no failure.
    let ended = erase(&site, &what, &[], &[]).await.expect(0);
    let ended = ended.says(&["no release on a mirror holds it any more"]);
    assert_eq!(ended.json()["erased_by"], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_erased_is_said() {
    let site = house().await;
    for (what, code, words) in [
        ("clubs", 64, "is not COLLECTION/KEY"),
        ("clubs/", 64, "is not COLLECTION/KEY"),
        ("houses/ant", 64, "no collection houses"),
        ("clubs/nobody", 64, "no release on any mirror has that key"),
    ] {
        erase(&site, what, &[], &[])
            .await
            .expect(code)
            .says(&[words]);
    }
    let away = format!("http://{}", free());
    let ended = erase(
        &site,
        "clubs/ant",
        &[],
        &["--edge", &away, "--wait", "300ms"],
    )
    .await;
    ended
        .expect(3)
        .says(&["gone from 0 of 1 edges", "not reached"]);
    let damaged = "holdfast erased v1 of another kind\n";
    site.write("erased.list", damaged);
    site.try_publish(&[])
        .await
        .expect(73)
        .says(&["erased.list, line 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_record_is_erased_by_what_names_it() {
    let site = house().await;
    let objects = site.objects("mirror");
    let done = erase(&site, "gifts/gift-0123456789abcdef0123", &[], &[]).await;
    let json = done.expect(0).json();
    assert_eq!(json["held_by"], json!([1, 2, 3, 4]));
    assert!(site.objects("mirror").len() < objects.len());
    // Its source still has it.
    site.try_publish(&[])
        .await
        .expect(10)
        .says(&["erased records"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_release_does_not_bring_it_back() {
    let site = house().await;
    let copy = site.path("copy");
    site.show("copy");
    let what = format!("clubs/{}", MARKS[0]);
    erase(&site, &what, &[], &[]).await.expect(0);
    let words = format!("clubs/{}, which was erased", MARKS[0]);
    for verb in [
        &["amend", "--release", "4", "--delete", "clubs/ant"][..],
        &["promote"],
    ] {
        let mut again = Command::new(binary("origin-sync"));
        again.args(verb).arg("--from").arg(&copy);
        let target = if verb.len() == 1 { "--to" } else { "--config" };
        again.arg(target).arg(site.path("site.toml"));
        let ended = run(again).await;
        ended.expect(20).says(&[&words, "--take-erased"]);
    }
    is_nowhere(&site, &["mirror"], &MARKS[..2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_holds_nothing_of_what_was_erased() {
    let Some(bucket) = Bucket::s3s() else {
        return;
    };
    let (bucket, site) = (bucket.await, house().await);
    let mirror = bucket.mirror(&site);
    site.edit("site.toml", "\"mirror\"", &format!("{mirror:?}"));
    for n in 5..7 {
        site.write("clubs.csv", format!("{}dog,{n}\n", clubs(true)));
        site.publish().await;
    }
    let edge = site.edge().following(&[&mirror]).start().await;
    edge.reaches(6).await;
    let folder = bucket.folder();
    let everywhere = [folder.to_str().unwrap(), ".holdfast", "edge-1"];
    for folder in everywhere {
        assert!(!site.holding(&[folder], MARKS[1]).is_empty(), "{folder}");
    }
    let what = format!("clubs/{}", MARKS[0]);
    let done = erase(&site, &what, &[&edge], &[]).await.expect(0);
    done.says(&["gone from 1 of 1 edges"]);
    is_nowhere(&site, &everywhere, &MARKS[..2]);
}
