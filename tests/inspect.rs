//! Looking at releases: the log, what differs between two of them, and whether they are whole.

use std::process::Command;

use serde_json::{Value, json};

use crate::scene::{Ended, Origin, Site, binary, run};

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
[collection.gifts]
source = { csv = "gifts.csv", key = "id" }
privacy = "unlisted"
[[route]]
path = "/"
assets = "pages"
[publish]
mirrors = ["mirror"]
key = "keys/release"
"#;

const CLUBS: &str = "id,point\nant,hill\nbee,mill\ncow,lane\ndog,road\n";
/// What names and opens the private records, long enough not to be guessed.
const GIFT: &str = "gift-0123456789abcdef0123456789abcdef";

/// The house, not published yet.
async fn house() -> Site {
    let page = "<!doctype html><html lang=en><title>House</title><p>house</p>";
    Site::new("house", HOUSE)
        .file("public/index.html", page)
        .file("clubs.csv", CLUBS)
        .file("gifts.csv", format!("id,sum\n{GIFT},50000\n"))
        .init()
        .await
}

/// Three releases: the first; a club moved, one gone, one new and a gift changed; and with the
/// moved club back where it was.
async fn three() -> Site {
    let site = house().await;
    assert_eq!(site.publish().await["sequence"], 1);
    site.edit("clubs.csv", "ant,hill", "ant,port");
    site.edit("clubs.csv", "bee,mill\n", "");
    site.edit("clubs.csv", "dog,road\n", "dog,road\neel,pond\n");
    site.edit("gifts.csv", "50000", "70000");
    assert_eq!(site.publish().await["sequence"], 2);
    site.edit("clubs.csv", "ant,port", "ant,hill");
    assert_eq!(site.publish().await["sequence"], 3);
    site
}

async fn origin_sync(site: &Site, arguments: &[&str]) -> Ended {
    let mut inspect = Command::new(binary("origin-sync"));
    inspect.args(arguments);
    inspect.arg("--config").arg(site.path("site.toml"));
    run(inspect).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_what_each_release_changed() {
    let site = three().await;
    let ended = origin_sync(&site, &["log", "--json"]).await.expect(0);
    let lines: Vec<Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            let changed = &line["changed"];
            (&line["sequence"], &changed["since"], &changed["objects"])
        })
        .collect();
    // Three stacks of one segment and a manifest; two changed collections; one, and a merge.
    assert_eq!(
        told,
        [
            (&json!(3), &json!(2), &json!(3)),
            (&json!(2), &json!(1), &json!(3)),
            (&json!(1), &Value::Null, &json!(4)),
        ]
    );
    let clubs = json!({ "collection": "clubs", "before": 4, "records": 4 });
    assert_eq!(lines[0]["changed"]["collections"], json!([clubs]));
    assert!(lines[0]["changed"]["bytes"].as_u64() < lines[2]["changed"]["bytes"].as_u64());

    let last = origin_sync(&site, &["log", "--last", "1", "--json"]).await;
    assert_eq!(last.expect(0).json(), lines[0]);

    // A manifest that is lost takes only what is told from it.
    let lost = lines[1]["manifest"].as_str().unwrap();
    let object = site.objects("mirror").into_iter().find(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        lost.ends_with(name)
    });
    fs_err::remove_file(object.unwrap()).unwrap();
    let ended = origin_sync(&site, &["log"]).await.expect(0).says(&[lost]);
    assert_eq!(ended.out.matches("cannot be told").count(), 2);
    assert!(ended.out.contains("in all"), "{}", ended.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_releases_differ_in_what_their_records_say() {
    let site = three().await;
    let clubs = |added: Value, changed: Value, removed: Value| {
        json!({
            "collection": "clubs",
            "privacy": "public",
            "added": added.as_array().unwrap().len(),
            "changed": changed.as_array().unwrap().len(),
            "removed": removed.as_array().unwrap().len(),
            "keys": { "added": added, "changed": changed, "removed": removed },
        })
    };
    // Of a private record, not even its key.
    let gifts = json!({
        "collection": "gifts", "privacy": "unlisted",
        "added": 0, "changed": 1, "removed": 0, "keys": null,
    });
    let diff = async |arguments: &[&str]| {
        let all = [&["diff", "--keys", "--json"], arguments].concat();
        origin_sync(&site, &all).await.expect(0).json()
    };
    let found = diff(&["1", "2"]).await;
    let expected = clubs(json!(["eel"]), json!(["ant"]), json!(["bee"]));
    assert_eq!(found["collections"], json!([expected, gifts]));
    assert_eq!((&found["from"], &found["to"]), (&json!(1), &json!(2)));
    assert_eq!(found["settings"], false);
    // Backwards.
    let found = diff(&["2", "1", "--collection", "clubs"]).await;
    let expected = clubs(json!(["bee"]), json!(["ant"]), json!(["eel"]));
    assert_eq!(found["collections"], json!([expected]));
    // A club that came back has two segments more and says what it said.
    let found = diff(&["1", "3", "--collection", "clubs"]).await;
    let expected = clubs(json!(["eel"]), json!([]), json!(["bee"]));
    assert_eq!(found["collections"], json!([expected]));

    let ended = origin_sync(&site, &["diff", "1", "2", "--keys"])
        .await
        .expect(0);
    for line in ["  ~ ant\n  - bee\n  + eel\n", " +0 ~1 -0\n"] {
        assert!(ended.out.contains(line), "{}", ended.out);
    }
    let same = origin_sync(&site, &["diff", "2", "2"]).await.expect(0);
    assert_eq!(same.out, "nothing differs between 2 and 2\n");

    site.edit("site.toml", "title = \"House\"", "title = \"Home\"");
    assert_eq!(site.publish().await["sequence"], 4);
    let found = diff(&["3", "4"]).await;
    assert_eq!(
        (&found["settings"], &found["collections"]),
        (&json!(true), &json!([]))
    );

    let absent = origin_sync(&site, &["diff", "1", "9"]).await.expect(65);
    absent.says(&["no release 9"]);
    let unknown = origin_sync(&site, &["diff", "1", "2", "--collection", "cups"]).await;
    unknown.expect(64).says(&["there is no collection cups"]);
    let mistaken = origin_sync(&site, &["diff", "1", "2", "--release", "1"]).await;
    mistaken.expect(64).says(&["--release"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_says_what_the_one_before_it_says_shows_no_collection() {
    let site = house().await;
    site.publish().await;
    site.edit("clubs.csv", "ant,hill", "ant,port");
    assert_eq!(site.publish().await["sequence"], 2);
    site.edit("clubs.csv", "ant,port", "ant,hill");
    site.write("public/letter.txt", "long words ".repeat(1000));
    assert_eq!(site.publish().await["sequence"], 3);
    // As if the one between had been swept: two segments more, and not one other record.
    fs_err::remove_file(site.at("mirror").join("releases/2")).unwrap();
    let last = origin_sync(&site, &["log", "--last", "1", "--json"]).await;
    let last = last.expect(0).json();
    assert_eq!(
        (&last["sequence"], &last["changed"]["since"]),
        (&json!(3), &json!(1))
    );
    let pages = json!({ "collection": "pages", "before": 1, "records": 2 });
    assert_eq!(last["changed"]["collections"], json!([pages]));
    // Two segments of clubs; a segment of pages, the letter it names, and the manifest.
    assert_eq!(last["changed"]["objects"], 5);
    assert!(last["changed"]["bytes"].as_u64().unwrap() > 11_000);
    assert_eq!(last["changed"]["missing"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quick_look_sees_what_is_gone_and_a_deep_one_every_byte() {
    let site = house().await;
    site.edit("site.toml", "[\"mirror\"]", "[\"mirror\", \"second\"]");
    fs_err::create_dir(site.path("second")).unwrap();
    site.write("public/letter.txt", "long words ".repeat(1000));
    site.publish().await;
    site.edit("clubs.csv", "ant,hill", "ant,port");
    assert_eq!(site.publish().await["sequence"], 2);

    let whole = origin_sync(&site, &["verify", "--json"]).await;
    let whole = whole.expect(0).json();
    assert_eq!(
        (&whole["whole"], &whole["deep"]),
        (&json!(true), &json!(false))
    );
    let deep = origin_sync(&site, &["verify", "--deep", "--all", "--json"]).await;
    let deep = deep.expect(0).json();
    assert_eq!(deep["releases"], json!([2, 1]));
    assert_eq!(deep["mirrors"][1]["records"], json!(2 * 7));

    // One changed byte, of the same length.
    let objects = site.objects("second");
    let segment = objects.iter().find(|path| {
        let bytes = fs_err::read(path).unwrap();
        bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
    });
    let segment = segment.unwrap();
    let sound = fs_err::read(segment).unwrap();
    let mut spoilt = sound.clone();
    spoilt[sound.len() / 2] ^= 1;
    fs_err::write(segment, &spoilt).unwrap();
    origin_sync(&site, &["verify", "--all"]).await.expect(0);
    let deep = origin_sync(&site, &["verify", "--deep", "--all"]).await;
    let deep = deep.expect(1);
    assert!(deep.out.contains("\n  segment "), "{}", deep.out);

    // Cut short, then gone; a release's own file; the pointer: a look is enough.
    let name = segment.file_name().unwrap().to_str().unwrap();
    fs_err::write(segment, &sound[..sound.len() - 20]).unwrap();
    let short = origin_sync(&site, &["verify", "--all"]).await.expect(1);
    let told = format!("segment {name} of collection");
    assert!(short.out.contains(&told), "{}", short.out);
    assert!(short.out.contains("no whole object"), "{}", short.out);
    fs_err::remove_file(segment).unwrap();
    let gone = origin_sync(&site, &["verify", "--all"]).await.expect(1);
    assert!(gone.out.contains("is not there"), "{}", gone.out);
    fs_err::write(segment, &sound).unwrap();
    fs_err::remove_file(site.at("second").join("releases/1")).unwrap();
    origin_sync(&site, &["verify"]).await.expect(0);
    let gone = origin_sync(&site, &["verify", "--all"]).await.expect(1);
    let told = "house/releases/1: is not there";
    assert!(gone.out.contains(told), "{}", gone.out);
    fs_err::remove_file(site.at("second").join("release")).unwrap();
    let gone = origin_sync(&site, &["verify"]).await.expect(1);
    assert!(gone.out.contains("no pointer"), "{}", gone.out);
    origin_sync(&site, &["verify", "--release", "9"])
        .await
        .expect(65)
        .says(&["no release 9"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_release_alone_names_is_what_would_be_freed() {
    let site = house().await;
    site.write("public/letter.txt", "long words ".repeat(1000));
    site.publish().await;
    site.write("public/letter.txt", "other words ".repeat(2000));
    assert_eq!(site.publish().await["sequence"], 2);
    let du = async || origin_sync(&site, &["du", "--json"]).await.expect(0).json();
    let size = |path: &std::path::PathBuf| fs_err::metadata(path).unwrap().len();
    let all: u64 = site.objects("mirror").iter().map(size).sum();
    let count = site.objects("mirror").len();

    let spent = du().await;
    assert_eq!(spent["total"], json!({ "objects": count, "bytes": all }));
    assert_eq!(spent["unnamed"], json!({ "objects": 0, "bytes": 0 }));
    let kinds: u64 = ["manifests", "segments", "blobs"]
        .iter()
        .map(|kind| spent["kinds"][kind]["bytes"].as_u64().unwrap())
        .sum();
    assert_eq!(kinds, all);
    assert_eq!(
        spent["kinds"]["blobs"],
        json!({ "objects": 2, "bytes": 11_000 + 24_000 })
    );
    // The first release's segments are below the second's, and its letter with them.
    let own = |n: usize| spent["releases"][n]["own"]["objects"].clone();
    assert_eq!((own(0), own(1)), (json!(3), json!(1)));
    let newest = &spent["releases"][0];
    for unit in ["objects", "bytes"] {
        let part = |of: &str| newest[of][unit].as_u64().unwrap();
        assert_eq!(part("all"), part("own") + part("shared"));
    }
    let told = origin_sync(&site, &["du"]).await.expect(0);
    for words in ["release 2 ", "collection pages ", "that no release names "] {
        assert!(told.out.contains(words), "{}", told.out);
    }

    // What would be freed, is what nobody names once it went.
    let freed = newest["own"].clone();
    fs_err::remove_file(site.at("mirror").join("releases/2")).unwrap();
    fs_err::remove_file(site.at("mirror").join("release")).unwrap();
    let spent = du().await;
    assert_eq!(spent["unnamed"], freed);
    let lost = site
        .objects("mirror")
        .into_iter()
        .find(|path| size(path) == 11_000);
    fs_err::remove_file(lost.unwrap()).unwrap();
    assert_eq!(du().await["releases"][0]["missing"], 1);
    fs_err::remove_file(site.at("mirror").join("releases/1")).unwrap();
    let nothing = origin_sync(&site, &["du"]).await.expect(65);
    nothing.says(&["no mirror has a release"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_is_looked_at_over_http_by_whoever_has_the_trust_files() {
    let site = house().await;
    site.publish().await;
    site.edit("clubs.csv", "ant,hill", "ant,port");
    assert_eq!(site.publish().await["sequence"], 2);
    let shelf = Origin::shelf(site.path("mirror")).await;
    let over_http = async |arguments: &[&str]| {
        let mut command = Command::new(binary("origin-sync"));
        command.current_dir(site.path("public")).args(arguments);
        command.args(["--json", "--site", "house"]);
        command
            .arg("--mirror")
            .arg(format!("http://{}", shelf.at()));
        command.arg("--trust").arg(site.path("trust"));
        run(command).await
    };
    for verb in [&["verify"][..], &["verify", "--deep"]] {
        let whole = over_http(verb).await.expect(0).json();
        assert_eq!(
            (&whole["whole"], &whole["releases"]),
            (&json!(true), &json!([2]))
        );
    }
    // What it has for other releases it cannot list.
    let log = over_http(&["log"]).await.expect(0).json();
    assert_eq!((&log["sequence"], &log["pointers"]), (&json!(2), &json!(1)));
    let spent = over_http(&["du"]).await.expect(0).json();
    assert_eq!(spent["unnamed"], Value::Null);
    assert!(spent["total"]["bytes"].as_u64() > Some(0));
    let found = over_http(&["diff", "1", "2"]).await.expect(0).json();
    assert_eq!(found["collections"][0]["changed"], 1);
    over_http(&["inspect", "ls"]).await.expect(0);
    let segment = site.objects("mirror").into_iter().find(|path| {
        let bytes = fs_err::read(path).unwrap();
        bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
    });
    fs_err::remove_file(segment.unwrap()).unwrap();
    let gone = over_http(&["verify"]).await.expect(1).json();
    let told = gone["mirrors"][0]["problems"][0].as_str().unwrap();
    assert!(told.contains("is not there"), "{told}");
}
