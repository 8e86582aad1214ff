//! The end of a publish: objects to the mirrors, the commit, the pointer.

use std::collections::BTreeSet;
use std::sync::Arc;

use snapshot::{Digest, Release, Sequence, Timestamp};

use super::coverage::Coverage;
use super::error::PublishError;
use super::places::Places;
use super::progress::Progress;
use super::report::Report;
use super::{Clock, Publisher};
use crate::build::{self, Built};
use crate::exit::Exit;
use crate::mirror::{self, Found, Object, Signed, Upload};

/// What is known when the content is built.
pub(super) struct Steps<'a> {
    pub(super) publisher: &'a Publisher,
    pub(super) found: &'a [Found],
    pub(super) built: &'a Arc<Built>,
    pub(super) progress: &'a dyn Progress,
    pub(super) clock: Clock,
    pub(super) warnings: Vec<String>,
    /// The new release is published to erase something.
    pub(super) erases: bool,
}

impl<'a> Steps<'a> {
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
        // The last release names all of it.
        let sent = self.send(wanted, BTreeSet::new()).await?;
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
                // Nothing was published: all is new.
                None => Some(Arc::clone(&new)),
                Some(last) if found.has(last) => Some(Arc::clone(&new)),
                // A mirror that lacks the last release may lack anything.
                Some(_) => {
                    if all.is_none() {
                        all = Some(self.everything().await?);
                    }
                    all.clone()
                }
            });
        }
        self.progress.step("writing objects and reading them back");
        // Of what an older release names, and the newest does not, nobody knows that it stays.
        let is_newest = match (last, newest) {
            (Some(last), Some(newest)) => last.is_same_release(newest),
            _ => true,
        };
        let named = if is_newest { Some(&new) } else { all.as_ref() };
        let named = named.into_iter().flat_map(|objects| objects.iter());
        let unsettled = named.map(|object| object.digest).collect();
        let sent = self.send(wanted, unsettled).await?;
        self.enough(&sent.missed)?;
        let sequence = self.publisher.burn(newest).await?;
        let signed = self
            .publisher
            .sign(Release {
                version: Release::VERSION,
                least_edge: self.built.manifest.least_edge(),
                site: self.publisher.site.site.clone(),
                sequence,
                manifest: self.built.digest,
                manifest_bytes: self.built.bytes.len() as u64,
                as_of,
                positions: Vec::new(),
                signed_at: (self.clock)(),
                erased: match newest {
                    _ if self.erases => sequence,
                    Some(newest) => newest.release.erased,
                    None => Sequence(0),
                },
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

    async fn send(
        &self,
        wanted: Vec<Option<Arc<Vec<Object>>>>,
        unsettled: BTreeSet<Digest>,
    ) -> Result<SentTo<'a>, PublishError> {
        let publisher: &'a Publisher = self.publisher;
        let upload = Upload {
            store: &publisher.store,
            wanted,
            unsettled,
            grace: self.publisher.site.retention.grace,
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
            upload,
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
        sent: SentTo<'_>,
        coverage: Option<Coverage>,
    ) -> Result<Report, PublishError> {
        let is_new = heartbeat.is_none();
        let pointer = heartbeat.unwrap_or(release);
        let mut places = Places::new(self.publisher, release, sent.missed);
        let mut upload = sent.upload;
        self.progress.step("committing");
        places.now = (self.clock)();
        places.know(is_new).await;
        self.enough(&places.missed)?;
        // From here on the release may stand.
        places.create(is_new).await?;
        self.enough(&places.missed)?;
        // From here on it stands, whatever happens; where mirrors do not keep publishers apart,
        // once nobody else is found in its places. And whoever sweeps knows of it.
        for (missed, wanted) in places.missed.iter().zip(&mut upload.wanted) {
            // What failed before is not waited for once more.
            wanted.take_if(|_| missed.is_some());
        }
        let confirmed = mirror::confirm(&self.publisher.mirrors, &upload).await;
        for (missed, swept) in places.missed.iter_mut().zip(confirmed.iter().flatten()) {
            *missed = missed.take().or(swept.as_ref().map(ToString::to_string));
        }
        places.now = (self.clock)();
        places.point(pointer, is_new).await?;
        if let Err(error) = confirmed {
            // What was swept meanwhile could not be put again, and the release stands all the same.
            for missed in &mut places.missed {
                missed.get_or_insert(error.to_string());
            }
        }
        let missed = &places.missed;
        let exit = match (missed.iter().any(Option::is_some), is_new) {
            (true, _) => Exit::MirrorsMissed,
            (false, true) => Exit::Done,
            (false, false) => Exit::NothingNew,
        };
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
            majority: self.publisher.mirrors.majority(),
            mirrors: places.report(),
            swept: None,
            coverage,
            warnings: std::mem::take(&mut self.warnings),
        })
    }
}

/// What was sent, and for each mirror why it lacks something.
struct SentTo<'a> {
    upload: Upload<'a>,
    missed: Vec<Option<String>>,
    objects: u64,
    bytes: u64,
}
