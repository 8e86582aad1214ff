//! What an answer depends on besides the release and the request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use snapshot::order::{Notice, Scope};
use snapshot::{Manifest, Release, ServiceName, Timestamp};

use crate::host::Host;
use crate::page::{Freshness, NOTICES, NoticeLine, PageState, ServiceState, Source, UtcOffset};

/// The state of the edge as one request finds it. Time is handed in.
#[derive(Clone, Debug)]
pub struct AnswerContext {
    /// The edge's name, for `Cache-Status`.
    pub edge: String,
    /// The edge's time.
    pub now: Timestamp,
    /// Services that the snapshot answers for, and since when where that is known.
    pub degraded: BTreeMap<ServiceName, Option<Timestamp>>,
    /// How services stand apart from this request, by name.
    pub standing: BTreeMap<ServiceName, Standing>,
    /// What ops wrote, of every scope, the newest first.
    pub notices: Vec<(Scope, Notice)>,
    /// Why the snapshot is asked, for `Cache-Status`.
    pub detail: Option<&'static str>,
    /// Where components run.
    pub host: Arc<Host>,
}

/// How a service stands, whoever answers one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who answers: `normal`, `probing` or `degraded`.
    pub mode: &'static str,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// Since when it is back, for as long as ops want that said.
    pub back: Option<Timestamp>,
}

impl AnswerContext {
    /// As if the origin of all of `manifest`'s services were gone: for canaries and coverage.
    #[must_use]
    pub fn without_origin(
        edge: &str,
        now: Timestamp,
        manifest: &Manifest,
        host: Arc<Host>,
    ) -> Self {
        let services = manifest.services.iter();
        Self {
            edge: edge.to_owned(),
            now,
            degraded: services
                .map(|service| (service.name.clone(), None))
                .collect(),
            standing: BTreeMap::new(),
            notices: Vec::new(),
            detail: Some("rehearsal"),
            host,
        }
    }

    /// What a page of `manifest`'s site must say, in `language`.
    #[must_use]
    pub fn page_state(&self, manifest: &Manifest, language: &str, source: Source) -> PageState {
        let (degraded, standing) = (&self.degraded, &self.standing);
        page_state(
            manifest,
            language,
            source,
            degraded,
            standing,
            &self.notices,
        )
    }
}

/// What there is to say of `manifest`'s site in `language`, where these services are down, the others stand
/// so, and ops wrote these notices, the newest first.
#[must_use]
pub fn page_state(
    manifest: &Manifest,
    language: &str,
    source: Source,
    degraded: &BTreeMap<ServiceName, Option<Timestamp>>,
    standing: &BTreeMap<ServiceName, Standing>,
    notices: &[(Scope, Notice)],
) -> PageState {
    let words = |text: &snapshot::LocalText| {
        let found = text.get(language);
        found.map_or_else(String::new, |(_, words)| words.to_owned())
    };
    let services = manifest.services.iter().map(|service| {
        let down = degraded.get(&service.name);
        let stands = standing.get(&service.name);
        let here = if down.is_some() { "degraded" } else { "normal" };
        ServiceState {
            name: service.name.clone(),
            title: words(&service.title),
            meanwhile: words(&service.meanwhile),
            degraded: down.is_some(),
            mode: stands.map_or(here, |stands| stands.mode),
            since: match down {
                Some(since) => *since,
                None => stands.and_then(|stands| stands.since),
            },
            back: stands.and_then(|stands| stands.back),
        }
    });
    // A service that the release does not know is nobody's on these pages.
    let is_known = |scope: &Scope| match scope {
        Scope::Site => true,
        Scope::Service(name) => manifest.services.iter().any(|known| known.name == *name),
    };
    let notices = notices.iter().filter(|(scope, _)| is_known(scope));
    let notices = notices.filter_map(|(scope, notice)| NoticeLine::of(scope, notice, language));
    PageState {
        site_title: words(&manifest.title),
        language: language.to_owned(),
        services: services.collect(),
        notices: notices.take(NOTICES).collect(),
        source,
        offset: UtcOffset::default(),
    }
}

/// The age of `release`'s data by a route's limits.
#[must_use]
pub fn freshness(
    release: &Release,
    now: Timestamp,
    stale_after_s: u64,
    too_old_after_s: Option<u64>,
) -> Freshness {
    let age = now.since(release.as_of);
    if too_old_after_s.is_some_and(|limit| age >= Duration::from_secs(limit)) {
        Freshness::TooOld
    } else if age >= Duration::from_secs(stale_after_s) {
        Freshness::Stale
    } else {
        Freshness::Fresh
    }
}
