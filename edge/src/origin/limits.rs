//! How long an origin may take, and how much of its answers is held.

use std::time::Duration;

/// Time and size limits towards one origin.
#[derive(Clone, Copy, Debug)]
pub struct OriginLimits {
    /// To a connection.
    pub connect: Duration,
    /// From asking to the head of the answer, connecting included, for GET and HEAD.
    pub first_byte: Duration,
    /// From asking to a whole answer, or to one so long that it streams.
    pub whole: Duration,
    /// Between two pieces of a streaming answer.
    pub idle: Duration,
    /// Between two pieces of a stream of events, which may have nothing to tell for long.
    pub events_idle: Duration,
    /// From asking to the head of the answer, for writes: they may do real work.
    pub write: Duration,
    /// From asking to the head of the answer, for the breaker's probe.
    pub probe: Duration,
    /// Header fields of an answer.
    pub answer_fields: usize,
    /// Bytes of an answer's head; at least 8 KiB.
    pub answer_head_bytes: usize,
    /// Bytes of a probe's answer that are waited for; they are not looked at.
    pub probe_bytes: usize,
    /// Bytes of an answer held back until it is whole, so that a broken one can still fall back.
    pub held_bytes: usize,
    /// Bytes of a request's body.
    pub body_bytes: u64,
    /// Idle connections kept. They are let go before common servers let go of theirs (5 s).
    pub idle_connections: usize,
    /// How long an idle connection is kept.
    pub idle_connection: Duration,
}

impl Default for OriginLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            first_byte: Duration::from_secs(2),
            whole: Duration::from_secs(10),
            idle: Duration::from_secs(15),
            events_idle: Duration::from_secs(300),
            write: Duration::from_secs(30),
            probe: Duration::from_secs(1),
            answer_fields: 256,
            answer_head_bytes: 128 << 10,
            probe_bytes: 64 << 10,
            held_bytes: 256 << 10,
            body_bytes: 64 << 20,
            idle_connections: 64,
            idle_connection: Duration::from_secs(4),
        }
    }
}
