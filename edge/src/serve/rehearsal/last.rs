//! How the last rehearsal of each service went, kept across restarts.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use serde::{Deserialize, Serialize};
use snapshot::{ServiceName, SiteName, Store};

use super::{Ended, Key, Rehearsals, Report};

/// The state file.
const STATE: &str = "rehearsals";
/// Largest state file, bytes.
const STATE_BYTES: usize = 1 << 20;

/// How the last rehearsal of a service went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRehearsal {
    /// When it ended.
    pub at: String,
    /// Why it ended: `time`, `budget`, `mode`, `left`, `stopping`.
    pub ended: Ended,
    /// Whether it ran its time within its budget, and was asked anything.
    pub passed: bool,
    /// The share of reads, percent.
    pub share_percent: u8,
    /// How long it lasted, seconds.
    pub lasted_s: u64,
    /// Reads within the share.
    pub reads: u64,
    /// Reads that the snapshot could answer.
    pub covered: u64,
    /// Pages that were held beside the origin's.
    pub compared: u64,
    /// Those that differ in words or status.
    pub differing: u64,
}

impl LastRehearsal {
    pub(super) fn of(report: &Report, ended: Ended, at: String) -> Self {
        let counted = &report.counted;
        Self {
            at,
            ended,
            passed: ended == Ended::Time && counted.reads > 0,
            share_percent: report.share_percent,
            lasted_s: report.lasted_s,
            reads: counted.reads,
            covered: counted.covered,
            compared: counted.compared,
            differing: counted.differing,
        }
    }
}

impl Rehearsals {
    /// Takes in what was kept of `site` when this edge stopped. Blocking. What cannot be read is as
    /// if there had been none.
    pub(in super::super) fn recall(&self, site: &SiteName, store: &Store) {
        let bytes = match store.read_state(STATE, STATE_BYTES) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%site, %error, "the last rehearsals cannot be read");
                return;
            }
        };
        match serde_json::from_slice::<BTreeMap<ServiceName, LastRehearsal>>(&bytes) {
            Ok(kept) => {
                let kept = kept
                    .into_iter()
                    .map(|(service, last)| ((site.clone(), service), last));
                self.last_ones().extend(kept);
            }
            Err(error) => tracing::warn!(%site, %error, "the last rehearsals are damaged"),
        }
    }

    /// Notes how one went, and keeps it. Blocking.
    pub(super) fn note(&self, key: &Key, last: LastRehearsal, store: &Store) {
        let of_site: BTreeMap<ServiceName, LastRehearsal> = {
            let mut all = self.last_ones();
            all.insert(key.clone(), last);
            let own = all.iter().filter(|((site, _), _)| *site == key.0);
            own.map(|((_, service), last)| (service.clone(), last.clone()))
                .collect()
        };
        let site = &key.0;
        let written = serde_json::to_vec(&of_site).map_err(|error| error.to_string());
        let written =
            written.and_then(|json| store.write_state(STATE, &json).map_err(|e| e.to_string()));
        if let Err(error) = written {
            tracing::warn!(%site, error, "a rehearsal's result is not kept");
        }
    }

    fn last_ones(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, LastRehearsal>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last() -> LastRehearsal {
        LastRehearsal {
            at: "2026-11-30T12:00:00Z".to_owned(),
            ended: Ended::Time,
            passed: true,
            share_percent: 5,
            lasted_s: 600,
            reads: 100,
            covered: 99,
            compared: 20,
            differing: 1,
        }
    }

    #[test]
    fn results_outlive_the_edge_each_in_its_site() {
        let dir = tempfile::tempdir().unwrap();
        let (site, service) = ("dasom".parse().unwrap(), "pay".parse().unwrap());
        let key = (site, service);
        {
            let store = Store::open(dir.path()).unwrap();
            let rehearsals = Rehearsals::default();
            let other: Key = ("other".parse().unwrap(), "club".parse().unwrap());
            rehearsals.last_ones().insert(other, last());
            rehearsals.note(&key, last(), &store);
        }
        let store = Store::open(dir.path()).unwrap();
        let rehearsals = Rehearsals::default();
        rehearsals.recall(&key.0, &store);
        assert_eq!(rehearsals.last(&key.0, &key.1), Some(last()));
        assert_eq!(rehearsals.last_ones().len(), 1);
    }

    #[test]
    fn a_file_longer_than_any_or_damaged_is_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        for bytes in [vec![b' '; STATE_BYTES + 1], b"{".to_vec()] {
            store.write_state(STATE, &bytes).unwrap();
            let rehearsals = Rehearsals::default();
            rehearsals.recall(&"dasom".parse().unwrap(), &store);
            assert!(rehearsals.last_ones().is_empty());
        }
    }
}
