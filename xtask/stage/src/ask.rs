//! Every one of many pages, asked at every edge.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::client::Answer;
use crate::systems;
use crate::world::World;

/// Asks every one of `paths` at every edge, eight at once; gives how many were as they should be
/// everywhere, and what was not.
pub async fn every<'a>(
    world: &World,
    paths: impl Iterator<Item = &'a String>,
    fault: fn(&Answer) -> Option<String>,
) -> (usize, Vec<String>) {
    let all: Arc<Vec<String>> = Arc::new(paths.cloned().collect());
    let next = Arc::new(AtomicUsize::new(0));
    let mut askers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (all, next, client) = (Arc::clone(&all), Arc::clone(&next), world.client.clone());
        let edges: Vec<_> = world
            .edges
            .iter()
            .map(|edge| (edge.name, edge.public))
            .collect();
        askers.spawn(async move {
            let (mut good, mut short) = (0_usize, Vec::new());
            while let Some(url) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                let faults = short.len();
                for (name, at) in &edges {
                    let why = match client.get(*at, url, "ko").await {
                        Ok(answer) => fault(&answer),
                        Err(error) => Some(format!("{error:#}")),
                    };
                    short.extend(
                        why.map(|why| format!("{} at {name}: {why}", systems::template(url))),
                    );
                }
                good += usize::from(short.len() == faults);
            }
            (good, short)
        });
    }
    let (mut good, mut short) = (0, Vec::new());
    while let Some(done) = askers.join_next().await {
        match done {
            Ok((n, faults)) => {
                good += n;
                short.extend(faults);
            }
            Err(error) => short.push(error.to_string()),
        }
    }
    (good, short)
}

/// What is wrong with an answer that should be 200 and from the snapshot.
#[must_use]
pub fn not_from_snapshot(answer: &Answer) -> Option<String> {
    let good = answer.status == 200 && answer.from_snapshot();
    (!good).then(|| answer.in_words())
}
