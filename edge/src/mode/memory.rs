//! What an edge still knows of its services' origins after a restart.
//!
//! One small state file a site, written when anything in it changes and not for requests. It is a help,
//! not a truth: a disk that takes nothing costs the memory and nothing else, and a file that is
//! damaged is an alarm and a fresh start. Times in it are the edge's. Whatever clock reads them later, a
//! change counts for a minute at most, so a clock that jumps holds nothing back for longer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use snapshot::{CodecError, ServiceName, Store, StoreError, Timestamp};

use super::breaker::{self, MINUTE};
use super::effective::ServiceMode;

/// The state file.
const STATE: &str = "modes";
/// Largest state file, bytes: as many services as a manifest may have, each with its changes.
pub const MEMORY_BYTES: usize = 1 << 20;
/// The format of the state file.
const VERSION: u16 = 1;

/// The services of a site by name; `None` for paths that no route claims.
pub type Services = BTreeMap<Option<ServiceName>, ServiceMemory>;

/// What is remembered of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceMemory {
    /// Whether the breaker was anything but closed.
    pub open: bool,
    /// How far its back-off was.
    pub failed_probes: u32,
    /// Whether the origin ever answered.
    pub answered: bool,
    /// When the changes of the last minute were, by the edge's time.
    pub changes: Vec<Timestamp>,
    /// How the origin failed last.
    pub failure: String,
    /// The mode's name: `normal`, `probing` or `degraded`.
    pub state: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// The memory of one site's modes, and where it is kept.
#[derive(Debug, Default)]
pub struct ModeMemory {
    store: Option<Arc<Store>>,
    services: Mutex<Services>,
}

/// Why nothing is remembered.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// This disk fails.
    #[error(transparent)]
    Disk(#[from] StoreError),
    /// Damaged, or of another version.
    #[error("state {STATE} is damaged: {0}")]
    Damaged(#[from] CodecError),
    /// Of another version.
    #[error("state {STATE} has version {0}: this edge reads {VERSION}")]
    Version(u16),
}

impl ModeMemory {
    /// A memory that is kept in `store`.
    #[must_use]
    pub const fn new(store: Arc<Store>, services: Services) -> Self {
        Self {
            store: Some(store),
            services: Mutex::new(services),
        }
    }

    /// What was remembered of a service when this edge started. Once: later it knows better.
    pub(super) fn take(&self, service: Option<&ServiceName>) -> Option<ServiceMemory> {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.remove(&service.cloned())
    }

    /// Writes down what is known now. Blocking.
    ///
    /// # Errors
    /// This disk fails.
    pub fn keep(&self, services: &Services) -> Result<(), MemoryError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let services: Vec<_> = services.iter().collect();
        Ok(store.write_state(STATE, &snapshot::encode(&(VERSION, services))?)?)
    }
}

/// What was remembered. Blocking.
///
/// # Errors
/// See [`MemoryError`].
pub fn read(store: &Store) -> Result<Services, MemoryError> {
    let Some(bytes) = store.read_state(STATE, MEMORY_BYTES)? else {
        return Ok(Services::new());
    };
    type File = (u16, Vec<(Option<ServiceName>, ServiceMemory)>);
    let (version, services): File = snapshot::decode(&bytes, MEMORY_BYTES)?;
    if version != VERSION {
        return Err(MemoryError::Version(version));
    }
    Ok(services.into_iter().collect())
}

impl ServiceMemory {
    pub(super) fn new(
        breaker: &breaker::Memory,
        failure: &str,
        mode: &ServiceMode,
        now: Timestamp,
    ) -> Self {
        let ago = |left: &Duration| MINUTE.saturating_sub(*left).as_millis();
        let at = |left| Timestamp(now.0.saturating_sub(ago(left) as u64));
        Self {
            open: breaker.open,
            failed_probes: breaker.failed_probes,
            answered: breaker.answered,
            changes: breaker.changes.iter().map(at).collect(),
            failure: failure.to_owned(),
            state: mode.effective.as_str().to_owned(),
            since: mode.since,
        }
    }

    pub(super) fn breaker(&self, now: Timestamp) -> breaker::Memory {
        // One that lies ahead, by a clock that has jumped since, counts as one that was just now.
        let left = |at: &Timestamp| MINUTE.saturating_sub(now.since(*at));
        let changes = self.changes.iter().map(left);
        breaker::Memory {
            open: self.open,
            failed_probes: self.failed_probes,
            answered: self.answered,
            changes: changes.filter(|left| !left.is_zero()).collect(),
        }
    }

    /// How the origin failed last, as one of the names there are for it.
    pub(super) fn failure(&self) -> &'static str {
        let names = ["connect", "reset", "first-byte-timeout", "origin-5xx"];
        let known = names.into_iter().find(|name| *name == self.failure);
        known.unwrap_or("probe")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services() -> Services {
        let pay = ServiceMemory {
            open: true,
            failed_probes: 3,
            answered: true,
            changes: vec![Timestamp(5_000), Timestamp(60_000)],
            failure: "connect".to_owned(),
            state: "degraded".to_owned(),
            since: Some(Timestamp(60_000)),
        };
        Services::from([
            (None, ServiceMemory::default()),
            (Some("pay".parse().unwrap()), pay),
        ])
    }

    #[test]
    fn it_reads_what_it_wrote_and_nothing_longer_or_damaged_or_later() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        assert_eq!(read(&store).unwrap(), Services::new());
        let memory = ModeMemory::new(Arc::clone(&store), Services::new());
        memory.keep(&services()).unwrap();
        assert_eq!(read(&store).unwrap(), services());

        let said = |bytes: &[u8]| {
            store.write_state(STATE, bytes).unwrap();
            read(&store).unwrap_err().to_string()
        };
        let long = said(&vec![0; MEMORY_BYTES + 1]);
        let expected = format!("state modes: more than the {MEMORY_BYTES} bytes allowed");
        assert_eq!(long, expected);
        let damaged = said(b"\x92\x01\x91");
        assert!(damaged.starts_with("state modes is damaged"), "{damaged}");
        assert_eq!(
            said(b"\x92\x02\x90"),
            "state modes has version 2: this edge reads 1"
        );
    }

    #[test]
    fn a_change_counts_for_a_minute_by_whatever_clock() {
        let pay = &services()[&Some("pay".parse().unwrap())];
        let left = |now: u64| pay.breaker(Timestamp(now)).changes;
        let second = Duration::from_secs(1);
        assert_eq!(left(64_000), [second, 56 * second]);
        assert_eq!(left(65_000), [55 * second]);
        // A day later, and in 1970.
        assert_eq!(left(86_400_000), [Duration::ZERO; 0]);
        assert_eq!(left(0), [MINUTE, MINUTE]);
    }
}
