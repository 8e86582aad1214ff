//! What was fetched of lazy collections, on disk and bounded: frames as they expand, and blobs.
//!
//! Below `lazy/` of a site: `frames/<segment>-<start>` is a frame's bytes, and a store of its own holds
//! the blobs. Nothing in it is believed: every node is hashed when it is read, and a file that turns
//! out wrong goes and is fetched again. So a crash can lose what was being written and nothing else,
//! and all of it may be thrown away at any time.
//!
//! Room is made before anything is written: what was used longest ago goes first. Over a restart the
//! order is that of the files' times.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fs_err as fs;
use snapshot::segment::node_name;
use snapshot::{Blob, BlobRef, Digest, Store, StoreError, durable};

/// What the hash tree of a blob may add to it, as a part of its bytes.
const TREE_PART: u64 = 64;

/// The cache of one site.
#[derive(Debug)]
pub(super) struct Cache {
    frames: PathBuf,
    blobs: std::sync::Arc<Store>,
    limit: u64,
    index: Mutex<Index>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Item {
    /// Of that segment, from there on.
    Frame(Digest, u64),
    Blob(Digest),
}

#[derive(Debug, Default)]
struct Index {
    /// Bytes of all items, and those that room was made for.
    used: u64,
    /// Counts uses.
    clock: u64,
    items: HashMap<Item, Held>,
    /// By their last use.
    order: BTreeMap<u64, Item>,
    /// The length of each frame.
    frames: BTreeMap<(Digest, u64), u64>,
    /// How often all was let go of: what was fetched before may be what was to go.
    era: u64,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    bytes: u64,
    used: u64,
}

/// Room in a cache that nothing else takes.
#[derive(Debug)]
pub(super) struct Room<'a> {
    cache: &'a Cache,
    bytes: u64,
    era: u64,
}

impl Room<'_> {
    /// Unless all was let go of since this room was made: then the item goes as well.
    fn taken_by(mut self, item: Item, bytes: u64) {
        let mut index = self.cache.index();
        index.used = index.used.saturating_sub(std::mem::take(&mut self.bytes));
        if index.era == self.era {
            index.add(item, bytes);
        } else {
            self.cache.remove_file(item);
        }
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        let mut index = self.cache.index();
        index.used = index.used.saturating_sub(self.bytes);
    }
}

impl Cache {
    /// Opens what lies in `root`, and lets go of what is too much. Blocks.
    pub(super) fn open(root: &Path, limit: u64) -> Result<Self, StoreError> {
        let blobs = Store::open(root)?;
        // Nobody goes on with these: what is left of them is not counted.
        blobs.clear_partials()?;
        let cache = Self {
            frames: root.join("frames"),
            blobs: std::sync::Arc::new(blobs),
            limit,
            index: Mutex::default(),
        };
        durable::create_dir(&cache.frames)?;
        let mut found = Vec::new();
        for file in fs::read_dir(&cache.frames)? {
            let file = file?;
            let about = file.metadata()?;
            match file.file_name().to_str().and_then(frame_of) {
                Some(item) => found.push((about.modified()?, item, about.len())),
                None => fs::remove_file(file.path())?,
            }
        }
        for digest in cache.blobs.digests()? {
            let digest = digest?;
            if let Some(lies) = cache.blobs.lies(&digest)? {
                found.push((lies.modified, Item::Blob(digest), lies.bytes));
            }
        }
        found.sort_unstable_by_key(|(modified, ..)| *modified);
        let mut index = cache.index();
        for (_, item, bytes) in found {
            index.add(item, bytes);
        }
        cache.make_room(&mut index, 0);
        drop(index);
        Ok(cache)
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> u64 {
        self.index().used
    }

    /// The most bytes that are.
    pub(super) const fn limit(&self) -> u64 {
        self.limit
    }

    /// The store of the blobs, to fetch them into.
    pub(super) const fn blobs(&self) -> &std::sync::Arc<Store> {
        &self.blobs
    }

    /// The node of `segment` at `at`, if it is here and is what it should be. Blocks.
    pub(super) fn node(
        &self,
        segment: Digest,
        at: u64,
        bytes: u64,
        name: &Digest,
    ) -> Option<Vec<u8>> {
        let end = at.checked_add(bytes)?;
        let mut index = self.index();
        let before = index.frames.range((segment, 0)..=(segment, at)).next_back();
        let (&(_, start), &length) = before?;
        if end > start.checked_add(length)? {
            return None;
        }
        let item = Item::Frame(segment, start);
        index.touch(item);
        drop(index);
        let mut node = vec![0; usize::try_from(bytes).ok()?];
        let read = fs::File::open(self.file(segment, start))
            .and_then(|file| file.file().read_exact_at(&mut node, at - start));
        if read.is_ok() && node_name(&node).as_ref() == Some(name) {
            return Some(node);
        }
        self.drop_item(item);
        None
    }

    /// What [`Self::keep_frame`] is told of when a fetch began.
    pub(super) fn era(&self) -> u64 {
        self.index().era
    }

    /// Keeps a frame that was fetched in `era`, unless all was let go of since. Blocks.
    ///
    /// # Errors
    /// The disk takes none; nothing is kept then.
    pub(super) fn keep_frame(
        &self,
        era: u64,
        (segment, start): (Digest, u64),
        frame: &[u8],
    ) -> std::io::Result<()> {
        let bytes = frame.len() as u64;
        let Some(room) = self.room(bytes).filter(|room| room.era == era) else {
            return Ok(());
        };
        let file = self.file(segment, start);
        let staged = file.with_extension("new");
        let written = fs::write(&staged, frame).and_then(|()| fs::rename(&staged, &file));
        if written.is_err() {
            // Half of it may be there; a disk that is full has more need of the room.
            let _ = fs::remove_file(&staged);
        } else {
            room.taken_by(Item::Frame(segment, start), bytes);
        }
        written
    }

    /// A blob, if it is here. Blocks.
    pub(super) fn blob(&self, entry: &BlobRef) -> Option<Blob> {
        let item = Item::Blob(entry.digest);
        if !self.index().touch(item) {
            return None;
        }
        let opened = self.blobs.blob(entry).ok();
        if opened.is_none() {
            self.drop_item(item);
        }
        opened
    }

    /// Notes a blob that came to be in the store, in the room that was made for it. Blocks.
    pub(super) fn keep_blob(&self, entry: &BlobRef, room: Room<'_>) {
        let lies = self.blobs.lies(&entry.digest).ok().flatten();
        if let Some(lies) = lies {
            // Its tree is grown when it is first opened.
            let most = with_tree(entry.bytes).max(lies.bytes);
            room.taken_by(Item::Blob(entry.digest), most);
        }
    }

    /// Lets go of a blob. Blocks.
    pub(super) fn drop_blob(&self, digest: Digest) {
        self.drop_item(Item::Blob(digest));
    }

    /// Makes room for a blob and what lies beside it; `None` if there is too little in all.
    pub(super) fn room_for(&self, entry: &BlobRef) -> Option<Room<'_>> {
        self.room(with_tree(entry.bytes))
    }

    fn room(&self, bytes: u64) -> Option<Room<'_>> {
        let mut index = self.index();
        if !self.make_room(&mut index, bytes) {
            return None;
        }
        index.used = index.used.saturating_add(bytes);
        let era = index.era;
        drop(index);
        Some(Room {
            cache: self,
            bytes,
            era,
        })
    }

    /// Lets go of what was used longest ago until `bytes` more fit.
    fn make_room(&self, index: &mut Index, bytes: u64) -> bool {
        while index.used.saturating_add(bytes) > self.limit {
            let Some((_, item)) = index.order.first_key_value().map(|(at, item)| (*at, *item))
            else {
                return false;
            };
            index.remove(item);
            self.remove_file(item);
        }
        true
    }

    fn drop_item(&self, item: Item) {
        self.index().remove(item);
        self.remove_file(item);
    }

    fn remove_file(&self, item: Item) {
        if let Err(error) = self.try_remove(item) {
            tracing::debug!(%error, "what was fetched lazily does not go");
        }
    }

    fn try_remove(&self, item: Item) -> Result<(), StoreError> {
        match item {
            Item::Frame(segment, start) => match fs::remove_file(self.file(segment, start)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            },
            Item::Blob(digest) => self.blobs.remove(&digest),
        }
    }

    /// Lets go of everything, for good. Blocks.
    ///
    /// # Errors
    /// A file that does not go.
    pub(super) fn clear(&self) -> Result<(), StoreError> {
        let mut index = self.index();
        index.era += 1;
        let items: Vec<Item> = index.items.keys().copied().collect();
        for item in items {
            self.try_remove(item)?;
            index.remove(item);
        }
        drop(index);
        self.blobs.clear_partials()?;
        durable::sync_dir(&self.frames)?;
        self.blobs.settle()
    }

    fn file(&self, segment: Digest, start: u64) -> PathBuf {
        self.frames.join(format!("{segment}-{start}"))
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn add(&mut self, item: Item, bytes: u64) {
        self.remove(item);
        self.clock += 1;
        let used = self.clock;
        self.items.insert(item, Held { bytes, used });
        self.order.insert(used, item);
        self.used = self.used.saturating_add(bytes);
        if let Item::Frame(segment, start) = item {
            self.frames.insert((segment, start), bytes);
        }
    }

    fn remove(&mut self, item: Item) {
        let Some(held) = self.items.remove(&item) else {
            return;
        };
        self.order.remove(&held.used);
        self.used = self.used.saturating_sub(held.bytes);
        if let Item::Frame(segment, start) = item {
            self.frames.remove(&(segment, start));
        }
    }

    /// Notes a use; false if there is no such item.
    fn touch(&mut self, item: Item) -> bool {
        self.clock += 1;
        let Some(held) = self.items.get_mut(&item) else {
            return false;
        };
        self.order.remove(&held.used);
        held.used = self.clock;
        self.order.insert(self.clock, item);
        true
    }
}

/// What a blob takes here at most.
const fn with_tree(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / TREE_PART)
}

fn frame_of(name: &str) -> Option<Item> {
    let (segment, start) = name.split_once('-')?;
    Some(Item::Frame(segment.parse().ok()?, start.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: u8) -> Digest {
        Digest::of(&[n])
    }

    fn frame(n: u8) -> Vec<u8> {
        vec![n; 1000]
    }

    fn read(cache: &Cache, n: u8) -> bool {
        let wanted = node_name(&[n; 10]).unwrap();
        cache.node(name(n), 5, 10, &wanted).is_some()
    }

    #[test]
    fn what_was_used_longest_ago_goes_first_and_the_bound_holds() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path(), 3500).unwrap();
        for n in 0..3 {
            cache.keep_frame(0, (name(n), 0), &frame(n)).unwrap();
        }
        assert!(read(&cache, 0));
        cache.keep_frame(0, (name(3), 0), &frame(3)).unwrap();
        assert_eq!(cache.bytes(), 3000);
        let held: Vec<bool> = (0..4).map(|n| read(&cache, n)).collect();
        assert_eq!(held, [true, false, true, true]);
        let files = fs::read_dir(&cache.frames).unwrap().count();
        assert_eq!(files, 3);
        // What can never fit is not kept.
        cache.keep_frame(0, (name(9), 0), &[9; 4000]).unwrap();
        assert!(cache.bytes() <= 3500);
        assert!(!read(&cache, 9));
    }

    #[test]
    fn what_was_on_its_way_when_all_was_let_go_of_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path(), 3500).unwrap();
        let began = cache.era();
        let room = cache.room(1000).unwrap();
        fs::write(cache.file(name(2), 0), frame(2)).unwrap();
        cache.clear().unwrap();
        cache.keep_frame(began, (name(1), 0), &frame(1)).unwrap();
        room.taken_by(Item::Frame(name(2), 0), 1000);
        assert_eq!(fs::read_dir(&cache.frames).unwrap().count(), 0);
        assert_eq!(cache.bytes(), 0);
        cache
            .keep_frame(cache.era(), (name(1), 0), &frame(1))
            .unwrap();
        assert!(read(&cache, 1));
    }

    #[test]
    fn a_restart_keeps_what_is_whole_and_a_wrong_frame_goes() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path(), 3500).unwrap();
        for n in 0..3 {
            cache.keep_frame(0, (name(n), 0), &frame(n)).unwrap();
        }
        fs::write(cache.file(name(1), 0), [7; 1000]).unwrap();
        fs::write(cache.frames.join("half.new"), b"half").unwrap();
        drop(cache);
        let cache = Cache::open(dir.path(), 2500).unwrap();
        assert!(cache.bytes() <= 2500);
        assert!(!read(&cache, 1));
        assert!(!cache.file(name(1), 0).exists());
        assert!(!cache.frames.join("half.new").exists());
    }

    #[test]
    fn a_node_outside_its_frame_is_not_here() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path(), 3500).unwrap();
        cache.keep_frame(0, (name(1), 100), &frame(1)).unwrap();
        let wanted = node_name(&[1; 10]).unwrap();
        let at = |at| cache.node(name(1), at, 10, &wanted).is_some();
        assert!(at(100) && at(1090));
        assert!(!at(99) && !at(1091) && !at(u64::MAX));
        assert!(cache.node(name(2), 100, 10, &wanted).is_none());
    }
}
