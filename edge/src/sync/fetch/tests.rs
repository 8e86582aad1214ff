//! Mirrors in memory that drip, break off and lie.

use object_store::chunked::ChunkedStore;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ObjectStore, ObjectStoreExt};
use snapshot::Digest;
use url::Url;

use super::*;
use crate::sync::mirror::Patience;
use crate::sync::mirror::endless::endless;

const BYTES: u64 = 4096;

struct Stand {
    store: Arc<Store>,
    mirror: Mirror,
    want: Want,
    _dir: tempfile::TempDir,
}

/// An object in memory, given in small pieces, each after `pause`.
async fn stand(pause: Duration, patience: Patience) -> Stand {
    let dir = tempfile::tempdir().unwrap();
    let memory = Arc::new(InMemory::new());
    let url = Url::from_file_path(dir.path()).unwrap();
    let mirror = Mirror::open(&url).unwrap();
    let mirror = mirror.with_store(Arc::clone(&memory) as Arc<dyn ObjectStore>);
    let object = vec![7; usize::try_from(BYTES).unwrap()];
    let digest = Digest::of(&object);
    let (store, path) = mirror.store(&Place::object(&site(), &digest));
    store.put(&path, object.into()).await.unwrap();
    let piece = 16;
    let config = ThrottleConfig {
        wait_get_per_byte: pause / 16,
        ..ThrottleConfig::default()
    };
    let pieces = ThrottledStore::new(ChunkedStore::new(memory, piece), config);
    let mirror = mirror.with_store(Arc::new(pieces)).with_patience(patience);
    let kind = Kind::Blob(BYTES);
    Stand {
        store: Arc::new(Store::open(dir.path().join("store")).unwrap()),
        mirror,
        want: Want { digest, kind },
        _dir: dir,
    }
}

fn site() -> SiteName {
    "dasom".parse().unwrap()
}

impl Stand {
    async fn bring(&self, want: Want) -> Result<(), FetchError> {
        let (store, mirror) = (Arc::clone(&self.store), self.mirror.clone());
        let fetch = Fetch {
            store,
            mirror,
            site: site(),
            want,
            patient: true,
            pace: Arc::default(),
            tally: Arc::default(),
            stop: CancellationToken::new(),
        };
        bring(fetch).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_drips_is_given_up() {
    // 256 pieces with 10 ms between them: no silence, and far too slow all the same.
    let patience = Patience {
        object: Duration::from_millis(100),
        least_bytes_a_second: u64::MAX,
        ..Patience::default()
    };
    let stand = stand(Duration::from_millis(10), patience).await;
    let error = stand.bring(stand.want.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), "not complete after 100ms");
    assert!(!stand.store.contains(&stand.want.digest));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_as_long_as_it_is_stated() {
    let stand = stand(Duration::ZERO, Patience::default()).await;
    let stated = |bytes| Want {
        kind: Kind::Blob(bytes),
        ..stand.want.clone()
    };
    let error = stand.bring(stated(BYTES - 1)).await.unwrap_err();
    assert!(
        error.to_string().ends_with(": more than 4095 bytes"),
        "{error}"
    );
    let error = stand.bring(stated(BYTES + 1)).await.unwrap_err();
    assert_eq!(error.to_string(), "ends after 4096 of 4097 bytes");
    assert!(!stand.store.contains(&stand.want.digest));
    stand.bring(stated(BYTES)).await.unwrap();
    assert!(stand.store.contains(&stand.want.digest));
}

/// A segment beyond [`RESUMED_BYTES`] on a mirror that answers ranges, and a store without it.
struct Large {
    fetch: Fetch,
    nodes: Vec<u8>,
    at_rest: Vec<u8>,
    _dir: tempfile::TempDir,
}

impl Large {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path().join("store")).unwrap());
        let collection: snapshot::CollectionName = "pages".parse().unwrap();
        let made = snapshot::segment::SegmentBuilder::new(Vec::new(), site(), collection.clone());
        let mut builder = made;
        for n in 0..4000_u32 {
            let value: Vec<u8> = (0..20_u32)
                .flat_map(|i| *Digest::of(&(n * 20 + i).to_le_bytes()).as_bytes())
                .collect();
            let key = snapshot::Key::new(n.to_be_bytes().to_vec()).unwrap();
            builder.push(&key, &snapshot::Entry::Inline(value)).unwrap();
        }
        let (nodes, entry) = builder.finish().unwrap().unwrap();
        let mut at_rest = Vec::new();
        at_rest::compress(&mut nodes.as_slice(), &mut at_rest).unwrap();
        let url = Url::from_file_path(dir.path()).unwrap();
        let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let mirror = Mirror::open(&url).unwrap().with_store(memory);
        let want = Want::segment(&collection, entry);
        let (shelf, path) = mirror.store(&Place::object(&site(), &want.digest));
        shelf.put(&path, at_rest.clone().into()).await.unwrap();
        let fetch = Fetch {
            store,
            mirror,
            site: site(),
            want,
            patient: false,
            pace: Arc::default(),
            tally: Arc::default(),
            stop: CancellationToken::new(),
        };
        Self {
            fetch,
            nodes,
            at_rest,
            _dir: dir,
        }
    }

    /// Bytes of it are here already.
    fn holds(&self, bytes: &[u8]) {
        use std::io::Write as _;
        let mut partial = self.fetch.store.partial(&self.fetch.want.digest).unwrap();
        partial.write_all(bytes).unwrap();
    }

    /// Brings it, and says how many bytes came.
    async fn comes(&self) -> u64 {
        bring(self.fetch.clone()).await.unwrap();
        let digest = self.fetch.want.digest;
        assert!(self.fetch.store.contains(&digest));
        assert_eq!(self.fetch.store.partial_bytes(&digest), 0);
        self.fetch.tally.bytes()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_segment_comes_in_ranges() {
    let large = Large::new().await;
    assert!(large.at_rest.len() as u64 > super::super::mirror::SPAN_BYTES * 2);
    assert_eq!(large.comes().await, large.at_rest.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_of_a_segment_is_not_fetched_again() {
    let large = Large::new().await;
    // Torn inside a frame, as a kill leaves it.
    large.holds(&large.nodes[..large.nodes.len() * 3 / 4]);
    let (came, all) = (large.comes().await, large.at_rest.len() as u64);
    assert!(came < all * 3 / 10, "{came} of {all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_source_lied_about_is_fetched_whole_and_blames_nobody() {
    let large = Large::new().await;
    let mut lies = large.nodes[..large.nodes.len() / 2].to_vec();
    lies[1000] ^= 1;
    large.holds(&lies);
    let (came, all) = (large.comes().await, large.at_rest.len() as u64);
    assert!(came > all && came < all * 2, "{came} of {all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_compresses_otherwise_goes_on_at_a_border_of_its_own() {
    let large = Large::new().await;
    let place = Place::object(&site(), &large.fetch.want.digest);
    let border = at_rest::border(&large.at_rest, large.nodes.len() as u64 / 2).unwrap();
    assert!(border.expanded > 0);
    large.holds(&large.nodes[..usize::try_from(border.expanded).unwrap() + 100]);
    let begun = large.fetch.begin(border.expanded + 100).await.unwrap();
    assert_eq!(begun.from, Some(border));
    drop(begun);
    // Without its table nothing says where to go on.
    let (shelf, path) = large.fetch.mirror.store(&place);
    let cut = large.at_rest.len() - 1;
    shelf
        .put(&path, large.at_rest[..cut].to_vec().into())
        .await
        .unwrap();
    let begun = large.fetch.begin(border.expanded).await.unwrap();
    assert_eq!(begun.from, Some(Border::default()));
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_floor_a_source_is_left_unless_nobody_else_is_left_to_ask() {
    let patience = Patience {
        window: Duration::from_millis(50),
        floor: 16 * 1024 * 1024,
        ..Patience::default()
    };
    let stand = stand(Duration::from_millis(1), patience).await;
    let fetch = |patient| Fetch {
        store: Arc::clone(&stand.store),
        mirror: stand.mirror.clone(),
        site: site(),
        want: stand.want.clone(),
        patient,
        pace: Arc::default(),
        tally: Arc::default(),
        stop: CancellationToken::new(),
    };
    let error = bring(fetch(false)).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Slow, "{error}");
    bring(fetch(true)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_more_than_the_table_that_was_asked_for_lies() {
    let mut large = Large::new().await;
    let url = endless(large.at_rest.len() as u64).await;
    large.fetch.mirror = Mirror::open(&url).unwrap();
    large.holds(&large.nodes[..large.nodes.len() / 2]);
    let error = bring(large.fetch.clone()).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Lying, "{error}");
    assert!(error.to_string().ends_with(" bytes asked for"), "{error}");
}

#[test]
fn our_own_disk_is_no_fault_of_a_source() {
    use snapshot::segment::{Fault as Node, SegmentError};
    use snapshot::{BlobError, BlobFault};
    let (name, broken) = (Digest::of(b"object"), || io::Error::other("EIO"));
    let segment = |fault| {
        let segment = "pages/12345678 as it arrived".to_owned();
        let (id, at) = (name, 0);
        StoreError::Segment(SegmentError {
            id,
            segment,
            at,
            fault,
        })
    };
    let blob = |fault| {
        let (blob, at) = (name, 0);
        StoreError::Blob(BlobError { blob, at, fault })
    };
    let object = StoreError::Object {
        digest: name,
        error: broken(),
    };
    for (error, fault) in [
        (StoreError::Io(broken()), Fault::Disk),
        (object, Fault::Disk),
        (segment(Node::Io(broken())), Fault::Disk),
        (segment(Node::Cut), Fault::Lying),
        (blob(BlobFault::Io(broken())), Fault::Disk),
        (blob(BlobFault::Bytes), Fault::Lying),
    ] {
        let error = FetchError::from(error);
        assert_eq!(error.fault(), fault, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stopped_writes_no_more_and_blames_nobody() {
    // As slow as can be, and given all the time there is.
    let stand = stand(Duration::from_secs(3600), Patience::default()).await;
    for bytes in [BYTES, RESUMED_BYTES + 1] {
        let stop = CancellationToken::new();
        let fetch = Fetch {
            store: Arc::clone(&stand.store),
            mirror: stand.mirror.clone(),
            site: site(),
            want: Want {
                kind: Kind::Blob(bytes),
                ..stand.want.clone()
            },
            patient: true,
            pace: Arc::default(),
            tally: Arc::default(),
            stop: stop.clone(),
        };
        let fetching = tokio::spawn(bring(fetch));
        while Arc::strong_count(&stand.store) < 3 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        let error = fetching.await.unwrap().unwrap_err();
        assert_eq!(error.fault(), Fault::Stopped, "{error}");
        // The writer has let go of it.
        assert_eq!(Arc::strong_count(&stand.store), 1);
    }
}
