//! From a release that was checked to the one in use: written down first, then swapped in.

use std::collections::BTreeMap;
use std::sync::Arc;

use snapshot::Digest;
use snapshot::trust::{AcceptedRelease, Novelty};
use tokio::task::spawn_blocking;

use super::checks::stopped;
use super::core::Job;
use super::driver::Follower;
use super::refusal::{Check, Refusal};
use super::state::wall_clock;
use super::work::Offer;
use crate::copy::{Kind, LoadedRelease, held_whole};

impl Follower {
    /// Writes the release down and puts it in use.
    pub(super) async fn switch(&mut self, job: Job, offer: &Offer) -> Result<(), Refusal> {
        if let Some(reason) = self.disbelieved(offer) {
            self.checked = None;
            return Err(Refusal::new(Check::Trust, None, reason));
        }
        let accepted = offer.0.as_ref();
        let is_new = self.checked.is_some();
        let loaded = match (self.checked.take(), self.state.current()) {
            (Some((checked, loaded)), _) if checked == job => loaded,
            (_, Some(current)) if current.release.manifest == accepted.release.manifest => {
                Arc::new(current.restated(accepted.release.clone()))
            }
            _ => return Err(stopped()),
        };
        let mut journal = self.journal.clone();
        if accepted.novelty != Novelty::Pinned {
            journal.floor.raise(accepted.mark());
        }
        journal.time.release(accepted.time(), wall_clock());
        journal.release = Some(accepted.clone());
        let (store, written) = (Arc::clone(&self.store), journal.clone());
        let write = spawn_blocking(move || written.write(&store).map_err(|e| e.to_string()));
        let write = write.await.unwrap_or_else(|_| Err("stopped".to_owned()));
        write.map_err(|reason| Refusal::new(Check::Disk, None, reason))?;
        self.journal = journal;
        self.state.progress().faults.writes("store", None);
        self.use_release(loaded, accepted);
        if is_new {
            let (store, keep) = (Arc::clone(&self.store), self.sweeping.keep());
            // A disk that fails says so elsewhere.
            let work = move || {
                let _ = keep(&store);
                // What releases before it left behind.
                let _ = store.clear_partials();
            };
            let _ = spawn_blocking(work).await;
        }
        Ok(())
    }

    pub(super) fn use_release(&mut self, loaded: Arc<LoadedRelease>, accepted: &AcceptedRelease) {
        let release = &accepted.release;
        let (sequence, manifest) = (release.sequence, release.manifest.short());
        tracing::info!(site = %self.state.name(), %sequence, manifest, "release in use");
        self.note_release(accepted);
        self.whole.clear();
        for name in self.lazy.names().iter() {
            if loaded.manifest.collection(name).is_none() {
                self.remark(format!(
                    "`lazy` names the collection {name}, which the release lacks"
                ));
            }
        }
        self.sweeping.uses(accepted);
        let persons = accepted.signers.persons();
        self.state.progress().signers = persons.into_iter().map(str::to_owned).collect();
        self.state.set_time(self.journal.time);
        // Nobody is given what is not held whole.
        let given = held_whole((*loaded.manifest).clone(), self.lazy.names());
        self.state.given().uses(accepted, &Arc::new(given));
        self.state.switch(loaded);
    }

    /// The segments of the release in use: whole on this disk, blobs included, but for what reads
    /// found damaged.
    pub(super) fn held(&self) -> BTreeMap<Digest, Kind> {
        let Some(current) = self.state.current() else {
            return BTreeMap::new();
        };
        let mut held = BTreeMap::new();
        let collections = current.manifest.collections.iter();
        for collection in collections.filter(|c| self.lazy.far(&c.name).is_none()) {
            for entry in &collection.segments {
                let kind = Kind::Segment(collection.name.clone(), Box::new(entry.clone()));
                held.insert(entry.id, kind);
            }
        }
        for damaged in current.damage.list() {
            held.remove(&damaged.want.digest);
        }
        held
    }
}
