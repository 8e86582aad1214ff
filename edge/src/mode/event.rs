//! What happens to modes, for whoever logs it, records it or acts on it.
//!
//! [`Site::events`](crate::serve::Site::events) gives a receiver. It holds the last [`EVENTS`]; who reads
//! more slowly is told how many were lost, and sees how things stand by [`Gates`](super::Gates). Nothing
//! is told of how things stood when the edge started, or when a release brought a service: the first
//! event of a service is its first change after that.

use std::sync::Arc;

use snapshot::{Epoch, Scope, ServiceName, Timestamp};
use tokio::sync::{Notify, broadcast};

use super::effective::Effective;

/// Events that a slow receiver may be behind.
pub const EVENTS: usize = 1024;

/// The edge's time, for "since".
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Something that happened to the modes of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Another answers for a service, or for another reason. Suspicion by itself is no change, and
    /// neither is another share of requests while the origin recovers.
    Changed {
        /// The service; `None` for paths that no route claims.
        service: Option<ServiceName>,
        /// Who answered until now, and why.
        old: Effective,
        /// Who answers from now on, and why.
        new: Effective,
        /// The edge's time.
        at: Timestamp,
    },
    /// A quarter of a forced mode's time is left: then the breaker decides.
    EndAnnounced(End),
    /// A forced mode has ended: the breaker decides. No order was needed for it.
    Ended(End),
}

/// The end of a forced mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The order's scope.
    pub scope: Scope,
    /// Its epoch.
    pub epoch: Epoch,
    /// When the mode ends, or ended.
    pub ends_at: Timestamp,
    /// The edge's time.
    pub at: Timestamp,
}

/// What the gates of a site share: the time, and whom to tell.
pub(super) struct Herald {
    pub(super) clock: Clock,
    events: broadcast::Sender<Event>,
    /// A breaker has opened.
    pub(super) lost: Notify,
    /// Something is to be remembered.
    pub(super) remember: Notify,
}

impl Herald {
    pub(super) fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            events: broadcast::Sender::new(EVENTS),
            lost: Notify::new(),
            remember: Notify::new(),
        })
    }

    pub(super) fn tell(&self, event: Event) {
        // Nobody need listen.
        let _ = self.events.send(event);
    }

    pub(super) fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }
}
