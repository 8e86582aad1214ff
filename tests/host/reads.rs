//! What a guest is told, and what it reads.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use edge::host::{GuestError, HostLimits, Read, Records};
use http::HeaderValue;
use snapshot::Digest;

use super::{Stage, Town, limits, request};

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
    let listed = async |count| {
        stage
            .get_from("list_keys", Town::crowd(count))
            .await
            .unwrap()
    };
    let answer = listed(10_000).await;
    assert_eq!(answer.body.len(), 10_000 * 6 - 1);
    let answer = listed(10_001).await;
    assert_eq!(
        answer.body,
        Bytes::from_static(b"Error::Other(\"more than 10000 keys are not listed in one request\")")
    );
}

#[tokio::test]
async fn a_guest_that_reads_without_end_is_ended_by_count() {
    let stage = Stage::new(HostLimits {
        running: Duration::from_secs(60),
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
