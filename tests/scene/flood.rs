//! Somebody who brings the same thing again and again, by several connections at once.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use http::Method;
use stage::client::Answer;
use tokio::time::Instant;

use super::Ask;

/// Who brings it at once: more than one address may at the same time.
const AT_ONCE: usize = 16;

/// Answers to one bundle that may be lost.
const LOST: usize = 5;

/// Bundles that one address may bring at once (`PeerLimits.push_burst`), and a second
/// (`PeerLimits.pushes_a_second`).
const BURST: u64 = 20;
const A_SECOND: u64 = 20;

/// What came of a flood.
#[derive(Debug)]
pub(crate) struct Flood {
    /// Every answer.
    pub(crate) answers: Vec<Answer>,
    /// How long it went on.
    pub(crate) lasted: Duration,
}

/// Brings `body` to `target` of a peer listener until there are so many answers.
pub(crate) async fn flood(at: SocketAddr, target: &str, body: &[u8], times: usize) -> Flood {
    let (left, begun) = (AtomicUsize::new(times), Instant::now());
    let takes = || {
        let less = |left: usize| left.checked_sub(1);
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        taken.is_ok()
    };
    let bring = async || {
        let mut answers = Vec::new();
        while takes() {
            let host = at.to_string();
            let put = || Ask::new(at, Method::PUT, &host, target).body(body);
            // Who is sent away before his bundle was read may lose the answer with the connection.
            let mut answer = put().send().await;
            for _ in 0..LOST {
                if answer.is_err() {
                    answer = put().send().await;
                }
            }
            answers.push(answer.unwrap_or_else(|error| panic!("{error:#}")));
        }
        answers
    };
    let answers = join_all((0..AT_ONCE).map(|_| bring())).await;
    Flood {
        answers: answers.into_iter().flatten().collect(),
        lasted: begun.elapsed(),
    }
}

impl Flood {
    /// Fails unless signatures were looked at of no more bundles than one address may bring in this time,
    /// and everybody else was told to come again.
    #[track_caller]
    pub(crate) fn is_held_back(&self) {
        let looked_at = |answer: &&Answer| answer.status == 403;
        let looked = self.answers.iter().filter(looked_at).count() as u64;
        let most = BURST + A_SECOND * (self.lasted.as_secs() + 1);
        assert!(looked <= most, "{looked} of {most} in {:?}", self.lasted);
        let sent_away = self.answers.iter().filter(|answer| !looked_at(answer));
        for answer in sent_away {
            assert!([429, 503].contains(&answer.status.as_u16()), "{answer:?}");
            assert_eq!(answer.headers["retry-after"], "1");
        }
        assert!(looked < self.answers.len() as u64, "nobody was sent away");
    }
}
