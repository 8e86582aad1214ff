//! A release whose content was published already: an earlier one of this site (`rollback`), or one of
//! another place (`promote`). Its manifest is taken as it is, nothing is built, no source is read.
//!
//! It gets a new number, no positions of sources, and keeps the time that its content is true of: the
//! data is as old as it was.

use std::sync::Arc;

use snapshot::Manifest;

use super::error::PublishError;
use super::progress::Progress;
use super::report::Report;
use super::run::not_outgrown;
use super::steps::Steps;
use super::{Clock, Publisher};
use crate::build;
use crate::mirror::{self, Mirrors, Signed};

impl Publisher {
    /// Publishes the content of `given` once more; what of it is not here or on a mirror comes from
    /// `from`. If it is the content that stands already, only what was missed is made up for.
    ///
    /// # Errors
    /// See [`PublishError`]; the last release stands.
    pub async fn again(
        &self,
        given: &Signed,
        from: &Mirrors,
        accept_shrink: bool,
        clock: Clock,
        progress: &dyn Progress,
    ) -> Result<Report, PublishError> {
        self.may_publish()?;
        progress.step("asking the mirrors");
        let found = mirror::survey(&self.mirrors, &self.trust, clock()).await;
        self.majority_reached(&found)?;
        not_outgrown(&found)?;
        let last = mirror::newest(&found).cloned();
        let mut warnings = self.strange(&found);
        // Going back has to go where the last release is lost, too.
        let before = match &last {
            None => None,
            Some(last) => match self.base(last, &mut warnings).await {
                Ok(before) => Some(before),
                Err(error) => {
                    warnings.push(format!("what changes cannot be told: {error}"));
                    None
                }
            },
        };

        progress.step("fetching what is not here");
        let manifest = mirror::manifest(from, &self.store, &given.release).await;
        let manifest = manifest.map_err(|error| self.lacking(given, vec![error]))?;
        let whole = mirror::bring_whole(from, &self.store, &manifest).await;
        whole.map_err(|lacking| self.lacking(given, lacking))?;
        let built = Arc::new(self.published(manifest, before, accept_shrink).await?);
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
        match last {
            Some(last)
                if last.release.manifest == built.digest && self.can_stand(&found, &last) =>
            {
                let as_of = last.release.as_of;
                steps.renew(last, as_of).await
            }
            last => {
                let as_of = given.release.as_of;
                steps.tried(None, as_of, false).await?;
                let last = last.as_ref();
                steps.release(last, last, as_of, None).await
            }
        }
    }

    pub(super) fn lacking(&self, given: &Signed, why: Vec<mirror::FetchError>) -> PublishError {
        PublishError::Lacking {
            release: given.release.sequence,
            why: why.iter().map(ToString::to_string).collect(),
        }
    }

    async fn published(
        &self,
        manifest: Manifest,
        before: Option<Arc<Manifest>>,
        accept_shrink: bool,
    ) -> Result<build::Built, PublishError> {
        let store = Arc::clone(&self.store);
        let work = tokio::task::spawn_blocking(move || {
            build::published(manifest, before.as_deref(), accept_shrink, &store)
        });
        let built = work
            .await
            .map_err(|error| PublishError::Internal(error.to_string()))?;
        Ok(built?)
    }
}
