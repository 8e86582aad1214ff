//! One page of the snapshot held beside the origin's for the same request. Both are asked for whole and
//! in calm words, so that what differs is content; of both only the verdict is kept.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::running::Running;
use super::tally::Compared;
use crate::answer::{AnswerContext, RequestPath, SnapshotRequest, from_snapshot};
use crate::copy::LoadedRelease;
use crate::mode::Gate;
use crate::mode::breaker::Outcome;
use crate::origin::{Failure, Origin, OriginAnswer, OriginBody};
use crate::page::rewrite::{self, may_rewrite};
use crate::page::visible::Visible;
use crate::page::{Reader, Source};

/// What is needed to hold two answers to one request side by side, once its reader has got his.
pub(in super::super) struct Comparison {
    pub(in super::super) running: Arc<Running>,
    pub(in super::super) place: OwnedSemaphorePermit,
    pub(in super::super) route: String,
    pub(in super::super) origin: Arc<Origin>,
    pub(in super::super) gate: Arc<Gate>,
    pub(in super::super) target: PathAndQuery,
    /// The reader's fields as the origin gets them, for a whole and uncoded page.
    pub(in super::super) headers: HeaderMap,
    pub(in super::super) release: Arc<LoadedRelease>,
    /// As if the service were well.
    pub(in super::super) context: AnswerContext,
    pub(in super::super) path: RequestPath,
    pub(in super::super) query: Option<String>,
    /// Wishes nothing but a language.
    pub(in super::super) reader: Reader,
}

impl Comparison {
    /// Asks both and counts the verdict.
    pub(in super::super) async fn make(self) {
        let compared = self.verdict().await;
        self.running.compared(&self.route, compared);
        drop(self.place);
    }

    async fn verdict(&self) -> Compared {
        let asked = Instant::now();
        let headers = self.headers.clone();
        let theirs = match self.origin.read(Method::GET, &self.target, headers).await {
            Ok(theirs) => theirs,
            Err(failure) => {
                self.observe(failure);
                return Compared::NotComparable;
            }
        };
        self.running.origin_took(asked.elapsed());
        if theirs.status.is_server_error() {
            self.observe(Failure::Status(theirs.status));
            return Compared::Status;
        }
        self.gate
            .observe(self.path.as_str(), Outcome::Answered, None);
        let Some((status, kind, ours)) = self.ours().await else {
            return Compared::NotComparable;
        };
        if status != theirs.status {
            return Compared::Status;
        }
        let (Some(ours), Some(theirs)) = (visible(&kind, &ours), self.theirs(theirs)) else {
            return Compared::NotComparable;
        };
        Compared::Text(ours.difference(&theirs))
    }

    /// What the snapshot says while nothing is down.
    async fn ours(&self) -> Option<(StatusCode, HeaderMap, Bytes)> {
        let request = SnapshotRequest {
            path: &self.path,
            query: self.query.as_deref(),
            reader: &self.reader,
        };
        let answer = from_snapshot(&self.release, &self.context, &request).await;
        let (head, body) = answer.finish(&self.reader).await.into_parts();
        // A page longer than what is held of an origin's has nothing to stand beside.
        let most = self.origin.limits().held_bytes;
        let body = Limited::new(body, most).collect().await.ok()?;
        Some((head.status, head.headers, body.to_bytes()))
    }

    /// The words of the origin's page, as it would be shown while nothing is down.
    fn theirs(&self, theirs: OriginAnswer) -> Option<Visible> {
        let OriginBody::Whole(page) = theirs.body else {
            return None;
        };
        let Some(charset) = may_rewrite(theirs.status, &theirs.headers) else {
            return visible(&theirs.headers, &page);
        };
        let languages = &self.release.manifest.languages;
        let language = self.reader.language(languages);
        let state = self
            .context
            .page_state(&self.release.manifest, language, Source::Origin);
        visible(&theirs.headers, &rewrite::whole(page, &state, charset))
    }

    fn observe(&self, failure: Failure) {
        if let Some(outcome) = failure.outcome() {
            self.gate
                .observe(self.path.as_str(), outcome, Some(failure.as_str()));
        }
    }
}

/// The words of a page or a text; `None` for anything else.
fn visible(headers: &HeaderMap, body: &[u8]) -> Option<Visible> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("text/html") {
        return Visible::of_html(body).ok();
    }
    let text = kind
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("text/"));
    text.then(|| Visible::of_text(body))
}
