//! Publishing: what is refused, what is written, and what a killed publish leaves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use snapshot::{Digest, Envelope, Release, decode, limits};

use crate::scene::{Site, component_file, eventually};

/// A site of rows, without a component: what is published is what matters here.
const ROWS: &str = r#"
site = "rows"
title = "Rows"
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
[collection.guides]
source = { ndjson = "guides.ndjson", key = "service" }
[collection.people]
source = { sqlite = "people.db", query = "select id, name, age from people", key = "id" }
[[route]]
path = "/"
assets = "pages"
[publish]
mirrors = ["mirror"]
key = "keys/release"
"#;

/// How many rows the largest collection has: several nodes, more than one frame.
const CLUBS: usize = 4_000;

fn clubs(change: Option<usize>) -> String {
    let mut csv = String::from("id,title,point\n");
    for n in 0..CLUBS {
        let word = if change == Some(n) { "moved" } else { "hill" };
        let name = Digest::of(&n.to_le_bytes());
        csv.push_str(&format!("club-{n:05},Club {name},{word}\n"));
    }
    csv
}

async fn rows() -> Site {
    let site = Site::new("rows", ROWS)
        .file(
            "public/index.html",
            "<!doctype html><html lang=en><title>Rows</title><p>rows</p>",
        )
        .file("clubs.csv", clubs(None))
        .file("guides.ndjson", "{\"service\":\"pay\",\"text\":\"cash\"}\n");
    let people = rusqlite::Connection::open(site.path("people.db")).unwrap();
    people
        .execute_batch(
            "create table people (id, name, age);
             insert into people values ('a', 'Ana', 40), ('b', 'Bo', 41);",
        )
        .unwrap();
    site.init().await
}

/// Everything a mirror holds, by path, pointer included.
fn holdings(site: &Site, mirror: &str) -> BTreeMap<PathBuf, Digest> {
    let mut holdings = BTreeMap::new();
    walk(&site.at(mirror), &mut holdings);
    holdings
}

fn walk(folder: &Path, holdings: &mut BTreeMap<PathBuf, Digest>) {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, holdings);
        } else {
            holdings.insert(path.clone(), Digest::of(&fs_err::read(&path).unwrap()));
        }
    }
}

/// The release that a mirror's pointer names.
fn pointed(site: &Site, mirror: &str) -> Option<Release> {
    let bytes = fs_err::read(site.at(mirror).join("release")).ok()?;
    let envelope = Envelope::from_bytes(&bytes).unwrap();
    Some(decode(envelope.payload(), limits::STATEMENT_BYTES).unwrap())
}

#[tokio::test]
async fn a_malformed_row_is_named_by_file_line_and_field_and_nothing_is_published() {
    let site = rows().await;
    site.publish().await;
    let before = holdings(&site, "mirror");
    let (csv, good) = ("clubs.csv", clubs(None));
    let cases: [(&str, Vec<u8>, &[&str]); 7] = [
        (
            csv,
            good.replace("club-00002,", ",").into(),
            &["clubs.csv:4", "`id`"],
        ),
        (
            csv,
            good.replace("club-00002,", "club-00002,more,").into(),
            &["clubs.csv:4", "4 fields", "3"],
        ),
        (
            csv,
            [good.as_bytes(), b"x,\xff\xfe,y\n"].concat(),
            &["clubs.csv:4002", "`title`", "UTF-8"],
        ),
        (
            csv,
            b"id,title,title\na,b,c\n".to_vec(),
            &["clubs.csv:1", "`title`"],
        ),
        (
            "guides.ndjson",
            b"{\"service\":\"pay\"}\n{\"service\":\n".to_vec(),
            &["guides.ndjson:2"],
        ),
        (
            "guides.ndjson",
            b"{\"text\":\"no key\"}\n[1]\n".to_vec(),
            &["guides.ndjson:1", "`service`", "guides.ndjson:2"],
        ),
        (
            "guides.ndjson",
            b"{\"service\":[7]}\n".to_vec(),
            &["guides.ndjson:1", "`service`"],
        ),
    ];
    for (file, bytes, words) in cases {
        let right = fs_err::read(site.path(file)).unwrap();
        site.write(file, bytes);
        site.try_publish(&[]).await.expect(65).says(words);
        assert_eq!(holdings(&site, "mirror"), before, "{words:?}");
        site.write(file, right);
    }
    let people = rusqlite::Connection::open(site.path("people.db")).unwrap();
    people
        .execute("insert into people values (x'00ff', 'Blob', 1)", [])
        .unwrap();
    site.try_publish(&[])
        .await
        .expect(65)
        .says(&["people.db", "row", "`id`"]);
    fs_err::remove_file(site.path(csv)).unwrap();
    site.try_publish(&[]).await.expect(65).says(&["clubs.csv"]);
    assert_eq!(holdings(&site, "mirror"), before);
}

#[tokio::test]
async fn keys_that_stand_twice_are_named_and_nothing_is_published() {
    let site = rows().await;
    let before = holdings(&site, "mirror");
    site.write(
        "clubs.csv",
        clubs(None) + "club-00007,again,hill\nclub-00007,and again,hill\nclub-00010,also,hill\n",
    );
    let ended = site.try_publish(&[]).await.expect(65);
    ended.says(&[
        "club-00007",
        "clubs.csv:9",
        "clubs.csv:4002",
        "club-00010",
        "clubs.csv:4004",
    ]);
    assert_eq!(holdings(&site, "mirror"), before);
}

#[tokio::test]
async fn the_same_content_is_no_new_release_and_a_change_writes_only_the_change() {
    let site = rows().await;
    let first = site.publish().await;
    assert_eq!(
        (&first["sequence"], &first["new"]),
        (&1.into(), &true.into())
    );
    let before = site.objects("mirror");

    let again = site.try_publish(&["--json"]).await.expect(10).json();
    assert_eq!(
        (&again["sequence"], &again["new"]),
        (&1.into(), &false.into())
    );
    assert_eq!(site.objects("mirror"), before);
    let heartbeat = pointed(&site, "mirror").unwrap();
    assert_eq!(heartbeat.sequence.0, 1);
    assert!(!site.at("mirror").join("releases/2").exists());

    site.write("clubs.csv", clubs(Some(1234)));
    let changed = site.publish().await;
    assert_eq!(changed["sequence"], 2);
    let after = site.objects("mirror");
    let new: Vec<_> = after
        .iter()
        .filter(|object| !before.contains(object))
        .collect();
    // One manifest and one segment with the one record; everything else is there already.
    assert_eq!((new.len(), after.len()), (2, before.len() + 2), "{new:?}");
    let bytes: u64 = new
        .iter()
        .map(|object| object.metadata().unwrap().len())
        .sum();
    assert!(bytes < 4096, "{bytes} bytes for one row");
    let forge = site.forge("mirror");
    let collection = &forge
        .manifest
        .collections
        .iter()
        .find(|c| c.name.as_str() == "clubs");
    let stack = &collection.unwrap().segments;
    assert_eq!(
        stack.iter().map(|s| s.records).collect::<Vec<_>>(),
        [1, CLUBS as u64]
    );
}

#[tokio::test]
async fn a_release_goes_to_every_mirror_that_can_be_reached_if_they_are_the_most() {
    let site = rows().await;
    site.edit(
        "site.toml",
        "mirrors = [\"mirror\"]",
        "mirrors = [\"mirror\", \"second\"]",
    );
    fs_err::create_dir(site.path("second")).unwrap();
    site.publish().await;
    assert_eq!(site.objects("second").len(), site.objects("mirror").len());

    // One of two is no majority: nothing is committed, and it says so.
    fs_err::rename(site.path("second"), site.path("away")).unwrap();
    site.write("clubs.csv", clubs(Some(1)));
    site.try_publish(&[]).await.expect(23).says(&["second"]);
    assert_eq!(pointed(&site, "mirror").unwrap().sequence.0, 1);
    assert!(!site.path("second").exists(), "a mirror was made up");

    // Two of three is one.
    site.edit("site.toml", "\"second\"]", "\"second\", \"third\"]");
    fs_err::create_dir(site.path("third")).unwrap();
    let ended = site.try_publish(&["--json"]).await.expect(21);
    let report = ended.json();
    let missed: Vec<bool> = report["mirrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mirror| !mirror["missed"].is_null())
        .collect();
    assert_eq!(missed, [false, true, false], "{report}");
    let sequence = report["sequence"].as_u64().unwrap();
    assert_eq!(pointed(&site, "third").unwrap().sequence.0, sequence);

    // The one that was away is brought up to date by the next run, without a new release.
    fs_err::rename(site.path("away"), site.path("second")).unwrap();
    site.try_publish(&[]).await.expect(10);
    assert_eq!(pointed(&site, "second").unwrap().sequence.0, sequence);
    let edge = site.edge().following(&["second"]).start().await;
    assert_eq!(edge.sequence().await, Some(sequence));
    assert_eq!(edge.get("/").await.status, 200);
}

/// Rounds of killing: each at another moment of a publish.
const KILLS: u32 = 6;

#[tokio::test]
async fn a_publish_that_is_killed_leaves_the_last_release_and_a_rerun_finishes() {
    let site = rows().await;
    site.publish().await;
    let mut edge = site.edge().start().await;
    // How long a publish takes here, to kill within it.
    let begun = tokio::time::Instant::now();
    site.write("clubs.csv", clubs(Some(0)));
    site.publish().await;
    let whole = begun.elapsed();
    edge.reaches(2).await;

    let mut stands = 2;
    for round in 0..KILLS {
        site.write("clubs.csv", clubs(Some(100 + round as usize)));
        let moment = whole.mul_f64(f64::from(round + 1) / f64::from(KILLS + 1));
        let mut publish = tokio::process::Command::from(site.publishing(&[]));
        publish
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut publish = publish.kill_on_drop(true).spawn().unwrap();
        // Not a wait for something: the moment is what this test varies.
        let _ = tokio::time::timeout(moment, publish.wait()).await;
        let _ = publish.kill().await;

        let left = pointed(&site, "mirror").unwrap();
        assert!((stands..=stands + 1).contains(&left.sequence.0), "{left:?}");
        let held = site.forge("mirror");
        assert_eq!(
            held.release, left,
            "the pointer names a manifest that is not there"
        );
        edge.alive();
        assert_eq!(edge.get("/").await.status, 200);

        // Committed before it was killed: nothing is new. Otherwise the rerun commits it.
        let ended = site.try_publish(&["--json"]).await;
        assert!([0, 10].contains(&ended.code), "round {round}: {ended:?}");
        stands = ended.json()["sequence"].as_u64().unwrap();
        assert_eq!(pointed(&site, "mirror").unwrap().sequence.0, stands);
        edge.reaches(stands).await;
    }
    let mut verify = std::process::Command::new(crate::scene::binary("origin-sync"));
    verify
        .args(["verify", "--deep", "--config"])
        .arg(site.path("site.toml"));
    crate::scene::run(verify).await.expect(0);
}

/// Two at once on one disk: one waits its turn or says that it is not its turn; neither harms.
#[tokio::test]
async fn a_second_publisher_of_one_disk_is_turned_away() {
    let site = rows().await;
    site.publish().await;
    site.write("clubs.csv", clubs(Some(3)));
    let (one, other) = tokio::join!(site.try_publish(&[]), site.try_publish(&[]));
    let codes = [one.code, other.code];
    assert!(
        codes.iter().all(|code| [0, 10, 73].contains(code)),
        "{one:?}\n{other:?}"
    );
    assert!(codes.contains(&0), "{codes:?}");
    let sequence = pointed(&site, "mirror").unwrap().sequence.0;
    assert_eq!(sequence, 2);
    let edge = site.edge().start().await;
    eventually("a whole release", async || {
        (edge.sequence().await? == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_guard_keeps_back_what_readers_could_not_use() {
    let site = Site::small().init().await;
    site.publish().await;
    let before = holdings(&site, "mirror");
    site.edit("public/index.html", "Small House", "Other House");
    site.try_publish(&[])
        .await
        .expect(20)
        .says(&["canary", "/"]);
    assert_eq!(holdings(&site, "mirror"), before);

    // A loss of records has to be meant.
    let site = rows().await;
    site.publish().await;
    let before = holdings(&site, "mirror");
    site.write(
        "clubs.csv",
        clubs(None)
            .lines()
            .take(10)
            .fold(String::new(), |all, line| all + line + "\n"),
    );
    site.try_publish(&[])
        .await
        .expect(20)
        .says(&["clubs", "--accept-shrink"]);
    assert_eq!(holdings(&site, "mirror"), before);
    site.try_publish(&["--accept-shrink"]).await.expect(0);
}

/// What the component says of its failure reaches whoever published it.
#[tokio::test]
async fn a_broken_template_is_named_with_its_line() {
    let toml = format!(
        r#"
site = "board"
title = {{ en = "Board" }}
languages = ["en"]
[collection.notes]
source = {{ csv = "notes.csv", key = "id" }}
[collection.templates]
source = {{ folder = "templates" }}
[component.view]
file = {:?}
[[route]]
path = "/note/{{id}}/"
component = "view"
template = "note.html"
collections = ["notes", "templates"]
urls = {{ csv = "notes.csv" }}
[publish]
mirrors = ["mirror"]
key = "keys/release"
"#,
        component_file("view")
    );
    let site = Site::new("board", &toml)
        .file("notes.csv", "id,word\nfirst,apple\n")
        .file(
            "templates/note.html",
            "<p>fine</p>\n<p>{{ 1|nosuch }}</p>\n",
        )
        .init()
        .await;
    // The coverage says it, and a canary does.
    let told = "template note.html line 2: unknown filter";
    site.try_publish(&[])
        .await
        .expect(20)
        .says(&["route /note/{id}/: none of its 1 URLs", told]);
    let canary = "\n[[canary]]\npath = \"/note/first/\"\ncontains = \"fine\"\n";
    site.write("site.toml", toml.clone() + canary);
    site.try_publish(&[])
        .await
        .expect(20)
        .says(&["canary /note/first/", told]);
    site.write("templates/note.html", "<p>fine</p>\n");
    site.try_publish(&[]).await.expect(0);
}

#[tokio::test]
async fn a_key_that_nobody_believes_publishes_nothing() {
    let site = Site::small().init().await;
    let before = holdings(&site, "mirror");
    // The operator may sign orders, not releases.
    let key = site.path("keys/operator").display().to_string();
    site.try_publish(&["--key", &key])
        .await
        .expect(22)
        .says(&["trust"]);
    site.try_publish(&["--key", "nowhere"])
        .await
        .expect(22)
        .says(&["nowhere"]);
    assert_eq!(holdings(&site, "mirror"), before);
}
