//! Readers who never stop asking: a bounded load from a real HTTP client, every answer counted.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::client::Client;

/// How hard the readers ask.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Readers asking at once.
    pub readers: usize,
    /// A reader's pause between two pages.
    pub pause: Duration,
}

impl Pace {
    /// As hard as two cores bear beside everything else that runs on them.
    pub const DRILL: Self = Self {
        readers: 6,
        pause: Duration::from_millis(20),
    };
    /// As fast as the edges answer.
    pub const LONG: Self = Self {
        readers: 12,
        pause: Duration::ZERO,
    };
    /// A few pages a second, so that the edges have something to notice an outage by.
    pub const DEMO: Self = Self {
        readers: 2,
        pause: Duration::from_millis(150),
    };
}

/// Failures kept word for word.
const KEPT: usize = 20;

/// What was counted.
#[derive(Debug, Default)]
pub struct Counts {
    /// GETs that ended.
    pub requests: AtomicU64,
    /// GETs without an answer, or with a 5xx.
    pub failed: AtomicU64,
    /// GETs answered from the snapshot.
    pub from_snapshot: AtomicU64,
    failures: Mutex<Vec<String>>,
}

impl Counts {
    /// The first failures, word for word.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Counts one GET. Success is any answer below 500: a sign-in's redirect is one.
    pub fn count(&self, place: &str, answer: &anyhow::Result<crate::client::Answer>) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let reason = match answer {
            Ok(answer) if answer.status.as_u16() < 500 => {
                if answer.from_snapshot() {
                    self.from_snapshot.fetch_add(1, Ordering::Relaxed);
                }
                return;
            }
            Ok(answer) => answer.in_words(),
            Err(error) => format!("{error:#}"),
        };
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < KEPT {
            failures.push(format!("{place}: {reason}"));
        }
    }
}

/// A running load. Stopped by [`Load::stop`].
#[derive(Debug)]
pub struct Load {
    counts: Arc<Counts>,
    targets: Arc<Mutex<Vec<SocketAddr>>>,
    stop: Arc<AtomicBool>,
    asking: Arc<Mutex<Vec<(SocketAddr, usize)>>>,
    readers: JoinSet<()>,
}

impl Load {
    /// Starts readers who ask `urls` in turn, in both languages, at `targets` alternately.
    #[must_use]
    pub fn start(client: &Client, pace: Pace, urls: Vec<String>, targets: Vec<SocketAddr>) -> Self {
        let counts = Arc::new(Counts::default());
        let asking = Arc::new(Mutex::new(
            targets
                .iter()
                .map(|target| (*target, 0))
                .collect::<Vec<_>>(),
        ));
        let targets = Arc::new(Mutex::new(targets));
        let (stop, urls, next) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(urls),
            Arc::new(AtomicUsize::new(0)),
        );
        let mut readers = JoinSet::new();
        for _ in 0..pace.readers {
            let (client, counts, targets, stop) = (
                client.clone(),
                Arc::clone(&counts),
                Arc::clone(&targets),
                Arc::clone(&stop),
            );
            let (urls, next, asking) = (Arc::clone(&urls), Arc::clone(&next), Arc::clone(&asking));
            readers.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    let target = {
                        let targets = targets.lock().unwrap_or_else(PoisonError::into_inner);
                        let target = turn
                            .checked_rem(targets.len())
                            .and_then(|at| targets.get(at).copied());
                        if let Some(target) = target {
                            change(&asking, target, 1);
                        }
                        target
                    };
                    // A prime stride jumps about between kinds of URL and still visits all.
                    let url = turn
                        .wrapping_mul(7919)
                        .checked_rem(urls.len())
                        .and_then(|at| urls.get(at));
                    if let (Some(target), Some(url)) = (target, url) {
                        let language = if turn % 2 == 0 { "ko" } else { "en" };
                        let answer = client.get(target, url, language).await;
                        counts.count(url, &answer);
                        change(&asking, target, -1);
                    }
                    tokio::time::sleep(pace.pause).await;
                }
            });
        }
        Self {
            counts,
            targets,
            stop,
            asking,
            readers,
        }
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Sends readers elsewhere from now on, and waits until none is asking at a place left out: what
    /// a CDN does before it lets an edge go.
    pub async fn send_to(&self, targets: Vec<SocketAddr>) {
        self.targets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&targets);
        loop {
            let waiting = self
                .asking
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
                .any(|(at, n)| *n > 0 && !targets.contains(at));
            if !waiting {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Lets every reader finish the page they are on.
    pub async fn stop(mut self) -> Arc<Counts> {
        self.stop.store(true, Ordering::Relaxed);
        while self.readers.join_next().await.is_some() {}
        self.counts
    }
}

fn change(asking: &Mutex<Vec<(SocketAddr, usize)>>, target: SocketAddr, by: isize) {
    let mut asking = asking.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, count)) = asking.iter_mut().find(|(at, _)| *at == target) {
        *count = count.saturating_add_signed(by);
    }
}
