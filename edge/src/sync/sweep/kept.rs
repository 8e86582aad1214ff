//! The releases whose objects stay, and the state file that remembers them across a restart.

use serde::{Deserialize, Serialize};
use snapshot::{Digest, Envelope, Scope, Sequence, Store, decode, encode, limits};

use super::super::state::SiteState;

/// The state file.
const STATE: &str = "kept";
/// Longest state file, bytes: more than a hundred of the longest statements.
const STATE_BYTES: usize = 16 << 20;
/// Its version.
const VERSION: u16 = 1;

/// A release whose objects are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) sequence: Sequence,
    pub(super) manifest: Digest,
    pub(super) manifest_bytes: u64,
    /// The newest statement of it, if it was in use: an order may pin it with every mirror gone.
    pub(super) statement: Option<Envelope>,
}

impl Kept {
    /// Whether the two are of one release.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.sequence, self.manifest) == (other.sequence, other.manifest)
    }
}

/// Those that `store` remembers, the newest first.
pub(super) fn read(store: &Store) -> Result<Vec<Kept>, String> {
    let read = || {
        let bytes = store.read_state(STATE, STATE_BYTES);
        let Some(bytes) = bytes.map_err(|error| error.to_string())? else {
            return Ok(Vec::new());
        };
        let read = decode::<(u16, Vec<Kept>)>(&bytes, STATE_BYTES);
        match read.map_err(|error| error.to_string())? {
            (VERSION, kept) => Ok(kept),
            (other, _) => Err(format!("version {other}")),
        }
    };
    read().map_err(|error| format!("state {STATE} is damaged: {error}"))
}

/// Lets `store` remember these.
pub(super) fn write(store: &Store, kept: &[Kept]) -> Result<(), String> {
    if read(store).ok().as_deref() == Some(kept) {
        return Ok(());
    }
    let state = encode(&(VERSION, kept)).map_err(|error| error.to_string())?;
    let written = store.write_state(STATE, &state);
    written.map_err(|error| error.to_string())
}

/// The release that an order pins.
pub(super) fn pinned(state: &SiteState) -> Option<Kept> {
    let orders = state.orders();
    let pin = orders.borrow().get(&Scope::Site)?.order.pin?;
    Some(Kept {
        sequence: pin.sequence,
        manifest: pin.manifest,
        manifest_bytes: limits::MANIFEST_BYTES as u64,
        statement: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_list_of_kept_releases_is_an_alarm() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        for bytes in [vec![0; STATE_BYTES + 1], b"no list".to_vec()] {
            store.write_state(STATE, &bytes).unwrap();
            let alarm = read(&store).unwrap_err();
            assert!(alarm.starts_with("state kept is damaged: "), "{alarm}");
        }
    }
}
