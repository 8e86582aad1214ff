//! A folder as a mirror, and one in memory that is slow.

use std::sync::Arc;

use object_store::chunked::ChunkedStore;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};

use super::*;

/// Longer than any test: what waits for it waits in vain.
const NEVER: Duration = Duration::from_secs(3600);
/// Nothing here is that quick but what answers at once.
const SHORT: Duration = Duration::from_millis(20);

fn mirror() -> (tempfile::TempDir, Mirror) {
    let dir = tempfile::tempdir().unwrap();
    let mirror = Mirror::open(&Url::from_file_path(dir.path()).unwrap()).unwrap();
    (dir, mirror)
}

fn place() -> Place {
    Place::release(&"dasom".parse().unwrap())
}

#[tokio::test]
async fn conditional_reads_bring_bytes_once() {
    let (_dir, mirror) = mirror();
    let read = |etag: Option<String>| {
        let mirror = mirror.clone();
        async move { mirror.fetch(&place(), etag.as_deref(), 16).await }
    };
    assert!(matches!(read(None).await, Ok(Fetched::Missing)));
    mirror.put(&place(), b"one".to_vec()).await.unwrap();
    let Ok(Fetched::Found { bytes, etag }) = read(None).await else {
        panic!("expected bytes");
    };
    assert_eq!(bytes, b"one");
    assert!(matches!(read(etag).await, Ok(Fetched::Unchanged)));
}

#[tokio::test]
async fn refuses_more_than_the_limit() {
    let (_dir, mirror) = mirror();
    mirror.put(&place(), vec![0; 17]).await.unwrap();
    let fetched = mirror.fetch(&place(), None, 16).await;
    assert!(
        matches!(fetched, Err(MirrorError::TooLarge { limit: 16, .. })),
        "{fetched:?}"
    );
}

#[tokio::test]
async fn creates_only_once() {
    let (_dir, mirror) = mirror();
    mirror.create(&place(), b"one".to_vec()).await.unwrap();
    let again = mirror.create(&place(), b"two".to_vec()).await;
    assert!(matches!(again, Err(MirrorError::Exists { .. })));
}

#[tokio::test]
async fn an_absent_folder_is_not_made() {
    let (dir, mirror) = mirror();
    drop(dir);
    let put = mirror.put(&place(), b"one".to_vec()).await;
    assert!(matches!(put, Err(MirrorError::Gone(_))));
    let read = mirror.read(&place(), 16).await;
    assert!(matches!(read, Err(MirrorError::Gone(_))));
    let Access::Folder(root) = mirror.access else {
        panic!("expected a folder");
    };
    assert!(!root.exists());
}

/// A mirror in memory that is as slow as `config` says, with one document of 64 bytes, and is
/// waited for as little as `patience` says.
async fn slow(config: ThrottleConfig, patience: Patience) -> Mirror {
    let (_dir, mirror) = mirror();
    let memory = Arc::new(InMemory::new());
    let mirror = mirror.with_store(Arc::clone(&memory) as Arc<dyn ObjectStore>);
    let (store, path) = mirror.store(&place());
    store.put(&path, vec![7; 64].into()).await.unwrap();
    let chunks = ChunkedStore::new(memory, 16);
    let slow = ThrottledStore::new(chunks, config);
    mirror.with_store(Arc::new(slow)).with_patience(patience)
}

fn said(error: &MirrorError, within: &str) {
    let (text, end) = (error.to_string(), format!(": no answer within {within}"));
    assert!(
        text.starts_with("dasom/release on mirror file:///"),
        "{text}"
    );
    assert!(text.ends_with(&end), "{text}");
}

#[tokio::test]
async fn a_mirror_that_does_not_answer_is_waited_for_a_while() {
    let config = ThrottleConfig {
        wait_get_per_call: NEVER,
        ..ThrottleConfig::default()
    };
    let patience = Patience {
        small: SHORT,
        ..Patience::default()
    };
    let mirror = slow(config, patience).await;
    said(&mirror.read(&place(), 64).await.unwrap_err(), "20ms");
    let streamed = mirror.stream(&place(), 64).await;
    said(&streamed.err().unwrap(), "20ms");
}

#[tokio::test]
async fn a_write_is_waited_for_a_while() {
    let config = ThrottleConfig {
        wait_put_per_call: NEVER,
        ..ThrottleConfig::default()
    };
    let patience = Patience {
        small: SHORT,
        ..Patience::default()
    };
    let (_dir, there) = mirror();
    let mirror = Mirror {
        access: there.access,
        ..slow(config, patience).await
    };
    let put = mirror.put(&place(), b"one".to_vec()).await;
    said(&put.unwrap_err(), "20ms");
}

#[tokio::test]
async fn a_mirror_that_falls_silent_within_an_object_is_given_up() {
    let config = ThrottleConfig {
        wait_get_per_byte: NEVER,
        ..ThrottleConfig::default()
    };
    let patience = Patience {
        stall: SHORT,
        ..Patience::default()
    };
    let mirror = slow(config, patience).await;
    let mut chunks = mirror.stream(&place(), 64).await.unwrap().unwrap();
    said(&chunks.next().await.unwrap().unwrap_err(), "20ms");
    assert!(chunks.next().await.is_none());
}

#[tokio::test]
async fn an_object_that_goes_on_past_its_limit_is_given_up() {
    let mirror = slow(ThrottleConfig::default(), Patience::default()).await;
    let mut chunks = mirror.stream(&place(), 40).await.unwrap().unwrap();
    let mut got = 0;
    let error = loop {
        match chunks.next().await.unwrap() {
            Ok(chunk) => got += chunk.len(),
            Err(error) => break error,
        }
    };
    assert!(got <= 40, "{got}");
    assert!(
        error.to_string().ends_with(": more than 40 bytes"),
        "{error}"
    );
    assert!(chunks.next().await.is_none());
}
