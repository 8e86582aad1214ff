//! The blobs that a segment names, kept beside it: `<hash>.blobs` is a row of names after the hash
//! of that row. A list that is absent or damaged is made again out of the segment.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use fs_err as fs;

use super::{Store, StoreError};
use crate::manifest::SegmentEntry;
use crate::segment::NodeCache;
use crate::{CollectionName, Digest, Entry, SiteName, durable};

/// Bytes of a name.
const NAME: usize = 32;

impl Store {
    /// The blobs that a segment names. The first time all of the segment is read, unless `stop` is
    /// set meanwhile. Blocks.
    ///
    /// # Errors
    /// The segment is absent or damaged, or it was stopped.
    pub fn blobs(
        &self,
        entry: &SegmentEntry,
        site: &SiteName,
        collection: &CollectionName,
        stop: &AtomicBool,
    ) -> Result<Vec<Digest>, StoreError> {
        let path = self.layout.blobs(&entry.id);
        if self.contains(&entry.id)
            && let Ok(bytes) = fs::read(&path)
            && let Some(names) = read(&bytes)
        {
            return Ok(names);
        }
        // Each node is read once: nothing is worth keeping.
        let segment = self.segment(entry, site, collection, &NodeCache::new(0))?;
        let mut names = BTreeSet::new();
        for item in segment.iter(..) {
            if stop.load(Ordering::Relaxed) {
                return Err(StoreError::Stopped);
            }
            if let (_, Entry::Blob(blob)) = item? {
                names.insert(blob.digest);
            }
        }
        let names: Vec<Digest> = names.into_iter().collect();
        // A disk that is full or takes no write costs another reading, and no sweep.
        let _ = durable::write(&path, &written(&names));
        Ok(names)
    }
}

fn written(names: &[Digest]) -> Vec<u8> {
    let row: Vec<u8> = names.iter().flat_map(Digest::as_bytes).copied().collect();
    let mut bytes = Digest::of(&row).as_bytes().to_vec();
    bytes.extend(row);
    bytes
}

fn read(bytes: &[u8]) -> Option<Vec<Digest>> {
    let (hash, row) = bytes.split_at_checked(NAME)?;
    if Digest::of(row).as_bytes() != hash || row.len() % NAME != 0 {
        return None;
    }
    let names = row.chunks_exact(NAME);
    let names = names.map(|name| Some(Digest::from_bytes(name.try_into().ok()?)));
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Collection;
    use crate::store::Marks;
    use crate::{Key, Manifest};

    fn names() -> (SiteName, CollectionName) {
        ("dasom".parse().unwrap(), "clubs".parse().unwrap())
    }

    /// A segment with a short record and a blob.
    fn stored(store: &Store) -> (SegmentEntry, Digest) {
        let (site, collection) = names();
        let mut builder = store.build(site.clone(), collection.clone()).unwrap();
        let long = store.entry(vec![7; 5000]).unwrap();
        let Entry::Blob(blob) = long else {
            panic!("5,000 bytes are a blob");
        };
        let short = store.entry(b"short".to_vec()).unwrap();
        builder.push(&Key::new("a").unwrap(), &short).unwrap();
        builder.push(&Key::new("b").unwrap(), &long).unwrap();
        let (staged, entry) = builder.finish().unwrap().unwrap();
        staged.persist_segment(&entry, &site, &collection).unwrap();
        (entry, blob.digest)
    }

    #[test]
    fn a_list_is_believed_only_while_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let (entry, blob) = stored(&store);
        let (site, collection) = names();
        let go = AtomicBool::new(false);
        let list = || store.blobs(&entry, &site, &collection, &go).unwrap();
        assert_eq!(list(), [blob]);
        let path = store.layout.blobs(&entry.id);
        let whole = fs::read(&path).unwrap();
        for bad in [&[][..], &[0; 31], &[0; 32], &[0; 64], &whole[..40]] {
            fs::write(&path, bad).unwrap();
            assert_eq!(list(), [blob], "{bad:?}");
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
        let stop = AtomicBool::new(true);
        fs::write(&path, "").unwrap();
        let stopped = store.blobs(&entry, &site, &collection, &stop);
        assert!(matches!(stopped, Err(StoreError::Stopped)));
        store.remove(&entry.id).unwrap();
        assert!(!path.exists());
        assert!(store.blobs(&entry, &site, &collection, &go).is_err());
    }

    #[test]
    fn a_release_marks_what_it_names_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let (entry, blob) = stored(&store);
        let (_, name) = names();
        let manifest = Manifest {
            collections: vec![Collection {
                name,
                privacy: crate::manifest::Privacy::Public,
                complete: true,
                records: 2,
                segments: vec![entry.clone()],
            }],
            ..crate::manifest::tests::manifest()
        };
        let mut marks = Marks::default();
        let own = Digest::of(b"manifest");
        marks.release(&store, &own, &manifest).unwrap();
        for name in [own, blob, entry.id] {
            assert!(marks.has(&name));
        }
        // And the component.
        assert_eq!(marks.len(), 4);
        assert!(!marks.has(&Digest::of(b"other")));
    }
}
