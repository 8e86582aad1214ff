//! The file as a publisher writes it: what is taken, and that all mistakes are shown at once.

use std::time::Duration;

use snapshot::manifest::{Isolation, Target, Thresholds};

use super::*;

const GOOD: &str = r#"
site = "dasom"
title = { en = "Dasom", ko = "다솜" }
languages = ["ko", "en"]

[service.pay]
title = { ko = "다솜페이", en = "Dasom Pay" }
probe = "/pay/health"
[service.pay.breaker]
failures = 20
window = "30s"
[service.home]
title = "다솜"

[collection.invitations]
source = { sqlite = "town.db", query = "select * from invitations", key = "id" }
privacy = "unlisted"
complete = true
[collection.accounts]
source = { csv = "accounts.csv", key = "id" }
privacy = "sealed"
secret = "cap"
[collection.assets]
source = { folder = "public" }

[component.invitation]
file = "../invitation.wasm"

[[route]]
path = "/"
service = "home"
assets = "assets"
[[route]]
path = "/i/{id}/{cap}/"
service = "pay"
component = "invitation"
collections = ["invitations"]
isolation = "shared"
capability = "cap"
too-old-after = "1h"
urls = { csv = "accounts.csv" }
[status]
serve = false
[[canary]]
path = "/"
[publish]
mirrors = ["mirror-a", "file:///srv/mirror-b"]
key = "keys/release"
"#;

fn parse(text: &str) -> Result<Site, Mistakes> {
    Site::parse(Path::new("/srv/dasom/site.toml"), text)
}

fn messages(text: &str) -> Vec<String> {
    let error = parse(text).unwrap_err();
    error.list().iter().map(|p| p.message.clone()).collect()
}

#[test]
fn a_whole_file_is_taken() {
    let site = parse(GOOD).unwrap();
    assert_eq!(site.title.get("xx"), Some(("ko", "다솜")));
    assert_eq!(site.services.len(), 2);
    let breaker = Thresholds {
        failures: 20,
        window_ms: 30_000,
        ..Thresholds::default()
    };
    let breakers = site.services.iter().map(|service| service.breaker);
    assert!(breakers.eq([breaker, Thresholds::default()]));
    let collection = site.collection(&"accounts".parse().unwrap()).unwrap();
    assert_eq!(collection.secret.as_deref(), Some("cap"));
    assert_eq!(
        site.publish.mirrors,
        ["file:///srv/dasom/mirror-a", "file:///srv/mirror-b"]
    );
    let [home, invitation] = site.routes.as_slice() else {
        panic!("two routes");
    };
    assert_eq!(home.route.isolation, Isolation::Shared);
    assert!(matches!(home.route.target, Target::Assets(_)));
    assert_eq!(invitation.route.stale_after_s, 600);
    assert_eq!(invitation.route.too_old_after_s, Some(3600));
    assert_eq!(
        invitation.urls.as_ref().unwrap().path(),
        Path::new("/srv/dasom/accounts.csv")
    );
    assert_eq!(site.canaries.first().unwrap().language, "ko");
    assert!(site.warnings.is_empty(), "{:?}", site.warnings);
}

#[test]
fn all_mistakes_are_shown_together_with_their_lines() {
    let bad = r#"
site = "Dasom"
langages = ["ko"]
[service.pay]
probe = "health"
[service.pay.breaker]
volume = -1
share = 101
paths = "many"
window = "1h"
probe-first = "2s"
probe-most = "1s"
changes = 99999999999
step = "0s"
errors = 3
[collection.a]
source = { csv = "a.csv", ndjson = "a.json" }
[collection.b]
source = { csv = "b.csv", key = "id" }
privacy = "sealed"
[collection.c]
source = { folder = "c" }
privacy = "hidden"
complete = "yes"
[[route]]
path = "/x/{id}"
component = "nobody"
assets = "c"
stale-after = "soon"
[[route]]
path = "/x/{other}"
assets = "b"
[[canary]]
path = "/nowhere"
status = 99
[publish]
mirrors = ["gopher://x"]
"#;
    let error = parse(bad).unwrap_err();
    let shown = error.render(false);
    for expected in [
        "\"Dasom\" is not a site name",
        "the file has no key `langages`",
        "did you mean `languages`?",
        "`probe` must be a path",
        "`volume` is -1",
        "`share` is 101",
        "expected from 1 to 100",
        "`paths` must be a whole number",
        "`window` is \"1h\"",
        "expected from 1s to 600s",
        "`changes` is 99999999999",
        "`step` is \"0s\"",
        "the first wait between probes, 2000 ms, is above the longest, 1000 ms",
        "`breaker` of service `pay` has no key `errors`",
        "must name exactly one of folder",
        "needs `secret`",
        "\"hidden\" is not a privacy",
        "`complete` must be true or false, not a string",
        "exactly one of `component` and `assets`",
        "`stale-after` is not a duration: \"soon\"",
        "component `nobody` is not declared",
        "collection `b` holds rows",
        "takes the same paths as",
        "no route answers canary /nowhere",
        "99 is not a status",
        "expected 200 to 599",
        "is not a mirror: expected a folder",
        "/srv/dasom/site.toml:2:9",
        "/srv/dasom/site.toml:3:1",
    ] {
        assert!(shown.contains(expected), "missing {expected:?} in\n{shown}");
    }
}

#[test]
fn what_is_no_toml_is_said_at_its_place() {
    let shown = parse("site = \n").unwrap_err().render(false);
    assert!(shown.contains("site.toml:1"), "{shown}");
}

#[test]
fn routes_and_collections_must_not_contradict_themselves() {
    let head = "site = \"x\"\n[collection.a]\nsource = { folder = \"a\" }\n";
    let route = |lines: &str| messages(&format!("{head}[[route]]\n{lines}"));
    assert!(route("path = \"/a/{id}\"\nassets = \"a\"")[0].contains("or none"));
    assert!(route("path = \"/.holdfast/x\"\nassets = \"a\"")[0].contains("edge's own"));
    assert!(
        route("path = \"/a\"\nassets = \"a\"\nstale-after = \"2h\"\ntoo-old-after = \"1h\"")[0]
            .contains("must be later")
    );
    assert!(route("path = \"/a\"\nassets = \"a\"\nservice = \"pay\"")[0].contains("not declared"));
    assert!(
        route("path = \"/a\"\nassets = \"a\"\nurls = { csv = \"x\" }")[0].contains("are known")
    );
    let folder =
        "site = \"x\"\n[collection.a]\nsource = { folder = \"a\" }\nprivacy = \"unlisted\"\n";
    assert!(messages(folder)[0].contains("can only be public"));
}

#[test]
fn a_small_site_needs_little() {
    let site = parse(
        "site = \"x\"\n[collection.a]\nsource = { folder = \"a\" }\n\
         [[route]]\npath = \"/{*path}\"\nassets = \"a\"\n[[canary]]\npath = \"/\"\n",
    )
    .unwrap();
    assert_eq!(site.languages, ["en"]);
    assert_eq!(site.services[0].name.as_str(), "pages");
    assert_eq!(
        Duration::from_secs(site.routes[0].route.stale_after_s),
        STALE_AFTER
    );
}

#[test]
fn limits_are_reached() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("site.toml");
    let large = usize::try_from(settings::SETTINGS_BYTES).unwrap() + 1;
    fs_err::write(&file, vec![b'#'; large]).unwrap();
    let error = Site::load(&file).unwrap_err().to_string();
    assert!(error.contains("is larger than 1048576 bytes"), "{error}");

    let mirrors = |count: usize| {
        let list: Vec<String> = (0..count).map(|n| format!("\"mirror-{n}\"")).collect();
        format!("site = \"x\"\n[publish]\nmirrors = [{}]\n", list.join(", "))
    };
    assert_eq!(parse(&mirrors(16)).unwrap().publish.mirrors.len(), 16);
    let error = parse(&mirrors(17)).unwrap_err().to_string();
    for expected in ["`mirrors` has 17 entries", "expected 0 to 16", "1 mistake;"] {
        assert!(error.contains(expected), "{error}");
    }

    let age = |text: &str| {
        let head = "site = \"x\"\n[collection.a]\nsource = { folder = \"a\" }\n";
        let route = "[[route]]\npath = \"/\"\nassets = \"a\"\n";
        parse(&format!("{head}{route}stale-after = \"{text}\"\n"))
    };
    assert!(age("1s").is_ok());
    let error = age("999ms").unwrap_err().to_string();
    assert!(error.contains("`stale-after` is \"999ms\""), "{error}");
    assert!(error.contains("expected from 1s to 315360000s"), "{error}");
    let error = age("3651d").unwrap_err().to_string();
    assert!(
        error.contains("`stale-after` is not a duration: \"3651d\""),
        "{error}"
    );
}

const PRIVATE: &str = r#"
site = "x"
[collection.notes]
source = { csv = "notes.csv", key = "id" }
privacy = "unlisted"
[collection.accounts]
source = { csv = "accounts.csv", key = "id" }
privacy = "sealed"
secret = "cap"
[component.view]
file = "view.wasm"
[[route]]
path = "/note/{id}/"
component = "view"
collections = ["notes"]
[[route]]
path = "/notes/"
component = "view"
collections = ["notes"]
[[route]]
path = "/pay/{id}/{cap}/"
component = "view"
collections = ["accounts"]
capability = "cap"
"#;

#[test]
fn a_canary_must_not_give_away_a_private_record() {
    let canary = |path: &str| format!("{PRIVATE}[[canary]]\npath = \"{path}\"\n");
    // Its path holds no record.
    assert_eq!(parse(&canary("/notes/")).unwrap().canaries.len(), 1);

    let both = canary("/note/kept-quiet/") + "[[canary]]\npath = \"/pay/7/s3cret/\"\n";
    let error = parse(&both).unwrap_err();
    let messages: Vec<&str> = error.list().iter().map(|p| p.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "canary /note/{id}/ in en would publish the secret id of a record of `notes`, which \
             is unlisted: manifests can be read by whoever reads a mirror",
            "canary /pay/{id}/{cap}/ in en would publish the capability `cap`: manifests can be \
             read by whoever reads a mirror",
        ]
    );
    let shown = error.render(false);
    assert!(
        shown.contains("help: name a page of a public collection"),
        "{shown}"
    );
    assert!(!messages.concat().contains("kept-quiet"));

    let error = parse(&canary("/notes/?id=kept-quiet")).unwrap_err();
    assert!(error.list()[0].message.starts_with("canary /notes/ in en"));
}

#[test]
fn a_site_names_no_more_edges_than_are_asked() {
    let edges = |count: usize| {
        let list: Vec<String> = (0..count)
            .map(|n| format!("\"http://10.0.0.{n}:1\""))
            .collect();
        format!("site = \"x\"\n[publish]\nedges = [{}]\n", list.join(", "))
    };
    let site = parse(&edges(EDGES)).unwrap();
    assert_eq!(site.publish.edges[7].as_str(), "http://10.0.0.7:1/");
    let error = parse(&edges(EDGES + 1)).unwrap_err().to_string();
    assert!(error.contains("`edges` has 257 entries"), "{error}");
    let error = parse("site = \"x\"\n[publish]\nedges = [\"seoul\"]\n").unwrap_err();
    let said = &error.list()[0].message;
    assert!(said.starts_with("edge \"seoul\" is no URL"), "{said}");
}

#[test]
fn retention_has_limits() {
    let with = |lines: &str| {
        let text = format!("{GOOD}\n[retention]\n{lines}\n");
        Site::parse(Path::new("site.toml"), &text)
    };
    let kept = with("releases = 3\nyounger = \"1d\"\nsweep = false").unwrap();
    let expected = Retention {
        releases: 3,
        younger: Duration::from_secs(24 * 3600),
        sweep: false,
        ..Retention::default()
    };
    assert_eq!(kept.retention, expected);
    for (line, words) in [
        ("releases = 0", "`releases` is 0"),
        ("releases = 100001", "`releases` is 100001"),
        ("grace = \"59s\"", "`grace` is \"59s\""),
        ("every = \"999ms\"", "`every` is \"999ms\""),
        ("release = 1", "no key `release`"),
    ] {
        let refused = with(line).unwrap_err();
        let said: Vec<String> = refused.list().iter().map(|p| p.message.clone()).collect();
        assert!(
            said.len() == 1 && said[0].contains(words),
            "{line}: {said:?}"
        );
    }
}
