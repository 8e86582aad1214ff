//! What the clients of an edge may use of it: readers, and ops.

use std::time::Duration;

/// Limits of the public listener.
#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Connections at once. Beyond them new ones wait in the kernel's queue.
    pub connections: usize,
    /// Header fields of a request; more is a 431.
    pub header_fields: usize,
    /// Bytes of a request's head; more is a 431.
    pub head_bytes: usize,
    /// From a connection's start, or its last answer, to the end of the next request's head. On
    /// HTTP/2, where pings keep a connection up, from its start alone; then `idle` counts.
    pub head_time: Duration,
    /// How long a connection may ask for nothing new. What is under way then may finish; a
    /// connection without is closed, at the latest after twice this time.
    pub idle: Duration,
    /// Requests of one HTTP/2 connection at once.
    pub streams: u32,
    /// How often a silent HTTP/2 connection is asked whether it is still there, and how long its
    /// answer may take.
    pub ping: Duration,
    /// How long a reader may take nearly nothing of an answer that is ready; the connection is cut
    /// at the latest after twice this time.
    pub stall: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            header_fields: 100,
            head_bytes: 32 << 10,
            head_time: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            streams: 128,
            ping: Duration::from_secs(20),
            stall: Duration::from_secs(30),
        }
    }
}

/// Limits of the control listener.
#[derive(Clone, Copy, Debug)]
pub struct ControlLimits {
    /// Connections at once. Beyond them new ones wait in the kernel's queue.
    pub connections: usize,
    /// From a connection's start, or its last answer, to the end of the next request's head.
    pub head_time: Duration,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// From the end of a request's head to that of its body.
    pub body_time: Duration,
    /// How long somebody may take nearly nothing of an answer; the connection is cut at the latest after
    /// twice this time.
    pub stall: Duration,
}

impl Default for ControlLimits {
    fn default() -> Self {
        Self {
            connections: 64,
            head_time: Duration::from_secs(10),
            body_bytes: 32 << 10,
            body_time: Duration::from_secs(10),
            stall: Duration::from_secs(30),
        }
    }
}
