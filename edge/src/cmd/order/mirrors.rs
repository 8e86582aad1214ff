//! The bundle on every mirror: read, merged to the newest of each scope, written, read back.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use snapshot::trust::accept_order;
use snapshot::{Digest, Envelope, Epoch, OfferedBundle, Order, Scope, limits};

use super::before;
use crate::cmd::ops::Settings;
use crate::cmd::{Exit, Fault};
use crate::sync::{Mirror, Place, wall_clock};

/// Two operators may write at once; each merges what the other wrote and tries again.
const TRIES: usize = 5;

/// An order in its envelope, from anywhere.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) order: Order,
    pub(super) digest: Digest,
    pub(super) envelope: Envelope,
}

impl Known {
    /// What the envelope says, whoever signed it; `None` if it is no order that is read here.
    pub(super) fn of(envelope: &Envelope) -> Option<Self> {
        let order: Order = snapshot::decode(envelope.payload(), limits::STATEMENT_BYTES).ok()?;
        (order.version == Order::VERSION).then(|| Self {
            order,
            digest: envelope.payload_digest(),
            envelope: envelope.clone(),
        })
    }

    /// What two orders of one scope are compared by.
    pub(super) fn rank(&self) -> (Epoch, Digest) {
        (self.order.epoch, self.digest)
    }
}

/// The newest order of each scope that any path gives.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    orders: BTreeMap<Scope, Known>,
    /// Paths that could not be read, with the reason.
    pub(super) unread: Vec<(String, String)>,
    /// Orders that are not believed here, in words.
    pub(super) passed_over: BTreeSet<String>,
}

/// What became of one mirror.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) url: String,
    /// An edge, which has it in force, and no mirror.
    pub(super) is_edge: bool,
    pub(super) error: Option<String>,
    /// Another order of the scope, of the same epoch, which lost.
    pub(super) beaten: Option<Known>,
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
        let Some(offered) = Known::of(envelope) else {
            return;
        };
        let (scope, epoch) = (&offered.order.scope, offered.order.epoch);
        if offered.order.site != settings.site {
            return;
        }
        // No scope has ever had that many orders, and no edge goes so far above what it has.
        if epoch.0 > limits::FAST_FORWARD {
            let words = format!("order {epoch} about {scope}: an epoch that no edge goes to");
            self.passed_over.insert(words);
            return;
        }
        if let Some(generation) = &settings.generation {
            let judged = accept_order(generation, envelope, &settings.site, wall_clock());
            if let Err(refusal) = judged {
                self.passed_over
                    .insert(format!("order {epoch} about {scope}: {refusal}"));
                return;
            }
        }
        let known = self.orders.get(&offered.order.scope);
        if known.is_none_or(|known| known.rank() < offered.rank()) {
            self.orders.insert(offered.order.scope.clone(), offered);
        }
    }

    #[cfg(test)]
    pub(super) fn put(&mut self, envelope: &Envelope) {
        let known = Known::of(envelope).unwrap();
        self.orders.insert(known.order.scope.clone(), known);
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

/// Writes `given`, with all that is known, to every path.
pub(super) async fn write_all(settings: &Settings, held: &Held, given: &Known) -> Vec<Written> {
    let mut all = held.clone();
    all.add(&given.envelope, settings);
    let previous = held.newest(&given.order.scope);
    let writes = settings.known_paths().iter().map(|mirror| {
        let all = all.clone();
        async move {
            let mut beaten = None;
            for known in [Some(given), previous].into_iter().flatten() {
                before::keep(mirror, settings, known).await;
            }
            let written = write(mirror, settings, all, given, &mut beaten).await;
            Written {
                url: mirror.url().to_string(),
                is_edge: mirror.is_edge(),
                error: written.err(),
                beaten,
            }
        }
    });
    join_all(writes).await
}

async fn write(
    mirror: &Mirror,
    settings: &Settings,
    mut all: Held,
    given: &Known,
    beaten: &mut Option<Known>,
) -> Result<(), String> {
    let place = Place::orders(&settings.site);
    let scope = &given.order.scope;
    let holds = |bundle: &OfferedBundle| {
        let mut envelopes = bundle.envelopes().iter();
        envelopes.any(|held| held.payload_digest() == given.digest)
    };
    for _ in 0..TRIES {
        // What another operator wrote meanwhile is kept.
        if let Ok(bundle) = read(mirror, settings).await {
            for envelope in bundle.envelopes() {
                all.add(envelope, settings);
                let other = Known::of(envelope).filter(|other| other.order.scope == *scope);
                let equal = other.filter(|other| other.order.epoch == given.order.epoch);
                if let Some(other) = equal.filter(|other| other.digest < given.digest) {
                    *beaten = Some(other);
                }
            }
        }
        let newer = all.newest(scope).filter(|held| held.rank() > given.rank());
        if let Some(newer) = newer {
            if newer.order.predecessor == Some(given.digest) {
                return Ok(());
            }
            let epoch = newer.order.epoch;
            return Err(format!(
                "another order of the scope lies there: order {epoch}"
            ));
        }
        let mut bundle = all.bundle()?;
        // Our own order goes out also where our own trust files would not accept it: the edges decide.
        if !holds(&bundle) {
            let put = bundle.put(given.envelope.clone());
            put.map_err(|error| error.to_string())?;
        }
        let bytes = bundle.to_bytes().map_err(|error| error.to_string())?;
        let put = mirror.put(&place, bytes).await;
        put.map_err(|error| error.to_string())?;
        let now = read(mirror, settings).await?;
        // Who follows this order has it behind him.
        let follows = |known: &Known| known.order.predecessor == Some(given.digest);
        if holds(&now)
            || now
                .envelopes()
                .iter()
                .filter_map(Known::of)
                .any(|k| follows(&k))
        {
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
        let payload = encode(&order("service:pay", 1, Mode::Degraded)).unwrap();
        let mut envelope = Envelope::seal(payload);
        envelope.sign_with(&signer(2), Namespace::Order).unwrap();
        let given = Known::of(&envelope).unwrap();
        let written = write_all(&settings, &Held::default(), &given).await;
        let error = written[0].error.clone().unwrap();
        assert!(
            error.starts_with("dasom/orders on mirror file:///"),
            "{error}"
        );
        assert!(error.ends_with(": others kept writing over it"), "{error}");
        assert_eq!(contended.puts.load(Ordering::Relaxed), TRIES);
    }
}
