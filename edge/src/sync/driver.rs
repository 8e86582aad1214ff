//! Carries out what [`super::core`] decides: asks mirrors, fetches, loads, writes down, switches.
//!
//! Opening reads this disk only and is quick, so that a restart with everything out of reach
//! answers at once; following begins after. A release is in use only after the journal says so.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use snapshot::trust::{AcceptedRelease, Generation, Refusal as TrustRefusal, accept_release};
use snapshot::{Digest, Envelope, Namespace, NodeCache, Store};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::checks::{check, plan, seed, stopped, unloadable, unordered, untrusted};
use super::core::{Action, Core, Event, Job, Polled};
use super::fetch::bring;
use super::journal::Journal;
use super::kept::{Kept, OpenError};
use super::mirror::{Fetched, MirrorError};
use super::refusal::{Check, Refusal};
use super::source::{Answers, Source, poll, sources};
use super::state::{SiteState, wall_clock};
use super::status::rfc3339;
use super::work::{Offer, SourceId};
use crate::config::Site;
use crate::copy::{Canaries, LoadedRelease};
use crate::host::Host;
use crate::orders::OrdersKeeper;

/// Keeps one site up to date.
#[derive(Debug)]
pub struct Follower {
    state: Arc<SiteState>,
    store: Arc<Store>,
    host: Arc<Host>,
    cache: NodeCache,
    generation: Arc<Generation>,
    sources: Vec<Source>,
    journal: Journal,
    orders: OrdersKeeper,
    core: Core,
    /// The release that passed its checks and waits to be switched to.
    checked: Option<(Job, Arc<LoadedRelease>)>,
    orders_kept: bool,
}

/// What a task brings back.
enum Done {
    Answered(SourceId, Box<Answers>),
    Checked(Job, Result<Arc<LoadedRelease>, Refusal>),
    Event(Event),
}

impl Follower {
    /// Opens what this disk holds of `site`, below `data`, and puts it in use. Asks no network.
    ///
    /// # Errors
    /// See [`OpenError`]. A damaged journal or release is no error: the alarm is in the status, and
    /// following repairs it.
    pub async fn open(
        site: &Site,
        data: &Path,
        host: Arc<Host>,
        cache: NodeCache,
    ) -> Result<Self, OpenError> {
        let name = site.name.clone();
        let sources = sources(site)?;
        let root = data.join("sites").join(name.as_str());
        let opened = spawn_blocking(move || Kept::open(&root, &name)).await;
        let kept = opened.map_err(|_| OpenError::Stopped)?;
        let kept = kept.map_err(|error| OpenError::Store {
            site: site.name.clone(),
            source: Box::new(error),
        })?;
        let (hosts, time) = (site.hosts.clone(), kept.journal.time);
        let state = SiteState::new(site.name.clone(), hosts, time, kept.orders.orders());
        let names = site.mirrors.iter().map(ToString::to_string).collect();
        let mut follower = Self {
            state: Arc::new(state),
            store: Arc::new(kept.store),
            host,
            cache,
            generation: Arc::clone(&site.generation),
            sources,
            journal: kept.journal,
            orders: kept.orders,
            core: Core::new(names, site.poll, None, 0),
            checked: None,
            orders_kept: true,
        };
        for alarm in kept.alarms {
            follower.alarm(alarm);
        }
        let serving = follower.resume().await;
        let names = site.mirrors.iter().map(ToString::to_string).collect();
        follower.core = Core::new(names, site.poll, serving, seed());
        follower.publish();
        Ok(follower)
    }

    /// What the rest of the edge sees.
    #[must_use]
    pub fn state(&self) -> Arc<SiteState> {
        Arc::clone(&self.state)
    }

    /// Follows the mirrors until `stop`. A release is tried with `canaries` before it is used.
    pub async fn run(mut self, canaries: Arc<dyn Canaries>, stop: CancellationToken) {
        let started = Instant::now();
        let mut tasks: JoinSet<Done> = JoinSet::new();
        let mut events = VecDeque::from([Event::Tick]);
        loop {
            while let Some(event) = events.pop_front() {
                for action in self.core.handle(started.elapsed(), event) {
                    let event = self.act(action, &canaries, &mut tasks).await;
                    events.extend(event);
                }
                self.publish();
            }
            let wake = self.core.wake().map(|wake| started + wake);
            let tick = async {
                match wake {
                    Some(wake) => sleep_until(wake).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tick => events.push_back(Event::Tick),
                Some(done) = tasks.join_next() => match done {
                    Ok(done) => events.push_back(self.done(done).await),
                    Err(error) => self.alarm(format!("a task of sync broke off: {error}")),
                },
            }
        }
    }

    /// Puts the release of the last run in use again, if it is still believed and whole.
    async fn resume(&mut self) -> Option<Offer> {
        let accepted = self.journal.release.clone()?;
        let (site, keys) = (self.state.name().clone(), accepted.signers.keys());
        if !self
            .generation
            .still_trusts(&keys, Namespace::Release, &site, None)
        {
            let sequence = accepted.release.sequence;
            self.alarm(format!(
                "release {sequence} is kept but not used: its signers are no longer trusted"
            ));
            return None;
        }
        let (store, release) = (Arc::clone(&self.store), accepted.release.clone());
        match LoadedRelease::open(store, &self.host, &self.cache, release).await {
            Ok(loaded) => {
                self.use_release(Arc::new(loaded), &accepted);
                Some(Offer(Arc::new(accepted)))
            }
            Err(error) => {
                self.alarm(format!("the release on this disk does not open: {error}"));
                None
            }
        }
    }

    async fn act(
        &mut self,
        action: Action,
        canaries: &Arc<dyn Canaries>,
        tasks: &mut JoinSet<Done>,
    ) -> Option<Event> {
        let site = self.state.name().clone();
        match action {
            Action::Poll(id) => {
                let source = self.sources.get(id)?;
                let (mirror, release) = (source.mirror.clone(), source.release_etag.clone());
                let orders = source.orders_etag.clone();
                tasks.spawn(async move {
                    let answers = poll(&mirror, &site, release, orders).await;
                    Done::Answered(id, Box::new(answers))
                });
            }
            Action::Plan(job, offer) => {
                let (store, known) = (Arc::clone(&self.store), self.held());
                tasks.spawn(async move {
                    let planned = spawn_blocking(move || plan(&store, offer.release(), &known));
                    let planned = planned.await.unwrap_or_else(|_| Err(stopped()));
                    Done::Event(Event::Planned(job, planned))
                });
            }
            Action::Fetch(job, id, want) => {
                let (store, mirror) = (
                    Arc::clone(&self.store),
                    self.sources.get(id)?.mirror.clone(),
                );
                tasks.spawn(async move {
                    let object = want.digest;
                    let brought = bring(store, mirror, site, want).await;
                    let brought = brought.map_err(|error| error.to_string());
                    Done::Event(Event::Fetched(job, id, object, brought))
                });
            }
            Action::Check(job, offer) => {
                let before = self
                    .state
                    .current()
                    .map(|current| Arc::clone(&current.manifest));
                let (store, host) = (Arc::clone(&self.store), Arc::clone(&self.host));
                let (cache, canaries) = (self.cache.clone(), Arc::clone(canaries));
                tasks.spawn(async move {
                    let release = offer.release().clone();
                    let opened = LoadedRelease::open(store, &host, &cache, release).await;
                    let checked = match opened {
                        Ok(loaded) => check(loaded, before.as_deref(), canaries.as_ref()).await,
                        Err(error) => Err(unloadable(&error)),
                    };
                    Done::Checked(job, checked)
                });
            }
            Action::Switch(job, offer) => {
                let switched = self.switch(job, &offer).await;
                return Some(Event::Switched(job, switched));
            }
            Action::Refuse(offer, refusal) => self.refuse(Some(&offer), &refusal),
        }
        None
    }

    async fn done(&mut self, done: Done) -> Event {
        match done {
            Done::Event(event) => event,
            Done::Checked(job, Ok(loaded)) => {
                self.checked = Some((job, loaded));
                Event::Checked(job, Ok(()))
            }
            Done::Checked(job, Err(refusal)) => Event::Checked(job, Err(refusal)),
            Done::Answered(id, answers) => {
                self.take_orders(id, answers.orders).await;
                Event::Polled(id, self.take_release(id, answers.release))
            }
        }
    }

    fn take_release(&mut self, id: SourceId, answer: Result<Fetched, MirrorError>) -> Polled {
        let now = self.state.edge_time();
        let Some(source) = self.sources.get_mut(id) else {
            return Polled::Unreachable;
        };
        let mirror = source.mirror.url().to_string();
        match answer {
            Err(error) => {
                source.status.error = Some(error.to_string());
                if !matches!(error, MirrorError::TooLarge { .. }) {
                    return Polled::Unreachable;
                }
                source.forget();
                self.refuse(None, &untrusted(mirror, error.to_string()));
                return Polled::Refused;
            }
            Ok(Fetched::Missing) => {
                source.forget();
                source.status.last_answer = Some(rfc3339(now));
                source.status.error = Some("it holds no release of this site".to_owned());
                return Polled::Nothing;
            }
            Ok(Fetched::Found { bytes, etag }) => {
                source.forget();
                (source.release, source.release_etag) = (Some(bytes), etag);
            }
            Ok(Fetched::Unchanged) => {}
        }
        source.status.last_answer = Some(rfc3339(now));
        source.status.error = None;
        if let Some(offer) = &source.offer {
            return Polled::Offers(offer.clone());
        }
        let Some(bytes) = source.release.clone() else {
            return Polled::Nothing;
        };
        match self.judge(&bytes) {
            Ok(offer) => {
                if let Some(source) = self.sources.get_mut(id) {
                    source.status.offers = Some(offer.release().sequence.0);
                    source.offer = Some(offer.clone());
                }
                Polled::Offers(offer)
            }
            Err(refusal) => {
                if let Some(source) = self.sources.get_mut(id) {
                    source.status.error = Some(refusal.to_string());
                }
                if matches!(refusal, TrustRefusal::SameSequenceOtherManifest { .. }) {
                    self.alarm(refusal.to_string());
                }
                self.refuse(None, &untrusted(mirror, refusal.to_string()));
                Polled::Refused
            }
        }
    }

    /// Whether a release is believed; asked again at each poll while it is not.
    fn judge(&mut self, bytes: &[u8]) -> Result<Offer, TrustRefusal> {
        let envelope = Envelope::from_bytes(bytes)?;
        let (site, now) = (self.state.name().clone(), self.state.edge_time());
        let floor = &self.journal.floor;
        let (accepted, alarms) = accept_release(&self.generation, &envelope, &site, floor, now)?;
        for alarm in alarms {
            self.alarm(alarm.to_string());
        }
        Ok(Offer(Arc::new(accepted)))
    }

    /// Orders are no reason to think worse of a mirror: what cannot be read changes nothing.
    async fn take_orders(&mut self, id: SourceId, answer: Result<Fetched, MirrorError>) {
        let Some(source) = self.sources.get_mut(id) else {
            return;
        };
        let mirror = source.mirror.url().to_string();
        let (bytes, etag) = match answer {
            Ok(Fetched::Found { bytes, etag }) => (bytes, etag),
            Ok(Fetched::Missing) => return source.orders_etag = None,
            Ok(Fetched::Unchanged) | Err(_) => return self.keep_orders(false).await,
        };
        let mut time = self.journal.time;
        let taken = self
            .orders
            .take(&bytes, &self.generation, &mut time, wall_clock());
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                source.orders_etag = etag;
                return self.refuse(None, &unordered(mirror, error.to_string()));
            }
        };
        source.orders_etag = etag.filter(|_| !taken.again);
        for refusal in &taken.refused {
            // A mirror that lags behind the others is no news.
            if !matches!(refusal, TrustRefusal::OldOrder { .. }) {
                self.refuse(None, &unordered(mirror.clone(), refusal.to_string()));
            }
        }
        for alarm in &taken.alarms {
            self.alarm(alarm.to_string());
        }
        for order in &taken.accepted {
            let (scope, epoch) = (&order.order.scope, order.order.epoch);
            let mode = order.order.mode.as_str();
            tracing::info!(site = %self.state.name(), %scope, %epoch, mode, "order accepted");
        }
        self.journal.time = time;
        self.state.set_time(time);
        self.keep_orders(!taken.accepted.is_empty()).await;
    }

    /// Writes accepted orders down, then puts them in force. A disk that fails is tried again at
    /// each poll; the orders come into force all the same, since holding them back helps nobody.
    async fn keep_orders(&mut self, changed: bool) {
        if !changed && self.orders_kept {
            return;
        }
        let kept = self.write_orders().await;
        self.orders_kept = kept.is_ok();
        if let Err(reason) = kept {
            self.alarm(format!("orders are in force but not on disk: {reason}"));
        }
        if changed {
            self.state.order(self.orders.orders());
        }
    }

    async fn write_orders(&self) -> Result<(), String> {
        let (store, journal) = (Arc::clone(&self.store), self.journal.clone());
        let keeper = self.orders.clone();
        let write = move || {
            keeper.keep(&store).map_err(|error| error.to_string())?;
            journal.write(&store).map_err(|error| error.to_string())
        };
        spawn_blocking(write)
            .await
            .unwrap_or_else(|_| Err("stopped".to_owned()))
    }

    /// Writes the release down and puts it in use.
    async fn switch(&mut self, job: Job, offer: &Offer) -> Result<(), Refusal> {
        let accepted = offer.0.as_ref();
        let loaded = match (self.checked.take(), self.state.current()) {
            (Some((checked, loaded)), _) if checked == job => loaded,
            (_, Some(current)) if current.release.manifest == accepted.release.manifest => {
                Arc::new(current.restated(accepted.release.clone()))
            }
            _ => return Err(stopped()),
        };
        let mut journal = self.journal.clone();
        journal.floor.raise(accepted.mark());
        journal.time.advance(accepted.time());
        journal.release = Some(accepted.clone());
        let (store, written) = (Arc::clone(&self.store), journal.clone());
        let write = spawn_blocking(move || written.write(&store).map_err(|e| e.to_string()));
        let write = write.await.unwrap_or_else(|_| Err("stopped".to_owned()));
        write.map_err(|reason| Refusal::new(Check::Disk, None, reason))?;
        self.journal = journal;
        self.use_release(loaded, accepted);
        Ok(())
    }

    fn use_release(&mut self, loaded: Arc<LoadedRelease>, accepted: &AcceptedRelease) {
        let release = &accepted.release;
        let (sequence, manifest) = (release.sequence, release.manifest.short());
        tracing::info!(site = %self.state.name(), %sequence, manifest, "release in use");
        let persons = accepted.signers.persons();
        self.state.progress().signers = persons.into_iter().map(str::to_owned).collect();
        self.state.set_time(self.journal.time);
        self.state.switch(loaded);
    }

    /// The segments of the release in use: whole on this disk, blobs included.
    fn held(&self) -> BTreeSet<Digest> {
        let current = self.state.current();
        let collections = current
            .iter()
            .flat_map(|current| &current.manifest.collections);
        collections
            .flat_map(|collection| collection.segments.iter().map(|entry| entry.id))
            .collect()
    }

    fn refuse(&self, offer: Option<&Offer>, refusal: &Refusal) {
        let now = self.state.edge_time();
        if self.state.progress().history.refused(offer, refusal, now) {
            let sequence = offer.map(|offer| offer.release().sequence.0);
            tracing::warn!(site = %self.state.name(), sequence, "refused: {refusal}");
        }
    }

    fn alarm(&self, text: String) {
        let now = self.state.edge_time();
        if self.state.progress().history.alarm(text.clone(), now) {
            tracing::error!(site = %self.state.name(), "{text}");
        }
    }

    fn publish(&self) {
        let sources = self
            .sources
            .iter()
            .map(|source| source.status.clone())
            .collect();
        let mut progress = self.state.progress();
        progress.doing = self.core.doing();
        progress.sources = sources;
    }
}
