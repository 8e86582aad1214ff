//! Scrub: what an edge holds is read again, slowly, whether or not anybody asks for it, so that a
//! disk that rots is found out while a mirror still has the bytes.
//!
//! One thread a site walks through the objects of the release in use, by name: segments node by
//! node, each blob where a record names it, components whole. Every read is checked against its
//! hash, as reads for readers are. After each piece it rests for as long as the rate asks, so that
//! it takes a bounded part of what the disk can do; it holds nothing that a reader waits for. What
//! it finds it notes where a reader's failed read does, and the same repair follows.
//!
//! Where it is, is written down about once a minute: a restart goes on there, and at worst reads a
//! minute's worth again. Another release changes the objects, not the order of their names, so
//! the walk goes on as well, in the release that is in use by then: what is missing of the one before it
//! was swept.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use snapshot::segment::SegmentError;
use snapshot::{BlobRef, Digest, Entry, Key, NodeCache, Store, limits};

use super::state::SiteState;
use crate::copy::{Kind, LoadedRelease, Want};

/// How much of a blob is read at once, bytes.
const WINDOW_BYTES: u64 = 256 << 10;
/// How long it rests before it looks whether there is a release, and at least between two rounds.
const IDLE: Duration = Duration::from_secs(1);
/// How much is read between two notes of where it is, in seconds at the rate.
const NOTED_S: u64 = 60;
/// The file with the place.
const STATE: &str = "scrubbed";
/// Largest such file, bytes: a name and a key.
const STATE_BYTES: usize = 8 << 10;

/// What scrub did since the edge started, and where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubStatus {
    /// The most it reads, bytes a second; 0 if it is off.
    pub bytes_a_second: u64,
    /// Bytes read and checked.
    pub bytes: u64,
    /// Objects read to their end.
    pub objects: u64,
    /// Times that everything held was read.
    pub rounds: u64,
    /// Objects that it found damaged before anybody asked for them.
    pub found: u64,
    /// Objects that were brought back, whoever found them.
    pub repaired: u64,
}

/// Runs while it is held: dropped, the thread ends after its piece.
#[derive(Debug)]
pub(super) struct Scrub {
    _alive: Sender<()>,
}

impl Scrub {
    /// Begins, at `rate` bytes a second; nothing at 0.
    pub(super) fn begin(state: &Arc<SiteState>, store: &Arc<Store>, rate: u64) -> Option<Self> {
        state.progress().scrub.bytes_a_second = rate;
        if rate == 0 {
            return None;
        }
        let (alive, stop) = channel();
        let mut walk = Walk {
            place: read(store),
            state: Arc::clone(state),
            store: Arc::clone(store),
            rate,
            stop,
            unnoted: 0,
        };
        let thread = std::thread::Builder::new().name("scrub".to_owned());
        match thread.spawn(move || while walk.round().is_ok() {}) {
            Ok(_) => Some(Self { _alive: alive }),
            Err(error) => {
                tracing::error!(site = %state.name(), "no scrub: {error}");
                None
            }
        }
    }
}

/// The last place that was read to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The object, hex; nothing before the first.
    object: String,
    /// The last key of it, if it is a segment that was not read to its end.
    key: Option<Vec<u8>>,
}

/// A place that cannot be read is the beginning.
fn read(store: &Store) -> Place {
    let bytes = store.read_state(STATE, STATE_BYTES).ok().flatten();
    bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

/// The edge ends.
#[derive(Debug)]
struct Stopped;

/// Why an object was not read to its end.
enum Broken {
    Stopped,
    /// Another release is in use.
    Replaced,
    Damaged(Want, String),
}

impl From<Stopped> for Broken {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

struct Walk {
    state: Arc<SiteState>,
    store: Arc<Store>,
    rate: u64,
    stop: Receiver<()>,
    place: Place,
    /// Bytes read since the place was written down.
    unnoted: u64,
}

impl Walk {
    /// From the place to the last object; the next round begins with the first. Without a release
    /// there is nothing to read, and the place stays.
    fn round(&mut self) -> Result<(), Stopped> {
        if self.state.current().is_none() {
            return self.rest(IDLE);
        }
        while let Some(release) = self.state.current() {
            let Some(want) = next(&release, &self.place) else {
                break;
            };
            let begun = self.place.object == want.digest.to_string();
            let key = self.place.key.clone().filter(|_| begun);
            match self.object(&release, &want, key) {
                Ok(()) => self.state.progress().scrub.objects += 1,
                Err(Broken::Stopped) => return Err(Stopped),
                Err(Broken::Replaced) => continue,
                Err(Broken::Damaged(..)) if self.is_replaced(&release) => continue,
                Err(Broken::Damaged(want, reason)) => self.found(&release, want, reason),
            }
            self.place = Place {
                object: want.digest.to_string(),
                key: None,
            };
        }
        if !self.place.object.is_empty() {
            self.place = Place::default();
            self.note();
            self.state.progress().scrub.rounds += 1;
        }
        self.rest(IDLE)
    }

    fn object(
        &mut self,
        release: &LoadedRelease,
        want: &Want,
        after: Option<Vec<u8>>,
    ) -> Result<(), Broken> {
        let damaged = |reason: String| Broken::Damaged(want.clone(), reason);
        match &want.kind {
            Kind::Segment(collection, entry) => {
                let site = &release.release.site;
                // Each node is read from the disk: what is remembered would hide it.
                let cache = NodeCache::new(0);
                let segment = self.store.segment(entry, site, collection, &cache);
                let segment = segment.map_err(|error| damaged(error.to_string()))?;
                let after = after.and_then(|key| Key::new(key).ok());
                let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
                let mut unpaid = 0;
                for item in segment.iter((from, std::ops::Bound::Unbounded)) {
                    let (key, entry) = item.map_err(|e: SegmentError| damaged(e.to_string()))?;
                    unpaid += key.as_bytes().len() as u64;
                    let is_blob = matches!(entry, Entry::Blob(_));
                    match entry {
                        Entry::Inline(value) => unpaid += value.len() as u64,
                        // The records beside it are read all the same.
                        Entry::Blob(blob) => match self.blob(&blob) {
                            Err(Broken::Damaged(..)) if self.is_replaced(release) => {
                                return Err(Broken::Replaced);
                            }
                            Err(Broken::Damaged(want, reason)) => self.found(release, want, reason),
                            other => other?,
                        },
                        Entry::Tombstone => {}
                    }
                    if is_blob || unpaid >= WINDOW_BYTES {
                        self.place = Place {
                            object: want.digest.to_string(),
                            key: Some(key.as_bytes().to_vec()),
                        };
                        self.pay(std::mem::take(&mut unpaid))?;
                        if self.is_replaced(release) {
                            return Err(Broken::Replaced);
                        }
                    }
                }
                self.pay(unpaid)?;
            }
            Kind::Component(bytes) => {
                let read = self.store.read(&want.digest, limits::COMPONENT_BYTES);
                read.map_err(|error| damaged(error.to_string()))?;
                self.pay(*bytes)?;
            }
            Kind::Blob(bytes) => self.blob(&BlobRef {
                digest: want.digest,
                bytes: *bytes,
            })?,
            Kind::Manifest(bytes) => {
                let read = self.store.read(&want.digest, limits::MANIFEST_BYTES);
                read.map_err(|error| damaged(error.to_string()))?;
                self.pay(*bytes)?;
            }
        }
        Ok(())
    }

    fn blob(&mut self, blob: &BlobRef) -> Result<(), Broken> {
        let damaged = |reason: String| {
            let (digest, kind) = (blob.digest, Kind::Blob(blob.bytes));
            Broken::Damaged(Want { digest, kind }, reason)
        };
        let opened = self.store.blob(blob);
        let opened = opened.map_err(|error| damaged(error.to_string()))?;
        let mut at = 0;
        while at < blob.bytes {
            let end = blob.bytes.min(at.saturating_add(WINDOW_BYTES));
            let read = opened.read(at..end);
            read.map_err(|error| damaged(error.to_string()))?;
            self.pay(end - at)?;
            at = end;
        }
        Ok(())
    }

    /// Whether other content is in use, or the same opened anew: what fails to be read in `release` may
    /// have been swept, or repaired.
    fn is_replaced(&self, release: &LoadedRelease) -> bool {
        let current = self.state.current();
        current.is_none_or(|current| !Arc::ptr_eq(&current.damage, &release.damage))
    }

    /// Notes what is damaged, and counts what nobody had noted.
    fn found(&self, release: &LoadedRelease, want: Want, reason: String) {
        let before = release.damage.len();
        release.damage.note(want, reason);
        if release.damage.len() > before {
            self.state.progress().scrub.found += 1;
        }
    }

    /// Counts what was read, and rests until the rate allows more.
    fn pay(&mut self, bytes: u64) -> Result<(), Stopped> {
        self.state.progress().scrub.bytes += bytes;
        self.unnoted = self.unnoted.saturating_add(bytes);
        if self.unnoted / self.rate >= NOTED_S {
            self.note();
        }
        self.rest(rest(bytes, self.rate))
    }

    /// A place that cannot be written down is found again by reading more.
    fn note(&mut self) {
        self.unnoted = 0;
        if let Ok(bytes) = serde_json::to_vec(&self.place) {
            self.store.write_state(STATE, &bytes).ok();
        }
    }

    fn rest(&self, how_long: Duration) -> Result<(), Stopped> {
        match self.stop.recv_timeout(how_long) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Err(Stopped),
        }
    }
}

/// How long `bytes` may keep it busy.
fn rest(bytes: u64, rate: u64) -> Duration {
    let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The object at `place` if it was begun, else the first after it.
fn next(release: &LoadedRelease, place: &Place) -> Option<Want> {
    let manifest = &release.manifest;
    let whole = manifest.collections.iter();
    let whole = whole.filter(|collection| release.lazy.far(&collection.name).is_none());
    let segments = whole.flat_map(|collection| {
        let entries = collection.segments.iter();
        entries.map(|entry| Want::segment(&collection.name, entry.clone()))
    });
    let components = manifest.components.iter().map(|component| Want {
        digest: component.digest,
        kind: Kind::Component(component.bytes),
    });
    let is_ahead = |digest: &Digest| {
        let name = digest.to_string();
        name > place.object || (name == place.object && place.key.is_some())
    };
    let all = segments.chain(components);
    all.filter(|want| is_ahead(&want.digest))
        .min_by_key(|want| want.digest)
}

#[cfg(test)]
mod tests {
    use snapshot::{EdgeTime, Timestamp};

    use super::*;
    use crate::fixture::{loaded, site};
    use crate::orders::Orders;

    #[test]
    fn what_was_swept_with_its_release_is_not_damaged() {
        let (long, dirs) = (
            "long ".repeat(1000),
            [0, 1].map(|_| tempfile::tempdir().unwrap()),
        );
        let release = |at: usize, files: &[(&str, &str)]| {
            let now = Timestamp(at as u64);
            Arc::new(loaded(dirs[at].path(), Vec::new(), files, now))
        };
        let before = release(0, &[("a", "short"), ("b", &long), ("c", &long)]);
        let after = release(1, &[("a", "short")]);
        let of = (site(), Vec::new(), EdgeTime::default(), Orders::default());
        let state = Arc::new(SiteState::new(of.0, of.1, of.2, of.3));
        let (_alive, stop) = channel();
        let mut walk = Walk {
            state: Arc::clone(&state),
            store: Arc::clone(&before.store),
            rate: u64::MAX,
            stop,
            place: Place::default(),
            unnoted: 0,
        };
        let segment = next(&before, &Place::default()).unwrap();
        let blob = BlobRef::of(long.as_bytes());
        before.store.remove(&blob.digest).unwrap();
        state.switch(Arc::clone(&before));
        assert!(walk.object(&before, &segment, None).is_ok());
        assert_eq!((before.damage.len(), state.scrubbed().found), (1, 1));
        // Opened anew: nothing of it is noted yet.
        let again = Arc::new(LoadedRelease {
            damage: Arc::default(),
            ..LoadedRelease::clone(&before)
        });
        state.switch(after);
        let broken = walk.object(&again, &segment, None);
        assert!(matches!(broken, Err(Broken::Replaced)));
        assert_eq!((again.damage.len(), state.scrubbed().found), (0, 1));
    }

    #[test]
    fn it_rests_as_long_as_the_rate_asks() {
        assert_eq!(rest(256 << 10, 1 << 20), Duration::from_millis(250));
        assert_eq!(rest(u64::MAX, 1), Duration::from_nanos(u64::MAX));
        assert_eq!(rest(0, 1 << 20), Duration::ZERO);
    }

    #[test]
    fn a_place_that_cannot_be_read_is_the_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let place = Place {
            object: "0a".to_owned(),
            key: Some(b"ant".to_vec()),
        };
        assert_eq!(read(&store), Place::default());
        let mut bytes = serde_json::to_vec(&place).unwrap();
        store.write_state(STATE, &bytes).unwrap();
        assert_eq!(read(&store), place);
        bytes.resize(STATE_BYTES + 1, b' ');
        store.write_state(STATE, &bytes).unwrap();
        assert_eq!(read(&store), Place::default());
        store.write_state(STATE, b"{").unwrap();
        assert_eq!(read(&store), Place::default());
    }
}
