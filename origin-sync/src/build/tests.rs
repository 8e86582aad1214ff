//! Deltas: what a change writes, and what a reader then finds.

use std::path::{Path, PathBuf};

use fs_err as fs;
use snapshot::Value;

use super::*;
use crate::source::{self, SourceLimits};

struct Bench {
    dir: tempfile::TempDir,
    store: Store,
    text: String,
}

const SITE: &str = r#"
site = "dasom"
[collection.rows]
source = { csv = "rows.csv", key = "id" }
[collection.files]
source = { folder = "files" }
[[route]]
path = "/{*path}"
assets = "files"
"#;

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("files")).unwrap();
        let store = Store::open(dir.path().join("store")).unwrap();
        Self {
            dir,
            store,
            text: SITE.to_owned(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn rows(&self, rows: &[(usize, &str)]) {
        let lines: String = rows
            .iter()
            .map(|(id, v)| format!("{id:04},{v}\n"))
            .collect();
        fs::write(self.path("rows.csv"), format!("id,v\n{lines}")).unwrap();
    }

    fn many(&self, count: usize, change: &[(usize, &str)]) {
        let mut rows: Vec<(usize, &str)> = (0..count).map(|id| (id, "same")).collect();
        for (id, value) in change {
            rows[*id].1 = value;
        }
        self.rows(&rows);
    }

    fn site(&self) -> Site {
        Site::parse(&self.path("site.toml"), &self.text).unwrap()
    }

    fn try_build(&self, base: Option<&Manifest>, accept: bool) -> Result<Built, BuildError> {
        let site = self.site();
        let scratch = self.store.scratch();
        let mut read = |c: &config::Collection| {
            let limits = SourceLimits::default();
            source::read(&site.site, c, limits, &scratch).map(|read| Given::All(read.rows))
        };
        let base = base.map(|manifest| Base { manifest });
        build(&site, &mut read, base, accept, &self.store)
    }

    /// Builds upon `base` from the list `changes.ndjson` for one collection.
    fn try_changes(&self, base: &Manifest, name: &str) -> Result<Built, BuildError> {
        let site = self.site();
        let (list, scratch) = (self.path("changes.ndjson"), self.store.scratch());
        let mut give = |c: &config::Collection| {
            if c.name.as_str() != name {
                return Ok(Given::Same);
            }
            let limits = SourceLimits::default();
            let read = source::changes(&site.site, c, &list, limits, &scratch);
            read.map(|read| Given::Changes(read.rows))
        };
        let base = Some(Base { manifest: base });
        build(&site, &mut give, base, false, &self.store)
    }

    fn build(&self, base: Option<&Built>) -> Built {
        self.try_build(base.map(|built| &built.manifest), false)
            .unwrap()
    }
}

fn found(built: &Built, name: &str) -> Vec<String> {
    let stack = built.stacks.get(&name.parse().unwrap()).unwrap();
    let text = |value| match value {
        Value::Inline(bytes) => String::from_utf8(bytes).unwrap(),
        Value::Blob(blob) => format!("blob of {}", blob.bytes),
    };
    stack
        .iter(..)
        .map(|record| {
            record
                .map(|(key, value)| format!("{key} {}", text(value)))
                .unwrap()
        })
        .collect()
}

fn depth(built: &Built) -> usize {
    built
        .manifest
        .collection(&"rows".parse().unwrap())
        .unwrap()
        .segments
        .len()
}

#[test]
fn a_change_writes_one_small_segment() {
    let bench = Bench::new();
    bench.many(5000, &[]);
    let first = bench.build(None);
    assert_eq!(first.changes[0].upserts, 5000);
    assert_eq!(first.new_objects.len(), 2, "a segment and the manifest");

    let same = bench.build(Some(&first));
    assert!(same.is_same_as(Some(&first.manifest)));
    assert_eq!(same.digest, first.digest);

    bench.many(4999, &[(17, "other")]);
    let second = bench.build(Some(&first));
    assert_eq!(
        (second.changes[0].upserts, second.changes[0].removed),
        (1, 1)
    );
    assert_eq!(second.new_objects.len(), 2, "a segment and the manifest");
    assert_eq!(depth(&second), 2);
    let top = &second
        .manifest
        .collections
        .iter()
        .find(|c| c.records > 0)
        .unwrap()
        .segments[0];
    assert_eq!(top.records, 2);
    assert!(top.bytes < 1024, "{}", top.bytes);
    let rows = found(&second, "rows");
    assert_eq!(rows.len(), 4999);
    assert_eq!(rows[17], r#"0017 {"id":"0017","v":"other"}"#);
    assert!(!rows.iter().any(|row| row.starts_with("4999")));
}

#[test]
fn large_values_become_blobs_and_go_once() {
    let bench = Bench::new();
    bench.rows(&[(1, &"x".repeat(5000))]);
    fs::write(bench.path("files/photo.jpg"), vec![7; 100_000]).unwrap();
    fs::write(bench.path("files/a.css"), "p{}").unwrap();
    let first = bench.build(None);
    assert_eq!(
        first.new_objects.len(),
        5,
        "two blobs, two segments, the manifest"
    );
    assert_eq!(
        found(&first, "files"),
        ["a.css p{}", "photo.jpg blob of 100000"]
    );
    fs::write(bench.path("files/a.css"), "p{x:y}").unwrap();
    let second = bench.build(Some(&first));
    assert_eq!(second.new_objects.len(), 2, "the blob is there already");
    let all = crate::mirror::of_manifest(second.digest, &second.manifest, &second.stacks).unwrap();
    assert_eq!(all.len(), 6, "two blobs, three segments, the manifest");
    for object in &all {
        assert!(bench.store.contains(&object.digest));
    }
}

#[test]
fn a_deep_stack_is_rebuilt_as_one_segment_from_its_inputs() {
    let bench = Bench::new();
    bench.many(100, &[]);
    let mut built = bench.build(None);
    for step in 1..=STACK_DEPTH {
        let value = format!("v{step}");
        bench.many(100, &[(step, &value)]);
        built = bench.build(Some(&built));
    }
    let rows = built.manifest.collection(&"rows".parse().unwrap()).unwrap();
    let [only] = rows.segments.as_slice() else {
        panic!("{} segments", rows.segments.len());
    };
    assert_eq!((only.from.len(), only.bottom), (STACK_DEPTH + 1, true));
    assert_eq!(only.records, 100);
    assert_eq!(
        built.new_objects.len(),
        3,
        "the delta, the merged one, the manifest"
    );
    assert_eq!(found(&built, "rows").len(), 100);
}

#[test]
fn a_change_that_comes_back_names_no_segment_twice() {
    let bench = Bench::new();
    bench.many(10, &[]);
    let mut built = bench.build(None);
    for value in ["on", "off", "on", "off", "on"] {
        bench.many(10, &[(3, value)]);
        built = bench.build(Some(&built));
        assert!(found(&built, "rows")[3].contains(value));
    }
}

#[test]
fn a_collection_that_becomes_private_leaves_nothing_behind() {
    let mut bench = Bench::new();
    bench.many(10, &[]);
    let first = bench.build(None);
    bench.text = SITE.replace("key = \"id\" }", "key = \"id\" }\nprivacy = \"unlisted\"");
    let second = bench.build(Some(&first));
    assert_eq!(depth(&second), 1);
    let old = &first
        .manifest
        .collection(&"rows".parse().unwrap())
        .unwrap()
        .segments[0];
    let new = &second
        .manifest
        .collection(&"rows".parse().unwrap())
        .unwrap()
        .segments[0];
    assert_ne!(old.id, new.id);
    assert!(new.from.is_empty());
}

#[test]
fn a_great_loss_has_to_be_meant() {
    let bench = Bench::new();
    bench.many(100, &[]);
    let first = bench.build(None);
    bench.many(70, &[]);
    bench.build(Some(&first));
    bench.many(69, &[]);
    let refused = bench.try_build(Some(&first.manifest), false).unwrap_err();
    let words = "collection rows fell from 100 records to 69: more than 30 per cent fewer";
    assert_eq!(refused.to_string(), words);
    let accepted = bench.try_build(Some(&first.manifest), true).unwrap();
    assert!(accepted.manifest.accepts_shrink);
    // The next release of the same content is the same release.
    let again = bench.build(Some(&accepted));
    assert!(again.is_same_as(Some(&accepted.manifest)));
}

#[test]
fn everything_may_go() {
    let bench = Bench::new();
    bench.many(3, &[]);
    let first = bench.build(None);
    bench.rows(&[]);
    let empty = bench.try_build(Some(&first.manifest), true).unwrap();
    assert_eq!(found(&empty, "rows").len(), 0);
    bench.many(3, &[]);
    assert_eq!(found(&bench.build(Some(&empty)), "rows").len(), 3);
}

#[test]
fn what_is_no_component_is_refused() {
    let mut bench = Bench::new();
    bench.rows(&[]);
    bench
        .text
        .push_str("[component.view]\nfile = \"view.wasm\"\n");
    let write = |bytes: &[u8]| fs::write(bench.path("view.wasm"), bytes).unwrap();
    write(b"\0asm\x01\0\0\0");
    let refused = bench.try_build(None, false).unwrap_err().to_string();
    assert!(
        refused.contains("view.wasm: is not a WebAssembly component"),
        "{refused}"
    );
    write(&vec![0; limits::COMPONENT_BYTES + 1]);
    let refused = bench.try_build(None, false).unwrap_err().to_string();
    assert!(refused.contains("at most"), "{refused}");
    fs::remove_file(Path::new(&bench.path("view.wasm"))).unwrap();
    let refused = bench.try_build(None, false).unwrap_err().to_string();
    assert!(refused.contains("view.wasm"), "{refused}");
}

/// The segment that a list of changes makes is the one that a look at every row makes.
#[test]
fn a_list_of_changes_gives_what_a_full_dump_gives() {
    let bench = Bench::new();
    bench.many(3_000, &[]);
    let base = bench.build(None);
    let list = "{\"put\":{\"id\":\"0007\",\"v\":\"other\"}}\n\
                {\"put\":{\"id\":\"0008\",\"v\":\"same\"}}\n\
                {\"put\":{\"id\":\"0009\",\"v\":\"first\"}}\n\
                {\"delete\":\"0010\"}\n\
                {\"put\":{\"id\":\"9000\",\"v\":\"new\"}}\n\
                {\"delete\":\"absent\"}\n\
                {\"put\":{\"id\":\"0009\",\"v\":\"last\"}}\n";
    fs::write(bench.path("changes.ndjson"), list).unwrap();
    let listed = bench.try_changes(&base.manifest, "rows").unwrap();

    let mut rows: Vec<(usize, &str)> = (0..3_000).map(|id| (id, "same")).collect();
    (rows[7].1, rows[9].1) = ("other", "last");
    rows.remove(10);
    rows.push((9_000, "new"));
    bench.rows(&rows);
    let dumped = bench.build(Some(&base));
    assert_eq!(listed.manifest, dumped.manifest);
    assert_eq!(listed.changes, dumped.changes);
    let rows = listed
        .changes
        .iter()
        .find(|c| c.collection.as_str() == "rows");
    let rows = rows.unwrap();
    assert_eq!((rows.records, rows.upserts, rows.removed), (3_000, 3, 1));
}

#[test]
fn changes_need_a_release_that_holds_the_collection() {
    let bench = Bench::new();
    bench.many(3, &[]);
    let mut base = bench.build(None).manifest;
    fs::write(bench.path("changes.ndjson"), "{\"delete\":\"0001\"}\n").unwrap();
    base.collections
        .retain(|collection| collection.name.as_str() != "rows");
    let refused = bench.try_changes(&base, "rows").unwrap_err().to_string();
    let words = "collection rows: there is no release to change";
    assert!(refused.contains(words), "{refused}");
}

#[test]
fn a_change_that_is_none_is_named_by_its_line() {
    let bench = Bench::new();
    bench.many(3, &[]);
    let base = bench.build(None).manifest;
    let good = "{\"delete\":\"0001\"}\n";
    for bad in [
        "{}",
        "[]",
        "{\"put\":\"0001\"}",
        "{\"delete\":1}",
        "{\"delete\":\"0001\",\"put\":{\"id\":\"0001\"}}",
        "{\"put\":{\"v\":\"no id\"}}",
        "{\"delete\":\"\"}",
    ] {
        fs::write(bench.path("changes.ndjson"), format!("{good}{bad}\n")).unwrap();
        let refused = bench.try_changes(&base, "rows").unwrap_err().to_string();
        assert!(refused.contains("changes.ndjson:2: "), "{bad}: {refused}");
    }
}
