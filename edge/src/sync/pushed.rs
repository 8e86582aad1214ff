//! Orders and successions that are brought here, and that are passed on.
//!
//! A person or another edge may push orders to this edge instead of waiting for its next poll, and a
//! chain of successions in the same way. Who brings an order does not matter, only who signed it. An edge
//! that accepts an order, by whatever path, pushes all it has in force to its peers at once; what is in
//! force already is answered without a look at any signature, and goes no further. So an order told to one
//! edge is soon known to all that are joined by peers, and a push that is lost costs no more than the time
//! to the next poll.

use std::sync::Arc;

use bytes::Bytes;
use snapshot::trust::Refusal;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::Place;
use super::driver::Follower;
use super::pace::Pace;
use crate::log::Came;

/// Bundles and chains of one site that wait to be judged; more are sent away.
pub const WAITING: usize = 16;
/// Bundles and chains of one site that are judged a second, whoever brings them; more are sent away.
pub const JUDGED_A_SECOND: u64 = 100;
/// Refusals that are told to who brought them.
pub const TOLD: usize = 8;

/// What is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// A bundle of orders.
    Orders,
    /// A chain of successions.
    Trust,
}

/// What became of what was brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in force, or what is newer is.
    InForce,
    /// Some of it is not believed.
    Refused {
        /// Why, one a line.
        why: String,
        /// How many statements, each of which took a look at signatures.
        count: u64,
    },
    /// It cannot be read; why.
    Unreadable(String),
    /// Too many come.
    Busy,
}

/// Where orders and successions of one site are brought. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Pushes {
    to: mpsc::Sender<Pushed>,
    pace: Arc<Pace>,
}

/// What is on its way to peers; dropped, it is not any more.
#[derive(Debug, Default)]
pub(super) struct PassingOn {
    orders: JoinSet<()>,
    trust: JoinSet<()>,
}

/// What was brought.
#[derive(Debug)]
pub(super) struct Pushed {
    what: Brought,
    bytes: Bytes,
    came: Came,
    told: oneshot::Sender<Verdict>,
}

impl Pushes {
    pub(super) fn new() -> (Self, mpsc::Receiver<Pushed>) {
        let (to, pushed) = mpsc::channel(WAITING);
        let pace = Arc::new(Pace::new(Some(JUDGED_A_SECOND)));
        (Self { to, pace }, pushed)
    }

    /// Waits until it was judged, and kept on disk if it was accepted.
    pub async fn bring(&self, what: Brought, bytes: Bytes, came: Came) -> Verdict {
        if !self.pace.try_take(1) {
            return Verdict::Busy;
        }
        let (told, verdict) = oneshot::channel();
        let pushed = Pushed {
            what,
            bytes,
            came,
            told,
        };
        if self.to.try_send(pushed).is_err() {
            return Verdict::Busy;
        }
        verdict.await.unwrap_or(Verdict::Busy)
    }
}

impl Follower {
    /// Strangers may push what they like: what is refused is told to them, and fills no status.
    pub(super) async fn judge_pushed(&mut self, pushed: Pushed) {
        let Pushed {
            what, bytes, came, ..
        } = &pushed;
        let refused = match what {
            Brought::Orders => {
                let taken = self.take_bundle(bytes, came).await;
                taken.map(|taken| taken.refused)
            }
            Brought::Trust => self.take_chain(bytes, came).await.map(Vec::from_iter),
        };
        let verdict = match refused {
            Ok(refused) => {
                for refusal in believed_not(&refused).take(TOLD) {
                    self.note_disbelief(*what, refusal, came);
                }
                said(&refused)
            }
            Err(error) => {
                let why = error.to_string();
                self.note_disbelief(*what, &Refusal::Document(error), came);
                Verdict::Unreadable(why)
            }
        };
        // Whoever brought it may have gone.
        let _ = pushed.told.send(verdict);
    }

    /// Pushes the orders in force to every peer. What was still under way is part of it.
    pub(super) fn pass_on(&mut self) {
        let place = Place::orders(self.state.name());
        self.passing_on.orders = self.passing(self.state.given().orders(), &place);
    }

    /// Pushes how the generation in force came to be to every peer. What was still under way is part of it.
    pub(super) fn pass_trust_on(&mut self) {
        let place = Place::trust(self.state.name());
        self.passing_on.trust = self.passing(self.state.given().trust(), &place);
    }

    fn passing(&self, statement: Option<Bytes>, place: &Place) -> JoinSet<()> {
        let mut passing = JoinSet::new();
        let Some(statement) = statement else {
            return passing;
        };
        for source in self.sources.iter().filter(|source| source.status.peer) {
            let (peer, statement) = (source.mirror.clone(), statement.to_vec());
            let place = place.clone();
            passing.spawn(async move {
                if let Err(error) = peer.put(&place, statement).await {
                    tracing::debug!(peer = %peer.url(), %place, "not passed on: {error}");
                }
            });
        }
        passing
    }
}

/// What is older than what is in force changes nothing, and is no fault.
fn believed_not(refused: &[Refusal]) -> impl Iterator<Item = &Refusal> {
    let is_old = |refusal: &&Refusal| {
        matches!(
            refusal,
            Refusal::OldOrder { .. } | Refusal::OldGeneration { .. }
        )
    };
    refused.iter().filter(move |refusal| !is_old(refusal))
}

fn said(refused: &[Refusal]) -> Verdict {
    let count = believed_not(refused).count() as u64;
    if count == 0 {
        return Verdict::InForce;
    }
    let told = believed_not(refused).take(TOLD);
    let told: Vec<String> = told.map(ToString::to_string).collect();
    let why = told.join("\n");
    Verdict::Refused { why, count }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use snapshot::{Epoch, Scope, SiteName};
    use tokio::task::unconstrained;

    use super::*;

    fn came() -> Came {
        let showed = "nothing".to_owned();
        Came::Pushed { showed }
    }

    fn sent_away(pushes: &Pushes) -> bool {
        let bytes = Bytes::from_static(b"x");
        let brought = unconstrained(pushes.bring(Brought::Orders, bytes, came())).now_or_never();
        brought == Some(Verdict::Busy)
    }

    #[tokio::test]
    async fn so_many_bundles_wait_and_no_more() {
        let (pushes, pushed) = Pushes::new();
        let pace = Arc::default();
        let pushes = Pushes { pace, ..pushes };
        let waiting = (0..2 * WAITING).filter(|_| !sent_away(&pushes)).count();
        assert_eq!(waiting, WAITING);
        // Nobody judges any more.
        drop(pushed);
        assert!(sent_away(&pushes));
    }

    #[tokio::test]
    async fn so_many_bundles_are_judged_a_second_whoever_brings_them() {
        let (pushes, mut pushed) = Pushes::new();
        let mut judged: u64 = 0;
        while !sent_away(&pushes) {
            assert!(pushed.try_recv().is_ok());
            judged += 1;
            assert!(judged < JUDGED_A_SECOND, "all in an instant");
        }
    }

    #[test]
    fn of_many_refusals_the_first_are_told_and_old_orders_are_none() {
        let site = |name: &str| name.parse::<SiteName>().unwrap();
        let other = |_| Refusal::OtherSite {
            got: site("other"),
            expected: site("small"),
        };
        let refused: Vec<_> = (0..=TOLD).map(other).collect();
        let Verdict::Refused { why: words, .. } = said(&refused) else {
            panic!("it was believed");
        };
        assert_eq!(words.lines().count(), TOLD);
        let old = Refusal::OldOrder {
            scope: Scope::Site,
            got: Epoch(1),
            floor: Epoch(2),
        };
        assert_eq!(said(&[old]), Verdict::InForce);
    }
}
