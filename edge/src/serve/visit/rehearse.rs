//! A read that is within a rehearsal's share.

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use tokio::time::Instant;

use super::super::access::{Access, AnsweredBy};
use super::super::rehearsal::{Comparison, Running};
use super::Visit;
use crate::answer::Found;
use crate::origin::Origin;
use crate::origin::headers::for_rewriting;
use crate::page::{AnswerBody, Lifetime, Reader};

/// Why the snapshot answers: in `Cache-Status`, in the log.
const REASON: &str = "rehearsal";
/// Marks an answer that was given for a rehearsal, with the service's name.
const REHEARSAL: HeaderName = HeaderName::from_static("holdfast-rehearsal");

/// What came of a read that a rehearsal took.
pub(super) enum Taken {
    /// The snapshot answered it.
    Answered(Response<AnswerBody>),
    /// The snapshot says that there is no such thing: what the origin says of it decides.
    Absent(Absent),
    /// The origin is to answer it, as if there were no rehearsal.
    No,
}

/// A read of what the snapshot calls absent.
pub(super) struct Absent {
    running: Arc<Running>,
    route: String,
    took: Duration,
}

impl Absent {
    /// What the origin said of it.
    pub(super) fn said(&self, status: StatusCode) {
        if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            self.running.covered(&self.route, self.took);
        } else {
            self.running.failed(&self.route, "absent");
        }
    }
}

impl Visit<'_> {
    /// Lets a rehearsal take this read, if one goes on and its turn has come.
    pub(super) async fn rehearse(&self, origin: &Arc<Origin>, access: &mut Access) -> Taken {
        let Some(running) = self.rehearsal() else {
            return Taken::No;
        };
        let asked = Instant::now();
        let (Some(route), Some(mut answer)) = (self.route(), self.instead(REASON).await) else {
            return Taken::No;
        };
        match answer.found {
            Found::Answer => {}
            Found::NotFound => {
                return Taken::Absent(Absent {
                    running,
                    route: route.path.clone(),
                    took: asked.elapsed(),
                });
            }
            Found::Nothing(kind) => {
                running.failed(&route.path, kind.as_str());
                return Taken::No;
            }
        }
        if answer.policy.lifetime != Lifetime::Private {
            // What a cache on the way kept would go to readers beyond the share.
            answer.policy.lifetime = Lifetime::NoStore;
        }
        let shown = self.shown(&answer);
        let mut given = answer.finish(self.reader).await;
        if given.status().is_server_error() {
            running.failed(&route.path, "unreadable");
            return Taken::No;
        }
        running.covered(&route.path, asked.elapsed());
        self.compare(&running, origin);
        access.by = AnsweredBy::Snapshot;
        access.reason = REASON;
        access.shown = shown;
        if let Ok(service) = HeaderValue::from_str(route.service.as_str()) {
            given.headers_mut().insert(REHEARSAL, service);
        }
        Taken::Answered(given)
    }

    fn rehearsal(&self) -> Option<Arc<Running>> {
        let route = self.route().filter(|route| !route.always)?;
        let running = self.edge.rehearsals.of(&self.site.name, &route.service)?;
        let headers = &self.head.headers;
        let anybody = !headers.contains_key(COOKIE) && !headers.contains_key(AUTHORIZATION);
        (anybody && running.takes()).then_some(running)
    }

    /// Holds the page beside the origin's, behind the reader's back.
    fn compare(&self, running: &Arc<Running>, origin: &Arc<Origin>) {
        let (Some(route), Some(release)) = (self.route(), &self.release) else {
            return;
        };
        if self.head.method != Method::GET {
            return;
        }
        let Some(place) = running.compares(&route.path) else {
            return;
        };
        let mut headers = self.headers();
        for_rewriting(&mut headers, None);
        let mut wishes = HeaderMap::new();
        let language = self.reader.language(&release.manifest.languages);
        if let Ok(language) = HeaderValue::from_str(language) {
            wishes.insert(http::header::ACCEPT_LANGUAGE, language);
        }
        let comparison = Comparison {
            running: Arc::clone(running),
            place,
            route: route.path.clone(),
            origin: Arc::clone(origin),
            gate: Arc::clone(&self.gate),
            target: self.target(),
            headers,
            release: Arc::clone(release),
            context: self.context(Some(REASON), self.degraded()),
            path: self.path.clone(),
            query: self.head.uri.query().map(str::to_owned),
            reader: Reader::new(&Method::GET, &wishes),
        };
        tokio::spawn(comparison.make());
    }
}
