//! The guard before the commit: canaries, then the coverage, both through the very path that will
//! serve readers.

use std::collections::BTreeMap;

use snapshot::manifest::Canary;

use super::coverage::{self, Asking, Coverage, Notes};
use super::serving::Serving;
use crate::build::{BuildError, Built};

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

/// Tries the canaries.
pub(super) async fn canaries(canaries: &[Canary], serving: &dyn Serving) -> Result<(), GuardError> {
    for canary in canaries {
        try_canary(canary, serving).await?;
    }
    Ok(())
}

/// Tries every URL of `built` that is not known to answer.
pub(super) async fn check(
    asking: &Asking<'_>,
    built: &Built,
    mut paths: BTreeMap<usize, Vec<String>>,
) -> Result<(Coverage, Notes), GuardError> {
    let urls = coverage::urls(asking.site, built, &mut paths)?;
    let (coverage, notes) = coverage::ask(asking, urls).await;
    if let Some(dead) = coverage.routes.iter().find(|route| route.is_dead()) {
        let why: Vec<&str> = dead.failures.keys().map(String::as_str).collect();
        return Err(GuardError::DeadRoute {
            route: dead.route.clone(),
            asked: dead.asked,
            why: why.join("; "),
        });
    }
    Ok((coverage, notes))
}

async fn try_canary(canary: &Canary, serving: &dyn Serving) -> Result<(), GuardError> {
    let refuse = |why: String| GuardError::Canary {
        path: canary.path.clone(),
        language: canary.language.clone(),
        why,
    };
    let asked = serving.ask(&canary.path, &canary.language).await;
    let page = asked.map_err(refuse)?;
    page.judge(canary)
        .map_err(|why| refuse(page.with_said(why)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use edge::answer::{Found, Rehearsed};
    use futures::future::BoxFuture;
    use snapshot::{Digest, Manifest, Timestamp};

    use super::super::coverage::Known;
    use super::super::progress::Silent;
    use super::*;
    use crate::config::Site;

    /// Answers everything with one status.
    struct Always(u16);

    impl Serving for Always {
        fn ask<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<Rehearsed, String>> {
            Box::pin(async {
                Ok(Rehearsed {
                    status: self.0.try_into().unwrap(),
                    body: "hello".into(),
                    found: Found::Answer,
                    said: None,
                    made_of: None,
                })
            })
        }
    }

    fn built() -> Built {
        Built {
            manifest: Manifest {
                version: Manifest::VERSION,
                site: "x".parse().unwrap(),
                title: Default::default(),
                languages: vec!["en".to_owned()],
                presets: Vec::new(),
                services: vec![],
                collections: vec![],
                components: vec![],
                routes: vec![],
                canaries: vec![],
                accepts_shrink: false,
            },
            bytes: vec![],
            digest: Digest::of(b""),
            new_objects: vec![],
            changes: vec![],
            stacks: BTreeMap::new(),
            kept: vec![],
        }
    }

    async fn tried(canary: &str, status: u16) -> Result<Coverage, GuardError> {
        let text = format!(
            "site = \"x\"\n[collection.rows]\nsource = {{ csv = \"x\", key = \"id\" }}\n\
             [component.view]\nfile = \"x\"\n\
             [[route]]\npath = \"/\"\ncomponent = \"view\"\n\
             [[route]]\npath = \"/club/{{id}}\"\ncomponent = \"view\"\n{canary}"
        );
        let site = Site::parse(Path::new("site.toml"), &text).unwrap();
        let serving: Arc<dyn Serving> = Arc::new(Always(status));
        let asking = Asking {
            site: &site,
            serving: &serving,
            known: &Known::default(),
            as_of: Timestamp(0),
            progress: &Silent,
        };
        canaries(&site.canaries, &*serving).await?;
        let (coverage, _) = check(&asking, &built(), BTreeMap::new()).await?;
        Ok(coverage)
    }

    #[tokio::test]
    async fn a_route_of_which_nothing_answers_is_refused() {
        let refused = tried("", 503).await.unwrap_err().to_string();
        let words = "route /: none of its 1 URLs answers with the origin dead (status 503)";
        assert_eq!(refused, words);
    }

    #[tokio::test]
    async fn what_cannot_be_counted_is_told() {
        let coverage = tried("", 200).await.unwrap();
        // The page that is, and the three of the status.
        assert_eq!(coverage.totals(), (4, 0, 4));
        assert_eq!(coverage.uncovered, ["/club/{id}"]);
        let text = coverage.text();
        let line = text.lines().find(|line| line.contains("/club/{id} "));
        assert!(
            line.is_some_and(|line| line.contains("  declared, not covered")),
            "{text}"
        );
    }

    #[tokio::test]
    async fn canaries_must_show_their_status_and_text() {
        let canary = |lines: &str| format!("[[canary]]\npath = \"/\"\n{lines}\n");
        assert!(tried(&canary("contains = \"hell\""), 200).await.is_ok());
        let refused = tried(&canary("contains = \"bye\""), 200).await.unwrap_err();
        assert!(refused.to_string().contains("does not contain \"bye\""));
        let refused = tried(&canary("status = 404"), 200).await.unwrap_err();
        assert!(refused.to_string().contains("status 200, expected 404"));
    }
}
