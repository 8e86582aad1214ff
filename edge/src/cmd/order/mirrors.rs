//! The bundle on every mirror: read, merged to the newest of each scope, written, read back.

use std::collections::BTreeMap;

use futures::future::join_all;
use snapshot::trust::accept_order;
use snapshot::{Digest, Envelope, OfferedBundle, Order, Scope, limits};

use crate::cmd::ops::Settings;
use crate::cmd::{Exit, Fault};
use crate::sync::{Mirror, Place, wall_clock};

/// Two operators may write at once; each merges what the other wrote and tries again.
const TRIES: usize = 5;

/// An order that lies on a mirror.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) order: Order,
    pub(super) digest: Digest,
    pub(super) envelope: Envelope,
}

/// The newest order of each scope on any mirror.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    orders: BTreeMap<Scope, Known>,
    /// Mirrors that could not be read, with the reason.
    pub(super) unread: Vec<(String, String)>,
}

/// What became of one mirror.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) url: String,
    /// An edge, which has it in force, and no mirror.
    pub(super) is_edge: bool,
    pub(super) error: Option<String>,
}

impl Held {
    pub(super) fn newest(&self, scope: &Scope) -> Option<&Known> {
        self.orders.get(scope)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.orders.values()
    }

    /// Takes in an envelope if it is the greater: by epoch, then by digest.
    fn add(&mut self, envelope: &Envelope, settings: &Settings) {
        let order = snapshot::decode::<Order>(envelope.payload(), limits::STATEMENT_BYTES);
        let Ok(order) = order else {
            return;
        };
        if order.site != settings.site || order.version != Order::VERSION {
            return;
        }
        if let Some(generation) = &settings.generation
            && accept_order(generation, envelope, &settings.site, wall_clock()).is_err()
        {
            return;
        }
        let digest = envelope.payload_digest();
        let rank = (order.epoch, digest);
        let known = self.orders.get(&order.scope);
        if known.is_none_or(|known| (known.order.epoch, known.digest) < rank) {
            let known = Known {
                digest,
                envelope: envelope.clone(),
                order,
            };
            self.orders.insert(known.order.scope.clone(), known);
        }
    }

    fn bundle(&self) -> Result<OfferedBundle, String> {
        let mut bundle = OfferedBundle::default();
        for known in self.orders.values() {
            bundle
                .put(known.envelope.clone())
                .map_err(|error| error.to_string())?;
        }
        Ok(bundle)
    }
}

/// Reads every mirror. At least one must answer: an order made in ignorance of the one before it
/// could be older than it.
pub(super) async fn read_all(settings: &Settings) -> Result<Held, Fault> {
    let paths = settings.paths()?;
    let bundles = join_all(paths.iter().map(|mirror| read(mirror, settings))).await;
    let mut held = Held::default();
    for (mirror, bundle) in paths.iter().zip(bundles) {
        match bundle {
            Ok(bundle) => {
                for envelope in bundle.envelopes() {
                    held.add(envelope, settings);
                }
            }
            Err(reason) => held.unread.push((mirror.url().to_string(), reason)),
        }
    }
    if held.unread.len() < paths.len() {
        return Ok(held);
    }
    let reasons: Vec<&str> = held
        .unread
        .iter()
        .map(|(_, reason)| reason.as_str())
        .collect();
    let fault = Fault::new(Exit::NoMirror, reasons.join("\nedge: "));
    Err(fault.hint("give a mirror or an edge that answers with --via URL"))
}

/// Writes `envelope`, with all that is known, to every mirror.
pub(super) async fn write_all(
    settings: &Settings,
    held: &Held,
    envelope: Envelope,
) -> Vec<Written> {
    let mut all = held.clone();
    all.add(&envelope, settings);
    // Our own order goes out also where our own trust files would not accept it: the edges decide.
    let digest = envelope.payload_digest();
    let writes = settings.known_paths().iter().map(|mirror| {
        let (all, envelope) = (all.clone(), envelope.clone());
        async move {
            let written = write(mirror, settings, all, envelope, digest).await;
            Written {
                url: mirror.url().to_string(),
                is_edge: mirror.is_edge(),
                error: written.err(),
            }
        }
    });
    join_all(writes).await
}

async fn write(
    mirror: &Mirror,
    settings: &Settings,
    mut all: Held,
    envelope: Envelope,
    digest: Digest,
) -> Result<(), String> {
    let place = Place::orders(&settings.site);
    let holds = |bundle: &OfferedBundle| {
        bundle
            .envelopes()
            .iter()
            .any(|held| held.payload_digest() == digest)
    };
    for _ in 0..TRIES {
        // What another operator wrote meanwhile is kept.
        if let Ok(bundle) = read(mirror, settings).await {
            for envelope in bundle.envelopes() {
                all.add(envelope, settings);
            }
        }
        let mut bundle = all.bundle()?;
        if !holds(&bundle) {
            let order = snapshot::decode::<Order>(envelope.payload(), limits::STATEMENT_BYTES);
            let newer = order
                .ok()
                .and_then(|order| all.newest(&order.scope).cloned());
            if let Some(newer) = newer {
                let epoch = newer.order.epoch;
                return Err(format!(
                    "a newer order lies there: epoch {epoch}; run show, then again"
                ));
            }
            bundle
                .put(envelope.clone())
                .map_err(|error| error.to_string())?;
        }
        let bytes = bundle.to_bytes().map_err(|error| error.to_string())?;
        mirror
            .put(&place, bytes)
            .await
            .map_err(|error| error.to_string())?;
        if holds(&read(mirror, settings).await?) {
            return Ok(());
        }
    }
    Err(format!(
        "{place} on mirror {}: others kept writing over it",
        mirror.url()
    ))
}

async fn read(mirror: &Mirror, settings: &Settings) -> Result<OfferedBundle, String> {
    let place = Place::orders(&settings.site);
    let bytes = mirror
        .read(&place, limits::BUNDLE_BYTES)
        .await
        .map_err(|e| e.to_string())?;
    match bytes {
        None => Ok(OfferedBundle::default()),
        // Whoever wrote something unreadable there loses it: the edges would not read it either.
        Some(bytes) => Ok(OfferedBundle::from_bytes(&bytes).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
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
    use snapshot::{Namespace, encode};

    use super::*;
    use crate::fixture::{Publisher, order, signer, site};

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
        async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
            self.puts.fetch_add(1, Ordering::Relaxed);
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
        let payload = encode(&order("service:pay", 1, Mode::Degraded)).unwrap();
        let mut envelope = Envelope::seal(payload);
        envelope.sign_with(&signer(2), Namespace::Order).unwrap();
        let written = write_all(&settings, &Held::default(), envelope).await;
        let error = written[0].error.clone().unwrap();
        assert!(
            error.starts_with("dasom/orders on mirror file:///"),
            "{error}"
        );
        assert!(error.ends_with(": others kept writing over it"), "{error}");
        assert_eq!(contended.puts.load(Ordering::Relaxed), TRIES);
    }
}
