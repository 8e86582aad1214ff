//! The edge's serving path, borrowed: the release as an edge would load it, with no origin.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use edge::answer::{Rehearsal, Rehearsed};
use edge::copy::LoadedRelease;
use edge::host::{Host, HostLimits};
use futures::future::BoxFuture;
use snapshot::{NodeCache, Release, Sequence, SiteName, Store, Timestamp};

use super::guard::GuardError;
use crate::build::Built;

/// Something that answers as an edge does while the origin is gone.
pub(super) trait Serving: Send + Sync {
    /// Asks for `target`, a path and query, in `language`. The error says why there is no page.
    fn ask<'a>(
        &'a self,
        target: &'a str,
        language: &'a str,
    ) -> BoxFuture<'a, Result<Rehearsed, String>>;
}

/// How long a component may take here: this machine is busy building, and edges judge for
/// themselves.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long a request may wait for its turn: here all of them are ours.
const PATIENCE: Duration = Duration::from_secs(60);
/// Memory for verified inner nodes, bytes.
const CACHE_BYTES: u64 = 64 << 20;
/// Where compiled components are kept, in the publisher's own copy.
const COMPILED: &str = "compiled";

struct Borrowed {
    release: LoadedRelease,
    rehearsal: Rehearsal,
}

impl Serving for Borrowed {
    fn ask<'a>(
        &'a self,
        target: &'a str,
        language: &'a str,
    ) -> BoxFuture<'a, Result<Rehearsed, String>> {
        Box::pin(async move {
            let answer = self.rehearsal.ask(&self.release, target, language).await;
            answer.map_err(|error| error.to_string())
        })
    }
}

/// Loads `built` as an edge would.
pub(super) async fn open(
    store: &Arc<Store>,
    site: &SiteName,
    built: &Built,
    as_of: Timestamp,
) -> Result<Arc<dyn Serving>, GuardError> {
    let unloadable = |error: &dyn std::fmt::Display| GuardError::Unloadable(error.to_string());
    let compiled = store.root().join(COMPILED);
    let host = tokio::task::spawn_blocking(move || host(&compiled)).await;
    let host = host.map_err(|error| unloadable(&error))?;
    let host = Arc::new(host.map_err(|error| unloadable(&error))?);
    let statement = Release {
        version: Release::VERSION,
        least_edge: built.manifest.least_edge(),
        site: site.clone(),
        // Not a release yet: it has no number before it is signed.
        sequence: Sequence(0),
        manifest: built.digest,
        manifest_bytes: built.bytes.len() as u64,
        as_of,
        positions: Vec::new(),
        signed_at: as_of,
        erased: Sequence(0),
    };
    let cache = NodeCache::new(CACHE_BYTES);
    let release = LoadedRelease::open(Arc::clone(store), &host, &cache, statement).await;
    Ok(Arc::new(Borrowed {
        release: release.map_err(|error| unloadable(&error))?,
        rehearsal: Rehearsal::new(host),
    }))
}

fn host(compiled: &Path) -> Result<Host, edge::host::HostError> {
    let limits = HostLimits {
        deadline: DEADLINE,
        patience: PATIENCE,
        ..HostLimits::default()
    };
    Host::new(limits, compiled)
}
