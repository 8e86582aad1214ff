//! A folder mirror and a follower: what is offered, what is used, what is refused and why. A new
//! attack is one more function in one of these rooms, named after it.

mod disk;
mod manifests;
mod objects;
mod orders;
mod repair;
mod statements;
mod stopped;
mod sweep;
mod trust;

use std::path::Path;

use fs_err as fs;

use super::{RefusalStatus, SyncStatus};
use crate::fixture::{Draft, Following, Published, Publisher, config};

/// An edge on release 1, and its publisher.
struct Stand {
    publisher: Publisher,
    data: tempfile::TempDir,
    edge: Following,
    first: Published,
}

async fn stand() -> Stand {
    let publisher = Publisher::new();
    let first = publisher.publish(&Draft::new(1));
    let data = tempfile::tempdir().unwrap();
    let edge = Following::start(data.path(), &config(vec![publisher.url()])).await;
    edge.serves(1).await;
    Stand {
        publisher,
        data,
        edge,
        first,
    }
}

impl Stand {
    /// Waits for a refusal whose reason contains `reason`; the last good release stays, and a
    /// good one after it is taken.
    async fn refuses(self, check: &str, reason: &str, good: u64) -> RefusalStatus {
        let telling = |refusal: &RefusalStatus| refusal.reason.contains(reason);
        let what = format!("refused for {reason:?}");
        let told = |status: &SyncStatus| status.refusals.iter().any(telling);
        let status = self.edge.until(&what, told).await;
        let refusal = status.refusals.into_iter().find(telling).unwrap();
        assert_eq!(refusal.check, check, "{refusal:?}");
        assert_eq!(self.edge.sequence(), Some(1));
        self.publisher.publish(&Draft::new(good));
        self.edge.serves(good).await;
        self.edge.stop().await;
        refusal
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}
