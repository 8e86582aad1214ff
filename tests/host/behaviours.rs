//! What each behaviour comes to: it costs its own request, and the next one is answered.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use bytes::Bytes;
use edge::host::{GuestError, HostLimits, Records};
use http::StatusCode;

use super::{Stage, Town, limits};

macro_rules! has_a_test {
    ($($name:ident,)+) => { const _: &[fn()] = &[$($name),+]; };
}
// A behaviour without a test of its name does not compile.
for_each_behaviour!(has_a_test);

async fn says(name: &str, text: &'static str) {
    let stage = Stage::new(limits()).await;
    let answer = stage.get(name).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, Bytes::from_static(text.as_bytes()));
    assert!(!answer.headers.contains_key("content-length"));
    stage.still_answers().await;
}

async fn fails(name: &str, word: &str) {
    let stage = Stage::new(limits()).await;
    let error = stage.get(name).await.unwrap_err();
    assert_eq!(error.as_str(), word, "{error}");
    stage.still_answers().await;
}

#[tokio::test]
async fn answer_forever() {
    fails("answer_forever", "output").await;
}

#[tokio::test]
async fn answer_late() {
    says("answer_late", "at last").await;
    let stage = Stage::new(limits()).await;
    let barrier = Arc::new(Barrier::new(2));
    let answer = stage.get_from("answer_late", Town::hanging(&barrier)).await;
    assert_eq!(answer.unwrap_err(), GuestError::Deadline);
    // Only now is the record there; nobody waits for the answer any more.
    barrier.wait();
    stage.still_answers().await;
}

#[tokio::test]
async fn break_off() {
    fails("break_off", "nonsense").await;
}

#[tokio::test]
async fn claim_length() {
    says("claim_length", "short").await;
}

#[tokio::test]
async fn connection_header() {
    fails("connection_header", "nonsense").await;
}

#[tokio::test]
async fn crash() {
    fails("crash", "trap").await;
}

#[tokio::test]
async fn eat_handles() {
    fails("eat_handles", "memory").await;
}

#[tokio::test]
async fn eat_memory() {
    fails("eat_memory", "memory").await;
}

#[tokio::test]
async fn eat_streams() {
    fails("eat_streams", "nonsense").await;
}

#[tokio::test]
async fn fail() {
    fails("fail", "failed").await;
}

#[tokio::test]
async fn fine() {
    says("fine", "fine").await;
}

#[tokio::test]
async fn finish_late() {
    fails("finish_late", "deadline").await;
}

#[tokio::test]
async fn get_keys_bomb() {
    says("get_keys_bomb", "100 of 100 listings, 200 keys").await;
    let stage = Stage::new(HostLimits {
        running: Duration::from_secs(60),
        deadline: Duration::from_secs(60),
        ..limits()
    })
    .await;
    let crowd = Town::crowd(10_000);
    let records: Arc<dyn Records> = crowd.clone();
    let answer = stage.get_from("get_keys_bomb", records).await.unwrap();
    assert_eq!(
        answer.body,
        Bytes::from_static(b"1 of 100 listings, 10000 keys")
    );
    // Of the 99 others one key each, which was one too many.
    assert_eq!(crowd.listed.load(Ordering::Relaxed), 10_099);
    stage.still_answers().await;
}

#[tokio::test]
async fn greet() {
    says("greet", "GET /greet").await;
}

#[tokio::test]
async fn hand_over() {
    fails("hand_over", "nonsense").await;
}

#[tokio::test]
async fn host_header() {
    fails("host_header", "nonsense").await;
}

#[tokio::test]
async fn hundred_megabytes() {
    fails("hundred_megabytes", "output").await;
    // It would go through with all of them.
    let stage = Stage::new(HostLimits {
        output_bytes: 100_000_000,
        running: Duration::from_secs(60),
        deadline: Duration::from_secs(60),
        ..limits()
    })
    .await;
    let answer = stage.get("hundred_megabytes").await.unwrap();
    assert_eq!(answer.body.len(), 100_000_000);
    stage.still_answers().await;
}

#[tokio::test]
async fn list_keys() {
    says("list_keys", "a,b").await;
}

#[tokio::test]
async fn many_headers() {
    fails("many_headers", "nonsense").await;
}

#[tokio::test]
async fn open_foreign() {
    says("open_foreign", "Error::AccessDenied").await;
}

#[tokio::test]
async fn read_key() {
    says("read_key", "false nothing").await;
}

#[tokio::test]
async fn read_without_end() {
    fails("read_without_end", "deadline").await;
}

#[tokio::test]
async fn recurse() {
    fails("recurse", "trap").await;
}

#[tokio::test]
async fn spin() {
    let stage = Stage::new(HostLimits {
        deadline: Duration::from_secs(60),
        ..limits()
    });
    let error = stage.await.get("spin").await.unwrap_err();
    assert_eq!(error, GuestError::Deadline);
}

#[tokio::test]
async fn wait_forever() {
    fails("wait_forever", "deadline").await;
}

#[tokio::test]
async fn write_record() {
    says(
        "write_record",
        "Err(Error::Other(\"collections are read-only on an edge\"))\n\
         Err(Error::Other(\"collections are read-only on an edge\"))",
    )
    .await;
}
