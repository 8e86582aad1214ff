//! The checks before a switch, and how their failures are put.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use snapshot::{Digest, Manifest, Release, Store};

use super::refusal::{Check, Refusal};
use super::space;
use crate::copy::{
    Canaries, Kind, Lacking, Lazy, LoadError, LoadedRelease, check_counts, lacking, try_canaries,
};

pub(super) fn plan(
    store: &Store,
    release: &Release,
    known: &BTreeMap<Digest, Kind>,
    barred: &BTreeSet<Digest>,
    lazy: &Lazy,
) -> Result<Lacking, Refusal> {
    let lacking = lacking(store, release, known, barred, lazy.names());
    let lacking =
        lacking.map_err(|fault| Refusal::new(Check::Manifest, None, fault.to_string()))?;
    space::check(store, &lacking)?;
    Ok(lacking)
}

pub(super) async fn check(
    loaded: LoadedRelease,
    before: Option<&Manifest>,
    canaries: &dyn Canaries,
) -> Result<Arc<LoadedRelease>, Refusal> {
    if let Some(before) = before {
        let counted = check_counts(before, &loaded.manifest);
        counted.map_err(|reason| Refusal::new(Check::Counts, None, reason))?;
    }
    let loaded = Arc::new(loaded);
    let tried = try_canaries(&loaded, canaries).await;
    tried.map_err(|failure| {
        let object = format!("{} in {}", failure.route, failure.language);
        Refusal::new(Check::Canary, Some(object), failure.to_string())
    })?;
    Ok(loaded)
}

pub(super) fn unloadable(error: &LoadError) -> Refusal {
    let check = match error {
        LoadError::Manifest(_) => Check::Manifest,
        LoadError::Object { .. } | LoadError::Stopped => Check::Disk,
        LoadError::Component { .. } => Check::Component,
    };
    Refusal::new(check, None, error.to_string())
}

pub(super) fn untrusted(mirror: String, reason: String) -> Refusal {
    Refusal {
        check: Check::Trust,
        object: Some("release".to_owned()),
        source: Some(mirror),
        reason,
    }
}

pub(super) fn unordered(mirror: String, reason: String) -> Refusal {
    Refusal {
        object: Some("orders".to_owned()),
        ..untrusted(mirror, reason)
    }
}

pub(super) fn unsucceeded(mirror: String, reason: String) -> Refusal {
    Refusal {
        object: Some("trust".to_owned()),
        ..untrusted(mirror, reason)
    }
}

pub(super) fn stopped() -> Refusal {
    Refusal::new(Check::Disk, None, "stopped before it was done")
}

/// A number that differs between edges and starts.
pub(super) fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}
