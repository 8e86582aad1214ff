//! A request's answer out of the snapshot alone: no sockets, no clock. The same function answers
//! live, tries canaries and counts coverage.
//!
//! What the copy does not have is a 404 only where that is proven: the route's collection is
//! complete, the look-up succeeded, and the release is fresh. Everything else is a 503 that says as
//! of when the copy is.

use std::sync::Arc;

use http::{Response, StatusCode};
use snapshot::manifest::{Isolation, Route, Target};
use snapshot::{ComponentName, Manifest};

use super::asset::{self, Asset};
use super::context::{AnswerContext, freshness};
use super::guest;
use super::made_of::MadeOf;
use super::path::RequestPath;
use super::records::RouteRecords;
use super::routes::Matched;
use super::said::said;
use crate::copy::LoadedRelease;
use crate::host::{GuestAnswer, GuestError, GuestRequest, Records};
use crate::page::emergency::Kind;
use crate::page::{
    AnswerBody, CacheOutcome, CachePolicy, Draft, Freshness, Lifetime, PageState, Reader, Source,
    emergency, finish, is_html,
};

/// What is asked of the snapshot: always a read.
#[derive(Clone, Debug)]
pub struct SnapshotRequest<'a> {
    /// The normalised path.
    pub path: &'a RequestPath,
    /// The query as sent; only declared parameters are looked at.
    pub query: Option<&'a str>,
    /// The reader's wishes.
    pub reader: &'a Reader,
}

/// What the snapshot had to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The route's own answer.
    Answer,
    /// Proven absent.
    NotFound,
    /// Nothing that answers this; the reason.
    Nothing(Kind),
}

/// An answer before its form is settled.
#[derive(Debug)]
pub struct SnapshotAnswer {
    /// The content.
    pub draft: Draft,
    /// How it may be kept.
    pub policy: CachePolicy,
    /// What its page says of itself.
    pub state: PageState,
    /// What it is.
    pub found: Found,
    /// Why a component gave nothing, in its own words or the host's: for whoever publishes it,
    /// never for a page or a log.
    pub said: Option<String>,
    /// What it was made of; `None` where it is not known, or the minute is part of it.
    pub made_of: Option<MadeOf>,
}

impl SnapshotAnswer {
    /// Settles the form for `reader`.
    pub async fn finish(self, reader: &Reader) -> Response<AnswerBody> {
        match self.draft.load().await {
            Ok(draft) => finish(reader, draft, &self.policy, &self.state),
            Err(error) => {
                tracing::error!(%error, "a blob cannot be read");
                let draft = emergency(Kind::NotInOurCopy, reader, &self.state, None);
                finish(reader, draft, &self.policy, &self.state)
            }
        }
    }
}

/// Answers `request` from `release`.
pub async fn from_snapshot(
    release: &LoadedRelease,
    context: &AnswerContext,
    request: &SnapshotRequest<'_>,
) -> SnapshotAnswer {
    let matched = release.routes.find(request.path);
    let answering = Answering::new(release, context, request.reader, matched.as_ref());
    match &matched {
        None => answering.nothing(Kind::Unavailable),
        Some(matched) => answering.ask(matched, request.query).await,
    }
}

/// What `request` makes of the component that answers it: its name, its own request, and what it
/// may read. For whoever asks it on another host. `None` where no component answers.
#[must_use]
pub fn asked(
    release: &LoadedRelease,
    context: &AnswerContext,
    request: &SnapshotRequest<'_>,
) -> Option<(ComponentName, GuestRequest, Arc<dyn Records>)> {
    let matched = release.routes.find(request.path)?;
    let Target::Component(name) = &matched.route.target else {
        return None;
    };
    let answering = Answering::new(release, context, request.reader, Some(&matched));
    let (asked, records) = answering.asked(&matched, request.query)?;
    Some((name.clone(), asked, records))
}

/// Where the site tells what is down: its first page that the snapshot answers in every mode and
/// that needs no parameter.
#[must_use]
pub fn notice_page(manifest: &Manifest) -> Option<&str> {
    let told = |route: &&Route| {
        route.always && !route.path.contains('{') && matches!(route.target, Target::Component(_))
    };
    manifest.routes.iter().find(told).map(|r| r.path.as_str())
}

struct Answering<'a> {
    release: &'a LoadedRelease,
    context: &'a AnswerContext,
    reader: &'a Reader,
    policy: CachePolicy,
    state: PageState,
    freshness: Freshness,
}

impl<'a> Answering<'a> {
    fn new(
        release: &'a LoadedRelease,
        context: &'a AnswerContext,
        reader: &'a Reader,
        matched: Option<&Matched>,
    ) -> Self {
        let route = matched.map(|matched| &matched.route);
        let stale_after_s = route.map_or(u64::MAX, |route| route.stale_after_s);
        let too_old_after_s = route.and_then(|route| route.too_old_after_s);
        let freshness = freshness(
            &release.release,
            context.now,
            stale_after_s,
            too_old_after_s,
        );
        let source = Source::Snapshot {
            as_of: release.release.as_of,
            freshness,
            sequence: release.release.sequence,
        };
        let language = reader.language(&release.manifest.languages);
        let state = context.page_state(&release.manifest, language, source);
        let mut policy = CachePolicy::new(lifetime(route), &context.edge, CacheOutcome::Hit);
        policy.status.detail = context.detail;
        if let Some(route) = route {
            let age = context.now.since(release.release.as_of).as_secs();
            let limit = i64::try_from(route.stale_after_s).unwrap_or(i64::MAX);
            policy.status.ttl_s = Some(limit.saturating_sub_unsigned(age));
        }
        policy.below_capability = matched.is_some_and(|matched| matched.capability.is_some());
        Self {
            release,
            context,
            reader,
            policy,
            state,
            freshness,
        }
    }

    async fn ask(self, matched: &Matched, query: Option<&str>) -> SnapshotAnswer {
        match &matched.route.target {
            Target::Component(name) => self.component(name, matched, query).await,
            Target::Assets(_) if self.freshness == Freshness::TooOld => self.nothing(Kind::TooOld),
            Target::Assets(_) => self.asset(matched).await,
        }
    }

    async fn asset(mut self, matched: &Matched) -> SnapshotAnswer {
        let (release, asked) = (self.release.clone(), matched.clone());
        let look_up = move || match &asked.route.target {
            Target::Assets(collection) => asset::look_up(&release, collection, &asked),
            Target::Component(_) => Ok((Asset::Absent, Vec::new())),
        };
        // Files do not depend on the language.
        self.policy.negotiated = false;
        match tokio::task::spawn_blocking(look_up).await {
            Ok(Ok((Asset::Found(draft), reads))) => {
                let component = None;
                self.answer(draft, &matched.route, MadeOf { component, reads })
            }
            Ok(Ok((Asset::Absent, _))) => self.absent(&matched.route),
            Ok(Err(error)) => {
                tracing::error!(%error, "a file cannot be read");
                self.nothing(Kind::NotInOurCopy)
            }
            Err(_) => self.nothing(Kind::Unavailable),
        }
    }

    async fn component(
        self,
        name: &ComponentName,
        matched: &Matched,
        query: Option<&str>,
    ) -> SnapshotAnswer {
        let Some(component) = self.release.guests.get(name) else {
            tracing::error!(component = %name, "the release does not hold a route's component");
            return self.nothing(Kind::ComponentFailed);
        };
        let Some((asked, records)) = self.asked(matched, query) else {
            return self.nothing(Kind::BadRequest);
        };
        match self.context.host.call(component, asked, records).await {
            Ok(answer) => self.answered(name, answer, matched),
            Err(error) => {
                let route = matched.route.path.as_str();
                tracing::warn!(component = %name, route, %error, "no answer from a component");
                let words = said(error.to_string().as_bytes(), matched);
                let mut answer = self.nothing(match error {
                    GuestError::Busy => Kind::Overloaded,
                    GuestError::Unreadable => Kind::NotInOurCopy,
                    _ => Kind::ComponentFailed,
                });
                answer.said = words;
                answer
            }
        }
    }

    /// `None` when the parts of the request fit no request.
    fn asked(
        &self,
        matched: &Matched,
        query: Option<&str>,
    ) -> Option<(GuestRequest, Arc<dyn Records>)> {
        let request = guest::request(
            self.release,
            matched,
            query,
            &self.state,
            self.freshness,
            self.context.now,
        )?;
        let records = RouteRecords::new(self.release, &matched.route);
        Some((request, Arc::new(records)))
    }

    fn answered(
        self,
        name: &ComponentName,
        answer: GuestAnswer,
        matched: &Matched,
    ) -> SnapshotAnswer {
        let route = &matched.route;
        if answer.status.is_server_error() {
            tracing::warn!(component = %name, status = answer.status.as_u16(), "it failed");
            let mut failed = self.nothing(Kind::ComponentFailed);
            failed.said = said(&answer.body, matched);
            return failed;
        }
        let html = is_html(&answer.headers);
        // Its own page stands where absence is proven; a bare status gets the site's.
        if answer.status == StatusCode::NOT_FOUND && !(html && self.proves_absence(route)) {
            return self.absent(route);
        }
        let draft = Draft {
            status: answer.status,
            headers: answer.headers,
            body: crate::page::DraftBody::Bytes(answer.body),
            html,
        };
        let made_of = MadeOf {
            component: Some(name.clone()),
            reads: answer.reads,
        };
        self.answer(draft, route, made_of)
    }

    fn answer(self, mut draft: Draft, route: &Route, made_of: MadeOf) -> SnapshotAnswer {
        // Documents of the status speak every language at once.
        let told = route.status && !draft.html;
        draft.html &= route.rewrite;
        let found = if draft.status == StatusCode::NOT_FOUND {
            Found::NotFound
        } else {
            Found::Answer
        };
        SnapshotAnswer {
            draft,
            policy: CachePolicy {
                negotiated: self.policy.negotiated && !told,
                ..self.policy
            },
            state: self.state,
            found,
            said: None,
            made_of: (!route.now).then_some(made_of),
        }
    }

    fn absent(self, route: &Route) -> SnapshotAnswer {
        if self.proves_absence(route) {
            let mut answer = self.nothing(Kind::NotFound);
            answer.found = Found::NotFound;
            return answer;
        }
        self.nothing(Kind::NotInOurCopy)
    }

    /// The first collection of a route holds its records, the others what renders them.
    fn proves_absence(&self, route: &Route) -> bool {
        let records = match &route.target {
            Target::Assets(collection) => Some(collection),
            Target::Component(_) => route.collections.first(),
        };
        let complete = records.is_none_or(|name| {
            let known = self.release.manifest.collection(name);
            known.is_some_and(|known| known.complete)
        });
        complete && self.freshness == Freshness::Fresh
    }

    fn nothing(mut self, kind: Kind) -> SnapshotAnswer {
        let page = notice_page(&self.release.manifest);
        let draft = emergency(kind, self.reader, &self.state, page);
        if self.policy.lifetime != Lifetime::Private {
            self.policy.lifetime = Lifetime::NoStore;
        }
        self.policy.negotiated = true;
        self.policy.status.detail = Some(kind.as_str());
        SnapshotAnswer {
            draft,
            policy: self.policy,
            state: self.state,
            found: Found::Nothing(kind),
            said: None,
            made_of: None,
        }
    }
}

fn lifetime(route: Option<&Arc<Route>>) -> Lifetime {
    if route.is_some_and(|route| route.status) {
        return Lifetime::Status;
    }
    match route.map(|route| (&route.target, route.isolation)) {
        Some((Target::Assets(_), _)) => Lifetime::Asset,
        Some((Target::Component(_), Isolation::Shared)) => Lifetime::Page,
        Some((Target::Component(_), Isolation::Single)) => Lifetime::Private,
        None => Lifetime::NoStore,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fixture;
    use crate::host::{Host, HostLimits};

    /// What the rehearsal's clock says in these tests: the release is as of minute 0.
    const MINUTE: Duration = Duration::from_secs(60);

    struct Copy {
        release: LoadedRelease,
        host: Arc<Host>,
        _dir: tempfile::TempDir,
    }

    fn copy(complete: bool) -> Copy {
        let dir = tempfile::tempdir().unwrap();
        let mut kept = fixture::assets("/kept/{*path}", "files");
        kept.too_old_after_s = Some(3600);
        let routes = vec![
            kept,
            fixture::assets("/exact.html", "files"),
            fixture::component("/lost/", "lost"),
        ];
        let files = [
            ("a.txt", "a"),
            ("club/index.html", "<body>club</body>"),
            ("exact.html", "<body>exact</body>"),
            ("index.html", "<body>index</body>"),
        ];
        let store = dir.path().join("store");
        let mut release = fixture::loaded(&store, routes, &files, Default::default());
        let manifest = Arc::make_mut(&mut release.manifest);
        manifest.collections[0].complete = complete;
        let host = Host::new(HostLimits::default(), &dir.path().join("compiled")).unwrap();
        Copy {
            release,
            host: Arc::new(host),
            _dir: dir,
        }
    }

    impl Copy {
        async fn ask(&self, path: &str, age: Duration) -> (StatusCode, Found, SnapshotAnswer) {
            let reader = Reader::default();
            let now = self.release.release.as_of.plus(age);
            let host = Arc::clone(&self.host);
            let context = AnswerContext::without_origin("t", now, &self.release.manifest, host);
            let request = SnapshotRequest {
                path: &RequestPath::parse(path).unwrap(),
                query: None,
                reader: &reader,
            };
            let answer = from_snapshot(&self.release, &context, &request).await;
            (answer.draft.status, answer.found, answer)
        }
    }

    #[tokio::test]
    async fn absence_is_a_404_only_where_it_is_proven_and_fresh() {
        let absent = "/kept/absent.txt";
        for (complete, age, expected) in [
            (true, MINUTE, Found::NotFound),
            (false, MINUTE, Found::Nothing(Kind::NotInOurCopy)),
            (true, 20 * MINUTE, Found::Nothing(Kind::NotInOurCopy)),
        ] {
            let (status, found, _) = copy(complete).ask(absent, age).await;
            assert_eq!(found, expected);
            assert_eq!(status == StatusCode::NOT_FOUND, found == Found::NotFound);
        }
        let (status, found, _) = copy(true).ask("/unrouted", MINUTE).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(found, Found::Nothing(Kind::Unavailable));
    }

    #[tokio::test]
    async fn folders_have_an_index_and_their_slash() {
        let copy = copy(true);
        for (path, expected) in [
            ("/kept/a.txt", 200),
            ("/kept/", 200),
            ("/kept/club/", 200),
            ("/kept/club", 301),
            ("/exact.html", 200),
            ("/kept/club/none", 404),
        ] {
            let (status, _, answer) = copy.ask(path, MINUTE).await;
            assert_eq!(status, expected, "{path}");
            let place = answer.draft.headers.get("location");
            assert_eq!(place.is_some(), expected == 301);
            assert!(place.is_none_or(|place| place == "./club/"));
        }
    }

    #[tokio::test]
    async fn data_too_old_for_its_route_is_not_shown() {
        let copy = copy(true);
        let (_, found, answer) = copy.ask("/kept/a.txt", 20 * MINUTE).await;
        assert_eq!(
            (found, answer.policy.status.ttl_s),
            (Found::Answer, Some(-600))
        );
        let (_, found, _) = copy.ask("/kept/a.txt", 60 * MINUTE).await;
        assert_eq!(found, Found::Nothing(Kind::TooOld));
    }

    #[tokio::test]
    async fn a_component_that_is_not_there_costs_its_own_request() {
        let (status, found, _) = copy(true).ask("/lost/", MINUTE).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(found, Found::Nothing(Kind::ComponentFailed));
    }
}
