//! The bundle on every mirror: read, merged to the newest of each scope, written, read back.

use std::collections::BTreeMap;

use futures::future::join_all;
use snapshot::trust::accept_order;
use snapshot::{
    CodecError, Digest, Envelope, Epoch, OfferedBundle, Order, Scope, Timestamp, limits,
};
use tokio::time::Instant;

use super::before;
use crate::cmd::ops::Settings;
use crate::cmd::ops::busy::patiently;
use crate::cmd::ops::written::Written;
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
    /// Orders that are not believed here, with the reason.
    passed_over: BTreeMap<Digest, (Known, String)>,
    /// Why the signatures of an order hold no longer that did when it was given.
    lapsed: BTreeMap<Digest, String>,
}

/// What became of one path.
#[derive(Clone, Debug)]
pub(super) struct Brought {
    pub(super) written: Written,
    /// Another order of the scope, of the same epoch, which lost.
    pub(super) beaten: Option<Known>,
}

/// What an order from somewhere is worth here.
enum Worth {
    /// Its signatures hold.
    Believed,
    /// They held when it was given: who has it in force goes on obeying it, so it is built on.
    History(String),
    /// None of it counts; why.
    Nothing(String),
}

impl Held {
    pub(super) fn newest(&self, scope: &Scope) -> Option<&Known> {
        self.orders.get(scope)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.orders.values()
    }

    /// Orders about `scope`, or about any, that are not believed here, each with the reason.
    pub(super) fn passed_over(
        &self,
        scope: Option<&Scope>,
    ) -> impl Iterator<Item = &(Known, String)> {
        let all = self.passed_over.values();
        all.filter(move |(known, _)| scope.is_none_or(|scope| known.order.scope == *scope))
    }

    /// Why its signatures hold no longer, if they do not.
    pub(super) fn lapsed(&self, known: &Known) -> Option<&str> {
        self.lapsed.get(&known.digest).map(String::as_str)
    }

    /// What is known of `scope` is not what is in force.
    pub(super) fn forget(&mut self, scope: &Scope) {
        self.orders.remove(scope);
    }

    /// Takes in an envelope if it is the greater: by epoch, then by digest.
    fn add(&mut self, envelope: &Envelope, settings: &Settings) {
        let Some(offered) = Known::of(envelope) else {
            return;
        };
        if offered.order.site != settings.site {
            return;
        }
        match worth(&offered, settings, wall_clock()) {
            Worth::Believed => {}
            Worth::History(why) => {
                self.lapsed.insert(offered.digest, why);
            }
            Worth::Nothing(why) => {
                self.passed_over.insert(offered.digest, (offered, why));
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

/// Judges an order as an edge does that hears of it now, and else as one did that heard of it when it was
/// signed: a key that has ended since does not undo what was ordered with it.
fn worth(offered: &Known, settings: &Settings, now: Timestamp) -> Worth {
    let judge = |at| {
        let generation = settings.generation.as_ref()?;
        let judged = accept_order(generation, &offered.envelope, &settings.site, at);
        Some(judged.map(|_| ()))
    };
    let judged = judge(now);
    if let Some(Ok(())) = judged {
        return Worth::Believed;
    }
    // No scope has ever had that many orders, and no edge goes so far above what it has.
    if offered.order.epoch.0 > limits::FAST_FORWARD {
        return Worth::Nothing("an epoch that no edge goes to".to_owned());
    }
    let then = offered.order.signed_at;
    match judged {
        None | Some(Ok(())) => Worth::Believed,
        Some(Err(refusal)) if then < now && judge(then).is_some_and(|held| held.is_ok()) => {
            Worth::History(refusal.to_string())
        }
        Some(Err(refusal)) => Worth::Nothing(refusal.to_string()),
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

/// Writes `given`, with all that is known, to every path; to one that is busy until then again.
pub(super) async fn write_all(
    settings: &Settings,
    held: &Held,
    given: &Known,
    until: Instant,
) -> Vec<Brought> {
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
            let written = write(mirror, settings, all, (given, until), &mut beaten).await;
            Brought {
                written: Written::new(mirror, written),
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
    (given, until): (&Known, Instant),
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
        let bytes = bundle.to_bytes();
        let bytes = bytes.map_err(|error| too_large(&bundle, &error))?;
        patiently(until, async || mirror.put(&place, bytes.clone()).await).await?;
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

/// Names the order that takes most of the room.
fn too_large(bundle: &OfferedBundle, error: &CodecError) -> String {
    let each = bundle.envelopes().iter().filter_map(|envelope| {
        let bytes = envelope.to_bytes().ok()?.len();
        Some((bytes, Known::of(envelope)?.order.scope))
    });
    match each.max_by_key(|(bytes, _)| *bytes) {
        None => error.to_string(),
        Some((bytes, scope)) => format!(
            "{error}; the order about {scope} is the largest, {bytes} bytes: take its notices away \
             with  edge order notice {scope} --clear"
        ),
    }
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
mod tests;
