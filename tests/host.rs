//! The component host, held against a guest that misbehaves on request.
//!
//! A behaviour is a file of `tests/guests/src`, run by a request for its name. A new one goes
//! into [`CASES`], with what the host must make of it; a file without a case fails a test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use edge::host::{
    Guest, GuestAnswer, GuestError, GuestRequest, Host, HostError, HostLimits, Read, Records,
    RecordsError,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use snapshot::Digest;
use snapshot::manifest::Isolation;

use crate::scene::{compiled_cache, component};

/// What a behaviour must come to.
enum Expected {
    /// Status 200 with this body.
    Says(&'static str),
    /// A [`GuestError`] with this word.
    Fails(&'static str),
}

use Expected::{Fails, Says};

const CASES: [(&str, Expected); 22] = [
    ("answer_forever", Fails("output")),
    ("break_off", Fails("nonsense")),
    ("claim_length", Says("short")),
    ("connection_header", Fails("nonsense")),
    ("crash", Fails("trap")),
    ("eat_handles", Fails("memory")),
    ("eat_memory", Fails("memory")),
    ("eat_streams", Fails("nonsense")),
    ("fail", Fails("failed")),
    ("fine", Says("fine")),
    ("greet", Says("GET /greet")),
    ("hand_over", Fails("nonsense")),
    ("host_header", Fails("nonsense")),
    ("list_keys", Says("a,b")),
    ("many_headers", Fails("nonsense")),
    ("open_foreign", Says("Error::AccessDenied")),
    ("read_key", Says("false nothing")),
    ("read_without_end", Fails("deadline")),
    ("recurse", Fails("trap")),
    ("spin", Fails("deadline")),
    ("wait_forever", Fails("deadline")),
    (
        "write_record",
        Says(
            "Err(Error::Other(\"collections are read-only on an edge\"))\n\
             Err(Error::Other(\"collections are read-only on an edge\"))",
        ),
    ),
];

/// The collection `records`, and what to do when it is read.
#[derive(Default)]
struct Town {
    records: BTreeMap<String, String>,
    unreadable: Option<String>,
    asked: AtomicUsize,
    hangs: Option<Arc<std::sync::Barrier>>,
}

impl Town {
    fn new() -> Arc<Self> {
        let records = [("a", "apple"), ("b", "배")];
        Arc::new(Self {
            records: records.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            ..Self::default()
        })
    }
}

impl Records for Town {
    fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, RecordsError> {
        assert_eq!(store, "records");
        self.asked.fetch_add(1, Ordering::Relaxed);
        if let Some(barrier) = &self.hangs {
            barrier.wait();
        }
        if self.unreadable.as_deref() == Some(key) {
            return Err(RecordsError::Unreadable("bad sector".to_owned()));
        }
        Ok(self
            .records
            .get(key)
            .map(|value| value.clone().into_bytes()))
    }

    fn keys(&self, store: &str, limit: usize) -> Result<Vec<String>, RecordsError> {
        assert_eq!(store, "records");
        Ok(self.records.keys().take(limit).cloned().collect())
    }

    fn allows(&self, store: &str) -> bool {
        store == "records"
    }
}

struct Stage {
    host: Host,
    guest: Arc<Guest>,
}

impl Stage {
    async fn new(limits: HostLimits) -> Self {
        // The first test compiles, the others wait for it and take what it kept.
        static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let _turn = TURN.lock().await;
        Self::with_cache(limits, &compiled_cache()).await
    }

    async fn with_cache(limits: HostLimits, cache: &Path) -> Self {
        let host = Host::new(limits, cache).unwrap();
        let (digest, wasm) = hostile();
        let guest = host.load(&digest, wasm).await.unwrap();
        Self { host, guest }
    }

    async fn get(&self, path: &str) -> Result<GuestAnswer, GuestError> {
        self.get_from(path, Town::new()).await
    }

    async fn get_from(
        &self,
        path: &str,
        records: Arc<dyn Records>,
    ) -> Result<GuestAnswer, GuestError> {
        self.host.call(&self.guest, request(path), records).await
    }
}

fn request(path: &str) -> GuestRequest {
    GuestRequest {
        method: Method::GET,
        uri: format!("/{path}").parse().unwrap(),
        headers: HeaderMap::new(),
        isolation: Isolation::Shared,
    }
}

fn hostile() -> (Digest, Vec<u8>) {
    let wasm = component("hostile");
    (Digest::of(&wasm), wasm)
}

/// Short enough for a test that waits for it, long enough for a slow machine to compute honestly.
fn limits() -> HostLimits {
    HostLimits {
        deadline: Duration::from_millis(700),
        ..HostLimits::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_behaviour_comes_to_what_it_must_and_costs_only_its_own_request() {
    let stage = Stage::new(limits()).await;
    for (name, expected) in CASES {
        let answer = stage.get(name).await;
        match (expected, answer) {
            (Says(text), Ok(answer)) => {
                assert_eq!(answer.status, StatusCode::OK, "{name}");
                assert_eq!(answer.body, Bytes::from_static(text.as_bytes()), "{name}");
                assert!(!answer.headers.contains_key("content-length"), "{name}");
            }
            (Fails(word), Err(error)) => assert_eq!(error.as_str(), word, "{name}: {error}"),
            (Says(text), Err(error)) => panic!("{name}: {error:?}, expected {text:?}"),
            (Fails(word), Ok(answer)) => panic!("{name}: {answer:?}, expected {word}"),
        }
        let next = stage.get("fine").await.unwrap();
        assert_eq!(next.body, Bytes::from_static(b"fine"), "after {name}");
    }
}

#[test]
fn each_behaviour_has_a_case() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("guests/src");
    let mut files: Vec<String> = fs_err::read_dir(folder)
        .unwrap()
        .map(|file| {
            file.unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != "lib")
        .collect();
    files.sort();
    let cases: Vec<String> = CASES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, cases);
}

#[tokio::test]
async fn a_guest_is_told_what_the_host_says_and_no_more() {
    let stage = Stage::new(limits()).await;
    let mut request = request("greet?page=2");
    let headers = &mut request.headers;
    headers.insert("holdfast-language", HeaderValue::from_static("ko"));
    headers.insert("connection", HeaderValue::from_static("close"));
    let answer = stage
        .host
        .call(&stage.guest, request, Town::new())
        .await
        .unwrap();
    assert_eq!(
        answer.body,
        Bytes::from_static(b"GET /greet?page=2\nholdfast-language: ko")
    );
}

#[tokio::test]
async fn a_read_is_answered_and_remembered() {
    let stage = Stage::new(limits()).await;
    let answer = stage.get("read_key?b").await.unwrap();
    assert_eq!(answer.body, Bytes::from_static("true 배".as_bytes()));
    let read = Read::Key {
        store: "records".to_owned(),
        key: Digest::of(b"b"),
    };
    assert_eq!(answer.reads, [read]);
    let listed = Read::Keys {
        store: "records".to_owned(),
    };
    assert_eq!(stage.get("list_keys").await.unwrap().reads, [listed]);
}

#[tokio::test]
async fn what_cannot_be_read_fails_the_request_whatever_the_guest_says() {
    let stage = Stage::new(limits()).await;
    let broken = Arc::new(Town {
        unreadable: Some("a".to_owned()),
        ..Town::default()
    });
    let answer = stage.get_from("read_key?a", broken).await;
    assert_eq!(answer.unwrap_err(), GuestError::Unreadable);
}

#[tokio::test]
async fn a_collection_too_long_to_list_is_an_error_to_the_guest() {
    let stage = Stage::new(limits()).await;
    let crowd = |count: usize| {
        Arc::new(Town {
            records: (0..count)
                .map(|i| (format!("{i:05}"), String::new()))
                .collect(),
            ..Town::default()
        })
    };
    let answer = stage.get_from("list_keys", crowd(10_000)).await.unwrap();
    assert_eq!(answer.body.len(), 10_000 * 6 - 1);
    let answer = stage.get_from("list_keys", crowd(10_001)).await.unwrap();
    assert_eq!(
        answer.body,
        Bytes::from_static(b"Error::Other(\"more than 10000 keys are not listed in one request\")")
    );
}

#[tokio::test]
async fn a_guest_that_reads_without_end_is_ended_by_count() {
    let stage = Stage::new(HostLimits {
        deadline: Duration::from_secs(60),
        ..HostLimits::default()
    })
    .await;
    let town = Town::new();
    let records: Arc<dyn Records> = town.clone();
    let answer = stage.get_from("read_without_end", records).await;
    assert_eq!(answer.unwrap_err(), GuestError::Deadline);
    assert_eq!(town.asked.load(Ordering::Relaxed), 4_096);
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_concurrency_limit_a_request_is_refused_as_busy() {
    let stage = Stage::new(HostLimits {
        concurrency: 1,
        patience: Duration::from_millis(50),
        ..limits()
    })
    .await;
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let slow = Arc::new(Town {
        hangs: Some(Arc::clone(&barrier)),
        ..Town::default()
    });
    let (first, second) = tokio::join!(stage.get_from("read_key?a", slow), async {
        let second = stage.get("fine").await;
        // Two reads, `exists` and `get`, each wait for us.
        let wait = Arc::clone(&barrier);
        tokio::task::spawn_blocking(move || {
            wait.wait();
            wait.wait();
        })
        .await
        .unwrap();
        second
    });
    assert_eq!(second.unwrap_err(), GuestError::Busy);
    assert_eq!(first.unwrap().body, Bytes::from_static(b"false nothing"));
    assert!(stage.get("fine").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_all_answered() {
    // As many turns as places, and hardly any: none is found taken.
    for concurrency in [1, 2, 8] {
        let stage = Stage::new(HostLimits {
            concurrency,
            patience: Duration::from_secs(30),
            deadline: Duration::from_secs(30),
            ..HostLimits::default()
        });
        let stage = Arc::new(stage.await);
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..500 {
            let stage = Arc::clone(&stage);
            calls.spawn(async move { stage.get("read_key?a").await });
        }
        while let Some(answer) = calls.join_next().await {
            assert_eq!(
                answer.unwrap().unwrap().body,
                Bytes::from_static(b"true apple")
            );
        }
    }
}

#[tokio::test]
async fn a_guest_that_computes_lets_others_run_on_the_same_thread() {
    let stage = Stage::new(limits()).await;
    let (stuck, fine) = tokio::join!(stage.get("spin"), stage.get("fine"));
    assert_eq!(stuck.unwrap_err(), GuestError::Deadline);
    assert_eq!(fine.unwrap().body, Bytes::from_static(b"fine"));
}

#[tokio::test]
async fn what_is_not_a_component_is_refused_by_name() {
    let stage = Stage::new(limits()).await;
    let load = async |wasm: &[u8]| stage.host.load(&Digest::of(wasm), wasm.to_vec()).await;
    // "\0asm", then the version and layer of a component: an empty one is valid, and no handler.
    let empty = b"\0asm\x0d\0\x01\0";
    assert!(matches!(load(empty).await, Err(HostError::Handler { .. })));
    assert!(matches!(
        load(b"hello").await,
        Err(HostError::Compile { .. })
    ));
    let (digest, wasm) = hostile();
    let cut = wasm.get(..wasm.len() / 2).unwrap();
    assert!(matches!(load(cut).await, Err(HostError::Compile { .. })));
    assert!(matches!(
        stage.host.load(&digest, cut.to_vec()).await,
        Err(HostError::Digest { .. })
    ));
    let huge = vec![0; (32 << 20) + 1];
    assert!(matches!(load(&huge).await, Err(HostError::TooLarge { .. })));
}

#[tokio::test]
async fn a_foreign_import_is_refused_by_name() {
    let stage = Stage::new(limits()).await;
    let wasm = importing("wasi:random/random@0.3.0");
    match stage.host.load(&Digest::of(&wasm), wasm).await {
        Err(HostError::Import { import, .. }) => assert_eq!(import, "wasi:random/random@0.3.0"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_component_of_more_parts_than_it_may_have_is_refused() {
    let stage = Stage::new(limits()).await;
    // Sections of a core module: a memory of one page; a table of `elements` functions.
    let memory: &[u8] = &[5, 3, 1, 0, 1];
    let table = |elements: &[u8]| {
        let content = [&[1, 0x70, 0], elements].concat();
        [
            &[4, u8::try_from(content.len()).unwrap()],
            content.as_slice(),
        ]
        .concat()
    };
    let (small, largest, larger) = (
        table(&[1]),
        table(&[0x80, 0x80, 4]),
        table(&[0x81, 0x80, 4]),
    );
    for (what, module, instances, fits) in [
        ("instances", &[][..], 16, true),
        ("instances", &[], 17, false),
        ("memories", memory, 1, true),
        ("memories", memory, 2, false),
        ("tables", &small, 8, true),
        ("tables", &small, 9, false),
        ("elements", &largest, 1, true),
        ("elements", &larger, 1, false),
    ] {
        let wasm = instances_of(module, instances);
        let error = stage.host.load(&Digest::of(&wasm), wasm).await.unwrap_err();
        // What fits is refused later, for it answers no requests.
        let refused = match &error {
            HostError::Handler { .. } => fits,
            HostError::Compile { .. } => !fits,
            _ => false,
        };
        assert!(refused, "{instances} {what}: {error:?}");
    }
    assert!(stage.get("fine").await.is_ok());
}

/// A component of so many instances of one core module with these sections.
fn instances_of(module: &[u8], instances: u8) -> Vec<u8> {
    let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
    section(&mut wasm, 1, &[b"\0asm\x01\0\0\0", module].concat());
    // Each is module 0 without arguments.
    let each = [0, 0, 0].repeat(usize::from(instances));
    section(&mut wasm, 2, &[&[instances], each.as_slice()].concat());
    wasm
}

/// A component that imports a function of this name and nothing else.
fn importing(name: &str) -> Vec<u8> {
    let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
    // Type section: an instance type that exports one function without parameters or result.
    let ty = [
        0x01, 0x42, 0x02, 0x01, 0x40, 0x00, 0x01, 0x00, 0x04, 0x00, 0x01, b'f', 0x01, 0x00,
    ];
    section(&mut wasm, 7, &ty);
    // Import section: one import of the instance type 0.
    let mut import = vec![0x01, 0x00, u8::try_from(name.len()).unwrap()];
    import.extend_from_slice(name.as_bytes());
    import.extend_from_slice(&[0x05, 0x00]);
    section(&mut wasm, 10, &import);
    wasm
}

fn section(wasm: &mut Vec<u8>, id: u8, content: &[u8]) {
    wasm.extend_from_slice(&[id, u8::try_from(content.len()).unwrap()]);
    wasm.extend_from_slice(content);
}

#[tokio::test]
async fn a_compiled_component_is_kept_and_a_changed_one_never_run() {
    let cache = tempfile::tempdir().unwrap();
    let directory = cache.path().join("compiled");
    Stage::with_cache(limits(), &directory).await;
    let files = || -> Vec<PathBuf> {
        fs_err::read_dir(&directory)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "compiled"))
            .collect()
    };
    let [file] = files().try_into().unwrap();
    let written = fs_err::read(&file).unwrap();

    let again = |what: &'static str| {
        let directory = directory.clone();
        async move {
            let stage = Stage::with_cache(limits(), &directory).await;
            let answer = stage.get("fine").await.unwrap();
            assert_eq!(answer.body, Bytes::from_static(b"fine"), "{what}");
        }
    };
    let rewritten = || fs_err::read(&file).unwrap() == written;

    again("from the cache").await;
    assert!(rewritten());

    // One flipped bit in the machine code, a cut file, an empty one, another component's file.
    let mut flipped = written.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let cut = written.get(..written.len() / 2).unwrap().to_vec();
    for (what, bytes) in [("flipped", flipped), ("cut", cut), ("empty", Vec::new())] {
        fs_err::write(&file, bytes).unwrap();
        again(what).await;
        assert_ne!(fs_err::metadata(&file).unwrap().len(), 0, "{what}");
    }

    // Written under another key: as if a directory had been brought from elsewhere.
    let before = fs_err::read(&file).unwrap();
    fs_err::write(directory.join("key"), [7; 32]).unwrap();
    again("another key").await;
    assert_ne!(fs_err::read(&file).unwrap().get(..32), before.get(..32));
    assert_eq!(files().len(), 1);
}

#[tokio::test]
async fn a_cache_that_others_can_enter_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let cache = tempfile::tempdir().unwrap();
    let directory = cache.path().join("compiled");
    drop(Host::new(limits(), &directory).unwrap());
    for (path, mode) in [(directory.join("key"), 0o640), (directory.clone(), 0o750)] {
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        match Host::new(limits(), &directory) {
            Err(HostError::CacheOpen { path: named, .. }) => assert_eq!(named, path),
            other => panic!("{other:?}"),
        }
        fs_err::set_permissions(
            &path,
            std::fs::Permissions::from_mode(0o600 | (mode & 0o100)),
        )
        .unwrap();
    }
}
