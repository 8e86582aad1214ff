//! Two operators at once, as a mirror sees them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use snapshot::order::Mode;
use snapshot::{Envelope, OfferedBundle, encode};

use super::*;
use crate::cmd::ops::confirm::Consent;
use crate::fixture::{Publisher, key_file, listening, site};
use crate::signing::KeySource;
use crate::sync::Mirror;

/// A mirror on which another operator is as quick: either his order is the greater, or he writes
/// his lesser one over ours once that was read back.
#[derive(Debug)]
struct Rivalled {
    store: InMemory,
    is_greater: bool,
    rivals: AtomicU64,
    reads: AtomicU64,
}

/// Which reading of the orders comes after ours were read back.
const AFTER: u64 = 4;

impl fmt::Display for Rivalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rivalled")
    }
}

impl Rivalled {
    fn new(is_greater: bool) -> Arc<Self> {
        Arc::new(Self {
            store: InMemory::new(),
            is_greater,
            rivals: AtomicU64::new(0),
            reads: AtomicU64::new(0),
        })
    }

    /// The bundle with another one of its epoch in each order's place.
    fn rivals(&self, bytes: &[u8]) -> Vec<u8> {
        let mut outdone = OfferedBundle::default();
        for envelope in OfferedBundle::from_bytes(bytes).unwrap().envelopes() {
            let known = Known::of(envelope).unwrap();
            let rival = loop {
                let mut order = known.order.clone();
                order.why = self.rivals.fetch_add(1, Ordering::Relaxed).to_string();
                let rival = Known::of(&Envelope::seal(encode(&order).unwrap())).unwrap();
                if (rival.rank() > known.rank()) == self.is_greater {
                    break rival;
                }
            };
            outdone.put(rival.envelope).unwrap();
        }
        outdone.to_bytes().unwrap()
    }
}

#[async_trait]
impl ObjectStore for Rivalled {
    async fn put_opts(&self, to: &Path, put: PutPayload, how: PutOptions) -> Result<PutResult> {
        let bytes: Vec<u8> = put.iter().flat_map(|part| part.to_vec()).collect();
        let bytes = match self.is_greater && to.as_ref().ends_with("/orders") {
            true => self.rivals(&bytes),
            false => bytes,
        };
        self.store.put_opts(to, bytes.into(), how).await
    }

    async fn put_multipart_opts(
        &self,
        to: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(to, how).await
    }

    async fn get_opts(&self, from: &Path, how: GetOptions) -> Result<GetResult> {
        let is_orders = from.as_ref().ends_with("/orders");
        let reads = is_orders.then(|| self.reads.fetch_add(1, Ordering::Relaxed) + 1);
        if reads == Some(AFTER) && !self.is_greater {
            let ours = self.store.get_opts(from, GetOptions::default()).await?;
            let rivals = self.rivals(&ours.bytes().await?);
            let put = PutOptions::default();
            self.store.put_opts(from, rivals.into(), put).await?;
        }
        self.store.get_opts(from, how).await
    }

    fn delete_stream(
        &self,
        all: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(all)
    }

    fn list(&self, below: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(below)
    }

    async fn list_with_delimiter(&self, below: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(below).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, how).await
    }
}

fn word() -> Word {
    Word {
        why: "fire".to_owned(),
        consent: Consent {
            yes: true,
            dry_run: false,
        },
        ..Word::default()
    }
}

fn settings(store: Arc<Rivalled>) -> (Settings, Publisher) {
    let publisher = Publisher::new();
    let mirror = Mirror::open(&publisher.url()).unwrap().with_store(store);
    let key = KeySource::File(key_file(publisher.dir.path()));
    let settings = Settings::of(site(), mirror).signing_with(key);
    (settings, publisher)
}

fn degrade() -> impl AsyncFnOnce(&World<'_>) -> std::result::Result<Change, Fault> {
    async |_: &World<'_>| {
        let lasting = Duration::from_secs(3600);
        Ok(Change::Degrade { lasting })
    }
}

#[tokio::test]
async fn what_a_lesser_order_was_written_over_is_written_again() {
    let store = Rivalled::new(false);
    let (settings, _dir) = settings(Arc::clone(&store));
    let scope: Scope = "service:pay".parse().unwrap();
    let given = give(&settings, "degrade", scope.clone(), word(), degrade()).await;
    assert_eq!(given.unwrap(), Exit::Done);
    assert!(
        store.rivals.load(Ordering::Relaxed) > 0,
        "nobody wrote over it"
    );
    let held = mirrors::read_all(&settings).await.unwrap();
    assert_eq!(held.newest(&scope).unwrap().order.why, "fire");
}

#[tokio::test]
async fn a_change_is_not_made_anew_for_ever() {
    let (settings, _dir) = settings(Rivalled::new(true));
    let scope: Scope = "service:pay".parse().unwrap();
    let given = give(&settings, "degrade", scope.clone(), word(), degrade()).await;
    let why = given.unwrap_err().to_string();
    assert!(why.contains("yours came too late 5 times"), "{why}");
    // Each stood on the one that had won before.
    let held = mirrors::read_all(&settings).await.unwrap();
    let epoch = held.newest(&scope).unwrap().order.epoch.0;
    assert_eq!(epoch, REBASES as u64);
}

#[tokio::test]
async fn what_is_taken_back_is_not_taken_back_from_another() {
    let other = crate::fixture::order("service:pay", 3, Mode::Degraded);
    let other = Known::of(&Envelope::seal(encode(&other).unwrap())).unwrap();
    let undo = Change::Undo(None);
    let held = Held::default();
    let again = |change, winner| again(change, winner, "meanwhile somebody gave", &held);
    let why = again(&undo, Some(&other)).unwrap_err();
    assert!(why.to_string().contains("undo again"), "{why}");
    assert!(again(&Change::Unpin, Some(&other)).is_ok());
}

#[tokio::test]
async fn where_nobody_gives_what_edges_obey_it_is_said_what_was_passed_over() {
    let publisher = Publisher::new();
    let settings = Settings::of(site(), Mirror::open(&publisher.url()).unwrap());
    let settings = settings.believing(crate::fixture::generation());
    publisher.order(&crate::fixture::order("service:pay", 9, Mode::Degraded), 9);
    let held = mirrors::read_all(&settings).await.unwrap();
    let why = again(&Change::Unpin, None, "meanwhile somebody gave", &held).unwrap_err();
    let why = why.to_string();
    assert!(why.contains("no path gives it"), "{why}");
    assert!(
        why.contains("passed over: order 9 about service:pay, degraded"),
        "{why}"
    );
}

#[tokio::test]
async fn a_source_that_says_nothing_is_not_waited_for() {
    let silent = listening(|stream, _| async move {
        let _open = stream;
        std::future::pending().await
    });
    let silent = silent.await;
    let settings = Settings::of(site(), Mirror::open(&silent).unwrap());
    assert!(SiteFacts::read(&settings, wall_clock()).await.is_none());
}
