//! An edge that is too old for what is published stays on its last good release, and says so in its
//! log, in `/status`, in its metrics, on `/readyz` and to `edge order`.
//!
//! It is left behind while any source offers a newer release that somebody it believes has signed and
//! that needs a later edge. A source that offers something else ends that for itself; one that is out
//! of reach does not.

use snapshot::trust::Refusal;
use snapshot::{EdgeVersion, Sequence};

use super::driver::Follower;
use super::status::LeftBehindStatus;
use super::work::SourceId;

/// A release that needs a later edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Beyond {
    sequence: Sequence,
    needs: EdgeVersion,
}

impl Follower {
    /// Notes that a source offers what this edge is too old for.
    pub(super) fn outgrown(&mut self, id: SourceId, refusal: &Refusal) {
        let Refusal::NeedsLaterEdge {
            sequence, needs, ..
        } = *refusal
        else {
            return;
        };
        if let Some(source) = self.sources.get_mut(id) {
            source.beyond = Some(Beyond { sequence, needs });
        }
    }

    /// Says whether this edge is left behind now. What it took up since leaves it no longer behind.
    pub(super) fn tell_left_behind(&self) {
        let sources = self.sources.iter();
        let beyond = sources.filter_map(|source| source.beyond).max();
        let used = self.core.serving().map(|offer| offer.release().sequence);
        let beyond = beyond.filter(|beyond| used.is_none_or(|used| beyond.sequence > used));
        let now = self.state.edge_time();
        let mut progress = self.state.progress();
        let before = progress.left_behind.take();
        let Some(Beyond { sequence, needs }) = beyond else {
            if before.is_some() {
                drop(progress);
                tracing::info!(site = %self.state.name(), "no longer left behind");
            }
            return;
        };
        let since = before.as_ref().map(|before| before.since.clone());
        let told = LeftBehindStatus {
            release: sequence.0,
            needs: needs.to_string(),
            version: EdgeVersion::THIS.to_string(),
            since: since.unwrap_or_else(|| now.rfc3339()),
        };
        let is_new = before.is_none_or(|before| before.release != told.release);
        let words = told.to_string();
        progress.left_behind = Some(told);
        drop(progress);
        if is_new {
            tracing::error!(site = %self.state.name(), "left behind: {words}");
        }
    }
}
