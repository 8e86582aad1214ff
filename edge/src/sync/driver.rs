//! Carries out what [`super::core`] decides: asks mirrors, fetches, loads, writes down, switches.
//!
//! Opening reads this disk only and is quick, so that a restart with everything out of reach
//! answers at once; following begins after. A release is in use only after the journal says so.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use snapshot::trust::Novelty;
use snapshot::{Digest, NodeCache, Store};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::checks::{check, plan, seed, stopped, unloadable};
use super::core::{Action, Core, Event, Job};
use super::fetch::{Fetch, bring};
use super::journal::Journal;
use super::kept::{Kept, OpenError};
use super::lazy::{LazyReads, forget as forget_lazy};
use super::merge::MergeFault;
use super::noted::Noted;
use super::pace::Pace;
use super::pushed::{PassingOn, Pushed, Pushes};
use super::refusal::Refusal;
use super::scrub::Scrub;
use super::source::{Answers, Source, poll, sources};
use super::state::SiteState;
use super::succession::{Looked, look};
use super::sweep::{Sweeping, Swept};
use super::work::{Offer, SourceId};
use crate::config::Site;
use crate::copy::{Canaries, Kind, Lazy, LoadedRelease, Want};
use crate::host::Host;
use crate::log::Log;
use crate::mode::{ModeMemory, memory};
use crate::orders::OrdersKeeper;
use crate::peer::Shelf;
use crate::trust::TrustKeeper;

/// Keeps one site up to date.
#[derive(Debug)]
pub struct Follower {
    pub(super) state: Arc<SiteState>,
    pub(super) store: Arc<Store>,
    host: Arc<Host>,
    pub(super) cache: NodeCache,
    pub(super) trust: TrustKeeper,
    /// Where the site's own trust files are.
    trust_dir: PathBuf,
    pub(super) sources: Vec<Source>,
    pub(super) journal: Journal,
    pub(super) orders: OrdersKeeper,
    pub(super) core: Core,
    /// The core's time is the time since then.
    started: Instant,
    pace: Arc<Pace>,
    /// Stops what is being fetched of the release that is brought in.
    fetches: CancellationToken,
    pub(super) sweeping: Sweeping,
    /// What was remembered of the services, until somebody takes it.
    modes: memory::Services,
    /// The release that passed its checks and waits to be switched to.
    pub(super) checked: Option<(Job, Arc<LoadedRelease>)>,
    /// Segments merged for the release that is being brought in, known to be whole, blobs included.
    pub(super) whole: BTreeMap<Digest, Kind>,
    pub(super) orders_kept: bool,
    pub(super) trust_kept: bool,
    /// Orders and successions that are brought here, and those that are on their way to peers.
    pushes: (Pushes, mpsc::Receiver<Pushed>),
    pub(super) passing_on: PassingOn,
    pub(super) noted: Noted,
    /// What is not held whole.
    pub(super) lazy: Lazy,
    /// How fast what is held is read again, bytes a second.
    scrub: u64,
}

/// What a task brings back.
pub(super) enum Done {
    Answered(SourceId, Box<Answers>),
    Checked(Job, Result<Arc<LoadedRelease>, Refusal>),
    Merged(Job, Want, Result<(), MergeFault>),
    Reopened(Job, Want, Result<Arc<LoadedRelease>, String>),
    Swept(Swept),
    Looked(Looked),
    Event(Event),
}

impl Follower {
    /// Opens what this disk holds of `site`, below `data`, and puts it in use. Asks no network. What
    /// happens is noted in `log`.
    ///
    /// # Errors
    /// See [`OpenError`]. A damaged journal or release is no error: the alarm is in the status, and
    /// following repairs it.
    pub async fn open(
        site: &Site,
        data: &Path,
        host: Arc<Host>,
        cache: NodeCache,
        log: Log,
    ) -> Result<Self, OpenError> {
        let name = site.name.clone();
        let sources = sources(site)?;
        let root = data.join("sites").join(name.as_str());
        let (keep, files) = (site.keep, Arc::clone(&site.generation));
        let opened = spawn_blocking(move || Kept::open(&root, &name, &files, keep)).await;
        let kept = opened.map_err(|_| OpenError::Stopped)?;
        let kept = kept.map_err(|error| OpenError::Store {
            site: site.name.clone(),
            source: Box::new(error),
        })?;
        let (hosts, time) = (site.hosts.clone(), kept.journal.time);
        let state = SiteState::new(site.name.clone(), hosts, time, kept.orders.orders());
        let state = state.logging(log);
        state.given().orders_are(&kept.orders);
        let mut follower = Self {
            state: Arc::new(state),
            store: Arc::new(kept.store),
            host,
            cache,
            trust: kept.trust,
            trust_dir: site.trust.clone(),
            sources,
            journal: kept.journal,
            orders: kept.orders,
            core: Core::new(Vec::new(), site.poll, None, 0),
            started: Instant::now(),
            pace: Arc::default(),
            fetches: CancellationToken::new(),
            sweeping: kept.sweeping,
            modes: kept.modes,
            checked: None,
            whole: BTreeMap::new(),
            orders_kept: true,
            trust_kept: true,
            pushes: Pushes::new(),
            passing_on: PassingOn::default(),
            noted: Noted::default(),
            lazy: Lazy::default(),
            scrub: site.scrub,
        };
        follower.tell_trust();
        follower.open_lazy(site, data).await?;
        for alarm in kept.alarms {
            follower.remark(alarm);
        }
        for (what, why) in kept.damaged {
            let faults = &mut follower.state.progress().faults;
            faults.writes(what, Some(why));
        }
        follower.keep_read_only();
        let serving = follower.resume().await;
        let names = site
            .mirrors
            .iter()
            .chain(&site.peers)
            .map(ToString::to_string);
        let core = Core::new(names.collect(), site.poll, serving, seed());
        follower.core = core.with_peers(site.mirrors.len());
        follower.follow_pin();
        follower.publish();
        Ok(follower)
    }

    /// The same, taking no more from its sources than `pace` allows to all who share it.
    #[must_use]
    pub fn at_pace(self, pace: Arc<Pace>) -> Self {
        if let Some(lazy) = self.state.lazy_reads() {
            lazy.at_pace(&pace);
        }
        Self { pace, ..self }
    }

    /// What other edges are given of it.
    #[must_use]
    pub fn shelf(&self) -> Shelf {
        let (state, store) = (Arc::clone(&self.state), Arc::clone(&self.store));
        Shelf::new(state, store, self.cache.clone(), self.pushes.0.clone())
    }

    /// What was remembered of the services' modes when it was opened, and where that is kept.
    pub fn take_modes(&mut self) -> ModeMemory {
        let services = std::mem::take(&mut self.modes);
        ModeMemory::new(Arc::clone(&self.store), services)
    }

    /// What the rest of the edge sees.
    #[must_use]
    pub fn state(&self) -> Arc<SiteState> {
        Arc::clone(&self.state)
    }

    /// Follows the mirrors until `stop`. A release is tried with `canaries` before it is used.
    pub async fn run(self, canaries: Arc<dyn Canaries>, stop: CancellationToken) {
        let _scrub = Scrub::begin(&self.state, &self.store, self.scrub);
        self.follow(canaries, stop, false).await;
    }

    /// Follows them until every one was asked and nothing is left to do, or until `stop`.
    pub async fn once(self, canaries: Arc<dyn Canaries>, stop: CancellationToken) {
        self.follow(canaries, stop, true).await;
    }

    async fn follow(mut self, canaries: Arc<dyn Canaries>, stop: CancellationToken, once: bool) {
        let started = self.started;
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
            let due = self.sweeping.wake();
            let due = due.filter(|wake| *wake <= Instant::now());
            self.sweep(&mut tasks);
            if once && self.core.is_settled() && self.sweeping.wake().is_some() {
                break;
            }
            // What was due and did not begin waits for a release, which wakes this loop by itself.
            let sweep = self.sweeping.wake().filter(|wake| due != Some(*wake));
            let sweep = async {
                match sweep {
                    Some(wake) => sleep_until(wake).await,
                    None => std::future::pending().await,
                }
            };
            let current = self.state.current();
            let damaged = async {
                match &current {
                    Some(current) => current.damage.found().await,
                    None => std::future::pending().await,
                }
            };
            let wake = self.core.wake().map(|wake| started + wake);
            let tick = async {
                match wake {
                    Some(wake) => sleep_until(wake).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tick => events.push_back(Event::Tick),
                () = sweep => {}
                () = damaged => events.extend(self.damaged()),
                Some(pushed) = self.pushes.1.recv() => {
                    self.judge_pushed(pushed).await;
                    events.push_back(Event::Tick);
                }
                Some(done) = tasks.join_next() => match done {
                    Ok(done) => events.push_back(self.done(done).await),
                    Err(error) => self.remark(format!("a task of sync broke off: {error}")),
                },
            }
        }
        self.end_sweep(&mut tasks).await;
    }

    /// Opens what is kept of collections that are not held whole.
    async fn open_lazy(&mut self, site: &Site, data: &Path) -> Result<(), OpenError> {
        let root = data.join("sites").join(site.name.as_str()).join("lazy");
        let (names, limit) = (site.lazy.collections.clone(), site.lazy.cache_bytes);
        let mirrors = self.sources.iter().map(|source| source.mirror.clone());
        let of = (site.name.clone(), mirrors.collect());
        let (tally, runtime) = (Arc::clone(self.state.tally()), Handle::current());
        let open = move || match names.is_empty() {
            true => forget_lazy(&root).map(|()| None),
            false => LazyReads::open(&root, (names, limit), of, tally, runtime).map(Some),
        };
        let opened = spawn_blocking(open).await.map_err(|_| OpenError::Stopped)?;
        let opened = opened.map_err(|error| OpenError::Store {
            site: site.name.clone(),
            source: Box::new(error),
        })?;
        if let Some(lazy) = opened {
            self.lazy = lazy.lazy();
            self.state.reads_lazily(lazy);
        }
        Ok(())
    }

    /// Puts the release of the last run in use again, if it is still believed and whole.
    async fn resume(&mut self) -> Option<Offer> {
        let accepted = self.journal.release.clone()?;
        if !self.still_believes(&accepted) {
            let sequence = accepted.release.sequence;
            self.remark(format!(
                "release {sequence} is kept but not used: its signers are no longer trusted"
            ));
            return None;
        }
        let (store, release) = (Arc::clone(&self.store), accepted.release.clone());
        match LoadedRelease::open_with(store, &self.host, &self.cache, release, self.lazy.clone())
            .await
        {
            Ok(loaded) => {
                self.use_release(Arc::new(loaded), &accepted);
                Some(Offer(Arc::new(accepted)))
            }
            Err(error) => {
                self.remark(format!("the release on this disk does not open: {error}"));
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
                let (mirror, tags) = (source.mirror.clone(), source.tags());
                let looked_for = self.core.looks_for();
                if id == 0 {
                    self.look_at_files(tasks);
                }
                tasks.spawn(async move {
                    let answers = poll(&mirror, &site, tags, looked_for).await;
                    Done::Answered(id, Box::new(answers))
                });
            }
            Action::Plan(job, offer, barred) => {
                let (store, mut known) = (Arc::clone(&self.store), self.held());
                known.extend(self.whole.clone());
                let lazy = self.lazy.clone();
                tasks.spawn(async move {
                    let plan = move || plan(&store, offer.release(), &known, &barred, &lazy);
                    let planned = spawn_blocking(plan);
                    let planned = planned.await.unwrap_or_else(|_| Err(stopped()));
                    Done::Event(Event::Planned(job, planned))
                });
            }
            Action::Fetch(job, errand) => {
                let id = errand.source;
                let source = self.sources.get(id)?;
                let fetch = Fetch {
                    store: Arc::clone(&self.store),
                    mirror: source.mirror.clone(),
                    site,
                    want: errand.want,
                    patient: errand.patient,
                    pace: Arc::clone(&self.pace),
                    tally: Arc::clone(self.state.tally()),
                    stop: self.fetches.clone(),
                };
                tasks.spawn(async move {
                    let object = fetch.want.digest;
                    let brought = bring(fetch).await.map_err(Into::into);
                    Done::Event(Event::Fetched(job, id, object, brought))
                });
            }
            Action::Merge(job, want) => self.merge(job, want, tasks),
            Action::Check(job, offer) => {
                // Whoever pins an older release means it to hold what it holds.
                let before = self.state.current();
                let before = before.filter(|_| offer.0.novelty != Novelty::Pinned);
                let before = before.map(|current| Arc::clone(&current.manifest));
                let (store, host) = (Arc::clone(&self.store), Arc::clone(&self.host));
                let (cache, canaries) = (self.cache.clone(), Arc::clone(canaries));
                let lazy = self.lazy.clone();
                tasks.spawn(async move {
                    let release = offer.release().clone();
                    let opened =
                        LoadedRelease::open_with(store, &host, &cache, release, lazy).await;
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
            Action::Refuse(offer, refusal) => {
                std::mem::take(&mut self.fetches).cancel();
                self.whole.clear();
                self.fails(&offer, &refusal);
                self.refuse(Some(&offer), &refusal);
            }
            Action::Inspect(job, want) => self.inspect(job, want, tasks),
            Action::Reopen(job, want) => self.reopen(job, want, tasks),
            Action::Unrepaired(want, refusal) => self.unrepaired(&want, &refusal),
        }
        None
    }

    async fn done(&mut self, done: Done) -> Event {
        match done {
            Done::Event(event) => event,
            Done::Swept(swept) => {
                self.swept(swept);
                Event::Tick
            }
            Done::Checked(job, Ok(loaded)) => {
                self.checked = Some((job, loaded));
                Event::Checked(job, Ok(()))
            }
            Done::Checked(job, Err(refusal)) => Event::Checked(job, Err(refusal)),
            Done::Merged(job, want, made) => self.merged(job, want, made),
            Done::Reopened(job, want, reopened) => {
                let reopened = reopened.map(|release| self.repaired(&want, release));
                Event::Reopened(job, reopened)
            }
            Done::Looked(looked) => {
                self.take_files(looked).await;
                Event::Tick
            }
            Done::Answered(id, answers) => {
                // First whom to believe, then what they say.
                self.take_trust(id, answers.trust).await;
                self.take_orders(id, answers.orders).await;
                self.take_pinned(id, answers.pinned);
                Event::Polled(id, self.take_release(id, answers.release))
            }
        }
    }

    /// Whether the site's own trust files have changed: once a round, as often as its sources are asked.
    fn look_at_files(&self, tasks: &mut JoinSet<Done>) {
        let (dir, site) = (self.trust_dir.clone(), self.state.name().clone());
        let seen = self.trust.seen();
        tasks.spawn(async move {
            let looked = spawn_blocking(move || look(&dir, &site, seen)).await;
            Done::Looked(looked.unwrap_or_default())
        });
    }

    /// Notes a refused release.
    pub(super) fn refuse(&self, offer: Option<&Offer>, refusal: &Refusal) {
        if self.is_new(offer, refusal) {
            self.note_refusal(offer.map(|offer| offer.release().sequence.0), refusal);
        }
    }

    /// Whether this was not refused for the same reason before.
    pub(super) fn is_new(&self, offer: Option<&Offer>, refusal: &Refusal) -> bool {
        let now = self.state.edge_time();
        let is_new = self.state.progress().history.refused(offer, refusal, now);
        if is_new {
            let sequence = offer.map(|offer| offer.release().sequence.0);
            tracing::warn!(site = %self.state.name(), sequence, "refused: {refusal}");
        }
        is_new
    }

    pub(super) fn remark(&self, text: String) {
        let now = self.state.edge_time();
        if self.state.progress().history.remark(text.clone(), now) {
            tracing::error!(site = %self.state.name(), "{text}");
        }
    }

    fn publish(&self) {
        let now = self.started.elapsed();
        let sources = self.sources.iter().enumerate();
        let sources = sources.map(|(id, source)| {
            let mut status = source.status.clone();
            if let Some(health) = self.core.health(id) {
                status.be(health, now);
            }
            status
        });
        let sources: Vec<_> = sources.collect();
        if let Some(lazy) = self.state.lazy_reads() {
            lazy.aside(sources.iter().map(|source| source.aside_s > 0));
        }
        let mut progress = self.state.progress();
        progress.fetching = self.core.fetching();
        progress.doing = self.core.doing();
        progress.sources = sources;
        drop(progress);
        self.settle_faults();
        self.tell_left_behind();
    }
}
