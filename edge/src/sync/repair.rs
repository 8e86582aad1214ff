//! Carries out the core's repairs, and tells what became of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::{JoinSet, spawn_blocking};

use super::core::{Event, Job};
use super::driver::{Done, Follower};
use super::refusal::Refusal;
use crate::copy::{LoadedRelease, Want, is_whole};

impl Follower {
    /// What reads of the release in use found damaged so far.
    pub(super) fn damaged(&self) -> Option<Event> {
        let found = self.state.current()?.damage.list();
        let now = self.state.edge_time();
        let mut progress = self.state.progress();
        for damaged in &found {
            let object = damaged.want.describe();
            progress.history.damaged(object, &damaged.reason, now);
        }
        let wants = found.into_iter().map(|damaged| damaged.want);
        Some(Event::Damaged(wants.collect()))
    }

    pub(super) fn inspect(&self, job: Job, want: Want, tasks: &mut JoinSet<Done>) {
        let (store, site) = (Arc::clone(&self.store), self.state.name().clone());
        tasks.spawn(async move {
            let read = spawn_blocking(move || is_whole(&store, &site, &want)).await;
            Done::Event(Event::Inspected(job, read.unwrap_or(false)))
        });
    }

    pub(super) fn reopen(&self, job: Job, want: Want, tasks: &mut JoinSet<Done>) {
        let (current, cache) = (self.state.current(), self.cache.clone());
        tasks.spawn(async move {
            let objects = BTreeSet::from([want.digest]);
            let open = spawn_blocking(move || match current {
                Some(current) => current.reopened(&objects, &cache),
                None => Err(crate::copy::LoadError::Stopped),
            });
            let opened = match open.await {
                Ok(opened) => opened.map(Arc::new).map_err(|error| error.to_string()),
                Err(_) => Err("stopped".to_owned()),
            };
            Done::Reopened(job, want, opened)
        });
    }

    /// Puts a release in use again, one object of which was opened anew.
    pub(super) fn repaired(&self, want: &Want, release: Arc<LoadedRelease>) {
        let (object, now) = (want.describe(), self.state.edge_time());
        tracing::info!(site = %self.state.name(), object, "repaired");
        let mut progress = self.state.progress();
        progress.history.repaired(&object, now);
        progress.scrub.repaired += 1;
        drop(progress);
        self.state.switch(release);
    }

    pub(super) fn unrepaired(&self, want: &Want, refusal: &Refusal) {
        let object = want.describe();
        tracing::error!(site = %self.state.name(), object, "still damaged: {refusal}");
        let mut progress = self.state.progress();
        progress.history.unrepaired(&object, refusal.to_string());
    }
}
