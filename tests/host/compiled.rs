//! The cache of compiled components: what is in it is run, so nobody else may have written it.

use std::path::PathBuf;

use bytes::Bytes;
use edge::host::{Host, HostError};

use super::{Stage, limits};

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
