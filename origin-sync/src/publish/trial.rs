//! The trial of what was built, before anything of it leaves this machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use snapshot::Timestamp;

use super::coverage::{Asking, Coverage, Known};
use super::error::PublishError;
use super::steps::Steps;
use super::{guard, serving};

impl Steps<'_> {
    /// Tries the canaries, and of the URLs in `paths` and the assets those that are not known to
    /// answer; with `ask_all` every one. Without `paths` the canaries alone.
    pub(super) async fn tried(
        &mut self,
        paths: Option<BTreeMap<usize, Vec<String>>>,
        as_of: Timestamp,
        ask_all: bool,
    ) -> Result<Option<Coverage>, PublishError> {
        let (site, store) = (&self.publisher.site, &self.publisher.store);
        let (needs, oldest) = (self.built.manifest.least_edge(), site.min_edge);
        if needs > oldest {
            return Err(PublishError::LeavesEdges { needs, oldest });
        }
        let serving = serving::open(store, &site.site, self.built, as_of).await?;
        self.progress.step("trying the canaries");
        guard::canaries(&self.built.manifest.canaries, &*serving).await?;
        let Some(paths) = paths else {
            return Ok(None);
        };
        self.progress
            .step("trying the URLs with no origin in reach");
        let known = if ask_all {
            Known::default()
        } else {
            self.known().await?
        };
        let asking = Asking {
            site,
            serving: &serving,
            known: &known,
            as_of,
            progress: self.progress,
        };
        let (coverage, notes) = guard::check(&asking, self.built, paths).await?;
        let (store, built) = (Arc::clone(store), Arc::clone(self.built));
        let kept = tokio::task::spawn_blocking(move || notes.keep(&store, &built)).await;
        let kept = kept.map_err(|error| PublishError::Internal(error.to_string()))?;
        if let Err(why) = kept {
            self.warnings.push(format!(
                "what answered is not remembered, so the next publish asks more: {why}"
            ));
        }
        Ok(Some(coverage))
    }

    async fn known(&mut self) -> Result<Known, PublishError> {
        let (store, built) = (Arc::clone(&self.publisher.store), Arc::clone(self.built));
        let known = tokio::task::spawn_blocking(move || Known::open(&store, &built)).await;
        let known = known.map_err(|error| PublishError::Internal(error.to_string()))?;
        Ok(known.unwrap_or_else(|why| {
            self.warnings.push(format!(
                "what answered before cannot be told, so every URL is asked: {why}"
            ));
            Known::default()
        }))
    }
}
