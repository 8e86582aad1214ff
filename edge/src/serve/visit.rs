//! One request at one site: who answers it, and what happens when they do not.
//!
//! A read goes to the origin while its service's gate admits it. Whatever the origin does wrong,
//! and the gate closing while it is waited for, makes the snapshot answer in its place. A write is
//! sent at most once, and its failure is told as exactly as it is known.
//!
//! Who is to answer is settled before anybody is asked ([`Visit::plan`]), so that [`dry`] can tell
//! it without asking.

mod dry;
mod rehearse;
mod writing;

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::REFERRER_POLICY;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Response};
use hyper::body::Incoming;
use snapshot::ServiceName;
use snapshot::manifest::Route;

use super::access::{Access, AnsweredBy};
use super::edge::Edge;
use super::site::{Degraded, Site};
use super::{from_origin, open, way};
use crate::answer::{
    AnswerContext, Found, Matched, RequestPath, SnapshotAnswer, SnapshotRequest, Standing,
    from_snapshot,
};
use crate::copy::LoadedRelease;
use crate::log::Shown;
use crate::mode::breaker::Outcome;
use crate::mode::{Admission, Gate, Reason};
use crate::origin::headers::{Client, for_rewriting, loops, towards_origin};
use crate::origin::{Failure, Origin, OriginAnswer};
use crate::page::emergency::Kind;
use crate::page::rewrite::origin::forwarded_condition;
use crate::page::{AnswerBody, Freshness, PageState, Reader, Source, emergency, with_receipt};
use rehearse::Taken;

/// A request on its way.
pub(super) struct Visit<'a> {
    edge: &'a Arc<Edge>,
    site: &'a Arc<Site>,
    head: Parts,
    reader: &'a Reader,
    path: &'a RequestPath,
    host: &'a str,
    peer: SocketAddr,
    release: Option<Arc<LoadedRelease>>,
    matched: Option<Matched>,
    gate: Arc<Gate>,
}

/// Who is to answer a request.
enum Plan<'v> {
    /// The origin, and for a read the snapshot if it fails.
    Origin(&'v Arc<Origin>),
    /// The snapshot; a write is refused. Why it is not the origin.
    Snapshot(&'static str),
    /// Nobody: the request goes in circles.
    Loop,
}

/// Why the origin gave nothing that can be used.
enum NoAnswer {
    /// It failed.
    Failed(Failure),
    /// It answered, but with a 5xx.
    Unwelcome(Box<OriginAnswer>),
    /// The gate closed while it was waited for.
    GaveUp,
}

impl NoAnswer {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.as_str(),
            Self::Unwelcome(_) => "origin-5xx",
            Self::GaveUp => "gave-up",
        }
    }
}

impl<'a> Visit<'a> {
    pub(super) fn new(
        edge: &'a Arc<Edge>,
        site: &'a Arc<Site>,
        head: Parts,
        reader: &'a Reader,
        path: &'a RequestPath,
        host: &'a str,
        peer: SocketAddr,
    ) -> Self {
        let release = site.copy.current();
        let matched = release
            .as_ref()
            .and_then(|release| release.routes.find(path));
        let service = matched.as_ref().map(|matched| &matched.route.service);
        let gate = site.gates.of(service);
        Self {
            edge,
            site,
            head,
            reader,
            path,
            host,
            peer,
            release,
            matched,
            gate,
        }
    }

    pub(super) async fn answer(self, body: Incoming, access: &mut Access) -> Response<AnswerBody> {
        if let Some(route) = self.route() {
            access.route.clone_from(&route.path);
            access.service = route.service.to_string();
        }
        access.mode = self.gate.mode().effective.as_str();
        if self.is_status() {
            return self.status(access).await;
        }
        let mut answer = if self.head.method == Method::GET || self.head.method == Method::HEAD {
            let answer = self.read(access).await;
            access.shown.get_or_insert(match access.by {
                AnsweredBy::Origin => Shown::Origin,
                AnsweredBy::Snapshot | AnsweredBy::Edge => Shown::Nothing,
            });
            answer
        } else {
            let answer = self.write(body, access).await;
            self.note_unwritten(access);
            answer
        };
        self.settle(&mut answer);
        answer
    }

    /// Who is to answer, where the gate admitted the request so.
    fn plan(&self, admission: Admission) -> Plan<'_> {
        match (admission, &self.site.origin) {
            (Admission::Origin, Some(_)) if loops(&self.head.headers) => Plan::Loop,
            (Admission::Origin, Some(origin)) => Plan::Origin(origin),
            _ => Plan::Snapshot(self.why()),
        }
    }

    /// What every answer to this request gets, whoever made it.
    fn settle(&self, answer: &mut Response<AnswerBody>) {
        if self.is_below_capability() {
            let policy = HeaderValue::from_static("no-referrer");
            answer.headers_mut().insert(REFERRER_POLICY, policy);
        }
    }

    /// Whether the path tells of the site's status.
    pub(super) fn is_status(&self) -> bool {
        self.route().is_some_and(|route| route.status)
    }

    /// The answer on a host that is for the status alone, to whoever asks for anything else.
    pub(super) fn elsewhere(&self, access: &mut Access) -> Response<AnswerBody> {
        way::by_edge(access, "status-host");
        let kind = match self.release {
            Some(_) => Kind::NotFound,
            None => Kind::Unavailable,
        };
        let state = self.page_state(Source::Origin, &self.degraded());
        let draft = emergency(kind, self.reader, &state, None);
        way::own_answer(self.edge, self.reader, draft, &state)
    }

    /// Tells of the site's status, out of the snapshot in every mode: no origin is asked.
    async fn status(&self, access: &mut Access) -> Response<AnswerBody> {
        if self.head.method == Method::OPTIONS {
            way::by_edge(access, "preflight");
            return open::preflight();
        }
        let Some(release) = self.release.as_ref().filter(|_| self.reader.reads()) else {
            let mut answer = self.refuse(Kind::MethodNotAllowed, "status", access);
            open::allow(&mut answer);
            return answer;
        };
        let answer = self
            .snapshot(release, Some("status"), self.degraded())
            .await;
        access.by = by(answer.found);
        let mut answer = answer.finish(self.reader).await;
        open::to_all(&mut answer);
        answer
    }

    async fn read(&self, access: &mut Access) -> Response<AnswerBody> {
        let always = match self.always().await {
            Some(answer) if answer.found == Found::Answer => {
                return self.copied(answer, access).await;
            }
            other => other,
        };
        let origin = match (self.plan(self.gate.admit_read()), always) {
            (Plan::Origin(origin), _) => origin,
            (Plan::Snapshot(_), Some(nothing)) => return self.copied(nothing, access).await,
            (Plan::Snapshot(why), None) => return self.fall_back(why, None, access).await,
            (Plan::Loop, _) => return self.refuse(Kind::BadGateway, "loop", access),
        };
        let absent = match self.rehearse(origin, access).await {
            Taken::Answered(answer) => return answer,
            Taken::Absent(absent) => Some(absent),
            Taken::No => None,
        };
        let state = self.page_state(Source::Origin, &self.degraded());
        match self.ask(origin, &state).await {
            Ok(answer) => {
                if let Some(absent) = absent {
                    absent.said(answer.status);
                }
                access.by = AnsweredBy::Origin;
                let rewrites = self.rewrites();
                from_origin::answer(
                    answer,
                    self.reader,
                    &self.edge.name,
                    rewrites.then_some(&state),
                )
            }
            Err(NoAnswer::Failed(failure)) if !failure.is_origins() => {
                self.refuse(Kind::BadRequest, failure.as_str(), access)
            }
            Err(none) => {
                let reason = none.as_str();
                self.edge.metrics.fell_back(access, reason);
                let own = match none {
                    NoAnswer::Unwelcome(answer) => Some(*answer),
                    _ => None,
                };
                self.fall_back(reason, own, access).await
            }
        }
    }

    /// Asks the origin, unless the gate closes first.
    async fn ask(&self, origin: &Origin, state: &PageState) -> Result<OriginAnswer, NoAnswer> {
        let mut headers = self.headers();
        if self.rewrites() {
            for_rewriting(&mut headers, forwarded_condition(&self.head.headers, state));
        }
        let method = self.head.method.clone();
        let target = self.target();
        let asked = tokio::select! {
            biased;
            asked = origin.read(method, &target, headers) => asked,
            () = self.gate.degraded() => return Err(NoAnswer::GaveUp),
        };
        match asked {
            Ok(answer) if way::is_failure(answer.status) => {
                self.observe(Failure::Status(answer.status));
                Err(NoAnswer::Unwelcome(Box::new(answer)))
            }
            Ok(answer) => {
                self.gate
                    .observe(self.path.as_str(), Outcome::Answered, None);
                Ok(answer)
            }
            Err(failure) => {
                self.observe(failure);
                Err(NoAnswer::Failed(failure))
            }
        }
    }

    /// The snapshot's answer for a route that it answers in every mode. Where that is none, who else
    /// is asked is a matter of the mode.
    async fn always(&self) -> Option<SnapshotAnswer> {
        let release = self.release.as_ref()?;
        if !self.route()?.always {
            return None;
        }
        Some(
            self.snapshot(release, Some("always"), self.degraded())
                .await,
        )
    }

    /// What the snapshot says in the origin's place.
    async fn instead(&self, reason: &'static str) -> Option<SnapshotAnswer> {
        let release = self.release.as_ref()?;
        let mut degraded = self.degraded();
        if let Some(route) = self.route() {
            degraded.entry(route.service.clone()).or_insert(None);
        }
        Some(self.snapshot(release, Some(reason), degraded).await)
    }

    async fn copied(&self, answer: SnapshotAnswer, access: &mut Access) -> Response<AnswerBody> {
        access.by = by(answer.found);
        access.shown = self.shown(&answer);
        answer.finish(self.reader).await
    }

    /// The snapshot's answer in the origin's place; the origin's own words, if it has any, where
    /// the snapshot has none.
    async fn fall_back(
        &self,
        reason: &'static str,
        own: Option<OriginAnswer>,
        access: &mut Access,
    ) -> Response<AnswerBody> {
        access.reason = reason;
        let answer = self.instead(reason).await;
        let found = answer.as_ref().map(|answer| answer.found);
        if let (Some(own), None | Some(Found::Nothing(_))) = (own, found) {
            access.by = AnsweredBy::Origin;
            return from_origin::answer(own, self.reader, &self.edge.name, None);
        }
        let Some(answer) = answer else {
            return self.refuse(Kind::Unavailable, reason, access);
        };
        if let Found::Nothing(kind) = answer.found {
            access.reason = kind.as_str();
        }
        self.copied(answer, access).await
    }

    async fn snapshot(
        &self,
        release: &LoadedRelease,
        detail: Option<&'static str>,
        degraded: Degraded,
    ) -> SnapshotAnswer {
        let context = self.context(detail, degraded);
        let request = SnapshotRequest {
            path: self.path,
            query: self.head.uri.query(),
            reader: self.reader,
        };
        from_snapshot(release, &context, &request).await
    }

    /// How old what the snapshot shows is.
    fn shown(&self, answer: &SnapshotAnswer) -> Option<Shown> {
        let Source::Snapshot {
            as_of, freshness, ..
        } = answer.state.source
        else {
            return None;
        };
        let age_s = self.site.copy.edge_time().since(as_of).as_secs();
        let shown = match (answer.found, freshness) {
            (Found::Nothing(Kind::TooOld), _) | (Found::Answer, Freshness::TooOld) => {
                Shown::TooOld(age_s)
            }
            (Found::Nothing(_), _) => Shown::Nothing,
            (_, Freshness::Fresh) => Shown::Fresh(age_s),
            (_, Freshness::Stale | Freshness::TooOld) => Shown::Stale(age_s),
        };
        Some(shown)
    }

    fn refuse(
        &self,
        kind: Kind,
        reason: &'static str,
        access: &mut Access,
    ) -> Response<AnswerBody> {
        way::by_edge(access, reason);
        let mut degraded = self.degraded();
        if let Some(route) = self.route()
            && matches!(
                kind,
                Kind::WriteRefused | Kind::WriteUnknown | Kind::Unavailable
            )
        {
            degraded.entry(route.service.clone()).or_insert(None);
        }
        let state = self.page_state(Source::Origin, &degraded);
        let manifest = self.release.as_ref().map(|release| &*release.manifest);
        let receipt = self.receipt(kind, access);
        let notices = way::notice_page(manifest);
        let draft = with_receipt(kind, self.reader, &state, notices, receipt.as_ref());
        way::own_answer(self.edge, self.reader, draft, &state)
    }

    fn context(&self, detail: Option<&'static str>, degraded: Degraded) -> AnswerContext {
        let orders = self.site.orders();
        let notices = orders.notices().into_iter();
        let notices = notices.map(|(scope, notice)| (scope.clone(), notice.clone()));
        let now = self.site.copy.edge_time();
        let modes = self.site.gates.modes().into_iter();
        let standing = modes.map(|(name, mode)| {
            let back = orders.back(&name, now);
            let standing = Standing {
                mode: mode.effective.as_str(),
                since: mode.since,
                back: back.filter(|_| !mode.effective.is_degraded()),
            };
            (name, standing)
        });
        AnswerContext {
            edge: self.edge.name.clone(),
            now,
            degraded,
            standing: standing.collect(),
            notices: notices.collect(),
            detail,
            host: Arc::clone(&self.edge.host),
        }
    }

    fn page_state(&self, source: Source, degraded: &Degraded) -> PageState {
        let Some(release) = &self.release else {
            return way::plain_state(self.site.name.as_str(), self.reader);
        };
        let language = self.reader.language(&release.manifest.languages);
        self.context(None, degraded.clone())
            .page_state(&release.manifest, language, source)
    }

    /// Services that the snapshot answers for.
    fn degraded(&self) -> Degraded {
        let modes = self.site.gates.modes().into_iter();
        let degraded = modes.filter(|(_, mode)| mode.effective.is_degraded());
        degraded
            .map(|(name, mode): (ServiceName, _)| (name, mode.since))
            .collect()
    }

    /// Why the gate lets the snapshot answer.
    fn why(&self) -> &'static str {
        match self.gate.mode().effective.reason() {
            Reason::OriginGone(_) => "breaker-open",
            reason => reason.as_str(),
        }
    }

    fn observe(&self, failure: Failure) {
        if let Some(outcome) = failure.outcome() {
            self.gate
                .observe(self.path.as_str(), outcome, Some(failure.as_str()));
        }
    }

    fn route(&self) -> Option<&Route> {
        self.matched.as_ref().map(|matched| &*matched.route)
    }

    fn is_below_capability(&self) -> bool {
        self.matched
            .as_ref()
            .is_some_and(|matched| matched.capability.is_some())
    }

    /// Whether the origin's page passes the rewriter. Where no route says so, every page does that
    /// was not asked for in part.
    fn rewrites(&self) -> bool {
        let known = self.release.is_some();
        let whole = !self.head.headers.contains_key(http::header::RANGE);
        known && self.route().map_or(whole, |route| route.rewrite)
    }

    fn headers(&self) -> HeaderMap {
        let client = Client {
            address: self.peer.ip(),
            host: self.host,
            version: self.head.version,
        };
        towards_origin(&self.head.headers, &client)
    }

    fn target(&self) -> PathAndQuery {
        let target = self.head.uri.path_and_query();
        target.cloned().unwrap_or(PathAndQuery::from_static("/"))
    }
}

fn by(found: Found) -> AnsweredBy {
    match found {
        Found::Answer | Found::NotFound => AnsweredBy::Snapshot,
        Found::Nothing(_) => AnsweredBy::Edge,
    }
}
