//! The steps of a publish, in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use edge::sync::MirrorError;
use futures::future::join_all;
use snapshot::{
    CollectionName, Envelope, Fingerprint, Floor, Manifest, Namespace, Refusal, Release, Sequence,
    Timestamp, accept_release, encode,
};

use super::coverage::Coverage;
use super::error::PublishError;
use super::progress::Progress;
use super::report::{MirrorReport, Report};
use super::{Clock, Publisher, Wishes, guard, serving};
use crate::build::{self, Base, Built};
use crate::exit::Exit;
use crate::mirror::{self, Created, Found, Object, Signed, Upload};
use crate::source::{self, Rows};

/// The state file with the highest sequence that was ever signed here.
const SIGNED_STATE: &str = "signed";

/// What the sources gave.
struct Sources {
    records: Vec<(CollectionName, Rows)>,
    /// By route: the paths that the rows make.
    paths: BTreeMap<usize, Vec<String>>,
    warnings: Vec<String>,
}

impl Publisher {
    /// Publishes once.
    ///
    /// # Errors
    /// See [`PublishError`]; the last release stands.
    pub async fn publish(
        &self,
        wishes: Wishes,
        clock: Clock,
        progress: &dyn Progress,
    ) -> Result<Report, PublishError> {
        self.key_is_listed()?;
        // Whatever is read now is true as of now, not as of the end of a long publish.
        let as_of = clock();
        progress.step("asking the mirrors");
        let found = mirror::survey(&self.mirrors, &self.trust, as_of).await;
        self.majority_reached(&found)?;
        let last = mirror::newest(&found).cloned();
        let mut warnings = self.site.warnings.clone();
        warnings.extend(self.strange(&found));
        let base = self.base(last.as_ref(), &mut warnings).await;

        progress.step("reading the sources");
        let sources = self.read_sources().await?;
        warnings.extend(sources.warnings);

        progress.step("building");
        let built = self
            .build(sources.records, base.clone(), wishes.accept_shrink)
            .await?;
        let mut steps = Steps {
            publisher: self,
            found: &found,
            built: &built,
            progress,
            clock,
            warnings,
        };
        match last {
            Some(last) if last.release.manifest == built.digest => steps.renew(last, as_of).await,
            last => {
                progress.step("trying every URL with no origin in reach");
                let serving = serving::open(&self.store, &self.site.site, &built, as_of).await?;
                let coverage =
                    guard::check(&self.site, &built, sources.paths, &*serving, progress).await?;
                steps.release(last, as_of, coverage).await
            }
        }
    }

    /// A key that nobody believes is refused before any work.
    fn key_is_listed(&self) -> Result<(), PublishError> {
        let key = Fingerprint::of(self.signer.public_key().key_data());
        let site = &self.site.site;
        if self
            .trust
            .still_trusts([&key], Namespace::Release, site, None)
        {
            return Ok(());
        }
        Err(PublishError::Unbelieved {
            key: key.to_string(),
            why: format!("the trust files let nobody sign releases of {site} with it alone"),
        })
    }

    fn majority_reached(&self, found: &[Found]) -> Result<(), PublishError> {
        let reached = found.iter().filter(|found| found.holds.is_ok()).count();
        let majority = self.mirrors.majority();
        if reached >= majority {
            return Ok(());
        }
        let failed = found.iter().filter_map(|found| found.holds.as_ref().err());
        Err(PublishError::Unreachable {
            reached,
            all: found.len(),
            majority,
            why: failed.map(ToString::to_string).collect(),
        })
    }

    fn strange(&self, found: &[Found]) -> Vec<String> {
        let mut words = Vec::new();
        for (mirror, found) in self.mirrors.all().iter().zip(found) {
            let refused = found.holds.iter().flat_map(|holds| &holds.refused);
            words.extend(refused.map(|why| format!("mirror {}: {why}", mirror.url())));
        }
        words
    }

    /// The last release's manifest, with its segments in the publisher's own copy. A release that
    /// no mirror can give any more is built anew, in full.
    async fn base(
        &self,
        last: Option<&Signed>,
        warnings: &mut Vec<String>,
    ) -> Option<Arc<Manifest>> {
        let last = last?;
        let brought = async {
            let manifest = mirror::manifest(&self.mirrors, &self.store, &last.release).await?;
            mirror::bring(&self.mirrors, &self.store, &manifest).await?;
            Ok::<_, mirror::FetchError>(manifest)
        };
        match brought.await {
            Ok(manifest) => Some(Arc::new(manifest)),
            Err(error) => {
                warnings.push(format!(
                    "release {} cannot be built upon, so everything is built anew: {error}",
                    last.release.sequence
                ));
                None
            }
        }
    }

    async fn read_sources(&self) -> Result<Sources, PublishError> {
        let (site, limits) = (self.site.clone(), self.limits);
        let work = tokio::task::spawn_blocking(move || {
            let mut sources = Sources {
                records: Vec::new(),
                paths: BTreeMap::new(),
                warnings: Vec::new(),
            };
            for collection in &site.collections {
                let read = source::read(&site.site, collection, limits)?;
                if read.weak_secrets > 0 {
                    sources.warnings.push(format!(
                        "collection {}: {} secrets are shorter than {} bytes and can be guessed by \
                         whoever reads a mirror",
                        collection.name,
                        read.weak_secrets,
                        source::WEAK_SECRET_BYTES
                    ));
                }
                sources.records.push((collection.name.clone(), read.rows));
            }
            for (at, route) in site.routes.iter().enumerate() {
                if let Some(rows) = &route.urls
                    && let Ok(template) = route.route.path.parse()
                {
                    let paths = source::paths(&template, rows, limits)?;
                    sources.paths.insert(at, paths.0);
                }
            }
            Ok(sources)
        });
        work.await
            .map_err(|error| PublishError::Internal(error.to_string()))?
    }

    async fn build(
        &self,
        records: Vec<(CollectionName, Rows)>,
        base: Option<Arc<Manifest>>,
        accept_shrink: bool,
    ) -> Result<Arc<Built>, PublishError> {
        let (site, store) = (self.site.clone(), Arc::clone(&self.store));
        let work = tokio::task::spawn_blocking(move || {
            let base = base.as_deref().map(|manifest| Base { manifest });
            build::build(&site, records, base, accept_shrink, &store)
        });
        let built = work
            .await
            .map_err(|error| PublishError::Internal(error.to_string()))??;
        Ok(Arc::new(built))
    }

    /// Signs `release`, and judges it as an edge would.
    async fn sign(&self, release: Release) -> Result<Signed, PublishError> {
        let signer = Arc::clone(&self.signer);
        let payload =
            encode(&release).map_err(|error| PublishError::Internal(error.to_string()))?;
        let work = tokio::task::spawn_blocking(move || {
            let mut envelope = Envelope::seal(payload);
            envelope.sign_with(&*signer, Namespace::Release)?;
            Ok::<_, snapshot::SignError>(envelope)
        });
        let envelope = work
            .await
            .map_err(|error| PublishError::Internal(error.to_string()))??;
        let site = &self.site.site;
        let at = release.signed_at;
        let accepted = accept_release(&self.trust, &envelope, site, &Floor::default(), at);
        let (accepted, _) = accepted.map_err(|refusal| match refusal {
            Refusal::Trust(why) => PublishError::Unbelieved {
                key: Fingerprint::of(self.signer.public_key().key_data()).to_string(),
                why: why.to_string(),
            },
            other => PublishError::Refused(other),
        })?;
        let persons = accepted.signers.persons();
        Ok(Signed {
            signers: persons.into_iter().map(str::to_owned).collect(),
            release: accepted.release,
            envelope: envelope
                .to_bytes()
                .map_err(|error| PublishError::Internal(error.to_string()))?,
        })
    }

    /// The next sequence, written down before it is signed: once signed it is burnt.
    async fn burn(&self, last: Option<&Signed>) -> Result<Sequence, PublishError> {
        let seen = last.map_or(0, |last| last.release.sequence.0);
        let store = Arc::clone(&self.store);
        let work = tokio::task::spawn_blocking(move || {
            let burnt = store.read_state(SIGNED_STATE, 64)?;
            let burnt = burnt
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0);
            let next = Sequence(seen.max(burnt)).next();
            store.write_state(SIGNED_STATE, format!("{next}\n").as_bytes())?;
            Ok::<_, snapshot::StoreError>(next)
        });
        Ok(work
            .await
            .map_err(|error| PublishError::Internal(error.to_string()))??)
    }
}

/// The end of a publish: what is known by then.
struct Steps<'a> {
    publisher: &'a Publisher,
    found: &'a [Found],
    built: &'a Arc<Built>,
    progress: &'a dyn Progress,
    clock: Clock,
    warnings: Vec<String>,
}

impl Steps<'_> {
    /// The same content: the pointer gets a later time, and mirrors that lack the release get it.
    async fn renew(&mut self, last: Signed, as_of: Timestamp) -> Result<Report, PublishError> {
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
        self.commit(&last, &heartbeat, wanted, None).await
    }

    /// New content: a new release.
    async fn release(
        &mut self,
        last: Option<Signed>,
        as_of: Timestamp,
        coverage: Coverage,
    ) -> Result<Report, PublishError> {
        let new = Arc::new(self.built.new_objects.clone());
        let mut all = None;
        let mut wanted = Vec::new();
        for found in self.found {
            wanted.push(match &last {
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
        let sequence = self.publisher.burn(last.as_ref()).await?;
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
        self.finish(&signed, &signed, sent, Some(coverage)).await
    }

    async fn commit(
        &mut self,
        release: &Signed,
        pointer: &Signed,
        wanted: Vec<Option<Arc<Vec<Object>>>>,
        coverage: Option<Coverage>,
    ) -> Result<Report, PublishError> {
        let sent = self.send(wanted).await?;
        self.enough(&sent.missed)?;
        self.finish(release, pointer, sent, coverage).await
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

    /// The commit point, and the pointer.
    async fn finish(
        &mut self,
        release: &Signed,
        pointer: &Signed,
        sent: SentTo,
        coverage: Option<Coverage>,
    ) -> Result<Report, PublishError> {
        let is_new = coverage.is_some();
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
