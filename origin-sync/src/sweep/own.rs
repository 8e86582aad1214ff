//! The publisher's own copy: nobody else writes there while it is open.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use snapshot::{Marks, Store, StoreError};

use super::report::OwnSwept;
use super::{Known, SweepError};

impl Known<'_> {
    /// Takes away what no release names and is older than the grace.
    pub(super) async fn sweep_own(&mut self) -> Result<OwnSwept, SweepError> {
        let (store, grace, dry_run) =
            (Arc::clone(self.sweep.store), self.grace, self.sweep.dry_run);
        let marks = self.marks.clone();
        let work = tokio::task::spawn_blocking(move || sweep(&store, &marks, grace, dry_run));
        let swept = work
            .await
            .map_err(|error| SweepError::Internal(error.to_string()))?;
        Ok(swept)
    }
}

fn sweep(store: &Store, marks: &Marks, grace: Duration, dry_run: bool) -> OwnSwept {
    let mut swept = OwnSwept::default();
    if let Err(error) = each(store, marks, grace, dry_run, &mut swept) {
        swept.error = Some(error.to_string());
    }
    swept
}

fn each(
    store: &Store,
    marks: &Marks,
    grace: Duration,
    dry_run: bool,
    swept: &mut OwnSwept,
) -> Result<(), StoreError> {
    let now = SystemTime::now();
    for digest in store.digests()? {
        let digest = digest?;
        let Some(lies) = store.lies(&digest)? else {
            continue;
        };
        if marks.has(&digest) {
            swept.held_bytes += lies.bytes;
            continue;
        }
        // What is dated ahead is new.
        let age = now.duration_since(lies.modified).unwrap_or_default();
        if age < grace {
            continue;
        }
        if !dry_run {
            store.remove(&digest)?;
        }
        swept.objects += 1;
        swept.bytes += lies.bytes;
    }
    Ok(())
}
