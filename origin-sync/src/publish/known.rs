//! What the probes found, remembered: trying a mirror takes some writes, and what a store does
//! changes only with the store. It is found out again after a day, under another URL, and after
//! anything that does not fit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use edge::sync::Mirror;
use serde::{Deserialize, Serialize};
use snapshot::{SiteName, Store, Timestamp};

use crate::mirror::{Abilities, probe};

/// How long it is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
/// The state file, in the publisher's own copy.
const STATE: &str = "mirrors-probed";
/// Largest such file, bytes.
const STATE_BYTES: usize = 64 << 10;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Finding {
    at_ms: u64,
    #[serde(flatten)]
    abilities: Abilities,
}

/// Findings by the mirror's URL.
pub(super) struct Known {
    store: Arc<Store>,
    found: BTreeMap<String, Finding>,
}

impl Known {
    /// What is remembered; a memory that cannot be read is none.
    pub(super) async fn open(store: &Arc<Store>) -> Self {
        let own = Arc::clone(store);
        let read = tokio::task::spawn_blocking(move || own.read_state(STATE, STATE_BYTES));
        let bytes = read.await.ok().and_then(Result::ok).flatten();
        Self {
            store: Arc::clone(store),
            found: bytes
                .and_then(|bytes| serde_json::from_slice(&bytes).ok())
                .unwrap_or_default(),
        }
    }

    /// What `mirror` can do, if that is remembered.
    pub(super) fn of(&self, mirror: &Mirror, now: Timestamp) -> Option<Abilities> {
        let finding = self.found.get(mirror.url().as_str())?;
        let age = now.0.checked_sub(finding.at_ms)?;
        (u128::from(age) < REMEMBERED.as_millis()).then_some(finding.abilities)
    }

    /// Tries those of `mirrors` that nothing is remembered of. A failure is the mirror's.
    pub(super) async fn ask(
        &mut self,
        mirrors: &[&Mirror],
        site: &SiteName,
        now: Timestamp,
    ) -> Vec<Result<Abilities, String>> {
        let asked = mirrors.iter().map(|mirror| async {
            match self.of(mirror, now) {
                Some(abilities) => Ok(abilities),
                None => probe(mirror, site, now).await.map_err(|e| e.to_string()),
            }
        });
        let found = futures::future::join_all(asked).await;
        let mut news = false;
        for (mirror, found) in mirrors.iter().zip(&found) {
            if let Ok(abilities) = found
                && self.of(mirror, now).is_none()
            {
                let finding = Finding {
                    at_ms: now.0,
                    abilities: *abilities,
                };
                self.found.insert(mirror.url().to_string(), finding);
                news = true;
            }
        }
        if news {
            self.keep(now).await;
        }
        found
    }

    /// Forgets what was found of `mirror`: something did not fit.
    pub(super) async fn forget(&mut self, mirror: &Mirror, now: Timestamp) {
        if self.found.remove(mirror.url().as_str()).is_some() {
            self.keep(now).await;
        }
    }

    /// A memory that cannot be written costs a probe, so that is no failure.
    async fn keep(&mut self, now: Timestamp) {
        let old = |at_ms: u64| u128::from(now.0.saturating_sub(at_ms)) >= REMEMBERED.as_millis();
        self.found.retain(|_, finding| !old(finding.at_ms));
        let (store, found) = (Arc::clone(&self.store), self.found.clone());
        let keep = move || {
            let bytes = serde_json::to_vec(&found).ok()?;
            store.write_state(STATE, &bytes).ok()
        };
        tokio::task::spawn_blocking(keep).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_found_is_remembered_for_a_day() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path().join("own")).unwrap());
        let folder = dir.path().join("mirror");
        fs_err::create_dir(&folder).unwrap();
        let url = edge::sync::mirror::parse_url("mirror", dir.path()).unwrap();
        let (mirror, site) = (Mirror::open(&url).unwrap(), "dasom".parse().unwrap());
        let now = Timestamp(5_000);
        let mut known = Known::open(&store).await;
        assert_eq!(known.of(&mirror, now), None);
        known.ask(&[&mirror], &site, now).await[0].clone().unwrap();

        // Remembered by the next run, which asks nothing of a mirror that is not there.
        fs_err::remove_dir_all(&folder).unwrap();
        let mut known = Known::open(&store).await;
        assert!(known.ask(&[&mirror], &site, now).await[0].is_ok());
        let day = Timestamp(now.0 + 24 * 60 * 60 * 1000);
        assert_eq!(known.of(&mirror, day), None, "for a day");
        assert_eq!(known.of(&mirror, Timestamp(0)), None, "a clock that jumps");
        assert!(known.ask(&[&mirror], &site, day).await[0].is_err());
        known.forget(&mirror, now).await;
        assert_eq!(Known::open(&store).await.of(&mirror, now), None);
    }

    #[tokio::test]
    async fn a_memory_that_is_too_large_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let one = "{\"file:///m\":{\"at_ms\":1,\"create\":\"racy\",\"replace\":\"ignored\",\
                   \"unchanged\":true}";
        let filled = |bytes: usize| format!("{one}{}}}", " ".repeat(bytes - one.len() - 1));
        for (bytes, found) in [(STATE_BYTES, 1), (STATE_BYTES + 1, 0)] {
            store.write_state(STATE, filled(bytes).as_bytes()).unwrap();
            assert_eq!(Known::open(&store).await.found.len(), found, "{bytes}");
        }
    }
}
