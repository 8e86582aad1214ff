//! What an application is made of, without mirrors; whole exports are in the workspace's `tests/`.

use rusqlite::Connection;
use snapshot::manifest::{
    Collection, Component, Isolation, Privacy, Route, Service, Target, Thresholds,
};
use snapshot::{Entry, Key, LocalText, SiteName, Timestamp};

use super::*;

fn route(path: &str, component: &str) -> Route {
    Route {
        path: path.to_owned(),
        service: "pay".parse().unwrap(),
        target: Target::Component(component.parse().unwrap()),
        collections: vec!["clubs".parse().unwrap()],
        isolation: Isolation::Shared,
        capability: None,
        template: None,
        query: Vec::new(),
        now: false,
        always: false,
        rewrite: true,
        status: false,
        stale_after_s: 600,
        too_old_after_s: None,
    }
}

fn component(name: &str) -> Component {
    Component {
        name: name.parse().unwrap(),
        digest: Digest::of(name.as_bytes()),
        bytes: 4,
    }
}

fn manifest(routes: Vec<Route>) -> Manifest {
    Manifest {
        version: Manifest::VERSION,
        site: "dasom".parse().unwrap(),
        title: LocalText::default(),
        languages: vec!["ko".into(), "en".into()],
        presets: Vec::new(),
        services: vec![Service {
            name: "pay".parse().unwrap(),
            title: LocalText::default(),
            meanwhile: LocalText::default(),
            presets: Vec::new(),
            probe: "/".to_owned(),
            breaker: Thresholds::default(),
        }],
        collections: vec![Collection {
            name: "clubs".parse().unwrap(),
            privacy: Privacy::Sealed,
            complete: false,
            records: 0,
            segments: Vec::new(),
        }],
        components: vec![component("view"), component("account")],
        routes,
        canaries: Vec::new(),
        accepts_shrink: false,
    }
}

fn release() -> Release {
    Release {
        version: Release::VERSION,
        least_edge: snapshot::EdgeVersion::FIRST,
        site: "dasom".parse().unwrap(),
        sequence: Sequence(7),
        manifest: Digest::of(b""),
        manifest_bytes: 0,
        as_of: Timestamp::from_secs(90),
        positions: Vec::new(),
        signed_at: Timestamp::from_secs(91),
        erased: Sequence(0),
    }
}

#[test]
fn the_application_says_what_to_send_and_what_is_left_out() {
    let mut gift = route("/i/{id}/{cap}/gift", "account");
    gift.capability = Some("cap".to_owned());
    gift.isolation = Isolation::Single;
    let mut same = route("/club/{id}/{cap}/", "view");
    same.capability = Some("cap".to_owned());
    same.template = Some("한 줄\n.html".to_owned());
    let mut files = route("/files/{*path}", "view");
    files.target = Target::Assets("clubs".parse().unwrap());
    let manifest = manifest(vec![
        route("/club/{id}/", "view"),
        same,
        gift,
        files,
        route("/club/{name}", "account"),
        route("/{id}.html", "view"),
    ]);
    let routes = route::routes(&manifest);
    let text = application::manifest(&release(), &manifest, &routes);
    assert_eq!(text.matches("[[trigger.http]]").count(), 2, "{text}");
    for expected in [
        "# Release 7 of the site dasom, as of 1970-01-01T00:01:30Z",
        "holdfast-as-of        1970-01-01T00:01:00Z\n",
        "spin_manifest_version = 2\n",
        "route = \"/club/:id\"\ncomponent = \"view\"\n",
        "#   {cap} is a capability: ask for /club/{id}/\n",
        "#   holdfast-template: %ED%95%9C%20%EC%A4%84%0A.html\n",
        "#   holdfast-privacy: clubs=sealed\n",
        "route = \"/i/:id/gift\"\ncomponent = \"account\"\n",
        "holdfast-capability: what stands for {cap}",
        "--max-instance-reuse-count 1",
        "# Left out: /files/{*path}\n#   files of the collection clubs",
        "# Left out: /club/{name}\n#   Spin cannot tell it from /club/{id}/",
        "# Left out: /{id}.html\n",
        "[component.view]\nsource = \"components/view.wasm\"\nkey_value_stores = [\"clubs\"]\n",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
}

#[test]
fn no_text_of_a_site_leaves_its_comment_or_string() {
    let mut odd = route("/a\"\\b/", "view");
    odd.query = vec!["x\n[component.evil]".to_owned()];
    let mut left_out = route("/v{id}", "view");
    left_out.path = "/v{id\n[component.evil]}".to_owned();
    let manifest = manifest(vec![odd, left_out]);
    let text = application::manifest(&release(), &manifest, &route::routes(&manifest));
    assert!(text.contains(r#"route = "/a\"\\b""#), "{text}");
    assert!(!text.contains("\n[component.evil]"), "{text}");
}

#[test]
fn names_that_spin_has_no_place_for_are_refused() {
    for (name, fine) in [
        ("view", true),
        ("view-of2-clubs", true),
        ("view-2", false),
        ("view-", false),
        ("a--b", false),
    ] {
        let mut manifest = manifest(Vec::new());
        manifest.components.push(component(name));
        assert_eq!(check_names(&manifest).is_ok(), fine, "{name}");
    }
}

#[test]
fn every_record_that_spin_can_hold_is_in_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let objects = Arc::new(Store::open(dir.path().join("objects")).unwrap());
    let (site, name): (SiteName, CollectionName) =
        ("dasom".parse().unwrap(), "clubs".parse().unwrap());
    let long = vec![7; 100_000];
    let mut builder = objects.build(site.clone(), name.clone()).unwrap();
    for (key, value) in [(&b"a"[..], b"apple".to_vec()), (b"b", long.clone())] {
        let entry = objects.entry(value).unwrap();
        builder.push(&Key::new(key).unwrap(), &entry).unwrap();
    }
    let odd = Key::new(&b"\xff"[..]).unwrap();
    builder.push(&odd, &Entry::Inline(b"x".to_vec())).unwrap();
    let (staged, entry) = builder.finish().unwrap().unwrap();
    staged.persist_segment(&entry, &site, &name).unwrap();
    let cache = NodeCache::new(1 << 20);
    let stack = build::open(&objects, &cache, &site, &name, &[entry]).unwrap();

    let path = dir.path().join(STORE);
    let stacks = BTreeMap::from([(name.clone(), stack)]);
    let filled = store::fill(&path, &stacks, &objects).unwrap();
    let expected = Filled {
        records: 2,
        bytes: 100_005,
        left_out: 1,
    };
    assert_eq!(filled, BTreeMap::from([(name, expected)]));
    let connection = Connection::open(&path).unwrap();
    // The words in which Spin itself asks.
    let mut get = connection
        .prepare("SELECT value FROM spin_key_value WHERE store=$1 AND key=$2")
        .unwrap();
    let mut value =
        |key: &str| -> Vec<u8> { get.query_row(["clubs", key], |row| row.get(0)).unwrap() };
    assert_eq!((value("a"), value("b")), (b"apple".to_vec(), long));
}

#[test]
fn a_value_that_spin_would_not_hand_over_is_left_out() {
    let key = Key::new("k").unwrap();
    assert!(store::fits(&key, VALUE_BYTES));
    assert!(!store::fits(&key, VALUE_BYTES + 1));
}

#[test]
fn only_an_empty_directory_is_filled() {
    let dir = tempfile::tempdir().unwrap();
    check_empty(dir.path()).unwrap();
    check_empty(&dir.path().join("absent")).unwrap();
    fs_err::write(dir.path().join("a"), "").unwrap();
    let refused = check_empty(dir.path()).unwrap_err();
    assert!(refused.to_string().contains("is not empty"), "{refused}");
}
