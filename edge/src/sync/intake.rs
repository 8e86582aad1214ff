//! What a mirror said at a poll: judged, and orders written down and put in force.

use std::sync::Arc;

use snapshot::trust::{Refusal as TrustRefusal, accept_release};
use snapshot::{DocumentError, Envelope, ServiceName};
use tokio::task::spawn_blocking;

use super::Brought;
use super::checks::{unordered, untrusted};
use super::core::Polled;
use super::driver::Follower;
use super::mirror::{Fetched, MirrorError};
use super::state::wall_clock;
use super::work::{Offer, SourceId};
use crate::log::Came;
use crate::orders::{Taken, piecemeal};

impl Follower {
    pub(super) fn take_release(
        &mut self,
        id: SourceId,
        answer: Result<Fetched, MirrorError>,
    ) -> Polled {
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
                self.disbelieves(id, Some(error.to_string()));
                self.refuse(None, &untrusted(mirror, error.to_string()));
                return Polled::Refused;
            }
            Ok(Fetched::Missing) => {
                source.forget();
                source.status.last_answer = Some(now.rfc3339());
                source.status.error = Some("it holds no release of this site".to_owned());
                self.disbelieves(id, None);
                return Polled::Nothing;
            }
            Ok(Fetched::Found { bytes, etag }) => {
                source.forget();
                (source.release, source.release_etag) = (Some(bytes), etag);
            }
            Ok(Fetched::Unchanged) => {}
        }
        source.status.last_answer = Some(now.rfc3339());
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
                self.disbelieves(id, None);
                Polled::Offers(offer)
            }
            Err(refusal) => {
                if let Some(source) = self.sources.get_mut(id) {
                    source.status.error = Some(refusal.to_string());
                }
                self.outgrown(id, &refusal);
                if matches!(refusal, TrustRefusal::SameSequenceOtherManifest { .. }) {
                    self.remark(refusal.to_string());
                }
                self.met_refusal(id, &refusal);
                self.refuse(None, &untrusted(mirror, refusal.to_string()));
                Polled::Refused
            }
        }
    }

    /// Whether a release is believed; asked again at each poll while it is not.
    fn judge(&mut self, bytes: &[u8]) -> Result<Offer, TrustRefusal> {
        let envelope = Envelope::from_bytes(bytes)?;
        let (site, now) = (self.state.name().clone(), self.state.edge_time());
        let (floor, generation) = (&self.journal.floor, self.trust.generation());
        let (accepted, alarms) = accept_release(generation, &envelope, &site, floor, now)?;
        for alarm in alarms {
            self.met_alarm(&alarm);
            self.remark(alarm.to_string());
        }
        Ok(Offer(Arc::new(accepted)))
    }

    /// Orders are no reason to think worse of a mirror: what cannot be read changes nothing.
    pub(super) async fn take_orders(&mut self, id: SourceId, answer: Result<Fetched, MirrorError>) {
        let Some(source) = self.sources.get_mut(id) else {
            return;
        };
        let mirror = source.mirror.url().to_string();
        let (bytes, etag) = match answer {
            Ok(Fetched::Found { bytes, etag }) => (bytes, etag),
            Ok(Fetched::Missing) => return source.orders_etag = None,
            Err(error @ MirrorError::TooLarge { .. }) => {
                return self.refuse(None, &unordered(mirror, error.to_string()));
            }
            Ok(Fetched::Unchanged) | Err(_) => return self.keep_orders(false).await,
        };
        let came = self.came_from(id);
        let taken = self.take_bundle(&bytes, &came).await;
        if let Some(source) = self.sources.get_mut(id) {
            let again = taken.as_ref().is_ok_and(|taken| taken.again);
            source.orders_etag = etag.filter(|_| !again);
        }
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                if self.is_new(None, &unordered(mirror, error.to_string())) {
                    self.note_disbelief(Brought::Orders, &error.into(), &came);
                }
                return;
            }
        };
        for refusal in &taken.refused {
            // A mirror that lags behind the others is no news.
            if matches!(refusal, TrustRefusal::OldOrder { .. }) {
                continue;
            }
            if self.is_new(None, &unordered(mirror.clone(), refusal.to_string())) {
                self.note_disbelief(Brought::Orders, refusal, &came);
            }
        }
    }

    /// Takes in a bundle, by whatever path it came: what is accepted is in force when this ends.
    pub(super) async fn take_bundle(
        &mut self,
        bytes: &[u8],
        came: &Came,
    ) -> Result<Taken, DocumentError> {
        let mut time = self.journal.time;
        let taken = self
            .orders
            .take(bytes, self.trust.generation(), &mut time, wall_clock())?;
        for alarm in &taken.alarms {
            self.met_alarm(alarm);
            self.remark(alarm.to_string());
        }
        for order in &taken.accepted {
            let faults = &mut self.state.progress().faults;
            faults.settles(&order.order.scope, order.order.epoch);
        }
        for order in &taken.accepted {
            let (scope, epoch) = (&order.order.scope, order.order.epoch);
            let mode = order.order.mode.as_str();
            tracing::info!(site = %self.state.name(), %scope, %epoch, mode, "order accepted");
        }
        self.note_orders(&taken, came);
        self.journal.time = time;
        self.state.set_time(time);
        self.keep_orders(!taken.accepted.is_empty()).await;
        Ok(taken)
    }

    /// Writes accepted orders down, then puts them in force. A disk that fails is tried again at
    /// each poll; the orders come into force all the same, since holding them back helps nobody.
    async fn keep_orders(&mut self, changed: bool) {
        if !changed && self.orders_kept {
            return;
        }
        let kept = self.write_orders().await;
        self.orders_kept = kept.is_ok();
        let why = kept.as_ref().err();
        let why = why.map(|reason| format!("orders are in force but not on disk: {reason}"));
        self.state.progress().faults.writes("orders", why);
        if let Err(reason) = kept {
            self.remark(format!("orders are in force but not on disk: {reason}"));
        }
        if changed {
            self.state.given().orders_are(&self.orders);
            self.state.order(self.orders.orders());
            self.follow_pin();
            self.pass_on();
        }
    }

    /// Whether orders about single services come to a switch of the whole site.
    pub(super) fn piecemeal(&self) -> Option<String> {
        let current = self.state.current()?;
        let services = current.manifest.services.iter();
        let services: Vec<&ServiceName> = services.map(|service| &service.name).collect();
        let thresholds = self.trust.generation().thresholds();
        let (bundle, now) = (self.orders.bundle(), self.state.edge_time());
        piecemeal(bundle, &services, &thresholds, now)
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
}
