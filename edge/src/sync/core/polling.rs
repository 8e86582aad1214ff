//! Sources asked on their beat, and what they answered.

use std::time::Duration;

use super::{Action, Core, Polled};
use crate::sync::work::{Fault, SourceId};

impl Core {
    pub(super) fn polled(&mut self, id: SourceId, polled: Polled, now: Duration) {
        let (wait, jitter) = (self.jittered(), self.jitter());
        let Some(source) = self.sources.get_mut(id) else {
            return;
        };
        source.polling = false;
        source.asked = true;
        match polled {
            Polled::Unreachable => {
                let reason = "it did not answer a poll";
                source.health.failed(Fault::Dead, reason, now, jitter);
            }
            _ => source.health.answered(),
        }
        source.next = now.saturating_add(wait);
        match polled {
            // Out of reach is no news: what it offered before may still be fetched elsewhere.
            Polled::Unreachable => {}
            Polled::Nothing | Polled::Refused => source.offer = None,
            Polled::Offers(offer) => source.offer = Some(offer),
        }
    }

    pub(super) fn ask(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for (id, source) in self.sources.iter_mut().enumerate() {
            if !source.polling && source.next <= now {
                source.polling = true;
                actions.push(Action::Poll(id));
            }
        }
    }

    /// `poll`, give or take a fifth: edges that started together do not stay together.
    fn jittered(&mut self) -> Duration {
        let permille = self.jitter();
        self.poll.saturating_mul(permille) / 1000
    }

    /// A permille of a thousand, give or take a fifth.
    pub(super) fn jitter(&mut self) -> u32 {
        // SplitMix64 (Steele, Lea, Flood 2014): one word of state, seedable.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        u32::try_from(z % 401).unwrap_or(0) + 800
    }
}
