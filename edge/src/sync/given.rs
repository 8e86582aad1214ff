//! What other edges may be given: statements as they were signed, and which releases' objects are held.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use snapshot::trust::AcceptedRelease;
use snapshot::{Digest, Manifest, Sequence};

use crate::orders::OrdersKeeper;

/// Releases that are given, the one in use included: an edge that is fetching the one before may end.
pub const GIVEN: usize = 2;

/// What one site may give.
#[derive(Debug, Default)]
pub struct Given {
    releases: Mutex<VecDeque<Arc<GivenRelease>>>,
    orders: Mutex<Option<Bytes>>,
    past: Mutex<Vec<(Digest, Bytes)>>,
    trust: Mutex<Option<Bytes>>,
}

/// A release that may be given.
#[derive(Debug)]
pub struct GivenRelease {
    /// Its number.
    pub sequence: Sequence,
    /// Its manifest's name.
    pub digest: Digest,
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// What was signed, as it came.
    pub statement: Bytes,
}

impl Given {
    /// The releases, the one in use first.
    #[must_use]
    pub fn releases(&self) -> Vec<Arc<GivenRelease>> {
        lock(&self.releases).iter().cloned().collect()
    }

    /// The orders in force, as they were signed, if there are any.
    #[must_use]
    pub fn orders(&self) -> Option<Bytes> {
        lock(&self.orders).clone()
    }

    /// The order of that hash, as it was signed, if it is the one before one in force.
    #[must_use]
    pub fn past(&self, order: Digest) -> Option<Bytes> {
        let past = lock(&self.past);
        let mut known = past.iter();
        known
            .find(|(digest, _)| *digest == order)
            .map(|(_, bytes)| bytes.clone())
    }

    /// The generations that travelled here, as they were signed, if any did.
    #[must_use]
    pub fn trust(&self) -> Option<Bytes> {
        lock(&self.trust).clone()
    }

    /// Notes what is in use now. A heartbeat takes the place of what it says again.
    pub(super) fn uses(&self, accepted: &AcceptedRelease, manifest: &Arc<Manifest>) {
        let Ok(statement) = accepted.envelope.to_bytes() else {
            return;
        };
        let release = GivenRelease {
            sequence: accepted.release.sequence,
            digest: accepted.release.manifest,
            manifest: Arc::clone(manifest),
            statement: statement.into(),
        };
        let mut releases = lock(&self.releases);
        releases.retain(|known| known.sequence != release.sequence);
        releases.push_front(Arc::new(release));
        releases.truncate(GIVEN);
    }

    /// Leaves only releases that are kept.
    pub(super) fn retain(&self, is_kept: impl Fn(Digest) -> bool) {
        lock(&self.releases).retain(|release| is_kept(release.digest));
    }

    /// Notes the orders in force, and those before them.
    pub(super) fn orders_are(&self, orders: &OrdersKeeper) {
        let bundle = orders.bundle();
        let bytes = bundle
            .iter()
            .next()
            .and_then(|_| bundle.offer().to_bytes().ok());
        *lock(&self.orders) = bytes.map(Bytes::from);
        let past = orders.before().envelopes().iter().filter_map(|envelope| {
            let bytes = envelope.to_bytes().ok()?;
            Some((envelope.payload_digest(), Bytes::from(bytes)))
        });
        *lock(&self.past) = past.collect();
    }

    /// Notes how the generation in force came to be.
    pub(super) fn trust_is(&self, lineage: &snapshot::trust::Lineage) {
        let bytes = lineage.offer().and_then(|chain| chain.to_bytes().ok());
        *lock(&self.trust) = bytes.map(Bytes::from);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
