//! The end of a publish: objects to the mirrors, the commit, the pointer.

use std::sync::Arc;

use edge::sync::MirrorError;
use futures::future::join_all;
use snapshot::{Release, Timestamp};

use super::coverage::Coverage;
use super::error::PublishError;
use super::progress::Progress;
use super::report::{MirrorReport, Report};
use super::{Clock, Publisher};
use crate::build::{self, Built};
use crate::exit::Exit;
use crate::mirror::{self, Created, Found, Object, Signed, Upload};

/// What is known when the content is built.
pub(super) struct Steps<'a> {
    pub(super) publisher: &'a Publisher,
    pub(super) found: &'a [Found],
    pub(super) built: &'a Arc<Built>,
    pub(super) progress: &'a dyn Progress,
    pub(super) clock: Clock,
    pub(super) warnings: Vec<String>,
}

impl Steps<'_> {
    /// The same content: the pointer gets a later time, and mirrors that lack the release get it.
    pub(super) async fn renew(
        &mut self,
        last: Signed,
        as_of: Timestamp,
    ) -> Result<Report, PublishError> {
        let heartbeat = self
            .publisher
            .sign(Release {
                // Time does not go back, whatever this machine's clock does.
                as_of: as_of.max(last.release.as_of),
                signed_at: (self.clock)().max(last.release.signed_at),
                ..last.release.clone()
            })
            .await?;
        let lacking: Vec<bool> = self
            .found
            .iter()
            .map(|found| found.holds.is_ok() && !found.has(&last))
            .collect();
        let all = if lacking.contains(&true) {
            Some(self.everything().await?)
        } else {
            None
        };
        let wanted = lacking
            .iter()
            .map(|lacking| all.clone().filter(|_| *lacking));
        let wanted = wanted.collect();
        self.progress.step("checking the mirrors");
        let sent = self.send(wanted).await?;
        self.enough(&sent.missed)?;
        self.finish(&last, Some(&heartbeat), sent, None).await
    }

    /// New content: a new release, built upon `last`, its number above `newest`.
    pub(super) async fn release(
        &mut self,
        last: Option<&Signed>,
        newest: Option<&Signed>,
        as_of: Timestamp,
        coverage: Option<Coverage>,
    ) -> Result<Report, PublishError> {
        let new = Arc::new(self.built.new_objects.clone());
        let mut all = None;
        let mut wanted = Vec::new();
        for found in self.found {
            wanted.push(match last {
                _ if found.holds.is_err() => None,
                Some(last) if found.has(last) => Some(Arc::clone(&new)),
                // A mirror that lacks the last release may lack anything.
                _ => {
                    if all.is_none() {
                        all = Some(self.everything().await?);
                    }
                    all.clone()
                }
            });
        }
        self.progress.step("writing objects and reading them back");
        let sent = self.send(wanted).await?;
        self.enough(&sent.missed)?;
        let sequence = self.publisher.burn(newest).await?;
        let signed = self
            .publisher
            .sign(Release {
                version: Release::VERSION,
                site: self.publisher.site.site.clone(),
                sequence,
                manifest: self.built.digest,
                manifest_bytes: self.built.bytes.len() as u64,
                as_of,
                positions: Vec::new(),
                signed_at: (self.clock)(),
            })
            .await?;
        self.finish(&signed, None, sent, coverage).await
    }

    /// Every object of the release, read out of the publisher's own copy.
    async fn everything(&self) -> Result<Arc<Vec<Object>>, PublishError> {
        let built = Arc::clone(self.built);
        let work = tokio::task::spawn_blocking(move || {
            mirror::of_manifest(built.digest, &built.manifest, &built.stacks)
        });
        let objects = work
            .await
            .map_err(|error| PublishError::Internal(error.to_string()))?
            .map_err(build::BuildError::from)?;
        Ok(Arc::new(objects))
    }

    async fn send(&self, wanted: Vec<Option<Arc<Vec<Object>>>>) -> Result<SentTo, PublishError> {
        let upload = Upload {
            store: &self.publisher.store,
            wanted,
        };
        let progress = |done, of| self.progress.at(done, of);
        let sent = mirror::upload(&self.publisher.mirrors, &upload, &progress).await?;
        let unreached = self.found.iter().map(|found| found.holds.as_ref().err());
        let missed = unreached.zip(sent.failed).map(|(unreached, failed)| {
            let unreached = unreached.map(ToString::to_string);
            unreached.or_else(|| failed.map(|error| error.to_string()))
        });
        Ok(SentTo {
            missed: missed.collect(),
            objects: sent.objects,
            bytes: sent.bytes,
        })
    }

    fn enough(&self, missed: &[Option<String>]) -> Result<(), PublishError> {
        let took = missed.iter().filter(|missed| missed.is_none()).count();
        let majority = self.publisher.mirrors.majority();
        if took >= majority {
            return Ok(());
        }
        Err(PublishError::NotCommitted {
            took,
            all: missed.len(),
            majority,
            why: missed.iter().flatten().cloned().collect(),
        })
    }

    /// The commit point, and the pointer: to a heartbeat, if nothing is new.
    async fn finish(
        &mut self,
        release: &Signed,
        heartbeat: Option<&Signed>,
        sent: SentTo,
        coverage: Option<Coverage>,
    ) -> Result<Report, PublishError> {
        let is_new = heartbeat.is_none();
        let pointer = heartbeat.unwrap_or(release);
        let mut missed = sent.missed;
        self.progress.step("committing");
        if is_new {
            self.probe(&mut missed).await;
            self.enough(&missed)?;
        }
        self.on_each(&mut missed, async |mirror| {
            let (site, trust) = (&self.publisher.site.site, &self.publisher.trust);
            match mirror::create(mirror, site, release, trust, (self.clock)()).await {
                Created::Ours => Ok(()),
                Created::Taken => Err(format!(
                    "{}: number {} is taken by another release",
                    mirror.url(),
                    release.release.sequence
                )),
                Created::Failed(error) => Err(error.to_string()),
            }
        })
        .await;
        self.enough(&missed)?;
        // From here on the release stands, whatever happens.
        self.on_each(&mut missed, async |mirror| {
            let (site, trust) = (&self.publisher.site.site, &self.publisher.trust);
            let pointed = mirror::point(mirror, site, pointer, trust, (self.clock)()).await;
            pointed.map_err(|error: MirrorError| error.to_string())
        })
        .await;
        let exit = match (missed.iter().any(Option::is_some), is_new) {
            (true, _) => Exit::MirrorsMissed,
            (false, true) => Exit::Done,
            (false, false) => Exit::NothingNew,
        };
        let mirrors = self.publisher.mirrors.all().iter().zip(missed);
        Ok(Report {
            exit,
            is_new,
            is_renewed: heartbeat.is_some_and(|it| it.release.as_of > release.release.as_of),
            sequence: pointer.release.sequence,
            manifest: pointer.release.manifest,
            as_of: pointer.release.as_of,
            changes: self.built.changes.clone(),
            objects: sent.objects,
            bytes: sent.bytes,
            mirrors: mirrors
                .map(|(mirror, missed)| MirrorReport {
                    url: mirror.url().to_string(),
                    missed,
                })
                .collect(),
            coverage,
            warnings: std::mem::take(&mut self.warnings),
        })
    }

    async fn probe(&mut self, missed: &mut [Option<String>]) {
        let site = &self.publisher.site.site;
        for (mirror, missed) in self.publisher.mirrors.all().iter().zip(missed) {
            if missed.is_some() {
                continue;
            }
            match mirror::keeps_create_only(mirror, site).await {
                Ok(true) => {}
                Ok(false) => self.warnings.push(format!(
                    "mirror {} overwrites what it was told only to create: let one publisher \
                     alone write to it",
                    mirror.url()
                )),
                Err(error) => *missed = Some(error.to_string()),
            }
        }
    }

    /// Runs `work` on every mirror that has missed nothing yet; its failure is a miss.
    async fn on_each(
        &self,
        missed: &mut [Option<String>],
        work: impl AsyncFn(&edge::sync::Mirror) -> Result<(), String>,
    ) {
        let work = &work;
        let all = self.publisher.mirrors.all().iter().zip(missed);
        join_all(all.map(|(mirror, missed)| async move {
            if missed.is_none() {
                *missed = work(mirror).await.err();
            }
        }))
        .await;
    }
}

/// What was sent, and for each mirror why it lacks something.
struct SentTo {
    missed: Vec<Option<String>>,
    objects: u64,
    bytes: u64,
}
