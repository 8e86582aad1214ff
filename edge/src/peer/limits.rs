//! What other edges may use of this one.

use std::time::Duration;

/// Limits of the peer listener.
#[derive(Clone, Copy, Debug)]
pub struct PeerLimits {
    /// Connections at once. Beyond them new ones are closed.
    pub connections: usize,
    /// Connections of one source address at once. Beyond them new ones are closed.
    pub of_one: usize,
    /// Requests of one source address at once; more wait.
    pub at_once: usize,
    /// Requests a second of one source address; more wait.
    pub requests_a_second: u64,
    /// Bundles of orders a second that one source address may bring; more are refused.
    pub pushes_a_second: u64,
    /// How much of that may come at once: a fleet that hears of an order passes it on within moments.
    pub push_burst: Duration,
    /// Bundles of orders that arrive at once, of all addresses; more are refused. Each may be as large as
    /// a bundle may be, and takes memory.
    pub pushes_at_once: usize,
    /// The same of one source address.
    pub pushes_of_one: usize,
    /// How long a bundle of orders may take to arrive.
    pub push_time: Duration,
    /// Bytes a second that one source address is given; more wait. `[peer] bandwidth`.
    pub bytes_a_second: u64,
    /// From a connection's start, or its last answer, to the end of the next request's head.
    pub head_time: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// How long a peer may take nearly nothing of an answer; the connection is cut at the latest after
    /// twice this time.
    pub stall: Duration,
}

impl Default for PeerLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            of_one: 256,
            at_once: 64,
            requests_a_second: 2000,
            pushes_a_second: 20,
            push_burst: Duration::from_secs(1),
            pushes_at_once: 16,
            pushes_of_one: 4,
            push_time: Duration::from_secs(10),
            bytes_a_second: 50 << 20,
            head_time: Duration::from_secs(10),
            head_bytes: 8 << 10,
            stall: Duration::from_secs(30),
        }
    }
}
