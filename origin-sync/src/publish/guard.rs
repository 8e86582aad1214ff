//! The guard before the commit: canaries, then the coverage, both through the very path that will
//! serve readers.

use std::collections::BTreeMap;

use snapshot::manifest::Canary;

use super::coverage::{self, Coverage};
use super::progress::Progress;
use super::serving::Serving;
use crate::build::{BuildError, Built};
use crate::config::Site;

/// Why a release is not worth publishing.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The edge itself would not take it.
    #[error("an edge could not load this release: {0}")]
    Unloadable(String),
    /// A canary did not answer as it must.
    #[error("canary {path} ({language}): {why}")]
    Canary {
        /// Its path.
        path: String,
        /// The language it was asked in.
        language: String,
        /// What came instead.
        why: String,
    },
    /// Not one URL of a route answers.
    #[error("route {route}: none of its {asked} URLs answers with the origin dead ({why})")]
    DeadRoute {
        /// The route's template.
        route: String,
        /// URLs asked.
        asked: usize,
        /// What came instead.
        why: String,
    },
    /// The URLs cannot be listed.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Tries `built`: first the canaries, then every URL.
pub(super) async fn check(
    site: &Site,
    built: &Built,
    mut paths: BTreeMap<usize, Vec<String>>,
    serving: &dyn Serving,
    progress: &dyn Progress,
) -> Result<Coverage, GuardError> {
    for canary in &site.canaries {
        try_canary(canary, serving).await?;
    }
    let urls = coverage::urls(site, built, &mut paths)?;
    let coverage = coverage::ask(site, urls, serving, progress).await;
    if let Some(dead) = coverage.routes.iter().find(|route| route.is_dead()) {
        let why: Vec<&str> = dead.failures.keys().map(String::as_str).collect();
        return Err(GuardError::DeadRoute {
            route: dead.route.clone(),
            asked: dead.asked,
            why: why.join("; "),
        });
    }
    Ok(coverage)
}

async fn try_canary(canary: &Canary, serving: &dyn Serving) -> Result<(), GuardError> {
    let refuse = |why: String| GuardError::Canary {
        path: canary.path.clone(),
        language: canary.language.clone(),
        why,
    };
    let page = serving
        .ask(&canary.path, &canary.language)
        .await
        .map_err(refuse)?;
    if page.status != canary.status {
        return Err(refuse(format!(
            "status {} where {} is expected",
            page.status, canary.status
        )));
    }
    if !String::from_utf8_lossy(&page.body).contains(&canary.contains) {
        return Err(refuse(format!(
            "its page does not contain {:?}",
            canary.contains
        )));
    }
    Ok(())
}
