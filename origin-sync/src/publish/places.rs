//! The places that say which release stands, over all mirrors: `releases/N` and the pointer.
//!
//! Mirrors are asked in their order, and the first that gives the number to somebody else ends it:
//! two publishers with the same list meet at the same mirror, and one of them goes on. A number
//! that a majority of mirrors gave us, and gives to nobody else, is ours for certain.

use edge::sync::Mirror;
use futures::future::join_all;
use snapshot::Timestamp;

use super::Publisher;
use super::error::PublishError;
use super::known::Known;
use super::report::MirrorReport;
use crate::mirror::{Abilities, Commit, Created, Signed};

/// Every mirror's places for one release.
pub(super) struct Places<'a> {
    publisher: &'a Publisher,
    release: &'a Signed,
    /// When what is found there is judged.
    pub(super) now: Timestamp,
    /// For each mirror in order: why it lacks something now.
    pub(super) missed: Vec<Option<String>>,
    abilities: Vec<Option<Abilities>>,
    is_certain: bool,
}

impl<'a> Places<'a> {
    pub(super) fn new(
        publisher: &'a Publisher,
        release: &'a Signed,
        missed: Vec<Option<String>>,
    ) -> Self {
        Self {
            publisher,
            release,
            now: Timestamp(0),
            abilities: missed.iter().map(|_| None).collect(),
            missed,
            is_certain: false,
        }
    }

    /// Finds out what the mirrors do; for a release that stands already, what is remembered will do.
    pub(super) async fn know(&mut self, is_new: bool) {
        let mut known = Known::open(&self.publisher.store).await;
        let all = self.publisher.mirrors.all();
        if is_new {
            let live = all.iter().zip(&self.missed).filter(|(_, m)| m.is_none());
            let live: Vec<&Mirror> = live.map(|(mirror, _)| mirror).collect();
            let found = known.ask(&live, &self.publisher.site.site, self.now).await;
            let mut found = found.into_iter();
            for missed in self.missed.iter_mut().filter(|missed| missed.is_none()) {
                *missed = found.next().and_then(Result::err);
            }
        }
        self.abilities = all.iter().map(|m| known.of(m, self.now)).collect();
    }

    /// Creates `releases/N` on every mirror that has missed nothing yet.
    pub(super) async fn create(&mut self, is_new: bool) -> Result<(), PublishError> {
        let majority = self.publisher.mirrors.majority();
        let commit = self.commit();
        let (mut ours, mut apart) = (0, 0);
        let mut rivals: Vec<(usize, Signed)> = Vec::new();
        let all = self.publisher.mirrors.all().iter().zip(&self.abilities);
        for (at, (mirror, abilities)) in all.enumerate() {
            let Some(missed @ None) = self.missed.get_mut(at) else {
                continue;
            };
            match commit.create(mirror, *abilities).await {
                Created::Ours => {
                    ours += 1;
                    apart += usize::from(abilities.is_some_and(Abilities::keeps_apart));
                }
                Created::Rival(rival) if is_new && apart < majority => {
                    return Err(self.lost(&rival, false).await);
                }
                Created::Rival(rival) => rivals.push((at, *rival)),
                Created::Taken => {
                    *missed = Some(format!(
                        "{}: number {} is taken by something that nobody is believed about",
                        mirror.url(),
                        self.release.release.sequence
                    ));
                }
                Created::Failed(error) => *missed = Some(error.to_string()),
            }
        }
        // What stood before is not lost to a number that came to nothing elsewhere.
        self.is_certain = apart >= majority || (!is_new && ours >= majority);
        for (at, rival) in rivals {
            if !self.is_certain {
                return Err(self.lost(&rival, false).await);
            }
            let mirror = self.publisher.mirrors.all().get(at);
            if let (Some(mirror), Some(missed)) = (mirror, self.missed.get_mut(at)) {
                *missed = commit.insist(mirror).await.err().map(|e| e.to_string());
            }
        }
        Ok(())
    }

    /// Lets every pointer name the release, or its heartbeat, and looks once more whether nobody
    /// wrote over it, where somebody could.
    pub(super) async fn point(
        &mut self,
        pointer: &Signed,
        is_new: bool,
    ) -> Result<(), PublishError> {
        let commit = self.commit();
        let all = self.publisher.mirrors.all();
        let live = || all.iter().zip(&self.missed).enumerate();
        let live: Vec<(usize, &Mirror)> = live()
            .filter(|(_, (_, missed))| missed.is_none())
            .map(|(at, (mirror, _))| (at, mirror))
            .collect();
        let pointed = live
            .iter()
            .map(|(at, mirror)| async { (*at, commit.point(mirror, pointer, !is_new).await) });
        let mut outcomes = join_all(pointed).await;
        // A folder's word is enough. A store's may have been luck: no number of tries shows that it
        // never lets two through.
        let folders = live
            .iter()
            .all(|(_, mirror)| mirror.url().scheme() == "file");
        if is_new && !(self.is_certain && folders) {
            let again = live
                .iter()
                .map(|(at, mirror)| async { (*at, commit.rival(mirror).await) });
            outcomes.extend(join_all(again).await);
        }
        let mut rival = None;
        for (at, outcome) in outcomes {
            match outcome {
                Ok(found) => rival = rival.or(found),
                Err(error) => {
                    if let Some(missed) = self.missed.get_mut(at) {
                        missed.get_or_insert(error.to_string());
                    }
                }
            }
        }
        match rival {
            Some(rival) => Err(self.lost(&rival, true).await),
            None => Ok(()),
        }
    }

    pub(super) fn report(&self) -> Vec<MirrorReport> {
        let all = self.publisher.mirrors.all().iter();
        let known = all.zip(&self.missed).zip(&self.abilities);
        known
            .map(|((mirror, missed), abilities)| MirrorReport {
                url: mirror.url().to_string(),
                missed: missed.clone(),
                abilities: *abilities,
            })
            .collect()
    }

    fn commit(&self) -> Commit<'a> {
        Commit {
            site: &self.publisher.site.site,
            release: self.release,
            trust: &self.publisher.trust,
            now: self.now,
        }
    }

    /// The number is the rival's: so that all places say so, ours goes where it was written.
    async fn lost(&self, rival: &Signed, was_written: bool) -> PublishError {
        let commit = self.commit();
        let all = self.publisher.mirrors.all().iter().zip(&self.missed);
        let live = all.filter(|(_, missed)| missed.is_none());
        // A mirror that fails now still holds a release that the next run sees.
        join_all(live.map(|(mirror, _)| commit.yield_to(mirror, rival))).await;
        if was_written {
            let mut known = Known::open(&self.publisher.store).await;
            for mirror in self.publisher.mirrors.all() {
                known.forget(mirror, self.now).await;
            }
        }
        PublishError::Lost {
            sequence: self.release.release.sequence,
            signers: rival.signers.join(" and "),
            manifest: rival.release.manifest,
            was_written,
        }
    }
}
