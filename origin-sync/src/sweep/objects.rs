//! The objects of one mirror: listed piece by piece, and taken away in batches.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use edge::sync::Mirror;
use edge::sync::layout::Place;
use futures::StreamExt;
use snapshot::{Digest, Timestamp};
use tokio::time::Instant;

use super::look::age;
use super::{Known, MirrorSwept, SweepError};
use crate::mirror::{self, listing, listing::Listed};

/// Objects that go between two looks at the releases.
const BATCH: usize = 256;
/// Of these at once.
const AT_ONCE: usize = 16;
/// How far two words of a mirror about the age of an object may be apart, milliseconds.
const SECOND_MS: u64 = 1000;
/// How long after such a look objects may still go.
const LOOK_HOLDS: Duration = Duration::from_secs(20);

/// An object that no release names.
struct Candidate {
    digest: Digest,
    bytes: u64,
    written: Timestamp,
}

/// What became of one.
enum Outcome {
    /// With its copy, if it was young.
    Gone(Digest, u64, Option<File>),
    /// It was written anew, or it is somebody's by now, or time is up.
    Stays,
}

impl Known<'_> {
    /// Takes away what no release names and is older than the grace.
    pub(super) async fn sweep(
        &mut self,
        at: usize,
        mirror: &Mirror,
        swept: &mut MirrorSwept,
    ) -> Result<(), SweepError> {
        let now = match self.time(at) {
            Ok(now) => now,
            Err(error) => {
                swept.error = Some(error);
                return Ok(());
            }
        };
        let site = self.sweep.mirrors.site.clone();
        let mut listed = listing::objects(mirror, &site);
        let mut batch = Vec::new();
        let mut seen = 0;
        while let Some(next) = listed.next().await {
            match next {
                Err(error) => {
                    swept.error = Some(error.to_string());
                    break;
                }
                Ok(Listed::Foreign(name)) => swept.foreign(name),
                Ok(Listed::Object(digest, bytes, written)) => {
                    seen += 1;
                    self.sweep.progress.at(seen, 0);
                    if self.marks.has(&digest) {
                        swept.held(bytes);
                    } else if self.stays(now, written) {
                        swept.young += 1;
                    } else {
                        batch.push(Candidate {
                            digest,
                            bytes,
                            written,
                        });
                    }
                }
            }
            if batch.len() >= BATCH {
                self.remove(at, mirror, std::mem::take(&mut batch), swept)
                    .await?;
                if swept.error.is_some() {
                    return Ok(());
                }
            }
        }
        drop(listed);
        if swept.error.is_none() && !batch.is_empty() {
            self.remove(at, mirror, batch, swept).await?;
        }
        Ok(())
    }

    fn stays(&self, now: Timestamp, written: Timestamp) -> bool {
        age(now, written) < self.grace
    }

    async fn remove(
        &mut self,
        at: usize,
        mirror: &Mirror,
        batch: Vec<Candidate>,
        swept: &mut MirrorSwept,
    ) -> Result<(), SweepError> {
        if self.sweep.dry_run {
            for candidate in batch {
                swept.gone(candidate.bytes);
            }
            return Ok(());
        }
        self.refresh().await?;
        if let Err(error) = self.time(at) {
            swept.error = Some(error);
            return Ok(());
        }
        let until = Instant::now() + LOOK_HOLDS;
        let (this, failed) = (&*self, &AtomicBool::new(false));
        let removals = batch.into_iter().map(|candidate| async move {
            if failed.load(Ordering::Relaxed) {
                return Ok(Outcome::Stays);
            }
            this.remove_one(at, mirror, candidate, until).await
        });
        let mut removals = futures::stream::iter(removals).buffer_unordered(AT_ONCE);
        let mut copies = Vec::new();
        while let Some(outcome) = removals.next().await {
            match outcome {
                Ok(Outcome::Gone(digest, bytes, copy)) => {
                    swept.gone(bytes);
                    copies.extend(copy.map(|copy| (digest, bytes, copy)));
                }
                Ok(Outcome::Stays) => swept.young += 1,
                // The first failure ends this mirror's part, but for what is on its way already.
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    swept.error.get_or_insert(error);
                }
            }
        }
        drop(removals);
        if copies.is_empty() {
            return Ok(());
        }
        Box::pin(self.put_back(at, mirror, copies, swept)).await
    }

    /// If somebody committed meanwhile, puts everything back, which may be what tells what that names;
    /// then takes the rest away again.
    async fn put_back(
        &mut self,
        at: usize,
        mirror: &Mirror,
        copies: Vec<(Digest, u64, File)>,
        swept: &mut MirrorSwept,
    ) -> Result<(), SweepError> {
        let news = self.news().await?;
        if news.is_empty() {
            return Ok(());
        }
        let site = &self.sweep.mirrors.site;
        let mut batch = Vec::new();
        for (digest, bytes, copy) in copies {
            match mirror::put_back(mirror, site, digest, copy).await {
                Ok(written) => {
                    swept.back(bytes);
                    batch.push(Candidate {
                        digest,
                        bytes,
                        written,
                    });
                }
                Err(error) => swept.error = Some(error.to_string()),
            }
        }
        self.mark_news(news).await?;
        batch.retain(|candidate| !self.marks.has(&candidate.digest));
        if batch.is_empty() || swept.error.is_some() {
            return Ok(());
        }
        self.remove(at, mirror, batch, swept).await
    }

    async fn remove_one(
        &self,
        at: usize,
        mirror: &Mirror,
        candidate: Candidate,
        until: Instant,
    ) -> Result<Outcome, String> {
        let Candidate {
            digest,
            bytes,
            written,
        } = candidate;
        if self.marks.has(&digest) {
            return Ok(Outcome::Stays);
        }
        let place = Place::object(&self.sweep.mirrors.site, &digest);
        // A publisher that counts on it has put it again, and then it is young. (A bucket lists
        // fractions of a second, and does not tell them of one object.)
        let found = listing::modified(mirror, &place).await;
        let found = found.map_err(|error| error.to_string())?;
        let same = found.is_some_and(|found| found.0 < written.0.saturating_add(SECOND_MS));
        if !same || Instant::now() >= until {
            return Ok(Outcome::Stays);
        }
        let now = self.time(at).unwrap_or_default();
        let young = age(now, written) < self.sweep.retention.grace;
        let copy = if young {
            let (site, store) = (&self.sweep.mirrors.site, self.sweep.store);
            let copy = mirror::download(mirror, site, store, &digest, bytes).await;
            Some(copy.map_err(|why| format!("{place} on mirror {}: {why}", mirror.url()))?)
        } else {
            None
        };
        let removed = listing::remove(mirror, &place).await;
        removed.map_err(|error| error.to_string())?;
        Ok(Outcome::Gone(digest, bytes, copy))
    }
}
