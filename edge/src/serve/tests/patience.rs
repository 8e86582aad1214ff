//! How long an origin is waited for, and how much of it is taken.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use url::Url;

use super::origin::{FIELDS, HEAD_BYTES};
use super::raw::exchange;
use super::world::{COPY, Limits, World};
use crate::origin::{Failure, Origin, OriginLimits};

/// Short, for what must run out.
const SOON: Duration = Duration::from_millis(150);

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(600);

async fn impatient(change: impl FnOnce(&mut OriginLimits)) -> World {
    let mut limits = Limits::default();
    limits.origin.first_byte = LONG;
    limits.origin.whole = LONG;
    change(&mut limits.origin);
    World::with(limits).await
}

/// The next request is the origin's again: what was slow or strange once is not gone.
async fn goes_on(world: &World) {
    assert_eq!(world.get("/a.txt").await.body, "from the origin");
    assert_eq!(
        world.until("normal").await.effective.reason().as_str(),
        "calm"
    );
}

#[tokio::test]
async fn an_answer_that_does_not_get_whole_in_time_is_the_copys() {
    let world = impatient(|limits| limits.whole = SOON).await;
    let got = world.get("/halting.txt").await;
    assert_eq!((got.status, got.body.as_str()), (StatusCode::OK, COPY));
    assert!(got.header("cache-status").contains("too-slow"), "{got:?}");
    goes_on(&world).await;
}

#[tokio::test]
async fn a_long_answer_that_stops_on_its_way_is_cut_off() {
    let world = impatient(|limits| limits.idle = SOON).await;
    let request = "GET /halting-late HTTP/1.1\r\nhost: dasom.example\r\nconnection: close\r\n\r\n";
    let answer = exchange(&world, request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.100}");
    assert!(answer.len() < 2_000_000, "padded to {}", answer.len());
    goes_on(&world).await;
}

#[tokio::test]
async fn a_stream_of_events_may_be_silent_for_long_and_not_for_ever() {
    let world = impatient(|limits| limits.events_idle = SOON).await;
    let request = "GET /events HTTP/1.1\r\nhost: dasom.example\r\nconnection: close\r\n\r\n";
    let answer = exchange(&world, request).await;
    assert!(answer.contains("data: one"), "{answer}");
    // Cut off: no last chunk.
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
    goes_on(&world).await;
}

#[tokio::test]
async fn a_head_beyond_its_limits_is_not_read() {
    let world = impatient(|limits| {
        limits.answer_fields = FIELDS;
        limits.answer_head_bytes = HEAD_BYTES;
    })
    .await;
    for (fits, beyond) in [("/fields", "/fields.txt"), ("/head", "/head.txt")] {
        assert_eq!(world.get(fits).await.body, "own", "{fits}");
        let got = world.get(beyond).await;
        assert_eq!((got.status, got.body.as_str()), (StatusCode::OK, COPY));
        assert!(got.header("cache-status").contains("nonsense"), "{got:?}");
        goes_on(&world).await;
    }
}

#[tokio::test]
async fn a_probe_reads_no_more_than_it_must() {
    // The body never ends, and its start is enough.
    let world = impatient(|limits| {
        limits.probe = LONG;
        limits.probe_bytes = 4;
    })
    .await;
    let target = "/events".parse().unwrap();
    let site = world.site();
    let living = site.origin.as_ref().unwrap();
    assert_eq!(living.probe(&target, "dasom.example").await, Ok(()));
}

#[tokio::test]
async fn who_cannot_be_connected_to_in_time_was_not_asked() {
    // A queue that nobody takes from: once it is full, the system lets connections wait.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener: TcpListener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(SOON, TcpStream::connect(address)).await {
        waiting.push(stream);
    }
    let limits = OriginLimits {
        connect: SOON,
        first_byte: LONG,
        ..OriginLimits::default()
    };
    let url = Url::parse(&format!("http://{address}")).unwrap();
    let origin = Origin::new(&url, limits).unwrap();
    let asked = origin
        .read(Method::GET, &"/".parse().unwrap(), HeaderMap::new())
        .await;
    assert_eq!(asked.unwrap_err(), Failure::Connect);
}
