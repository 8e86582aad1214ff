//! Many guests at once.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use bytes::Bytes;
use edge::host::{GuestError, HostLimits};

use super::{Stage, Town, limits};

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_concurrency_limit_a_request_is_refused_as_busy() {
    let stage = Stage::new(HostLimits {
        concurrency: 1,
        patience: Duration::from_millis(50),
        ..limits()
    })
    .await;
    let barrier = Arc::new(Barrier::new(2));
    let slow = Town::hanging(&barrier);
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
            running: Duration::from_secs(30),
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
