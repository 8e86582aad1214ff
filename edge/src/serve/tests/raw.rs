//! A client that says exactly what it is told to.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::world::World;

/// Longer than anything here takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Sends `text` and reads until the edge closes the connection.
pub(super) async fn exchange(world: &World, text: &str) -> String {
    let mut stream = TcpStream::connect(world.public).await.unwrap();
    // The edge may answer and close before it has read everything.
    stream.write_all(text.as_bytes()).await.ok();
    read_all(&mut stream).await
}

pub(super) async fn read_all(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let reading = async {
        let mut piece = [0; 65536];
        while let Ok(n) = stream.read(&mut piece).await {
            if n == 0 {
                break;
            }
            read.extend_from_slice(&piece[..n]);
        }
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("the connection closes");
    String::from_utf8_lossy(&read).into_owned()
}
