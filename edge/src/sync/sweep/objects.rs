//! What lies in the store: listed, and taken away where no kept release names it. All of it blocks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use snapshot::{
    CollectionName, Digest, Manifest, Marks, Sequence, Store, StoreError, decode, limits,
};

use super::super::lazy::LazyReads;
use super::kept::{self, Kept};
use crate::copy::held_whole;

/// Most objects that go while no release is taken up.
const AT_ONCE: usize = 10_000;
/// What a sweep looks at.
pub(super) struct Objects {
    pub(super) store: Arc<Store>,
    /// All whose objects stay, the release in use first.
    pub(super) kept: Vec<Kept>,
    /// Collections that are not held.
    pub(super) lazy: Arc<BTreeSet<CollectionName>>,
    /// Set when the edge ends.
    pub(super) stop: Arc<AtomicBool>,
}

/// What lies in the store.
#[derive(Debug, Default)]
pub(in super::super) struct Listed {
    pub(super) objects: u64,
    pub(super) bytes: u64,
    pub(super) candidates: Vec<Digest>,
    /// With these, all from before this release is gone.
    pub(super) erases: Option<Sequence>,
}

/// What went.
#[derive(Default)]
pub(in super::super) struct Removed {
    pub(super) objects: u64,
    pub(super) bytes: u64,
    /// Nothing of the releases before this one lies here any more.
    pub(super) erased: Option<Sequence>,
    pub(super) error: Option<String>,
}

impl Removed {
    /// What was fetched lazily may be what was erased: all of it goes before anybody is told so.
    pub(super) fn forget(&mut self, reads: Option<&LazyReads>) {
        let (Some(_), Some(reads)) = (self.erased, reads) else {
            return;
        };
        if let Err(error) = reads.forget_all() {
            (self.erased, self.error) = (None, Some(error.to_string()));
        }
    }
}

impl Objects {
    /// What lies here, and what of it may go: what has lain here for the grace. To erase, all of it.
    pub(super) fn list(&self, grace: Duration, erases: Option<Sequence>) -> Result<Listed, String> {
        let marks = self.mark()?;
        let now = SystemTime::now();
        let mut listed = Listed {
            erases,
            ..Listed::default()
        };
        for digest in self.store.digests().map_err(words)? {
            let digest = digest.map_err(words)?;
            self.go_on()?;
            let Some(lies) = self.store.lies(&digest).map_err(words)? else {
                continue;
            };
            listed.objects += 1;
            listed.bytes += lies.bytes;
            // What is dated ahead is new.
            let age = now.duration_since(lies.modified).unwrap_or_default();
            if !marks.has(&digest) && age >= grace && listed.candidates.len() < AT_ONCE {
                listed.candidates.push(digest);
            }
        }
        Ok(listed)
    }

    /// Takes away what was listed and is still named by nothing; `written` is what a restart keeps.
    pub(super) fn remove(&self, written: &[Kept], listed: Listed) -> Removed {
        let mut removed = Removed::default();
        // So many candidates may not be all: then there is another turn.
        let all = listed.candidates.len() < AT_ONCE;
        let erased = listed.erases.filter(|_| all);
        let gone = self.remove_each(written, listed.candidates, &mut removed);
        removed.error = gone.err();
        if removed.error.is_none() && erased.is_some() {
            // Nothing is being fetched now, and nothing was after the listing but for later releases.
            let store = &self.store;
            let cleared = store.clear_scratch().and_then(|()| store.clear_partials());
            // Once for all that went, in this turn or before: what is told is true over a power cut.
            let cleared = cleared.and_then(|()| store.settle());
            removed.error = cleared.err().map(words);
            removed.erased = erased.filter(|_| removed.error.is_none());
        }
        removed
    }

    fn remove_each(
        &self,
        written: &[Kept],
        candidates: Vec<Digest>,
        removed: &mut Removed,
    ) -> Result<(), String> {
        kept::write(&self.store, written)?;
        let marks = self.mark()?;
        for digest in candidates {
            self.go_on()?;
            if marks.has(&digest) {
                continue;
            }
            if let Some(lies) = self.store.lies(&digest).map_err(words)? {
                self.store.remove(&digest).map_err(words)?;
                removed.objects += 1;
                removed.bytes += lies.bytes;
            }
        }
        Ok(())
    }

    fn go_on(&self) -> Result<(), String> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(words(StoreError::Stopped));
        }
        Ok(())
    }

    /// Marks what the kept releases name. One that was never brought here names nothing here; the
    /// first is in use.
    fn mark(&self) -> Result<Marks, String> {
        let mut marks = Marks::until(Arc::clone(&self.stop));
        for (at, kept) in self.kept.iter().enumerate() {
            let in_use = at == 0;
            if !in_use && !self.store.contains(&kept.manifest) {
                continue;
            }
            self.mark_one(kept, in_use, &mut marks).map_err(|why| {
                let sequence = kept.sequence;
                format!("nothing is swept: what release {sequence} names cannot be told: {why}")
            })?;
        }
        Ok(marks)
    }

    fn mark_one(&self, kept: &Kept, in_use: bool, marks: &mut Marks) -> Result<(), String> {
        let limit = usize::try_from(kept.manifest_bytes).unwrap_or(limits::MANIFEST_BYTES);
        let bytes = self.store.read(&kept.manifest, limit).map_err(words)?;
        let manifest = decode::<Manifest>(&bytes, limits::MANIFEST_BYTES);
        let mut manifest = held_whole(manifest.map_err(|e| e.to_string())?, &self.lazy);
        if !in_use {
            // It may have been lazy then, or be half brought: what is not here needs no mark.
            for collection in &mut manifest.collections {
                collection.segments.retain(|s| self.store.contains(&s.id));
            }
        }
        let marked = marks.release(&self.store, &kept.manifest, &manifest);
        marked.map_err(|error| error.to_string())
    }
}

fn words(error: StoreError) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_swept_while_the_release_in_use_cannot_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let stray = Digest::of(b"stray");
        store.put_bytes(&stray, b"stray").unwrap();
        let gone = Kept {
            sequence: Sequence(1),
            manifest: Digest::of(b"gone"),
            manifest_bytes: 4,
            statement: None,
        };
        let objects = Objects {
            store: Arc::clone(&store),
            kept: vec![gone],
            lazy: Arc::default(),
            stop: Arc::default(),
        };
        let listed = objects.list(Duration::ZERO, None);
        assert!(listed.err().unwrap().contains("nothing is swept"));
        let listed = Listed {
            candidates: vec![stray],
            erases: Some(Sequence(1)),
            ..Listed::default()
        };
        let removed = objects.remove(&objects.kept, listed);
        assert_eq!(removed.erased, None);
        assert!(removed.error.is_some() && store.contains(&stray));
    }

    #[test]
    fn nothing_is_called_erased_before_its_names_are_gone_for_good() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let erased = Digest::of(b"erased");
        let objects = Objects {
            store: Arc::clone(&store),
            kept: Vec::new(),
            lazy: Arc::default(),
            stop: Arc::default(),
        };
        // A directory that cannot be synced, of all that hold objects the last one.
        let broken = dir.path().join("objects/zz");
        std::os::unix::fs::symlink("nowhere", &broken).unwrap();
        let remove = || {
            store.put_bytes(&erased, b"erased").unwrap();
            let listed = Listed {
                candidates: vec![erased],
                erases: Some(Sequence(1)),
                ..Listed::default()
            };
            objects.remove(&[], listed)
        };
        let removed = remove();
        assert!(!store.contains(&erased));
        assert_eq!(removed.erased, None);
        assert!(removed.error.unwrap().contains("objects/zz"));
        fs_err::remove_file(broken).unwrap();
        assert_eq!(remove().erased, Some(Sequence(1)));
    }
}
