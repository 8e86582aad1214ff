//! Bundles that others write to, that do not fit, and that hold what is believed no longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use snapshot::order::Mode;
use snapshot::trust::Generation;
use snapshot::{Namespace, encode};

use super::*;
use crate::fixture::{Publisher, generation, key, order, signer, site};

/// A mirror on which someone else always writes last: what is put is not there.
#[derive(Debug, Default)]
struct Contended {
    empty: InMemory,
    puts: AtomicUsize,
}

impl std::fmt::Display for Contended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("contended")
    }
}

#[async_trait]
impl ObjectStore for Contended {
    async fn put_opts(&self, to: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        let is_orders = to.as_ref().ends_with("/orders");
        self.puts.fetch_add(is_orders.into(), Ordering::Relaxed);
        let elsewhere = Path::from("elsewhere");
        let nothing = PutPayload::default();
        self.empty
            .put_opts(&elsewhere, nothing, PutOptions::default())
            .await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.empty.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.empty.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.empty.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.empty.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.empty.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.empty.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn writing_is_given_up_when_others_keep_writing() {
    let publisher = Publisher::new();
    let contended = Arc::new(Contended::default());
    let mirror = Mirror::open(&publisher.url()).unwrap();
    let settings = Settings::of(site(), mirror.with_store(Arc::clone(&contended) as _));
    let given = signed(&order("service:pay", 1, Mode::Degraded), 2);
    let written = write_all(&settings, &Held::default(), &given, Instant::now()).await;
    let error = written[0].written.error.clone().unwrap();
    assert!(
        error.starts_with("dasom/orders on mirror file:///"),
        "{error}"
    );
    assert!(error.ends_with(": others kept writing over it"), "{error}");
    assert_eq!(contended.puts.load(Ordering::Relaxed), TRIES);
}

fn signed(order: &Order, by: u8) -> Known {
    let mut envelope = Envelope::seal(encode(order).unwrap());
    envelope.sign_with(&signer(by), Namespace::Order).unwrap();
    Known::of(&envelope).unwrap()
}

/// A folder mirror, and an operator who believes these.
fn desk(believed: Generation) -> (Publisher, Settings) {
    let publisher = Publisher::new();
    let mirror = Mirror::open(&publisher.url()).unwrap();
    let settings = Settings::of(site(), mirror).believing(Arc::new(believed));
    (publisher, settings)
}

/// Minho's key ended on 1 September 2026.
fn ended() -> Generation {
    let (signers, roles) = crate::fixture::trust_files();
    let line = key(2).public_key().to_openssh().unwrap();
    let until = format!("valid-before=\"20260901Z\" {line}");
    Generation::parse(&signers.replace(&line, &until), &roles).unwrap()
}

#[tokio::test]
async fn what_was_ordered_with_a_key_that_has_ended_is_built_on_and_never_written_over() {
    let (publisher, settings) = desk(ended());
    let mut order = order("service:pay", 5, Mode::Degraded);
    let before = Timestamp::parse("2026-08-31T00:00:00Z").unwrap();
    order.signed_at = before;
    publisher.order(&order, 2);
    let held = read_all(&settings).await.unwrap();
    let newest = held.newest(&order.scope).unwrap();
    assert_eq!(newest.order.epoch, Epoch(5));
    assert!(held.lapsed(newest).is_some());
    assert_eq!(held.passed_over(None).count(), 0);
    let late = crate::fixture::order("service:pay", 1, Mode::Automatic);
    let late = signed(&late, 2);
    let written = write_all(&settings, &Held::default(), &late, Instant::now()).await;
    let said = written[0].written.error.clone().unwrap();
    assert!(said.contains("order 5"), "{said}");

    // What he signs after the end counts for nothing, nor does what he has dated from tomorrow.
    order.epoch = Epoch(6);
    for at in [
        Timestamp::parse("2026-09-02T00:00:00Z").unwrap(),
        wall_clock().plus(std::time::Duration::from_secs(86_400)),
    ] {
        order.signed_at = at;
        publisher.order(&order, 2);
        let held = read_all(&settings).await.unwrap();
        assert!(held.newest(&order.scope).is_none());
        assert_eq!(held.passed_over(Some(&order.scope)).count(), 1);
    }
    // Nor an epoch that no edge goes to, of a key that can be used to no other end any more.
    (order.signed_at, order.epoch) = (before, Epoch(limits::FAST_FORWARD + 1));
    publisher.order(&order, 2);
    let held = read_all(&settings).await.unwrap();
    assert!(held.newest(&order.scope).is_none());
}

#[tokio::test]
async fn an_order_that_is_believed_has_any_epoch_and_another_has_not() {
    let far = order("service:pay", limits::FAST_FORWARD + 1, Mode::Degraded);
    let (publisher, mut settings) = desk(Generation::clone(&generation()));
    publisher.order(&far, 2);
    let held = read_all(&settings).await.unwrap();
    assert_eq!(held.newest(&far.scope).unwrap().order.epoch, far.epoch);
    settings.generation = None;
    let held = read_all(&settings).await.unwrap();
    assert!(held.newest(&far.scope).is_none());
    let (_, why) = held.passed_over(None).next().unwrap();
    assert_eq!(why, "an epoch that no edge goes to");
}

#[tokio::test]
async fn of_orders_that_take_too_much_room_the_largest_is_named() {
    let publisher = Publisher::new();
    let settings = Settings::of(site(), Mirror::open(&publisher.url()).unwrap());
    let mut held = Held::default();
    for n in 0..80 {
        let mut large = order(&format!("service:s-{n}"), 1, Mode::Degraded);
        // The reason is all that an order holds without a limit of its own.
        large.why = "x".repeat(if n == 7 { 62_000 } else { 60_000 });
        held.put(&signed(&large, 2).envelope);
    }
    let given = signed(&order("service:pay", 1, Mode::Degraded), 2);
    let written = write_all(&settings, &held, &given, Instant::now()).await;
    let said = written[0].written.error.clone().unwrap();
    assert!(
        said.contains("the order about service:s-7 is the largest"),
        "{said}"
    );
    assert!(
        said.contains("edge order notice service:s-7 --clear"),
        "{said}"
    );
}
