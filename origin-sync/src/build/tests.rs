//! Deltas: what a change writes, and what a reader then finds.

mod lines;

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
        let mut read = |c: &config::Collection, _: Ask| {
            let limits = SourceLimits::default();
            source::read(&site.site, c, limits, &scratch, None).map(|read| Given::All(read.rows))
        };
        let base = base.map(|manifest| Base {
            manifest,
            wish: None,
        });
        build(&site, &mut read, base, accept, &self.store)
    }

    /// Builds upon `base` from the list `changes.ndjson` for one collection.
    fn try_changes(&self, base: &Manifest, name: &str) -> Result<Built, BuildError> {
        let site = self.site();
        let (list, scratch) = (self.path("changes.ndjson"), self.store.scratch());
        let mut give = |c: &config::Collection, _: Ask| {
            if c.name.as_str() != name {
                return Ok(Given::Same);
            }
            let limits = SourceLimits::default();
            let read = source::changes(&site.site, c, &list, limits, &scratch);
            read.map(|read| Given::Changes(read.rows))
        };
        let base = Some(Base {
            manifest: base,
            wish: None,
        });
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
    rows(built).segments.len()
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

fn rows(built: &Built) -> &Collection {
    built.manifest.collection(&"rows".parse().unwrap()).unwrap()
}

/// Whatever is merged was named by the release before, so that an edge on it has all of it.
#[test]
fn a_stack_stays_shallow_and_is_merged_from_what_was_published() {
    let bench = Bench::new();
    bench.many(100, &[]);
    let mut built = bench.build(None);
    let (mut merges, mut bottoms) = (0, 0);
    let mut values = vec!["same".to_owned(); 100];
    for step in 0..60 {
        let before: Vec<Digest> = rows(&built).segments.iter().map(|s| s.id).collect();
        values[step * 7 % 100] = format!("v{step}");
        let all: Vec<_> = values.iter().map(String::as_str).enumerate().collect();
        bench.rows(&all);
        built = bench.build(Some(&built));
        assert!(depth(&built) <= STACK_DEPTH);
        let segments = &rows(&built).segments;
        let new = segments.iter().filter(|s| !before.contains(&s.id));
        let new: Vec<_> = new.collect();
        assert!(new[0].from.is_empty() && new[0].records == 1);
        assert_eq!(built.new_objects.len(), new.len() + 1, "and the manifest");
        for merged in &new[1..] {
            assert!(merged.from.iter().all(|input| before.contains(&input.id)));
            assert_eq!(merged.bottom, segments.last() == Some(*merged));
            merges += 1;
            bottoms += usize::from(merged.bottom);
        }
        let is = found(&built, "rows");
        let value = |(at, value)| format!(r#"{at:04} {{"id":"{at:04}","v":"{value}"}}"#);
        let expected: Vec<_> = values.iter().enumerate().map(value).collect();
        assert_eq!(is, expected);
    }
    println!("{merges} merges, {bottoms} of them of the whole stack");
    assert!(
        merges > 10 && bottoms > 0 && bottoms < 4,
        "{merges} {bottoms}"
    );
}

#[test]
fn what_is_gone_leaves_nothing_once_the_oldest_is_merged() {
    let bench = Bench::new();
    bench.many(100, &[]);
    let first = bench.build(None);
    bench.many(70, &[]);
    let second = bench.build(Some(&first));
    assert_eq!(depth(&second), 2);
    bench.many(70, &[(3, "other")]);
    let third = bench.build(Some(&second));
    let [_, oldest] = rows(&third).segments.as_slice() else {
        panic!("{:?}", rows(&third).segments);
    };
    assert_eq!((oldest.records, oldest.bottom), (70, true));
    let inputs: Vec<_> = oldest.from.iter().map(|input| input.id).collect();
    let before: Vec<_> = rows(&second).segments.iter().map(|s| s.id).collect();
    assert_eq!(inputs, before);
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
        let ids: std::collections::BTreeSet<_> =
            rows(&built).segments.iter().map(|s| s.id).collect();
        assert_eq!(ids.len(), depth(&built));
    }
}

/// Few records and few values, so that a change, or a merge, often is what another segment is already.
#[test]
fn whatever_is_changed_to_and_fro_no_stack_names_a_segment_twice() {
    let bench = Bench::new();
    let mut random = 7u64;
    let mut roll = |sides: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005);
        random = random.wrapping_add(1);
        usize::try_from((random >> 33) % sides).unwrap()
    };
    let mut values = [0; 24];
    let mut built = None;
    for step in 0..400 {
        for _ in 0..=roll(2) {
            values[roll(3)] = roll(3);
        }
        let all: Vec<_> = values.iter().map(|v| ["a", "b", "c"][*v]).collect();
        let all: Vec<_> = all.into_iter().enumerate().collect();
        bench.rows(&all);
        // The build itself refuses a segment that is named twice.
        let next = bench.build(built.as_ref());
        assert!(depth(&next) <= STACK_DEPTH, "{step}");
        let ends =
            |(row, (_, value)): (&String, &(usize, &str))| row.ends_with(&format!("\"{value}\"}}"));
        assert!(found(&next, "rows").iter().zip(&all).all(ends), "{step}");
        built = Some(next);
    }
}

/// A merge that gives the bytes of a segment further down takes that in as well.
#[test]
fn a_merge_that_is_there_already_goes_on_to_it() {
    let bench = Bench::new();
    bench.many(10, &[]);
    let mut base = bench.build(None).manifest;
    let (site, name): (SiteName, CollectionName) =
        ("dasom".parse().unwrap(), "rows".parse().unwrap());
    let segment = |rows: &[(usize, &str)]| {
        let mut builder = bench.store.build(site.clone(), name.clone()).unwrap();
        for (id, value) in rows {
            let key = snapshot::Key::new(format!("{id:04}")).unwrap();
            let row = format!(r#"{{"id":"{id:04}","v":"{value}"}}"#);
            builder
                .push(&key, &snapshot::Entry::Inline(row.into_bytes()))
                .unwrap();
        }
        let (staged, entry) = builder.finish().unwrap().unwrap();
        staged.persist_segment(&entry, &site, &name).unwrap();
        entry
    };
    // The next change is the one in the middle once more; with those above it makes the lower one.
    let above = [
        segment(&[(1, "b")]),
        segment(&[(0, "c")]),
        segment(&[(0, "b")]),
        segment(&[(0, "x"), (1, "x"), (2, "x")]),
        segment(&[(0, "c"), (1, "b")]),
    ];
    let mut collections = base.collections.iter_mut();
    let rows_before = collections.find(|c| c.name == name).unwrap();
    rows_before.segments.splice(0..0, above);
    bench.many(10, &[(0, "b"), (1, "b"), (2, "x")]);
    let built = bench.try_build(Some(&base), false).unwrap();
    let [new, merged, oldest] = rows(&built).segments.as_slice() else {
        panic!("{:?}", rows(&built).segments);
    };
    assert_eq!((new.records, merged.from.len(), oldest.records), (1, 5, 10));
    assert_eq!(found(&built, "rows")[0], r#"0000 {"id":"0000","v":"b"}"#);
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
