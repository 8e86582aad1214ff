//! Staying on the release that an order pins.
//!
//! A pin names sequence and manifest. It is looked for among what this edge gives to others, the release
//! before the one in use mostly, and at every poll at each source that retains it. It has to be whole,
//! and its canaries have to answer, like any other; what was accepted before it still counts as the
//! highest, so that nothing older comes in once the pin is gone. A pin that nobody has leaves the edge
//! where it is: `doing` in `/status` says what is looked for.

use std::sync::Arc;

use snapshot::order::Pin;
use snapshot::trust::{Refusal as TrustRefusal, accept_pinned};
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
        let Some(pin) = pin else {
            return;
        };
        let given = self.state.given().releases();
        let own = given.iter().find(|known| known.sequence == pin.sequence);
        if let Some(own) = own
            && let Ok(offer) = self.judge_pinned(&own.statement, &pin)
        {
            self.core.found_pinned(0, offer);
        }
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
        match self.judge_pinned(&bytes, &pin) {
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

    fn judge_pinned(&self, statement: &[u8], pin: &Pin) -> Result<Offer, TrustRefusal> {
        let envelope = Envelope::from_bytes(statement)?;
        let (site, now) = (self.state.name(), self.state.edge_time());
        let (accepted, _) = accept_pinned(self.trust.generation(), &envelope, site, pin, now)?;
        Ok(Offer(Arc::new(accepted)))
    }
}
