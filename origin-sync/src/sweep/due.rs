//! When `publish` sweeps by itself: at most every so often, and never for more than a tenth of the
//! time, however long a mirror takes to be listed.

use std::time::Duration;

use snapshot::{Store, StoreError, Timestamp};
use tokio::time::Instant;

use super::{Sweep, SweepError, Swept};

/// The state file: when the last sweep ended and how long it took, milliseconds.
const STATE: &str = "swept";
/// Longest state file, bytes.
const STATE_BYTES: usize = 64;
/// A sweep is not due before so many times as long as the last one took.
const REST: u32 = 9;

impl Sweep<'_> {
    /// Sweeps if it is due. The first time it is not: a new copy knows of nothing old.
    ///
    /// # Errors
    /// See [`SweepError`].
    pub async fn if_due(&self) -> Result<Option<Swept>, SweepError> {
        let internal = |error: StoreError| SweepError::Internal(error.to_string());
        let now = (self.clock)();
        match read(self.store) {
            Some((ended, took)) => {
                let wait = self.retention.every.max(took.saturating_mul(REST));
                // A clock that went back is no reason to wait for it.
                if ended <= now && now.since(ended) < wait {
                    return Ok(None);
                }
            }
            None => {
                write(self.store, now, Duration::ZERO).map_err(internal)?;
                return Ok(None);
            }
        }
        let began = Instant::now();
        let swept = self.run().await;
        write(self.store, (self.clock)(), began.elapsed()).map_err(internal)?;
        swept.map(Some)
    }
}

fn read(store: &Store) -> Option<(Timestamp, Duration)> {
    let bytes = store.read_state(STATE, STATE_BYTES).ok()??;
    let text = String::from_utf8(bytes).ok()?;
    let (ended, took) = text.trim().split_once(' ')?;
    let took = Duration::from_millis(took.parse().ok()?);
    Some((Timestamp(ended.parse().ok()?), took))
}

fn write(store: &Store, ended: Timestamp, took: Duration) -> Result<(), StoreError> {
    let text = format!("{} {}\n", ended.0, took.as_millis());
    store.write_state(STATE, text.as_bytes())
}
