//! What sync meets that should wake somebody, for as long as it holds.

use std::collections::BTreeMap;

use snapshot::trust::{Alarm, Refusal as TrustRefusal};
use snapshot::{Digest, Epoch, Scope, Sequence, Timestamp};

use super::driver::Follower;
use super::refusal::{Check, Refusal};
use super::work::{Offer, SourceId};

/// Forks that are remembered, for each site.
pub const FORKS: usize = 32;

/// What holds now.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Sources whose newest release is not believed.
    disbelieved: BTreeMap<SourceId, String>,
    /// The release that failed its checks.
    failed: Option<Failed>,
    forks: BTreeMap<Fork, String>,
    /// What the disk does not take, by what it is.
    disk: BTreeMap<&'static str, String>,
    /// How far this machine's clock is behind each source's, milliseconds.
    clocks: BTreeMap<SourceId, i64>,
    /// The latest time at which an order in force says that it was signed.
    ordered_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Failed {
    release: (Sequence, Digest),
    is_disk: bool,
    why: String,
}

/// Two statements where there can be one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fork {
    /// Two manifests of this sequence.
    Release(Sequence),
    /// Two orders of this epoch.
    Order(Scope, Epoch),
    /// Two generations of trust of this number.
    Trust(u64),
    /// A switch of the whole site, and orders about single services that come to it.
    Piecemeal,
}

impl Faults {
    /// Why a release that is offered is not used.
    #[must_use]
    pub fn refused(&self) -> Option<String> {
        let failed = self.failed.as_ref().filter(|failed| !failed.is_disk);
        let failed = failed.map(|failed| failed.why.clone());
        failed.or_else(|| self.disbelieved.values().next().cloned())
    }

    /// Which two statements there are where there can be one.
    #[must_use]
    pub fn fork(&self) -> Option<String> {
        self.forks.values().next().cloned()
    }

    /// What the disk does not take.
    #[must_use]
    pub fn disk(&self) -> Option<String> {
        let failed = self.failed.as_ref().filter(|failed| failed.is_disk);
        let failed = failed.map(|failed| failed.why.clone());
        failed.or_else(|| self.disk.values().next().cloned())
    }

    /// The latest time at which an order in force says that it was signed.
    #[must_use]
    pub const fn ordered_at(&self) -> Timestamp {
        self.ordered_at
    }

    /// How far this machine's clock is behind its sources': the middle one of what they say.
    #[must_use]
    pub fn clock_off_ms(&self) -> Option<i64> {
        let mut said: Vec<i64> = self.clocks.values().copied().collect();
        said.sort_unstable();
        said.get(said.len() / 2).copied()
    }

    /// A source offers a release that is believed, or that is not.
    pub(super) fn offers(&mut self, id: SourceId, disbelief: Option<String>) {
        match disbelief {
            Some(why) => self.disbelieved.insert(id, why),
            None => self.disbelieved.remove(&id),
        };
    }

    /// A release failed its checks.
    pub(super) fn fails(&mut self, release: (Sequence, Digest), is_disk: bool, why: String) {
        self.failed = Some(Failed {
            release,
            is_disk,
            why,
        });
    }

    /// The release of this sequence is in use, and these are offered.
    pub(super) fn uses(&mut self, used: Option<Sequence>, offered: &[(Sequence, Digest)]) {
        let stands = |failed: &Failed| {
            used.is_none_or(|used| used < failed.release.0) && offered.contains(&failed.release)
        };
        if !self.failed.as_ref().is_some_and(stands) {
            self.failed = None;
        }
        let settled = |fork: &Fork| match fork {
            Fork::Release(sequence) => used.is_some_and(|used| used > *sequence),
            Fork::Order(..) | Fork::Trust(_) | Fork::Piecemeal => false,
        };
        self.forks.retain(|fork, _| !settled(fork));
    }

    /// Two statements came where there can be one.
    pub(super) fn forks(&mut self, fork: Fork, why: String) {
        self.forks.insert(fork, why);
        while self.forks.len() > FORKS {
            self.forks.pop_first();
        }
    }

    /// The order of `epoch` is in force for `scope`.
    pub(super) fn settles(&mut self, scope: &Scope, epoch: Epoch) {
        let settled =
            |fork: &Fork| matches!(fork, Fork::Order(of, at) if of == scope && *at < epoch);
        self.forks.retain(|fork, _| !settled(fork));
    }

    /// The generation of trust of this number is in force.
    pub(super) fn settles_trust(&mut self, number: u64) {
        let settled = |fork: &Fork| matches!(fork, Fork::Trust(at) if *at < number);
        self.forks.retain(|fork, _| !settled(fork));
    }

    /// The site's own trust files are in force, whatever successors there were.
    pub(super) fn begins_trust_anew(&mut self) {
        self.forks.retain(|fork, _| !matches!(fork, Fork::Trust(_)));
    }

    /// Orders about single services come to a switch of the whole site, or do not.
    pub(super) fn piecemeal(&mut self, why: Option<String>) {
        match why {
            Some(why) => self.forks.insert(Fork::Piecemeal, why),
            None => self.forks.remove(&Fork::Piecemeal),
        };
    }

    /// The disk took `what`, or why not.
    pub(super) fn writes(&mut self, what: &'static str, failure: Option<String>) {
        match failure {
            Some(why) => self.disk.insert(what, why),
            None => self.disk.remove(what),
        };
    }

    /// This machine's clock is so far behind a source's.
    pub(super) fn clock(&mut self, id: SourceId, behind_ms: Option<i64>) {
        match behind_ms {
            Some(behind) => self.clocks.insert(id, behind),
            None => self.clocks.remove(&id),
        };
    }
}

impl Follower {
    /// A release failed its checks.
    pub(super) fn fails(&self, offer: &Offer, refusal: &Refusal) {
        let release = offer.release();
        let is_disk = refusal.check == Check::Disk;
        let why = format!("release {}: {refusal}", release.sequence);
        let faults = &mut self.state.progress().faults;
        faults.fails((release.sequence, release.manifest), is_disk, why);
    }

    /// What a source offers is not believed, or is again.
    pub(super) fn disbelieves(&self, id: SourceId, why: Option<String>) {
        let url = self
            .sources
            .get(id)
            .map(|source| source.status.url.as_str());
        let why = why.map(|why| format!("{} offers {why}", url.unwrap_or("a source")));
        self.state.progress().faults.offers(id, why);
    }

    /// What a source offers was judged, and is not believed.
    pub(super) fn met_refusal(&self, id: SourceId, refusal: &TrustRefusal) {
        match refusal {
            // One that lags behind the others takes nothing from anybody.
            TrustRefusal::Rollback { .. } | TrustRefusal::OldHeartbeat { .. } => {
                self.disbelieves(id, None);
            }
            TrustRefusal::SameSequenceOtherManifest { sequence, .. } => {
                let fork = Fork::Release(*sequence);
                self.state
                    .progress()
                    .faults
                    .forks(fork, refusal.to_string());
                self.disbelieves(id, None);
            }
            _ => self.disbelieves(id, Some(refusal.to_string())),
        }
    }

    /// What was accepted, but should not have come to be.
    pub(super) fn met_alarm(&self, alarm: &Alarm) {
        let fork = match alarm {
            Alarm::SameSequenceOtherManifest { sequence, .. } => Fork::Release(*sequence),
            Alarm::EqualEpochs { scope, epoch, .. } => Fork::Order(scope.clone(), *epoch),
            Alarm::TwoSuccessors { number, .. } => Fork::Trust(*number),
            // Edge time shows it, or the time of the order.
            _ => return,
        };
        self.state.progress().faults.forks(fork, alarm.to_string());
    }

    /// A second successor of a generation of trust, which does not stand.
    pub(super) fn met_successor(&self, refusal: &TrustRefusal) {
        if let TrustRefusal::TwoSuccessors { number, .. } | TrustRefusal::ThrownOut { number, .. } =
            refusal
        {
            let fork = Fork::Trust(*number);
            self.state
                .progress()
                .faults
                .forks(fork, refusal.to_string());
        }
    }

    /// The disk took no write when it was opened.
    pub(super) fn keep_read_only(&self) {
        if self.store.is_read_only() {
            let why = format!("{} is read-only", self.store.root().display());
            self.state.progress().faults.writes("store", Some(why));
        }
    }

    /// What was met is over, if what is used and offered says so.
    pub(super) fn settle_faults(&self) {
        let offered = self
            .sources
            .iter()
            .filter_map(|source| source.offer.as_ref());
        let offered = offered.map(|offer| {
            let release = offer.release();
            (release.sequence, release.manifest)
        });
        let offered: Vec<_> = offered.collect();
        let used = self.state.current().map(|current| current.release.sequence);
        let orders = self.orders.bundle().iter();
        let ordered_at = orders.map(|(_, accepted)| accepted.order.signed_at).max();
        let piecemeal = self.piecemeal();
        if let Some(words) = &piecemeal {
            self.remark(words.clone());
        }
        let mut progress = self.state.progress();
        let sweep = progress.store.error.clone();
        progress.faults.piecemeal(piecemeal);
        progress.faults.ordered_at = ordered_at.unwrap_or_default();
        progress.faults.uses(used, &offered);
        progress.faults.writes("sweep", sweep);
        for (id, source) in self.sources.iter().enumerate() {
            progress.faults.clock(id, source.mirror.clock_off_ms());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(n: u64) -> (Sequence, Digest) {
        (Sequence(n), Digest::of(&n.to_le_bytes()))
    }

    #[test]
    fn a_refusal_holds_while_the_release_is_offered_and_nothing_as_new_is_used() {
        let mut faults = Faults::default();
        faults.offers(1, Some("wrong-key".to_owned()));
        assert_eq!(faults.refused().unwrap(), "wrong-key");
        faults.offers(1, None);
        assert_eq!(faults.refused(), None);
        for (used, offered) in [
            (Some(Sequence(5)), vec![release(5)]),
            (None, vec![release(6)]),
        ] {
            faults.fails(release(5), false, "canary".to_owned());
            faults.uses(Some(Sequence(4)), &[release(5)]);
            assert_eq!(faults.refused().unwrap(), "canary");
            faults.uses(used, &offered);
            assert_eq!(faults.refused(), None);
        }
        faults.fails(release(5), true, "full".to_owned());
        assert_eq!(
            (faults.refused(), faults.disk().unwrap()),
            (None, "full".to_owned())
        );
    }

    #[test]
    fn a_fork_holds_until_something_later_settles_it_and_a_bounded_number_is_remembered() {
        let mut faults = Faults::default();
        let scope = Scope::Site;
        faults.forks(Fork::Order(scope.clone(), Epoch(3)), "orders".to_owned());
        faults.settles(&scope, Epoch(3));
        assert!(faults.fork().is_some());
        faults.settles(&scope, Epoch(4));
        assert_eq!(faults.fork(), None);
        faults.forks(Fork::Trust(u64::MAX), "successors".to_owned());
        faults.settles_trust(7);
        assert!(faults.fork().is_some());
        faults.begins_trust_anew();
        assert_eq!(faults.fork(), None);
        faults.forks(Fork::Release(Sequence(3)), "releases".to_owned());
        faults.uses(Some(Sequence(3)), &[]);
        assert!(faults.fork().is_some());
        faults.uses(Some(Sequence(4)), &[]);
        assert_eq!(faults.fork(), None);
        for n in 0..=FORKS as u64 {
            faults.forks(Fork::Release(Sequence(n)), n.to_string());
        }
        assert_eq!(faults.forks.len(), FORKS);
    }

    #[test]
    fn the_clock_that_most_sources_have_counts() {
        let mut faults = Faults::default();
        assert_eq!(faults.clock_off_ms(), None);
        for (id, behind) in [(0, 5), (1, 90_000), (2, -3)] {
            faults.clock(id, Some(behind));
        }
        assert_eq!(faults.clock_off_ms(), Some(5));
    }
}
