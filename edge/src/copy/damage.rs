//! What of a release turned out to be damaged on this disk, found by reading it.
//!
//! A read that fails costs its request and is noted here; whoever keeps the copy waits for that,
//! fetches the object again and opens it anew. A release that is opened anew starts without notes:
//! late reads of the old files tell nobody.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use snapshot::Digest;
use tokio::sync::Notify;

use super::Want;

/// Most damaged objects noted at once. More cost their requests and wait until these are repaired.
pub const DAMAGED: usize = 32;

/// An object that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The object, as it has to be fetched.
    pub want: Want,
    /// What is wrong with it.
    pub reason: String,
}

/// The damaged objects of one opened release.
#[derive(Debug, Default)]
pub struct Damage {
    objects: Mutex<BTreeMap<Digest, Damaged>>,
    found: Notify,
}

impl Damage {
    /// Starts with what is known to be damaged still.
    #[must_use]
    pub fn of(known: Vec<Damaged>) -> Self {
        let known = known.into_iter().map(|one| (one.want.digest, one));
        Self {
            objects: Mutex::new(known.collect()),
            found: Notify::new(),
        }
    }

    /// Notes an object, once.
    pub fn note(&self, want: Want, reason: String) {
        let mut objects = self.objects();
        if objects.len() >= DAMAGED || objects.contains_key(&want.digest) {
            return;
        }
        let object = want.describe();
        tracing::error!(object, reason, "damaged on this disk");
        objects.insert(want.digest, Damaged { want, reason });
        drop(objects);
        self.found.notify_one();
    }

    /// Waits until one more was noted. For one waiter.
    pub async fn found(&self) {
        self.found.notified().await;
    }

    /// What is noted, by name.
    #[must_use]
    pub fn list(&self) -> Vec<Damaged> {
        self.objects().values().cloned().collect()
    }

    /// How many objects are noted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects().len()
    }

    /// True if all that was read was whole.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<Digest, Damaged>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::Kind;

    #[tokio::test]
    async fn an_object_is_noted_once_and_no_more_than_may_be() {
        let damage = Damage::default();
        let note = |n: usize| {
            let digest = Digest::of(&n.to_le_bytes());
            let kind = Kind::Blob(n as u64);
            damage.note(Want { digest, kind }, format!("bad sector {n}"));
        };
        for n in 0..=DAMAGED {
            note(0);
            note(n);
        }
        damage.found().await;
        let list = damage.list();
        assert_eq!((list.len(), damage.len()), (DAMAGED, DAMAGED));
        let last = Kind::Blob(DAMAGED as u64);
        assert!(list.iter().all(|one| one.want.kind != last));
    }
}
