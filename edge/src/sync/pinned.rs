//! Staying on the release that an order pins.
//!
//! A pin names sequence and manifest. It is looked for among the releases that this edge keeps, the one
//! before the one in use mostly, and at every poll at each source that retains it. It has to be whole,
//! and its canaries have to answer, like any other; what was accepted before it still counts as the
//! highest, so that nothing older comes in once the pin is gone, and what this edge keeps of it is gone back
//! to then. A pin that nobody has leaves the edge where it is: `doing` in `/status` says what is looked for.

use std::sync::Arc;

use snapshot::order::Pin;
use snapshot::trust::{Refusal as TrustRefusal, accept_pinned, accept_release};
use snapshot::{Envelope, Scope};

use super::checks::untrusted;
use super::driver::Follower;
use super::mirror::{Fetched, MirrorError};
use super::work::{Offer, SourceId};

impl Follower {
    /// Orders have changed, or were read at the start.
    pub(super) fn follow_pin(&mut self) {
        let pin = self.pin();
        self.core.pin(pin.map(|pin| (pin.sequence, pin.manifest)));
        self.core.holds(self.best_kept());
        let Some(pin) = pin else {
            return;
        };
        let mut kept = self.sweeping.statements();
        let own = kept.find_map(|statement| self.judge_pinned(statement, &pin).ok());
        if let Some(offer) = own {
            self.core.found_pinned(0, offer);
        }
    }

    /// The best release that is kept here, if it is none below the highest that was accepted.
    fn best_kept(&self) -> Option<Offer> {
        let (site, now) = (self.state.name(), self.state.edge_time());
        let (generation, floor) = (self.trust.generation(), &self.journal.floor);
        let judge = |statement| accept_release(generation, statement, site, floor, now);
        let judged = self
            .sweeping
            .statements()
            .filter_map(|statement| judge(statement).ok());
        let best = judged.max_by_key(|(accepted, _)| accepted.release.rank());
        best.map(|(accepted, _)| Offer(Arc::new(accepted)))
    }

    /// What a source says of the release that is pinned, if it was asked.
    pub(super) fn take_pinned(
        &mut self,
        id: SourceId,
        answer: Option<Result<Fetched, MirrorError>>,
    ) {
        let (Some(pin), Some(Ok(Fetched::Found { bytes, .. }))) = (self.pin(), answer) else {
            return;
        };
        let envelope = Envelope::from_bytes(&bytes).map_err(TrustRefusal::from);
        match envelope.and_then(|envelope| self.judge_pinned(&envelope, &pin)) {
            Ok(offer) => self.core.found_pinned(id, offer),
            Err(refusal) => {
                let mirror = self
                    .sources
                    .get(id)
                    .map(|source| source.mirror.url().to_string());
                let refusal = untrusted(mirror.unwrap_or_default(), refusal.to_string());
                self.refuse(None, &refusal);
            }
        }
    }

    fn pin(&self) -> Option<Pin> {
        self.orders.bundle().get(&Scope::Site)?.order.pin
    }

    fn judge_pinned(&self, statement: &Envelope, pin: &Pin) -> Result<Offer, TrustRefusal> {
        let (site, now) = (self.state.name(), self.state.edge_time());
        let (accepted, _) = accept_pinned(self.trust.generation(), statement, site, pin, now)?;
        Ok(Offer(Arc::new(accepted)))
    }
}
