//! The emergency edition: records changed by hand with no origin, no database and no `site.toml`, and
//! what the next publish of the sources makes of them.

use std::path::PathBuf;
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
privacy = "sealed"
secret = "cap"
[[route]]
path = "/"
assets = "pages"
[[route]]
path = "/pages/{*path}"
assets = "pages"
[[canary]]
path = "/"
language = "en"
contains = "House"
[publish]
mirrors = ["mirror"]
key = "keys/release"
"#;

/// What opens the one private record, long enough not to be guessed.
const CAP: &str = "cap-0123456789abcdef0123456789abcdef";

fn page(words: &str) -> String {
    format!(
        "<!doctype html><html lang=en><head><title>House</title></head><body>\n<h1>House</h1>\n\
         <p>{words}</p>\n</body></html>\n"
    )
}

/// The house, published once.
async fn house() -> Site {
    let site = Site::new("house", HOUSE)
        .file("public/index.html", page("all is well"))
        .file("public/letter.txt", "long words ".repeat(1000))
        .file(
            "clubs.csv",
            "id,point\nant,hill\nbee,mill\ncow,lane\ndog,road\n",
        )
        .file("gifts.csv", format!("id,cap,sum\ng,{CAP},50000\n"))
        .init()
        .await;
    site.publish().await;
    site
}

/// `origin-sync amend` somewhere where nothing of the site is, with what a person has on a stick: the
/// name, a mirror, the key and the trust files.
async fn amend(site: &Site, arguments: &[&str]) -> Ended {
    let elsewhere = site.path("elsewhere");
    fs_err::create_dir_all(&elsewhere).unwrap();
    let mut amend = Command::new(binary("origin-sync"));
    amend
        .current_dir(elsewhere)
        .arg("amend")
        .args(["--site", "house", "--json"]);
    amend.arg("--key").arg(site.path("keys/release"));
    amend.arg("--trust").arg(site.path("trust"));
    amend
        .arg("--mirror")
        .arg(site.path("mirror"))
        .args(arguments);
    run(amend).await
}

async fn origin_sync(site: &Site, arguments: &[&str]) -> Ended {
    let mut command = Command::new(binary("origin-sync"));
    command.args(arguments);
    command.arg("--config").arg(site.path("site.toml"));
    run(command).await
}

async fn differing(site: &Site, a: u64, b: u64) -> Value {
    let (a, b) = (a.to_string(), b.to_string());
    let found = origin_sync(site, &["diff", &a, &b, "--keys", "--json"]).await;
    found.expect(0).json()["collections"].clone()
}

fn set(site: &Site, key: &str, bytes: impl AsRef<[u8]>) -> String {
    site.write("elsewhere/given", bytes);
    format!("{key}=@{}", site.path("elsewhere/given").display())
}

/// As after a fire: nothing of the origin's is there any more.
fn burns(site: &Site) {
    for gone in ["public", "clubs.csv", "gifts.csv", "site.toml", ".holdfast"] {
        fs_err::rename(site.path(gone), site.path(&format!("burnt-{gone}"))).unwrap();
    }
}

/// And as when it was rebuilt from what it was.
fn is_back(site: &Site) {
    for gone in ["public", "clubs.csv", "gifts.csv", "site.toml", ".holdfast"] {
        fs_err::rename(site.path(&format!("burnt-{gone}")), site.path(gone)).unwrap();
    }
}

fn closed(site: &Site) -> String {
    set(site, "pages/index.html", page("the house is closed today"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_changes_at_the_edge_with_no_origin_no_database_and_no_settings() {
    let site = house().await;
    let edge = site.edge().start().await;
    edge.reaches(1).await;
    let first = origin_sync(&site, &["log", "--json"])
        .await
        .expect(0)
        .json();
    burns(&site);
    let closed = closed(&site);
    site.write(
        "elsewhere/clubs.ndjson",
        "{\"put\": {\"id\": \"eel\", \"point\": \"pond\"}, \"key\": \"eel\"}\n{\"delete\": \"bee\"}\n",
    );
    site.write(
        "elsewhere/gifts.ndjson",
        format!("{{\"put\": {{\"id\": \"g\", \"sum\": \"70000\"}}, \"key\": \"{CAP}\"}}\n"),
    );
    site.write("elsewhere/more/news/today.html", page("news"));
    let everything = [
        "--set",
        &closed,
        "--delete",
        "clubs/cow",
        "--changes",
        "clubs=clubs.ndjson",
        "--changes",
        "gifts=gifts.ndjson",
        "--folder",
        "pages=more",
    ];
    // First only to look.
    let tried = [&["--dry-run"], &everything[..]].concat();
    let tried = amend(&site, &tried).await.expect(0);
    assert_eq!(tried.json()["result"], "dry-run");
    let shown = [
        "release 1 of ",
        "  ~ pages/index.html  ",
        "\n      - <p>all is well</p>\n      + <p>the house is closed today</p>\n",
        "  + pages/news/today.html  ",
        "  - clubs/bee  ",
        "  + clubs/eel  ",
        "1 records of gifts, which is private",
        "nothing was published",
    ];
    let tried = tried.says(&shown);
    assert!(
        !tried.err.contains("<h1>") && !tried.err.contains(CAP),
        "{}",
        tried.err
    );
    assert!(!site.at("mirror").join("releases/2").exists());

    let done = amend(&site, &everything)
        .await
        .expect(0)
        .says(&shown[..6])
        .json();
    assert_eq!((&done["sequence"], &done["amends"]), (&json!(2), &json!(1)));
    assert_eq!(
        done["as_of_ms"], first["as_of_ms"],
        "the data is as old as it was"
    );
    assert_eq!(done["amended"].as_array().unwrap().len(), 6);
    edge.reaches(2).await;
    let answer = edge.get("/").await.text();
    assert!(answer.contains("the house is closed today"), "{answer}");
    assert!(
        edge.get("/pages/news/today.html")
            .await
            .text()
            .contains("news")
    );
    // What nobody changed is there, long values too.
    assert_eq!(edge.get("/pages/letter.txt").await.body.len(), 11_000);

    // Said once more, it is so already.
    let again = amend(&site, &everything).await.expect(10).json();
    assert_eq!(
        (&again["sequence"], &again["amended"]),
        (&json!(2), &json!([]))
    );

    is_back(&site);
    origin_sync(&site, &["verify", "--deep", "--all"])
        .await
        .expect(0);
    let gift = ["inspect", "cat", "gifts", "--secret", CAP];
    let gift = origin_sync(&site, &gift).await.expect(0);
    assert_eq!(gift.out, r#"{"id":"g","sum":"70000"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_publish_lists_what_was_amended_and_publishes_nothing_unasked() {
    let site = house().await;
    let closed = closed(&site);
    let changes = ["--set", &closed, "--delete", "clubs/bee"];
    assert_eq!(amend(&site, &changes).await.expect(0).json()["sequence"], 2);
    site.edit("clubs.csv", "ant,hill", "ant,port");
    let refused = site.try_publish(&["--json"]).await.expect(24);
    let refused = refused.says(&[
        "2 records were amended by hand, and the sources say otherwise",
        "pages/index.html  amended 20",
        "clubs/bee  amended 20",
        "--keep-amended",
        "--take-source",
    ]);
    let told = refused.json();
    assert_eq!(told["result"], "amended");
    let keys = told["amended"].as_array().unwrap().iter();
    let keys: Vec<_> = keys
        .map(|k| (k["collection"].clone(), k["key"].clone()))
        .collect();
    assert_eq!(
        keys,
        [
            (json!("pages"), json!("index.html")),
            (json!("clubs"), json!("bee"))
        ]
    );
    assert!(!site.at("mirror").join("releases/3").exists());
    site.try_publish(&["--keep-amended", "--take-source"])
        .await
        .expect(64);

    // A list of changes that leaves them alone is published; one that does not, is not.
    site.write(
        "changes.ndjson",
        "{\"put\": {\"id\": \"dog\", \"point\": \"path\"}}\n",
    );
    let list = format!("clubs={}", site.path("changes.ndjson").display());
    let with = ["--json", "--changes", &list];
    assert_eq!(
        site.try_publish(&with).await.expect(0).json()["sequence"],
        3
    );
    site.write(
        "changes.ndjson",
        "{\"put\": {\"id\": \"bee\", \"point\": \"mill\"}}\n",
    );
    let one = site.try_publish(&with).await.expect(24);
    one.says(&["1 records were amended", "clubs/bee"]);
}

/// `origin-sync publish` at a terminal, where a person types `answer`.
async fn publish_typing(site: &Site, answer: &str) -> Ended {
    let publish = binary("origin-sync");
    let typed = site.path("typed");
    fs_err::write(&typed, answer).unwrap();
    let mut script = Command::new("sh");
    // `script` gives the program a terminal of its own.
    let line = format!(
        "script -qec '{} publish --config {}' /dev/null < {}",
        publish.display(),
        site.path("site.toml").display(),
        typed.display(),
    );
    script.arg("-c").arg(line);
    run(script).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_at_a_terminal_is_asked_what_counts() {
    if !outside::have("script") {
        return;
    }
    let site = house().await;
    let closed = closed(&site);
    amend(&site, &["--set", &closed]).await.expect(0);
    let stopped = publish_typing(&site, "\n").await.expect(24);
    for words in ["pages/index.html  amended 20", "keep them as they are [k]"] {
        assert!(stopped.out.contains(words), "{}", stopped.out);
    }
    let kept = publish_typing(&site, "k\n").await.expect(0);
    assert!(kept.out.contains("release 3 published"), "{}", kept.out);
    assert!(
        kept.out.contains("1 records stay as they were amended"),
        "{}",
        kept.out
    );
    // Asked once; until it is amended anew.
    site.try_publish(&[]).await.expect(10);
    let closed = set(
        &site,
        "pages/index.html",
        page("the house is closed all week"),
    );
    amend(&site, &["--set", &closed]).await.expect(0);
    publish_typing(&site, "t\n").await.expect(0);
    assert!(differing(&site, 1, 5).await.as_array().unwrap().len() == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_amended_stays_once_that_is_said_until_the_source_is_taken() {
    let site = house().await;
    let edge = site.edge().start().await;
    let closed = closed(&site);
    let changes = ["--set", &closed, "--delete", "clubs/bee"];
    amend(&site, &changes).await.expect(0);
    site.edit("clubs.csv", "ant,hill", "ant,port");
    let kept = site
        .try_publish(&["--json", "--keep-amended"])
        .await
        .expect(0);
    assert_eq!(kept.json()["sequence"], 3);
    edge.reaches(3).await;
    assert!(edge.get("/").await.text().contains("closed today"));
    let clubs = &differing(&site, 2, 3).await[1];
    assert_eq!(
        clubs["keys"],
        json!({ "added": [], "changed": ["ant"], "removed": [] })
    );
    // Said once, it holds; and is told each time.
    let same = site.try_publish(&["--json"]).await.expect(10);
    same.says(&[
        "2 records stay as they were amended",
        "clubs/bee",
        "--take-source",
    ]);

    // A source that says the same by now needs no word.
    site.edit("clubs.csv", "bee,mill\n", "");
    let told = site.try_publish(&["--json"]).await.expect(0);
    let told = told.says(&["1 records stay as they were amended", "pages/index.html"]);
    assert_eq!(told.json()["sequence"], 4);

    let taken = site
        .try_publish(&["--json", "--take-source"])
        .await
        .expect(0);
    assert!(!taken.err.contains("amended"), "{}", taken.err);
    assert_eq!(taken.json()["sequence"], 5);
    edge.reaches(5).await;
    assert!(edge.get("/").await.text().contains("all is well"));
    site.try_publish(&[]).await.expect(10);
    // But for the memory of it, all is as the sources have it.
    let left = differing(&site, 1, 5).await;
    let left = left.as_array().unwrap().iter();
    let left: Vec<_> = left
        .map(|c| c["collection"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(left, ["amended", "clubs"]);

    // Amended again, it is asked again.
    amend(&site, &changes[..2]).await.expect(0);
    site.try_publish(&[])
        .await
        .expect(24)
        .says(&["pages/index.html"]);
    origin_sync(&site, &["verify", "--deep"]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_release_comes_from_whatever_source_still_has_it_whole() {
    let site = house().await;
    site.edit("clubs.csv", "ant,hill", "ant,port");
    site.write("public/letter.txt", "other words ".repeat(2000));
    assert_eq!(site.publish().await["sequence"], 2);
    // All that is left is what a web server shows, and the mirror is a new, empty folder.
    fs_err::rename(site.path("mirror"), site.path("left")).unwrap();
    fs_err::create_dir(site.path("mirror")).unwrap();
    let closed = closed(&site);
    let nothing = amend(&site, &["--set", &closed]).await.expect(65);
    nothing.says(&["no mirror has a release"]);
    let shelf = Origin::shelf(site.path("left")).await;
    let from = format!("http://{}", shelf.at());
    let done = amend(&site, &["--from", &from, "--set", &closed])
        .await
        .expect(0)
        .json();
    assert_eq!((&done["sequence"], &done["amends"]), (&json!(3), &json!(2)));
    origin_sync(&site, &["verify", "--deep"]).await.expect(0);

    // Of the newest a value is nowhere: the one before it is taken, and its number is not used again.
    fs_err::remove_dir_all(site.path("mirror")).unwrap();
    fs_err::rename(site.path("left"), site.path("mirror")).unwrap();
    fs_err::remove_dir_all(site.path("elsewhere/.holdfast/objects")).unwrap();
    let is_long = |path: &PathBuf| fs_err::metadata(path).unwrap().len() == 24_000;
    let lost = site.objects("mirror").into_iter().find(is_long).unwrap();
    fs_err::remove_file(&lost).unwrap();
    let name = lost.file_name().unwrap().to_str().unwrap();
    let done = amend(&site, &["--set", &closed]).await.expect(0);
    let done = done.says(&["an older release is taken", name]).json();
    assert_eq!(done["amends"], 1);
    assert_eq!(done["sequence"], 4);
    // Unless it is wanted.
    let wanted = amend(&site, &["--set", &closed, "--release", "2"]).await;
    wanted
        .expect(65)
        .says(&["release 2 cannot be had whole", name]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_record_is_named_by_what_opens_it_and_nothing_tells_it() {
    let site = house().await;
    let other = "cap-fedcba9876543210fedcba9876543210";
    // With a site.toml the rows name themselves, and what opens one is left out of it.
    let rows = format!("{{\"put\": {{\"id\": \"h\", \"cap\": \"{other}\", \"sum\": \"1\"}}}}\n");
    site.write("gifts.ndjson", rows);
    site.write(
        "clubs.ndjson",
        "{\"put\": {\"id\": \"eel\", \"point\": \"pond\"}}\n",
    );
    let list = |of: &str| format!("{of}={}", site.path(&format!("{of}.ndjson")).display());
    let (gifts, clubs) = (list("gifts"), list("clubs"));
    let gone = format!("gifts/{CAP}");
    let changes = [
        "amend",
        "--changes",
        &gifts,
        "--changes",
        &clubs,
        "--delete",
        &gone,
        "--json",
    ];
    let done = origin_sync(&site, &[&changes[..], &["--accept-shrink"]].concat())
        .await
        .expect(0);
    let marks = origin_sync(&site, &["inspect", "ls", "amended"])
        .await
        .expect(0);
    assert_eq!(marks.out.matches("gifts/").count(), 2, "{}", marks.out);
    for secret in [CAP, other] {
        let told = format!("{}{}{}", done.out, done.err, marks.out);
        assert!(!told.contains(secret), "{told}");
    }
    let cat = async |secret: &str| {
        let cat = ["inspect", "cat", "gifts", "--secret", secret];
        origin_sync(&site, &cat).await
    };
    assert_eq!(cat(other).await.expect(0).out, r#"{"id":"h","sum":"1"}"#);
    cat(CAP).await.expect(65).says(&["no such record"]);
    let eel = origin_sync(&site, &["inspect", "cat", "clubs", "eel"])
        .await
        .expect(0);
    assert_eq!(eel.out, r#"{"id":"eel","point":"pond"}"#);
    // What is not there cannot be deleted, and is not told either.
    let absent = origin_sync(&site, &["amend", "--delete", "gifts/cap-of-nobody"])
        .await
        .expect(64);
    let absent = absent.says(&["do not exist", "gifts/"]);
    assert!(!absent.err.contains("cap-of-nobody"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_amended_is_named_and_nothing_is_published() {
    let site = house().await;
    site.write(
        "elsewhere/broken.ndjson",
        "{\"put\": {\"id\": \"x\"}, \"key\": \"x\"}\n{\"set\": 1}\n",
    );
    site.write("elsewhere/nameless.ndjson", "{\"put\": {\"id\": \"x\"}}\n");
    let empty = set(&site, "pages/index.html", "<p>no heading</p>");
    site.write("elsewhere/heading", page("closed"));
    let good = format!(
        "pages/index.html=@{}",
        site.path("elsewhere/heading").display()
    );
    let cases: &[(&[&str], i32, &[&str])] = &[
        (&[], 64, &["nothing is given", "--set"]),
        (
            &["--set", "index.html"],
            64,
            &["is not COLLECTION/KEY=@FILE"],
        ),
        (
            &["--set", "pages=@file"],
            64,
            &["is not COLLECTION/KEY=@FILE"],
        ),
        (&["--delete", "bee"], 64, &["is not COLLECTION/KEY"]),
        (&["--folder", "pages"], 64, &["is not COLLECTION=DIR"]),
        (&["--changes", "clubs"], 64, &["is not COLLECTION=FILE"]),
        (
            &["--delete", "cups/bee"],
            64,
            &["no collection cups", "clubs, gifts, pages"],
        ),
        (&["--delete", "amended/x"], 64, &["no collection amended"]),
        (
            &["--delete", "clubs/bat"],
            64,
            &["do not exist:\n  clubs/bat"],
        ),
        (&["--set", "pages/a=@absent.html"], 65, &["absent.html"]),
        (
            &["--set", "pages/=@heading"],
            65,
            &["a key has 1 to 1024 bytes"],
        ),
        (&["--folder", "pages=absent"], 65, &["absent"]),
        (
            &["--changes", "clubs=broken.ndjson"],
            65,
            &["broken.ndjson:2", "a change is"],
        ),
        (
            &["--changes", "clubs=nameless.ndjson"],
            65,
            &["nameless.ndjson:1", "\"key\" is missing"],
        ),
        (
            &["--set", "gifts/x=@heading"],
            65,
            &["gifts is sealed", "list of changes"],
        ),
        (&["--folder", "gifts=."], 65, &["gifts is sealed"]),
        (&["--set", &good, "--release", "9"], 65, &["no release 9"]),
        (
            &["--set", &empty],
            20,
            &["canary", "does not contain \"House\""],
        ),
        (
            &["--delete", "clubs/ant", "--delete", "clubs/bee"],
            20,
            &["clubs fell from 4 records to 2"],
        ),
        (&["--set", &good, "--from", "ftp://x"], 64, &["ftp://x"]),
        (
            &[
                "--set",
                &good,
                "--from",
                "http://x",
                "--from-token",
                "absent",
            ],
            64,
            &["the token in absent"],
        ),
        (
            &["--set", &good, "--from-token", "heading"],
            64,
            &["--from"],
        ),
    ];
    for (arguments, code, words) in cases {
        let ended = amend(&site, arguments).await;
        assert_eq!(ended.code, *code, "{arguments:?}\n{}", ended.err);
        ended.says(words);
        assert!(
            !site.at("mirror").join("releases/2").exists(),
            "{arguments:?}"
        );
    }
    let meant = [
        "--delete",
        "clubs/ant",
        "--delete",
        "clubs/bee",
        "--accept-shrink",
    ];
    amend(&site, &meant).await.expect(0);
    site.edit("site.toml", "[collection.clubs]", "[collection.amended]");
    site.try_publish(&[])
        .await
        .expect(64)
        .says(&["collection amended"]);
}
