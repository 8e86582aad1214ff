//! What an edge must still know after a crash: written down, durably, before it is acted on.

use serde::{Deserialize, Serialize};
use snapshot::trust::AcceptedRelease;
use snapshot::{CodecError, EdgeTime, Floor, Store, StoreError, limits};

/// The state file.
const STATE: &str = "sync";
/// Largest state file, bytes: a floor, an envelope and its statement.
const STATE_BYTES: usize = 4 * limits::ENVELOPE_BYTES;

/// The state of one site's sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    version: u16,
    /// The highest release that was in use.
    pub(super) floor: Floor,
    /// The newest accepted statement's time.
    pub(super) time: EdgeTime,
    /// The release in use.
    pub(super) release: Option<AcceptedRelease>,
}

/// Why the journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// This disk fails.
    #[error(transparent)]
    Disk(#[from] StoreError),
    /// Damaged, or of another version.
    #[error("state {STATE} is damaged: {0}")]
    Damaged(#[from] CodecError),
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            floor: Floor::default(),
            time: EdgeTime::default(),
            release: None,
        }
    }
}

impl Journal {
    const VERSION: u16 = 1;

    /// Reads it; empty where there is none. Blocking.
    pub(super) fn read(store: &Store) -> Result<Self, JournalError> {
        match store.read_state(STATE, STATE_BYTES)? {
            Some(bytes) => Ok(snapshot::decode(&bytes, STATE_BYTES)?),
            None => Ok(Self::default()),
        }
    }

    /// Writes it. Blocking.
    pub(super) fn write(&self, store: &Store) -> Result<(), JournalError> {
        Ok(store.write_state(STATE, &snapshot::encode(self)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_file_longer_than_any_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        Journal::default().write(&store).unwrap();
        assert_eq!(Journal::read(&store).unwrap(), Journal::default());
        store.write_state(STATE, &vec![0; STATE_BYTES + 1]).unwrap();
        let error = Journal::read(&store).unwrap_err();
        let expected = format!("state sync: more than the {STATE_BYTES} bytes allowed");
        assert_eq!(error.to_string(), expected);
    }
}
