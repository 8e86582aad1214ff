//! Canaries: a release may be used only if each of these answers from the snapshot alone.

use std::pin::Pin;
use std::sync::Arc;

use snapshot::manifest::Canary;

use super::LoadedRelease;

/// The serving path, as canaries need it: the release alone, no origin, no order in force.
pub trait Canaries: Send + Sync + 'static {
    /// Asks one canary.
    ///
    /// # Errors
    /// In words, how its answer differs from what the manifest says it must be.
    fn ask<'a>(
        &'a self,
        release: &'a Arc<LoadedRelease>,
        canary: &'a Canary,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
}

/// The first canary that did not answer as it must. Its path stays out: this is shown to whoever
/// reads a log or `/status`, and a path can hold an id or a capability.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("canary {route} in {language}: {what}")]
pub struct CanaryFailure {
    /// The template of the route that it takes.
    pub route: String,
    /// Its language.
    pub language: String,
    /// What it did instead.
    pub what: String,
}

/// Asks every canary of `release`.
///
/// # Errors
/// The first that did not answer as it must.
pub async fn try_canaries(
    release: &Arc<LoadedRelease>,
    canaries: &dyn Canaries,
) -> Result<(), CanaryFailure> {
    for canary in &release.manifest.canaries {
        let answered = canaries.ask(release, canary).await;
        answered.map_err(|what| CanaryFailure {
            route: release.routes.template(&canary.path).to_owned(),
            language: canary.language.clone(),
            what,
        })?;
    }
    Ok(())
}
