//! A store as a whole.

use std::io::Write;

use super::*;
use crate::limits;
use crate::segment::tests::{build, collection, numbered, site};

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("edge-data")).unwrap();
    (dir, store)
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i / 7 % 251) as u8).collect()
}

#[test]
fn objects_go_in_and_out_by_their_hash() {
    let (_dir, store) = store();
    for bytes in [0, 1, 65_536, 65_537, 3_000_001] {
        let object = pattern(bytes);
        let digest = Digest::of(&object);
        assert!(!store.contains(&digest));
        store.put_bytes(&digest, &object).unwrap();
        store.put_bytes(&digest, &object).unwrap();
        assert!(store.contains(&digest));
        assert_eq!(store.read(&digest, bytes).unwrap(), object);
        if bytes > 0 {
            let error = store.read(&digest, bytes - 1).unwrap_err();
            assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
        }
    }
    let names: Vec<_> = store.digests().unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(names.len(), 5);
    for name in names {
        store.remove(&name).unwrap();
        store.remove(&name).unwrap();
        assert!(matches!(store.file(&name), Err(StoreError::Missing(d)) if d == name));
    }
    assert_eq!(store.digests().unwrap().count(), 0);
}

#[test]
fn other_bytes_than_the_name_says_are_refused() {
    let (_dir, store) = store();
    let digest = Digest::of(b"a");
    assert!(matches!(
        store.put_bytes(&digest, b"b"),
        Err(StoreError::Digest { .. })
    ));
    for size in [3, 100_000] {
        let mut staged = store.stage().unwrap();
        staged.write_all(&pattern(size)).unwrap();
        assert!(matches!(
            staged.persist(&digest),
            Err(StoreError::Digest { .. })
        ));
    }
    assert!(!store.contains(&digest));
    assert_eq!(
        fs::read_dir(store.root().join("staging")).unwrap().count(),
        0
    );
}

#[test]
fn a_segment_is_verified_on_its_way_in() {
    let (_dir, store) = store();
    let mut builder = store.build(site(), collection()).unwrap();
    for (key, entry) in &numbered(500, 300) {
        builder.push(key, entry).unwrap();
    }
    let (staged, entry) = builder.finish().unwrap().unwrap();
    staged
        .persist_segment(&entry, &site(), &collection())
        .unwrap();
    let cache = NodeCache::new(1 << 20);
    store
        .segment(&entry, &site(), &collection(), &cache)
        .unwrap()
        .verify()
        .unwrap();

    let (mut bytes, entry) = build(&numbered(501, 300));
    bytes[20_000] ^= 1;
    let mut staged = store.stage().unwrap();
    staged.write_all(&bytes).unwrap();
    let error = staged
        .persist_segment(&entry, &site(), &collection())
        .unwrap_err();
    assert!(error.to_string().contains("hash"), "{error}");
    assert!(!store.contains(&entry.id));
}

#[test]
fn one_process_at_a_time() {
    let (dir, store) = store();
    let path = dir.path().join("edge-data");
    let error = Store::open(&path).unwrap_err();
    assert!(
        error.to_string().contains("in use by another process"),
        "{error}"
    );
    Store::open_shared(&path).unwrap();
    drop(store);
    Store::open(&path).unwrap();
}

#[test]
fn opening_clears_what_a_crash_left() {
    let (dir, store) = store();
    let left = store.root().join("staging/left");
    fs::write(&left, b"half").unwrap();
    drop(store);
    Store::open(dir.path().join("edge-data")).unwrap();
    assert!(!left.exists());
}

#[test]
fn state_is_replaced_whole_and_stays_in_its_directory() {
    let (_dir, store) = store();
    assert_eq!(store.read_state("dasom.floor", 10).unwrap(), None);
    store.write_state("dasom.floor", b"one").unwrap();
    store.write_state("dasom.floor", b"two").unwrap();
    assert_eq!(
        store.read_state("dasom.floor", 10).unwrap().unwrap(),
        b"two"
    );
    assert!(matches!(
        store.read_state("dasom.floor", 2),
        Err(StoreError::TooLarge { .. })
    ));
    for bad in [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "A",
        ".a",
        "a..b",
        &"a".repeat(129),
    ] {
        assert!(
            matches!(store.write_state(bad, b""), Err(StoreError::StateName(_))),
            "{bad}"
        );
    }
}

#[test]
fn long_values_become_blobs_of_the_store() {
    let (_dir, store) = store();
    let value = pattern(limits::INLINE_VALUE_BYTES + 1);
    let Entry::Blob(blob) = store.entry(value.clone()).unwrap() else {
        panic!("a value of 4097 bytes is inline");
    };
    assert_eq!(
        store.blob(&blob).unwrap().read(0..blob.bytes).unwrap(),
        value
    );
}

#[test]
fn a_lost_hash_tree_grows_again() {
    let (_dir, store) = store();
    let content = pattern(300_000);
    let blob = BlobRef::of(&content);
    store.put_bytes(&blob.digest, &content).unwrap();
    let tree = store.layout.tree(&blob.digest);
    for damage in ["lost", "cut"] {
        match damage {
            "lost" => fs::remove_file(&tree).unwrap(),
            _ => fs::write(&tree, b"short").unwrap(),
        }
        let part = store.blob(&blob).unwrap().read(100_000..200_000).unwrap();
        assert_eq!(part, content[100_000..200_000], "{damage}");
    }
    // Not for a blob that is itself damaged.
    fs::remove_file(&tree).unwrap();
    let object = store.layout.object(&blob.digest);
    let mut bytes = fs::read(&object).unwrap();
    bytes[7] ^= 1;
    fs::write(&object, &bytes).unwrap();
    assert!(matches!(store.blob(&blob), Err(StoreError::Digest { .. })));
    assert!(matches!(
        store.read(&blob.digest, 300_000),
        Err(StoreError::Digest { .. })
    ));
    // Storing it again repairs it.
    store.put_bytes(&blob.digest, &content).unwrap();
    assert_eq!(
        store.blob(&blob).unwrap().read(0..300_000).unwrap(),
        content
    );
}

#[test]
fn the_store_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, store) = store();
    let digest = Digest::of(b"a");
    store.put_bytes(&digest, b"a").unwrap();
    store.write_state("floor", b"one").unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let object = store.layout.object(&digest);
    let prefix = object.parent().unwrap().to_owned();
    for dir in [
        store.root().to_owned(),
        store.layout.objects(),
        store.layout.state(),
        prefix,
    ] {
        assert_eq!(mode(dir.clone()), 0o700, "{}", dir.display());
    }
    for file in [object, store.layout.state().join("floor")] {
        assert_eq!(mode(file.clone()), 0o600, "{}", file.display());
    }
}
