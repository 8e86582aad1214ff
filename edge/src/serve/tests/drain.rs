//! An orderly end.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::net::TcpStream;

use super::origin::Mood;
use super::world::{Limits, World};
use crate::serve::Drained;

#[tokio::test]
async fn requests_under_way_are_answered_and_nothing_new_is_accepted() {
    let world = World::new().await;
    world.origin.set(Mood::BlackHole);
    let world = Arc::new(world);
    let asking = Arc::clone(&world);
    let asked = tokio::spawn(async move { asking.get("/a.txt").await });
    while world.origin.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    world.stop.cancel();
    world.origin.set(Mood::Well);
    assert_eq!(asked.await.unwrap().status, StatusCode::OK);
    let Ok(world) = Arc::try_unwrap(world) else {
        panic!("nobody else asks");
    };
    let (public, served) = (world.public, world.served);
    assert_eq!(served.await.unwrap(), Drained::Finished);
    assert!(TcpStream::connect(public).await.is_err());
}

#[tokio::test]
async fn when_the_grace_is_over_connections_are_cut() {
    let world = World::with(Limits {
        grace: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    world.origin.set(Mood::BlackHole);
    let mut stream = TcpStream::connect(world.public).await.unwrap();
    let request = b"GET /a.txt HTTP/1.1\r\nhost: dasom.example\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, request)
        .await
        .unwrap();
    while world.origin.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    world.stop.cancel();
    assert_eq!(world.served.await.unwrap(), Drained::CutOff(1));
}
