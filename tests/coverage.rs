//! Which URLs a publish asks with no origin in reach, which it knows to answer from before, and
//! that it says which is which.

use serde_json::Value;

use crate::scene::{Site, component, component_file};

/// Two collections through the same templates' folder, by two components; files; and a page of
/// notes that nobody has written yet.
fn board() -> String {
    format!(
        r#"
site = "board"
title = {{ en = "Board" }}
languages = ["en"]
[collection.notes]
source = {{ csv = "notes.csv", key = "id" }}
[collection.clubs]
source = {{ csv = "clubs.csv", key = "id" }}
[collection.templates]
source = {{ folder = "templates" }}
[collection.pages]
source = {{ folder = "public" }}
[component.view]
file = {:?}
[component.other]
file = "other.wasm"
[status]
serve = false
[[route]]
path = "/"
assets = "pages"
[[route]]
path = "/files/{{*path}}"
assets = "pages"
[[route]]
path = "/note/{{id}}/"
component = "view"
template = "note.html"
collections = ["notes", "templates"]
urls = {{ csv = "wanted.csv" }}
[[route]]
path = "/club/{{id}}/"
component = "other"
template = "club.html"
collections = ["clubs", "templates"]
urls = {{ csv = "clubs.csv" }}
[[route]]
path = "/today/{{id}}/"
component = "view"
template = "club.html"
collections = ["clubs", "templates"]
now = true
urls = {{ csv = "clubs.csv" }}
[publish]
mirrors = ["mirror"]
key = "keys/release"
"#,
        component_file("view")
    )
}

async fn declared() -> Site {
    Site::new("board", &board())
        .file("other.wasm", component("view"))
        .file("notes.csv", "id,word\none,apple\ntwo,pear\nthree,plum\n")
        .file("wanted.csv", "id\none\ntwo\nthree\nfour\n")
        .file("clubs.csv", "id,word\nhill,walk\nlake,swim\n")
        .file("templates/note.html", "<p>{{ record.word }}</p>\n")
        .file("templates/club.html", "<p>{{ record.word }}</p>\n")
        .file("public/index.html", "<!doctype html><title>b</title>")
        .file("public/a.txt", "a")
        .init()
        .await
}

async fn published() -> Site {
    let site = declared().await;
    let first = site.publish().await;
    assert_eq!(told(&first), [(1, 0), (3, 0), (4, 0), (2, 0), (2, 0)]);
    site
}

/// Of each route: how many URLs were asked, and how many were known.
fn told(report: &Value) -> [(u64, u64); 5] {
    let routes = report["coverage"]["routes"].as_array().unwrap();
    let count = |route: &Value, what: &str| route[what].as_u64().unwrap();
    let told: Vec<_> = routes
        .iter()
        .map(|route| (count(route, "asked"), count(route, "known")))
        .collect();
    told.try_into().unwrap()
}

/// Nothing has changed for any: but what did not answer is asked, and what is told the minute.
const KNOWN: [(u64, u64); 5] = [(0, 1), (0, 3), (1, 3), (0, 2), (2, 0)];
/// Every URL is asked.
const ALL: [(u64, u64); 5] = [(1, 0), (3, 0), (4, 0), (2, 0), (2, 0)];

/// `KNOWN`, but of the `at`th route.
fn but(at: usize, told: (u64, u64)) -> [(u64, u64); 5] {
    let mut all = KNOWN;
    all[at] = told;
    all
}

#[tokio::test]
async fn only_the_urls_that_a_change_can_reach_are_asked_again() {
    let site = published().await;
    // One row: one page.
    site.edit("notes.csv", "pear", "peach");
    let second = site.publish().await;
    assert_eq!(told(&second), but(2, (2, 2)));
    let coverage = &second["coverage"];
    assert_eq!(
        [
            &coverage["asked"],
            &coverage["known"],
            &coverage["answered"]
        ],
        [4, 8, 11]
    );
    // One that did not answer, and now does.
    site.edit("notes.csv", "three,plum\n", "three,plum\nfour,fig\n");
    let third = site.publish().await;
    assert_eq!(told(&third), but(2, (1, 3)));
    assert_eq!(third["coverage"]["answered"], 12);
    // Known is known of every release between.
    site.write("public/a.txt", "b");
    assert_eq!(
        told(&site.publish().await),
        [(0, 1), (1, 2), (0, 4), (0, 2), (2, 0)]
    );
    site.write("public/index.html", "<!doctype html><title>c</title>");
    assert_eq!(
        told(&site.publish().await),
        [(1, 0), (2, 1), (0, 4), (0, 2), (2, 0)]
    );
    // A template is a record of all its pages.
    site.write("templates/note.html", "<b>{{ record.word }}</b>\n");
    assert_eq!(
        told(&site.publish().await),
        [(0, 1), (0, 3), (4, 0), (0, 2), (2, 0)]
    );
    // A row that comes and one that goes.
    site.write("clubs.csv", "id,word\nhill,walk\nwood,rest\n");
    assert_eq!(
        told(&site.publish().await),
        [(0, 1), (0, 3), (0, 4), (1, 1), (2, 0)]
    );
}

#[tokio::test]
async fn a_component_takes_its_routes_with_it_and_the_site_all() {
    let site = published().await;
    // Another file of the same behaviour: an empty section with a name of one letter.
    let mut other = component("view");
    other.extend([0, 2, 1, b'x']);
    site.write("other.wasm", other);
    assert_eq!(told(&site.publish().await), but(3, (2, 0)));
    site.edit(
        "site.toml",
        "languages = [\"en\"]",
        "languages = [\"en\", \"ko\"]",
    );
    assert_eq!(told(&site.publish().await), ALL);
    site.edit("site.toml", "en = \"Board\"", "en = \"Blackboard\"");
    assert_eq!(told(&site.publish().await), ALL);
    // A route may catch what another one answered.
    site.edit("site.toml", "now = true", "rewrite = false");
    assert_eq!(told(&site.publish().await), ALL);
}

#[tokio::test]
async fn what_is_remembered_is_a_cache_and_can_be_passed_over() {
    let site = published().await;
    let memory = site.path(".holdfast/state/coverage");
    let change = |n: u8| site.write("notes.csv", format!("id,word\none,{n}\ntwo,b\nthree,c\n"));

    change(1);
    let damaged = fs_err::read(&memory).unwrap().split_off(1);
    fs_err::write(&memory, damaged).unwrap();
    let ended = site.try_publish(&["--json"]).await.expect(0);
    assert_eq!(told(&ended.json()), ALL);
    ended.says(&["every URL is asked: state coverage is damaged"]);
    change(2);
    fs_err::remove_file(&memory).unwrap();
    let ended = site.try_publish(&["--json"]).await.expect(0);
    assert_eq!(told(&ended.json()), ALL);
    assert!(!ended.err.contains("warning"), "{}", ended.err);

    // Asked for, all are asked; and are known afterwards.
    change(3);
    let ended = site.try_publish(&["--json", "--ask-all"]).await.expect(0);
    assert_eq!(told(&ended.json()), ALL);
    let text = "with the origin dead, 11 of 12 URLs answer\n";
    assert!(ended.err.contains(text), "{}", ended.err);
    change(4);
    let ended = site.try_publish(&["--json"]).await.expect(0);
    assert_eq!(told(&ended.json()), but(2, (2, 2)));
    ended.says(&[
        "11 of 12 URLs answer: 4 asked now, 8 unchanged since they answered, the first with the \
         data of 20",
        "/note/{id}/     3 of 4 URLs answer, 2 asked now",
    ]);
}

/// What a publish tried and could not commit is compared like a release.
#[tokio::test]
async fn a_publish_that_fails_after_the_trial_leaves_what_it_asked() {
    let site = published().await;
    site.edit("notes.csv", "pear", "peach");
    let objects = site.at("mirror").join("releases/2");
    fs_err::write(&objects, "someone was here").unwrap();
    site.try_publish(&[]).await.expect(23);
    // The row that it changed goes back, and another changes: both are asked.
    site.edit("notes.csv", "peach", "pear");
    site.edit("notes.csv", "plum", "prune");
    assert_eq!(told(&site.publish().await), but(2, (3, 1)));
}

/// The publish's report, with what changed given as a list.
async fn changed(site: &Site, list: &str) -> Value {
    site.write("changes.ndjson", list);
    let list = format!("clubs={}", site.path("changes.ndjson").display());
    let ended = site.try_publish(&["--json", "--changes", &list]).await;
    ended.expect(0).json()
}

#[tokio::test]
async fn a_list_of_changes_is_all_that_is_read() {
    let site = published().await;
    let edge = site.edge().start().await;
    // Whoever looked at the sources would stop here.
    for source in ["notes.csv", "clubs.csv", "wanted.csv"] {
        fs_err::remove_file(site.path(source)).unwrap();
    }
    let report = changed(
        &site,
        "{\"put\":{\"id\":\"lake\",\"word\":\"skate\"}}\n{\"delete\":\"hill\"}\n\
         {\"put\":{\"id\":\"wood\",\"word\":\"rest\"}}\n",
    )
    .await;
    assert_eq!(report["coverage"], Value::Null);
    let collections = report["collections"].as_array().unwrap();
    let clubs = collections.iter().find(|c| c["collection"] == "clubs");
    let clubs = clubs.unwrap();
    assert_eq!(
        [&clubs["upserts"], &clubs["removed"], &clubs["records"]],
        [2, 1, 2],
        "{report}"
    );
    edge.reaches(2).await;
    assert!(edge.get("/club/lake/").await.text().contains("skate"));
    assert_ne!(edge.get("/club/hill/").await.status, 200);
    assert!(edge.get("/note/one/").await.text().contains("apple"));

    // The sources say the same by now: nothing is new, however it is looked for.
    site.write("notes.csv", "id,word\none,apple\ntwo,pear\nthree,plum\n");
    site.write("clubs.csv", "id,word\nlake,skate\nwood,rest\n");
    site.write("wanted.csv", "id\none\n");
    site.try_publish(&[]).await.expect(10);
}

#[tokio::test]
async fn a_list_of_changes_that_cannot_be_used_is_refused_by_name() {
    let site = declared().await;
    site.write("changes.ndjson", "{\"delete\":\"hill\"}\n");
    let file = site.path("changes.ndjson");
    let list = |collection: &str| format!("{collection}={}", file.display());
    for (given, code, word) in [
        (list("clubs"), 65, "there is no release to change"),
        (list("absent"), 64, "no such collection"),
        (list("pages"), 64, "a folder of files"),
        ("clubs".to_owned(), 64, "no = between"),
    ] {
        let ended = site.try_publish(&["--changes", &given]).await;
        ended.expect(code).says(&[word]);
    }
    site.publish().await;
    let ended = site
        .try_publish(&["--changes", "clubs=absent.ndjson"])
        .await;
    ended.expect(65).says(&["absent.ndjson"]);
}
