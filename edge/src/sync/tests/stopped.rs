//! What is still fetched of a release that was refused.

use std::path::PathBuf;
use std::time::Duration;

use fs_err as fs;
use snapshot::Digest;
use snapshot::manifest::Component;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use url::Url;

use super::super::Place;
use crate::fixture::{Draft, Following, Publisher, config, listening, site};

/// The name of what comes slowly.
fn slow() -> Digest {
    Digest::of(b"slow")
}

/// Shows `folder` over HTTP. Of what is slow a byte comes now and then, for as long as anybody listens.
async fn shows(folder: PathBuf) -> Url {
    listening(move |stream, head| answer(stream, head, folder.clone())).await
}

async fn answer(mut stream: TcpStream, head: String, folder: PathBuf) {
    let path = head.split(' ').nth(1).unwrap().trim_start_matches('/');
    let is_slow = path == Place::object(&site(), &slow()).as_str();
    let (status, bytes) = match fs::read(folder.join(path)) {
        _ if is_slow => ("200 OK", vec![0; 100_000]),
        Ok(bytes) => ("200 OK", bytes),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let told = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\
         last-modified: Sun, 22 Nov 2026 05:05:00 GMT\r\n\r\n",
        bytes.len()
    );
    let mut given = stream.write_all(told.as_bytes()).await;
    if !is_slow {
        stream.write_all(&bytes).await.ok();
        return;
    }
    let mut pause = tokio::time::interval(Duration::from_millis(50));
    while given.is_ok() {
        pause.tick().await;
        given = stream.write_all(&[0]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_fetched_of_a_refused_release_does_not_hold_up_the_next() {
    let publisher = Publisher::new();
    let bad = publisher.prepare(&Draft {
        manifest: |manifest| {
            manifest.components.push(Component {
                name: "slow".parse().unwrap(),
                digest: slow(),
                bytes: 100_000,
            });
        },
        ..Draft::new(1)
    });
    let segment = bad.manifest.collections[0].segments[0].id;
    fs::remove_file(publisher.object(&segment)).unwrap();
    publisher.point(&bad.envelope);
    let mirror = shows(publisher.mirror()).await;
    let data = tempfile::tempdir().unwrap();
    let edge = Following::start(data.path(), &config(vec![mirror])).await;
    let refused = edge.until("refused", |status| !status.refusals.is_empty());
    let object = refused.await.refusals[0].object.clone();
    assert_eq!(object, Some(format!("segment {segment}")));
    publisher.publish(&Draft::new(2));
    let status = edge.serves(2).await;
    assert_eq!(status.sources[0].health, "sound");
    edge.stop().await;
}
