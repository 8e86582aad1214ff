//! What lies on the mirrors before anything goes: releases, pointers, pins; what of it stays, and
//! what that names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use edge::sync::layout::Place;
use edge::sync::{Mirror, MirrorError};
use futures::StreamExt;
use snapshot::order::Pin;
use snapshot::{
    Digest, Envelope, Marks, OfferedBundle, Release, Sequence, Timestamp, decode, limits,
};

use super::{Known, Sweep, SweepError, Swept};
use crate::mirror::{self, FetchError, Signed, listing};

/// Releases read from a mirror at once.
const AT_ONCE: usize = 32;

/// One mirror.
#[derive(Debug, Default)]
pub struct Look {
    /// The time by its clock.
    pub now: Timestamp,
    releases: BTreeMap<Sequence, Filed>,
    pointer: Option<Signed>,
    pins: Vec<Pin>,
    told: Vec<String>,
}

/// `releases/N`.
#[derive(Debug)]
struct Filed {
    written: Timestamp,
    /// What it says, if it can be read.
    release: Option<Release>,
    believed: bool,
}

/// What was committed or pinned, and is not marked.
pub(super) struct News {
    releases: Vec<Release>,
    /// Of those that nobody vouches for, and pinned ones.
    manifests: BTreeSet<Digest>,
}

impl News {
    pub(super) fn is_empty(&self) -> bool {
        self.releases.is_empty() && self.manifests.is_empty()
    }
}

/// What stays.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Releases that stay, newest first.
    releases: Vec<Release>,
    /// What they are compared by.
    names: BTreeSet<(Sequence, Digest)>,
    /// Manifests that stay with what they name if they can be read: nobody vouches for them.
    others: BTreeSet<Digest>,
}

impl Look {
    pub(super) async fn at(mirror: &Mirror, sweep: &Sweep<'_>) -> Result<Self, MirrorError> {
        let site = &sweep.mirrors.site;
        mirror.present().await?;
        let mut look = Self {
            now: if sweep.dry_run {
                (sweep.clock)()
            } else {
                listing::time(mirror, site).await?
            },
            ..Self::default()
        };
        look.again(mirror, sweep).await?;
        if let Some(bytes) = mirror
            .read(&Place::release(site), limits::ENVELOPE_BYTES)
            .await?
        {
            match Signed::judge(bytes, site, sweep.trust, (sweep.clock)()) {
                Ok(signed) => look.pointer = Some(signed),
                Err(refusal) => look.tell(format!("{}: {refusal}", Place::release(site))),
            }
        }
        Ok(look)
    }

    /// Reads the releases that were not there before, and the pins; gives the new releases.
    async fn again(
        &mut self,
        mirror: &Mirror,
        sweep: &Sweep<'_>,
    ) -> Result<Vec<Sequence>, MirrorError> {
        let site = &sweep.mirrors.site;
        let (filed, foreign) = listing::releases(mirror, site).await?;
        for name in foreign {
            self.tell(format!("{name} is no name of ours: left"));
        }
        let new = filed
            .into_iter()
            .filter(|(sequence, _)| !self.releases.contains_key(sequence));
        let reads = new.map(|(sequence, written)| async move {
            let place = Place::retained(site, sequence);
            let bytes = mirror.read(&place, limits::ENVELOPE_BYTES).await?;
            Ok::<_, MirrorError>((sequence, written, bytes))
        });
        let reads: Vec<_> = futures::stream::iter(reads.collect::<Vec<_>>())
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut found = Vec::new();
        for read in reads {
            // Swept by somebody else between listing and reading.
            let (sequence, written, Some(bytes)) = read? else {
                continue;
            };
            self.file(sequence, written, bytes, sweep);
            found.push(sequence);
        }
        self.pins = self.read_pins(mirror, sweep).await?;
        Ok(found)
    }

    fn file(&mut self, sequence: Sequence, written: Timestamp, bytes: Vec<u8>, sweep: &Sweep<'_>) {
        let site = &sweep.mirrors.site;
        let place = Place::retained(site, sequence);
        let says = Envelope::from_bytes(&bytes).ok().and_then(|envelope| {
            decode::<Release>(envelope.payload(), limits::STATEMENT_BYTES).ok()
        });
        let judged = Signed::judge(bytes, site, sweep.trust, (sweep.clock)());
        let believed = match judged {
            Ok(signed) if signed.release.sequence == sequence => true,
            Ok(signed) => {
                let other = signed.release.sequence;
                self.tell(format!(
                    "{place} holds release {other}: left with what it names"
                ));
                false
            }
            Err(refusal) => {
                self.tell(format!("{place}: {refusal}: left with what it names"));
                false
            }
        };
        let filed = Filed {
            written,
            release: says,
            believed,
        };
        self.releases.insert(sequence, filed);
    }

    /// Every pin counts, whoever signed it: to keep too much loses nothing.
    async fn read_pins(&self, mirror: &Mirror, sweep: &Sweep<'_>) -> Result<Vec<Pin>, MirrorError> {
        let place = Place::orders(&sweep.mirrors.site);
        let Some(bytes) = mirror.read(&place, limits::BUNDLE_BYTES).await? else {
            return Ok(Vec::new());
        };
        let bundle = OfferedBundle::from_bytes(&bytes).map_err(|error| {
            let source = Box::new(error);
            mirror.failed(
                &place,
                object_store::Error::Generic {
                    store: "orders",
                    source,
                },
            )
        })?;
        Ok(bundle
            .orders()
            .iter()
            .filter_map(|order| order.pin)
            .collect())
    }

    fn tell(&mut self, words: String) {
        if !self.told.contains(&words) {
            self.told.push(words);
        }
    }
}

impl<'a> Known<'a> {
    pub(super) fn of(
        sweep: Sweep<'a>,
        looks: Vec<Result<Look, String>>,
    ) -> Result<Self, SweepError> {
        let known = Self {
            grace: if sweep.erasing {
                Duration::ZERO
            } else {
                sweep.retention.grace
            },
            sweep,
            looks,
            marks: Marks::default(),
            marked: BTreeSet::new(),
        };
        known.enough()?;
        let believed = known.filed().any(|(_, filed)| filed.believed);
        if believed {
            return Ok(known);
        }
        let told = known.looks.into_iter().flatten().flat_map(|look| look.told);
        Err(SweepError::NoRelease(told.collect()))
    }

    fn enough(&self) -> Result<(), SweepError> {
        let reached = self.looks.iter().filter(|look| look.is_ok()).count();
        let majority = self.sweep.mirrors.majority();
        if reached >= majority {
            return Ok(());
        }
        let failed = self.looks.iter().filter_map(|look| look.as_ref().err());
        Err(SweepError::Unreachable {
            reached,
            all: self.looks.len(),
            majority,
            why: failed.cloned().collect(),
        })
    }

    /// Whether every mirror was read that orders are written to.
    fn all_known(&self) -> bool {
        let all = self.looks.iter().zip(self.sweep.mirrors.all());
        let mut written = all.filter(|(_, mirror)| mirror.writable().is_ok());
        written.all(|(look, _)| look.is_ok())
    }

    fn all(&self) -> impl Iterator<Item = &Look> {
        self.looks.iter().filter_map(|look| look.as_ref().ok())
    }

    fn filed(&self) -> impl Iterator<Item = (&Look, &Filed)> {
        self.all()
            .flat_map(|look| look.releases.values().map(move |filed| (look, filed)))
    }

    /// What stays, by the releases and pins of all mirrors together.
    pub(super) fn kept(&self, falls: &impl Fn(&Digest) -> bool) -> Kept {
        let believed: BTreeMap<(Sequence, Digest), &Release> = self
            .filed()
            .filter(|(_, filed)| filed.believed)
            .filter_map(|(_, filed)| filed.release.as_ref())
            .map(|release| (name(release), release))
            .collect();
        let numbers: BTreeSet<Sequence> = believed.keys().map(|(number, _)| *number).collect();
        let most = usize::try_from(self.sweep.retention.releases).unwrap_or(usize::MAX);
        let newest: BTreeSet<Sequence> = numbers.iter().rev().take(most).copied().collect();
        let pins: BTreeSet<(Sequence, Digest)> = self
            .all()
            .flat_map(|look| &look.pins)
            .map(|pin| (pin.sequence, pin.manifest))
            .collect();
        let younger = self.sweep.retention.younger;
        let young: BTreeSet<(Sequence, Digest)> = self
            .filed()
            .filter(|(look, filed)| age(look.now, filed.written) < younger)
            .filter_map(|(_, filed)| filed.release.as_ref().map(name))
            .collect();
        let pointers: Vec<&Release> = self
            .all()
            .filter_map(|look| Some(&look.pointer.as_ref()?.release))
            .collect();
        let pointed: BTreeSet<(Sequence, Digest)> = pointers.iter().map(|r| name(r)).collect();
        let last = numbers.last();
        let all_known = self.all_known();
        let mut kept = Kept::default();
        for (own, release) in believed.iter().rev() {
            let stays = !all_known
                || newest.contains(&own.0)
                || young.contains(own)
                || pins.contains(own)
                || pointed.contains(own);
            if Some(&own.0) == last || stays && !falls(&release.manifest) {
                kept.names.insert(*own);
                kept.releases.push((*release).clone());
            }
        }
        let strangers = self.filed().filter(|(_, filed)| !filed.believed);
        let strangers = strangers.filter_map(|(_, filed)| filed.release.as_ref());
        let unfiled = pointers
            .into_iter()
            .filter(|r| !believed.contains_key(&name(r)));
        let others = strangers.chain(unfiled).map(|release| release.manifest);
        kept.others
            .extend(others.filter(|manifest| !falls(manifest)));
        let pinned = pins.iter().filter(|pin| !believed.contains_key(pin));
        let pinned = pinned.map(|pin| pin.1).filter(|manifest| !falls(manifest));
        kept.others.extend(pinned);
        kept
    }

    /// Marks all that `kept` names.
    pub(super) async fn mark(&mut self, kept: &Kept) -> Result<(), SweepError> {
        for (done, release) in kept.releases.iter().enumerate() {
            self.sweep.progress.at(done, kept.releases.len());
            self.mark_release(release).await?;
        }
        for manifest in &kept.others {
            self.mark_other(manifest).await;
        }
        Ok(())
    }

    async fn mark_release(&mut self, release: &Release) -> Result<(), SweepError> {
        let marked = self
            .mark_manifest(release.manifest, release.manifest_bytes)
            .await;
        marked.map_err(|why| SweepError::Unmarked {
            sequence: release.sequence,
            why: Box::new(why),
        })
    }

    /// Marks what somebody names for whom nobody vouches, as far as it can be read.
    async fn mark_other(&mut self, manifest: &Digest) {
        self.marks.add(manifest);
        let _ = self
            .mark_manifest(*manifest, limits::MANIFEST_BYTES as u64)
            .await;
    }

    async fn mark_manifest(&mut self, digest: Digest, bytes: u64) -> Result<(), FetchError> {
        if self.marked.contains(&digest) {
            return Ok(());
        }
        let (mirrors, store) = (self.sweep.mirrors, self.sweep.store);
        let manifest = mirror::manifest_of(mirrors, store, digest, bytes).await?;
        // Only a segment tells which blobs it names.
        mirror::bring_stacks(mirrors, store, &manifest).await?;
        let (own, mut marks) = (Arc::clone(store), std::mem::take(&mut self.marks));
        let work = tokio::task::spawn_blocking(move || {
            let marked = marks.release(&own, &digest, &manifest);
            (marks, marked)
        });
        let (marks, marked) = work
            .await
            .map_err(|error| FetchError::Own(error.to_string()))?;
        self.marks = marks;
        marked.map_err(|error| FetchError::Own(error.to_string()))?;
        self.marked.insert(digest);
        Ok(())
    }

    /// Reads again what was committed and pinned meanwhile, and marks it.
    pub(super) async fn refresh(&mut self) -> Result<(), SweepError> {
        let news = self.news().await?;
        self.mark_news(news).await
    }

    /// What was committed and pinned since it was marked.
    pub(super) async fn news(&mut self) -> Result<News, SweepError> {
        let (mut releases, mut manifests) = (Vec::new(), BTreeSet::new());
        let sweep = self.sweep;
        for (look, mirror) in self.looks.iter_mut().zip(sweep.mirrors.all()) {
            let Ok(known) = look else {
                continue;
            };
            match known.again(mirror, &sweep).await {
                Err(error) => *look = Err(error.to_string()),
                Ok(found) => {
                    let found = found.iter().filter_map(|n| known.releases.get(n));
                    for filed in found {
                        match &filed.release {
                            Some(release) if filed.believed => releases.push(release.clone()),
                            Some(release) => {
                                manifests.insert(release.manifest);
                            }
                            None => {}
                        }
                    }
                    manifests.extend(known.pins.iter().map(|pin| pin.manifest));
                }
            }
        }
        self.enough()?;
        releases.retain(|release: &Release| !self.marks.has(&release.manifest));
        manifests.retain(|manifest| !self.marks.has(manifest));
        Ok(News {
            releases,
            manifests,
        })
    }

    pub(super) async fn mark_news(&mut self, news: News) -> Result<(), SweepError> {
        for release in news.releases {
            self.mark_release(&release).await?;
        }
        for manifest in news.manifests {
            self.mark_other(&manifest).await;
        }
        Ok(())
    }

    /// The releases of one mirror that do not stay.
    pub(super) fn expired(&self, at: usize, kept: &Kept) -> Vec<Sequence> {
        let Some(Ok(look)) = self.looks.get(at) else {
            return Vec::new();
        };
        let expired = look.releases.iter().filter(|(_, filed)| {
            let release = filed.release.as_ref();
            filed.believed && release.is_some_and(|r| !kept.names.contains(&name(r)))
        });
        expired.map(|(sequence, _)| *sequence).collect()
    }

    /// A report of nothing yet.
    pub(super) fn report(&self, kept: &Kept) -> Swept {
        let mut swept = Swept::of(self.sweep.mirrors, self.sweep.dry_run);
        swept.kept = kept.names.len();
        for (look, swept) in self.looks.iter().zip(&mut swept.mirrors) {
            match look {
                Ok(look) => swept.told.clone_from(&look.told),
                Err(error) if self.all_known() => swept.error = Some(error.clone()),
                Err(error) => {
                    swept.error = Some(format!(
                        "{error}; every release stays meanwhile, for it alone may know of a pin"
                    ));
                }
            }
        }
        swept
    }

    /// Whether the mirror answered so far, and its time.
    pub(super) fn time(&self, at: usize) -> Result<Timestamp, String> {
        match self.looks.get(at) {
            Some(Ok(look)) => Ok(look.now),
            Some(Err(error)) => Err(error.clone()),
            None => Err("no such mirror".to_owned()),
        }
    }
}

fn name(release: &Release) -> (Sequence, Digest) {
    (release.sequence, release.manifest)
}

/// How old something is; what is dated ahead is new.
pub(super) fn age(now: Timestamp, written: Timestamp) -> Duration {
    now.since(written)
}
