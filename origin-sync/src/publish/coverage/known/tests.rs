//! What is kept, and what takes it back.

use snapshot::manifest::{Collection, Component, Privacy};
use snapshot::{Entry, Key};

use super::*;

const PROGRAM: Digest = Digest::from_bytes([1; Digest::LEN]);
const AT: Timestamp = Timestamp(60_000);

struct Bench {
    store: Store,
    _dir: tempfile::TempDir,
}

/// A manifest whose collections `rows` and `others` hold these records.
struct Content<'a> {
    rows: &'a [(&'a str, &'a str)],
    others: &'a [(&'a str, &'a str)],
    component: u8,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        Self { store, _dir: dir }
    }

    fn collection(&self, name: &str, records: &[(&str, &str)]) -> Collection {
        let (site, name) = ("x".parse().unwrap(), name.parse().unwrap());
        let mut builder = self
            .store
            .build(Clone::clone(&site), Clone::clone(&name))
            .unwrap();
        for (key, value) in records {
            let key = Key::new(*key).unwrap();
            builder
                .push(&key, &Entry::Inline(value.as_bytes().into()))
                .unwrap();
        }
        let (staged, entry) = builder.finish().unwrap().unwrap();
        staged.persist_segment(&entry, &site, &name).unwrap();
        Collection {
            name,
            privacy: Privacy::Public,
            complete: false,
            records: records.len() as u64,
            segments: vec![entry],
        }
    }

    fn manifest(&self, content: &Content<'_>) -> Manifest {
        Manifest {
            version: Manifest::VERSION,
            site: "x".parse().unwrap(),
            title: Default::default(),
            languages: vec!["en".to_owned()],
            presets: Vec::new(),
            services: vec![],
            collections: vec![
                self.collection("others", content.others),
                self.collection("rows", content.rows),
            ],
            components: vec![Component {
                name: "view".parse().unwrap(),
                digest: Digest::of(&[content.component]),
                bytes: 1,
            }],
            routes: vec![],
            canaries: vec![],
            accepts_shrink: false,
        }
    }

    /// Keeps what answered of `content`: three URLs.
    fn asked(&self, content: &Content<'_>) {
        let bytes = encode(&self.manifest(content)).unwrap();
        let digest = Digest::of(&bytes);
        self.store.put_bytes(&digest, &bytes).unwrap();
        notes().write(&self.store, PROGRAM, digest, BYTES).unwrap();
    }

    /// Which of the three URLs still stand.
    fn stand(&self, content: &Content<'_>) -> [bool; 3] {
        self.stand_in(&self.manifest(content), PROGRAM)
    }

    fn stand_in(&self, manifest: &Manifest, program: Digest) -> [bool; 3] {
        let known = Known::of(&self.store, program, manifest).unwrap();
        ["/a", "/list", "/file"].map(|path| {
            let since = known.repeat(&url(path), &mut Notes::default());
            assert!(since.is_none() || since == Some(AT));
            since.is_some()
        })
    }
}

fn url(path: &str) -> Digest {
    Digest::of(path.as_bytes())
}

fn key(store: &str, key: &str) -> Read {
    Read::Key {
        store: store.to_owned(),
        key: Digest::of(key.as_bytes()),
    }
}

/// `/a` shows a record of `rows` and would show another; `/list` shows all of `rows`; `/file` is
/// one of `others`.
fn notes() -> Notes {
    let mut notes = Notes::default();
    let mut answered = |path: &str, component: bool, reads: Vec<Read>| {
        let component = component.then(|| "view".parse().unwrap());
        notes.answered(url(path), AT, MadeOf { component, reads });
    };
    answered("/a", true, vec![key("rows", "a"), key("rows", "absent")]);
    let store = "rows".to_owned();
    answered("/list", true, vec![Read::Keys { store }]);
    answered("/file", false, vec![key("others", "file")]);
    notes
}

const BASE: Content<'_> = Content {
    rows: &[("a", "1"), ("b", "2")],
    others: &[("file", "f")],
    component: 1,
};

#[test]
fn a_url_stands_until_something_it_is_made_of_changes() {
    let bench = Bench::new();
    bench.asked(&BASE);
    assert_eq!(bench.stand(&BASE), [true; 3]);
    let rows = |rows| Content { rows, ..BASE };
    // Another record: only the list may show it.
    let changed = rows(&[("a", "1"), ("b", "9")]);
    assert_eq!(bench.stand(&changed), [true, false, true]);
    let changed = rows(&[("a", "9"), ("b", "2")]);
    assert_eq!(bench.stand(&changed), [false, false, true]);
    // What was looked for and not found is there now.
    let changed = rows(&[("a", "1"), ("absent", "here"), ("b", "2")]);
    assert_eq!(bench.stand(&changed), [false, false, true]);
    let others = &[("file", "g")];
    let changed = Content { others, ..BASE };
    assert_eq!(bench.stand(&changed), [true, true, false]);
    let component = 2;
    let changed = Content { component, ..BASE };
    assert_eq!(bench.stand(&changed), [false, false, true]);
}

#[test]
fn in_another_frame_or_for_another_program_nothing_stands() {
    let bench = Bench::new();
    bench.asked(&BASE);
    let mut manifest = bench.manifest(&BASE);
    assert_eq!(bench.stand_in(&manifest, PROGRAM), [true; 3]);
    assert_eq!(bench.stand_in(&manifest, Digest::of(b"newer")), [false; 3]);
    manifest.languages = vec!["ko".to_owned()];
    assert_eq!(bench.stand_in(&manifest, PROGRAM), [false; 3]);
}

#[test]
fn what_is_repeated_stands_again_and_what_is_gone_is_forgotten() {
    let bench = Bench::new();
    bench.asked(&BASE);
    let manifest = bench.manifest(&BASE);
    let known = Known::of(&bench.store, PROGRAM, &manifest).unwrap();
    let mut notes = Notes::default();
    assert_eq!(known.repeat(&url("/list"), &mut notes), Some(AT));
    assert_eq!(known.repeat(&url("/new"), &mut notes), None);
    assert_eq!((notes.parts.len(), notes.urls.len()), (2, 1));
    let digest = Digest::of(&encode(&manifest).unwrap());
    notes.write(&bench.store, PROGRAM, digest, BYTES).unwrap();
    assert_eq!(bench.stand(&BASE), [false, true, false]);
    let rows = &[("a", "1")];
    let fewer = Content { rows, ..BASE };
    assert_eq!(bench.stand(&fewer), [false; 3]);
}

#[test]
fn a_file_that_is_damaged_in_any_byte_is_not_believed() {
    let bench = Bench::new();
    bench.asked(&BASE);
    let file = bench.store.read_state(STATE, BYTES).unwrap().unwrap();
    let manifest = bench.manifest(&BASE);
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 1;
        assert!(Kept::read(&damaged).is_err(), "{at}");
        assert!(Kept::read(&file[..at]).is_err(), "{at}");
    }
    bench.store.write_state(STATE, b"short").unwrap();
    let refused = Known::of(&bench.store, PROGRAM, &manifest).unwrap_err();
    assert_eq!(refused, "state coverage is damaged");
}

#[test]
fn beyond_the_limit_nothing_is_kept_and_nothing_is_read() {
    let bench = Bench::new();
    let manifest = bench.manifest(&BASE);
    let digest = Digest::of(b"");
    let long = notes()
        .write(&bench.store, PROGRAM, digest, 99)
        .unwrap_err();
    assert!(long.contains("at most 99 are allowed"), "{long}");
    assert!(bench.store.read_state(STATE, BYTES).unwrap().is_none());
    bench.store.write_state(STATE, &vec![0; BYTES + 1]).unwrap();
    assert!(Known::of(&bench.store, PROGRAM, &manifest).is_err());
}
