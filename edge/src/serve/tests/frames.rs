//! HTTP/2 frame by frame (RFC 9113 section 4), for what no well-behaved client sends.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::world::World;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;

/// Flag of the last frame of a stream, and of an answer to `SETTINGS` and `PING`.
pub(super) const END_STREAM: u8 = 1;
pub(super) const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

pub(super) struct Frames(TcpStream);

impl Frames {
    /// Connects, and says what every client says first.
    pub(super) async fn connect(world: &World) -> Self {
        Self::connect_with(world, &[]).await
    }

    /// Connects with `settings`, as the payload of the frame has them.
    pub(super) async fn connect_with(world: &World, settings: &[u8]) -> Self {
        let mut stream = TcpStream::connect(world.public).await.unwrap();
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        stream.write_all(preface).await.unwrap();
        let mut frames = Self(stream);
        frames.send(&frame(SETTINGS, 0, 0, settings)).await;
        frames
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        // The edge may have closed meanwhile; reading tells.
        self.0.write_all(bytes).await.ok();
    }

    /// The next frame; none when the edge has closed the connection.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        let reading = async {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.ok()?;
            let [a, b, c, kind, flags, s, t, u, v] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            self.0.read_exact(&mut payload).await.ok()?;
            let stream = u32::from_be_bytes([s, t, u, v]);
            Some(Frame {
                kind,
                flags,
                stream,
                payload,
            })
        };
        let read = tokio::time::timeout(PATIENCE, reading).await;
        read.expect("a frame comes, or the end")
    }

    /// Reads on to the first frame of that kind on that stream.
    pub(super) async fn until(&mut self, kind: u8, stream: u32) -> Frame {
        loop {
            let frame = self.next().await.expect("the connection goes on");
            if (frame.kind, frame.stream) == (kind, stream) {
                return frame;
            }
        }
    }
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Asks for `path`, shorter than 127 bytes, on a stream of its own.
pub(super) fn get(stream: u32, path: &str) -> Vec<u8> {
    // HPACK (RFC 7541): GET and http by their place in the static table (section 6.1), path and
    // authority as literals without indexing under a name from there (section 6.2.2).
    let mut block = vec![0x82, 0x86];
    for (name, value) in [(0x04, path), (0x01, "dasom.example")] {
        block.extend([name, u8::try_from(value.len()).unwrap()]);
        block.extend_from_slice(value.as_bytes());
    }
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block)
}
