//! The emergency edition: the newest release that any source still has, with records changed by hand.
//! No database, no origin: what is needed comes from the release.

use std::sync::Arc;

use snapshot::{Manifest, Sequence};

use super::error::PublishError;
use super::progress::Progress;
use super::report::Report;
use super::run::not_outgrown;
use super::steps::Steps;
use super::{Clock, Publisher};
use crate::build::{self, Amendment, Built, ByHand};
use crate::inspect::Inspector;
use crate::mirror::{self, Mirrors, Signed};

/// How many releases of a source, newest first, may turn out not to be whole.
const TRIED: usize = 16;

/// What is to be amended, and how far it goes.
pub struct Amend<'a> {
    /// Where the release may come from, the mirrors that are published to among them.
    pub from: &'a Inspector,
    /// A release instead of the newest.
    pub release: Option<Sequence>,
    /// What is changed; told of the manifest, which says what is private.
    pub by_hand: &'a (dyn Fn(&Manifest) -> Result<ByHand, PublishError> + Sync),
    /// Told what differs, before the canaries are asked.
    pub differs: &'a (dyn Fn(&Signed, &[Amendment]) + Sync),
    /// Fewer records than before are meant.
    pub accept_shrink: bool,
    /// Nothing is signed and nothing leaves this machine.
    pub dry_run: bool,
}

impl std::fmt::Debug for Amend<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Amend")
            .field("release", &self.release)
            .finish_non_exhaustive()
    }
}

/// A release that is amended.
struct Base {
    signed: Signed,
    manifest: Manifest,
    /// The newest number that was seen anywhere, whole or not.
    newest: Signed,
}

impl Publisher {
    /// Publishes what `amend` makes of the newest release; `None` of a dry run. The data keeps the
    /// time that it is true of. If the release says it all already, only what was missed is made up for.
    ///
    /// # Errors
    /// See [`PublishError`]; the last release stands.
    pub async fn amend(
        &self,
        amend: &Amend<'_>,
        clock: Clock,
        progress: &dyn Progress,
    ) -> Result<Option<Report>, PublishError> {
        self.key_is_listed()?;
        progress.step("asking the mirrors and sources");
        let found = mirror::survey(&self.mirrors, &self.trust, clock()).await;
        if !amend.dry_run {
            self.majority_reached(&found)?;
        }
        not_outgrown(&found)?;
        let mut warnings = self.strange(&found);
        progress.step("fetching what is not here");
        let base = self.amended(amend, &mut warnings).await?;
        let as_of = base.signed.release.as_of;
        let (built, amendments) = self.by_hand(amend, &base, clock).await?;
        (amend.differs)(&base.signed, &amendments);
        let built = Arc::new(built);
        self.brings_nothing_back(&built).await?;
        let mut steps = Steps {
            publisher: self,
            found: &found,
            built: &built,
            progress,
            clock,
            warnings,
            erases: false,
        };
        if built.digest == base.signed.release.manifest {
            if amend.dry_run {
                return Ok(None);
            }
            return steps.renew(base.signed, as_of).await.map(Some);
        }
        steps.tried(None, as_of, false).await?;
        if amend.dry_run {
            return Ok(None);
        }
        let seen = Some(&base.newest);
        let report = steps.release(Some(&base.signed), seen, as_of, None).await?;
        Ok(Some(report))
    }

    /// The newest release that the sources have whole, its objects in the publisher's own copy.
    async fn amended(
        &self,
        amend: &Amend<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Base, PublishError> {
        let from = amend.from;
        let (mut lines, wrong) = from.releases(TRIED).await?;
        warnings.extend(wrong.iter().map(|why| format!("passed over: {why}")));
        let Some(newest) = lines.first().map(|line| line.signed.clone()) else {
            // In the words that tell why each source has none.
            return Err(from
                .release(None)
                .await
                .map_or_else(PublishError::Inspect, |_| {
                    PublishError::Internal("a release came and went".to_owned())
                }));
        };
        if let Some(wanted) = amend.release {
            lines.retain(|line| line.sequence == wanted);
            if lines.is_empty() {
                // A source that cannot list may have it none the less.
                let signed = from.release(Some(wanted)).await?;
                let manifest = self.whole(&from.mirrors, &signed).await?;
                return Ok(Base {
                    signed,
                    manifest,
                    newest,
                });
            }
        }
        let mut first = None;
        for line in lines {
            match self.whole(&from.mirrors, &line.signed).await {
                Ok(manifest) => {
                    let signed = line.signed;
                    return Ok(Base {
                        signed,
                        manifest,
                        newest,
                    });
                }
                Err(error) => {
                    warnings.push(format!("an older release is taken: {error}"));
                    first.get_or_insert(error);
                }
            }
        }
        Err(first.unwrap_or_else(|| PublishError::Internal("no release".to_owned())))
    }

    async fn whole(&self, from: &Mirrors, signed: &Signed) -> Result<Manifest, PublishError> {
        let manifest = mirror::manifest(from, &self.store, &signed.release).await;
        let manifest = manifest.map_err(|error| self.lacking(signed, vec![error]))?;
        let whole = mirror::bring_whole(from, &self.store, &manifest).await;
        whole.map_err(|lacking| self.lacking(signed, lacking))?;
        Ok(manifest)
    }

    async fn by_hand(
        &self,
        amend: &Amend<'_>,
        base: &Base,
        clock: Clock,
    ) -> Result<(Built, Vec<Amendment>), PublishError> {
        let by_hand = (amend.by_hand)(&base.manifest)?;
        let (store, manifest) = (Arc::clone(&self.store), base.manifest.clone());
        let (at, accept_shrink) = (clock(), amend.accept_shrink);
        let work = tokio::task::spawn_blocking(move || {
            build::amend(&manifest, &by_hand, at, accept_shrink, &store)
        });
        let built = work
            .await
            .map_err(|error| PublishError::Internal(error.to_string()))?;
        Ok(built?)
    }
}
