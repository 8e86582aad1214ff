//! The steps of a publish, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use snapshot::{
    CollectionName, Envelope, Fingerprint, Floor, Key, Manifest, Namespace, Refusal, Release,
    Sequence, accept_release, encode,
};

use super::dumps::Dumps;
use super::error::PublishError;
use super::progress::Progress;
use super::report::Report;
use super::steps::Steps;
use super::{Clock, Publisher, Wishes};
use crate::build::{self, Ask, Base, Built, Given, Wish};
use crate::config;
use crate::erased::Erased;
use crate::mirror::{self, Found, Signed};
use crate::source::{self, Learned};
use crate::sweep::{Sweep, Swept};

/// How often listed changes are put on top of what another publisher was quicker with.
pub(super) const REBASES: usize = 8;
/// Most records that are named in a warning.
const NAMED: usize = 5;

/// Tells that the sources have what was erased.
fn left_out(met: &[(CollectionName, Key)]) -> Option<String> {
    let named = met.iter().take(NAMED).map(|(collection, key)| {
        format!(
            "\n  {collection}/{}",
            String::from_utf8_lossy(key.as_bytes())
        )
    });
    let more = met.len().saturating_sub(NAMED);
    (!met.is_empty()).then(|| {
        format!(
            "{} erased records are still in the sources and were left out; remove them there, or \
             take them again with --take-erased:{}{}",
            met.len(),
            named.collect::<String>(),
            if more > 0 {
                format!("\n  and {more} more")
            } else {
                String::new()
            },
        )
    })
}

fn can_be_guessed((collection, secrets): (&CollectionName, &usize)) -> Option<String> {
    (*secrets > 0).then(|| {
        format!(
            "collection {collection}: {secrets} secrets are shorter than {} bytes and can be guessed \
             by whoever reads a mirror",
            source::WEAK_SECRET_BYTES
        )
    })
}

/// Tells that the sources do not count everywhere.
fn kept(built: &Built) -> Option<String> {
    let all = &built.kept;
    let named = all.iter().take(NAMED).map(|key| format!("\n  {key}"));
    let more = all.len().saturating_sub(NAMED);
    (!all.is_empty()).then(|| {
        format!(
            "{} records stay as they were amended by hand, whatever the sources say; --take-source \
             lets the sources count again:{}{}",
            all.len(),
            named.collect::<String>(),
            if more > 0 {
                format!("\n  and {more} more")
            } else {
                String::new()
            },
        )
    })
}

/// A release that only a later version of this program can read is nothing to publish over: what it
/// holds would go unseen, and its number is taken.
pub(super) fn not_outgrown(found: &[Found]) -> Result<(), PublishError> {
    let mut held = found.iter().filter_map(|found| found.holds.as_ref().ok());
    match held.find_map(|holds| holds.beyond.clone()) {
        Some(why) => Err(PublishError::Outgrown(why)),
        None => Ok(()),
    }
}

/// The state file with the highest sequence that was ever signed here.
const SIGNED_STATE: &str = "signed";

/// What the sources make.
struct Made {
    built: Arc<Built>,
    /// About the sources.
    warnings: Vec<String>,
    /// What was erased, and is not any more once this stands.
    taken_again: Vec<(CollectionName, Key)>,
    /// What there is to remember of the dumps.
    dumps: Dumps,
}

impl Publisher {
    /// Publishes once. If another publisher gets the number meanwhile, changes that were listed
    /// hold on top of its release just as well, and are published there; sources say all there is
    /// and know nothing of it, so they are not read over its head.
    ///
    /// # Errors
    /// See [`PublishError`]; the last release stands.
    pub async fn publish(
        &self,
        wishes: Wishes,
        clock: Clock,
        progress: &dyn Progress,
    ) -> Result<Report, PublishError> {
        let mut lost = Vec::new();
        loop {
            match self.publish_once(&wishes, clock, progress).await {
                Err(error @ PublishError::Lost { .. })
                    if lost.len() < REBASES && wishes.can_be_read_again() =>
                {
                    progress.step("publishing on top of another publisher's release");
                    lost.push(error.to_string());
                }
                Err(error) => return Err(error),
                Ok(mut report) => {
                    report.warnings.splice(..0, lost);
                    self.sweep_if_due(&mut report, clock, progress).await;
                    return Ok(report);
                }
            }
        }
    }

    async fn publish_once(
        &self,
        wishes: &Wishes,
        clock: Clock,
        progress: &dyn Progress,
    ) -> Result<Report, PublishError> {
        self.may_publish()?;
        // Whatever is read now is true as of now, not as of the end of a long publish.
        let as_of = clock();
        progress.step("asking the mirrors");
        let found = mirror::survey(&self.mirrors, &self.trust, as_of).await;
        self.majority_reached(&found)?;
        not_outgrown(&found)?;
        let last = mirror::newest(&found).cloned();
        let mut warnings = self.site.warnings.clone();
        warnings.extend(self.strange(&found));
        let base = match &last {
            None => None,
            Some(last) => match self.base(last, &mut warnings).await {
                Err(PublishError::NoBase { why, .. })
                    if wishes.amended == Some(Wish::Take) && !why.is_own() =>
                {
                    warnings.push(format!("made without regard to the last release: {why}"));
                    None
                }
                base => Some(base?),
            },
        };

        progress.step("reading the sources and building");
        let made = self.build(base.clone(), wishes).await?;
        let built = made.built;
        warnings.extend(made.warnings);
        // Beside what follows, which leaves a core idle now and then.
        let (site, content) = (self.site.clone(), Arc::clone(&built));
        let remembering = tokio::task::spawn_blocking(move || made.dumps.keep(&site, &content));
        let mut steps = Steps {
            publisher: self,
            found: &found,
            built: &built,
            progress,
            clock,
            warnings,
            erases: false,
        };
        let published = async {
            match last {
                Some(last)
                    if last.release.manifest == built.digest && self.can_stand(&found, &last) =>
                {
                    steps.renew(last, as_of).await
                }
                last => {
                    let paths = if wishes.changes.is_empty() {
                        Some(self.paths().await?)
                    } else {
                        None
                    };
                    let coverage = steps.tried(paths, as_of, wishes.ask_all).await?;
                    let last = last.as_ref();
                    steps.release(last, last, as_of, coverage).await
                }
            }
        };
        let published = published.await;
        let remembered = remembering.await;
        let mut report = published?;
        let remembered = remembered.map_err(|error| PublishError::Internal(error.to_string()))?;
        report.warnings.extend(remembered);
        if !made.taken_again.is_empty() {
            // Not before it stands: what is refused brings nothing back.
            let list = Erased::open(&self.erased_list());
            let forgotten = list.and_then(|mut list| list.forget(&made.taken_again));
            if let Err(error) = forgotten {
                let words = "the next publish leaves out again what was taken again";
                report.warnings.push(format!("{words}: {error}"));
            }
        }
        Ok(report)
    }

    /// What goes wrong with it changes nothing about the release, and is told.
    async fn sweep_if_due(&self, report: &mut Report, clock: Clock, progress: &dyn Progress) {
        if !self.site.retention.sweep {
            return;
        }
        let sweep = Sweep {
            mirrors: &self.mirrors,
            trust: &self.trust,
            store: &self.store,
            retention: &self.site.retention,
            erasing: false,
            dry_run: false,
            clock,
            progress,
        };
        match sweep.if_due().await {
            Ok(swept) => {
                let warnings = swept.iter().flat_map(Swept::warnings);
                report.warnings.extend(warnings);
                report.swept = swept;
            }
            Err(error) => report.warnings.push(format!("nothing was swept: {error}")),
        }
    }

    /// A mirror that can only be read is refused before any work, and so is a wrong key.
    pub(super) fn may_publish(&self) -> Result<(), PublishError> {
        for mirror in self.mirrors.all() {
            mirror.writable()?;
        }
        self.key_is_listed()
    }

    /// A key that nobody believes is refused before any work.
    pub(super) fn key_is_listed(&self) -> Result<(), PublishError> {
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

    pub(super) fn majority_reached(&self, found: &[Found]) -> Result<(), PublishError> {
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

    /// Whether a majority of the mirrors can still hold `last`: two publishers killed at the same
    /// number may have left it with neither.
    pub(super) fn can_stand(&self, found: &[Found], last: &Signed) -> bool {
        found.len() - mirror::elsewhere(found, last).min(found.len()) >= self.mirrors.majority()
    }

    pub(super) fn strange(&self, found: &[Found]) -> Vec<String> {
        let mut words = Vec::new();
        for (mirror, found) in self.mirrors.all().iter().zip(found) {
            let refused = found.holds.iter().flat_map(|holds| &holds.refused);
            words.extend(refused.map(|why| format!("mirror {}: {why}", mirror.url())));
        }
        words
    }

    /// The content that the sources make upon `base`.
    async fn build(
        &self,
        base: Option<Arc<Manifest>>,
        wishes: &Wishes,
    ) -> Result<Made, PublishError> {
        let (site, store, limits) = (self.site.clone(), Arc::clone(&self.store), self.limits);
        let (changes, accept_shrink) = (wishes.changes.clone(), wishes.accept_shrink);
        let wish = wishes.amended;
        let list = self.erased_list();
        let (erased, take_erased) = (Erased::open(&list)?, wishes.take_erased);
        let work = tokio::task::spawn_blocking(move || {
            let scratch = store.scratch();
            let base = base.as_deref().map(|manifest| Base { manifest, wish });
            let mut warnings = Vec::new();
            let mut weak = BTreeMap::new();
            let mut dumps = Dumps::of(&store);
            let met = Arc::new(Mutex::new(BTreeSet::new()));
            let before = base.map(|base| base.manifest);
            let mut give = |collection: &config::Collection, ask: Ask| {
                let listed = changes.get(&collection.name);
                let read = match listed {
                    Some(path) => source::changes(&site.site, collection, path, limits, &scratch)?,
                    None if changes.is_empty() => {
                        let known = dumps.lines(before, collection, ask);
                        source::read(&site.site, collection, limits, &scratch, known)?
                    }
                    None => return Ok(Given::Same),
                };
                weak.insert(collection.name.clone(), read.weak_secrets);
                let mut rows = read.rows;
                if erased.any(&collection.name) {
                    let (list, name) = (erased.clone(), collection.name.clone());
                    let met = Arc::clone(&met);
                    rows = rows.watched(Box::new(move |key| {
                        let known = list.has(&name, key);
                        if known && let Ok(mut met) = met.lock() {
                            met.insert((name.clone(), key.clone()));
                        }
                        known && !take_erased
                    }));
                }
                let partly = read.learned.as_ref().filter(|learned| learned.is_partial());
                let partly = partly.map(Learned::records);
                if let Some(learned) = read.learned {
                    dumps.learn(&collection.name, learned);
                }
                Ok(match (listed, partly) {
                    (Some(_), _) => Given::Changes(rows),
                    (None, Some(records)) => Given::Found(rows, records),
                    (None, None) => Given::All(rows),
                })
            };
            let built = build::build(&site, &mut give, base, accept_shrink, &store)?;
            warnings.extend(weak.iter().filter_map(can_be_guessed));
            warnings.extend(kept(&built));
            let met = met.lock().map(|met| met.clone()).unwrap_or_default();
            let mut met = Vec::from_iter(met);
            if !take_erased {
                warnings.extend(left_out(&met));
                met.clear();
            }
            Ok::<_, PublishError>(Made {
                built: Arc::new(built),
                warnings,
                taken_again: met,
                dumps,
            })
        });
        work.await
            .map_err(|error| PublishError::Internal(error.to_string()))?
    }

    /// By route: the paths that rows make.
    async fn paths(&self) -> Result<BTreeMap<usize, Vec<String>>, PublishError> {
        let (site, limits) = (self.site.clone(), self.limits);
        let work = tokio::task::spawn_blocking(move || {
            let mut all = BTreeMap::new();
            for (at, route) in site.routes.iter().enumerate() {
                if let Some(rows) = &route.urls
                    && let Ok(template) = route.route.path.parse()
                {
                    all.insert(at, source::paths(&template, rows, limits)?.0);
                }
            }
            Ok::<_, source::SourceError>(all)
        });
        let paths = work
            .await
            .map_err(|error| PublishError::Internal(error.to_string()))?;
        Ok(paths?)
    }

    /// Signs `release`, and judges it as an edge would.
    pub(super) async fn sign(&self, release: Release) -> Result<Signed, PublishError> {
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
    pub(super) async fn burn(&self, last: Option<&Signed>) -> Result<Sequence, PublishError> {
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
