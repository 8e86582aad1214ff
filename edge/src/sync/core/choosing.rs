//! Which release is to be in use: the pinned one, or the best of what is offered and held.

use std::time::Duration;

use snapshot::{Digest, Sequence};

use super::super::work::{Offer, SourceId};
use super::{Core, Pinned, key};

impl Core {
    /// An order pins this release, or none.
    pub fn pin(&mut self, release: Option<(Sequence, Digest)>) {
        if self.pin.as_ref().map(|pin| pin.release) != release {
            self.pin = release.map(|release| Pinned {
                release,
                offer: None,
            });
        }
    }

    /// The release that is pinned and not in use: sources are to be asked for it.
    #[must_use]
    pub fn looks_for(&self) -> Option<Sequence> {
        let pin = self.pin.as_ref()?;
        let in_use = self.serving.as_ref().map(key) == Some(pin.release);
        (!in_use).then_some(pin.release.0)
    }

    /// A source has the release that is pinned.
    pub fn found_pinned(&mut self, id: SourceId, offer: Offer) {
        if let Some(pin) = self.pin.as_mut()
            && pin.release == key(&offer)
        {
            pin.offer = Some((id, offer));
        }
    }

    /// This edge holds this release itself, whoever else does: what it goes back to once a pin is gone.
    pub fn holds(&mut self, own: Option<Offer>) {
        self.own = own;
    }

    /// The offer that is to be in use and is not: the pinned release, or without a pin the best one that
    /// is better. What is held back is passed over.
    pub(super) fn best(&self, now: Duration) -> Option<(SourceId, Offer)> {
        let free = |offer: &Offer| !self.held.holds(&key(offer), now);
        if let Some(pin) = &self.pin {
            let in_use = self.serving.as_ref().map(key) == Some(pin.release);
            let found = pin.offer.as_ref().filter(|(_, offer)| free(offer));
            return found.filter(|_| !in_use).cloned();
        }
        let floor = self
            .serving
            .as_ref()
            .map(|serving| serving.release().rank());
        let offers = self.sources.iter().enumerate();
        let offers = offers.filter_map(|(id, source)| Some((id, source.offer.as_ref()?)));
        // Whatever of its own release went bad is asked of the first source.
        let own = self.own.iter().map(|own| (0, own));
        let offers = own.chain(offers).filter_map(|(id, offer)| {
            let better = Some(offer.release().rank()) > floor;
            (better && free(offer)).then_some((id, offer))
        });
        let best = offers.max_by_key(|(_, offer)| offer.release().rank());
        best.map(|(id, offer)| (id, offer.clone()))
    }
}
