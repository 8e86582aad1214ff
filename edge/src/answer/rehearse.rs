//! Asking the snapshot as a reader would while the origin is gone: canaries and coverage.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use snapshot::manifest::Canary;

use super::context::AnswerContext;
use super::made_of::MadeOf;
use super::path::{BadPath, RequestPath};
use super::snapshot::{Found, SnapshotRequest, from_snapshot};
use crate::copy::{Canaries, LoadedRelease};
use crate::host::Host;
use crate::page::{BodyError, Reader};

/// The serving path with the origin gone, no order in force, and the time that of the release.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    host: Arc<Host>,
}

/// What a reader would get.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// The status.
    pub status: StatusCode,
    /// The whole content, uncoded and rewritten.
    pub body: Bytes,
    /// What it is.
    pub found: Found,
    /// Why a component gave nothing, in its own words or the host's: for whoever publishes it.
    pub said: Option<String>,
    /// What it was made of; `None` where it is not known, or the minute is part of it.
    pub made_of: Option<MadeOf>,
}

/// Why a reader would get nothing at all.
#[derive(Debug, thiserror::Error)]
pub enum NotRehearsed {
    /// The path is none.
    #[error(transparent)]
    Path(#[from] BadPath),
    /// The content broke off.
    #[error(transparent)]
    Broken(#[from] BodyError),
}

impl Rehearsal {
    /// With components run by `host`.
    #[must_use]
    pub fn new(host: Arc<Host>) -> Self {
        Self { host }
    }

    /// Asks `release` for `target`, a path and query, in `language`.
    ///
    /// # Errors
    /// A path that is none, or content that cannot be read whole.
    pub async fn ask(
        &self,
        release: &LoadedRelease,
        target: &str,
        language: &str,
    ) -> Result<Rehearsed, NotRehearsed> {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let path = RequestPath::parse(path)?;
        let mut headers = HeaderMap::new();
        if let Ok(language) = HeaderValue::from_str(language) {
            headers.insert(ACCEPT_LANGUAGE, language);
        }
        let reader = Reader::new(&Method::GET, &headers);
        let request = SnapshotRequest {
            path: &path,
            query,
            reader: &reader,
        };
        let context = AnswerContext::without_origin(
            "rehearsal",
            release.release.as_of,
            &release.manifest,
            Arc::clone(&self.host),
        );
        let answer = from_snapshot(release, &context, &request).await;
        let (found, said) = (answer.found, answer.said.clone());
        let made_of = answer.made_of.clone();
        let (head, body) = answer.finish(&reader).await.into_parts();
        Ok(Rehearsed {
            status: head.status,
            body: body.collect().await?.to_bytes(),
            found,
            said,
            made_of,
        })
    }
}

impl Canaries for Rehearsal {
    fn ask<'a>(
        &'a self,
        release: &'a Arc<LoadedRelease>,
        canary: &'a Canary,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async move {
            let tried = self.ask(release, &canary.path, &canary.language).await;
            tried.map_err(|e| e.to_string())?.judge(canary)
        })
    }
}

impl Rehearsed {
    /// Whether this is what `canary` asks for. Here and nowhere else is that decided.
    ///
    /// # Errors
    /// In words, the difference. Without what the component said: edges show it to anyone.
    pub fn judge(&self, canary: &Canary) -> Result<(), String> {
        if self.status.as_u16() != canary.status {
            return Err(format!("{}, expected {}", self.outcome(), canary.status));
        }
        if String::from_utf8_lossy(&self.body).contains(&canary.contains) {
            return Ok(());
        }
        Err(format!("the page does not contain {:?}", canary.contains))
    }

    /// `status 503 (component-failed)`.
    #[must_use]
    pub fn outcome(&self) -> String {
        let status = self.status.as_u16();
        match self.found {
            Found::Nothing(kind) => format!("status {status} ({})", kind.as_str()),
            Found::Answer | Found::NotFound => format!("status {status}"),
        }
    }

    /// `words`, and what the component said, for whoever publishes it.
    #[must_use]
    pub fn with_said(&self, words: String) -> String {
        match &self.said {
            Some(said) => format!("{words}: {said}"),
            None => words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::emergency::Kind;

    #[test]
    fn a_canary_is_judged_without_the_component_s_words() {
        let canary = Canary {
            path: "/".to_owned(),
            language: "ko".to_owned(),
            status: 200,
            contains: "hell".to_owned(),
        };
        let mut tried = Rehearsed {
            status: StatusCode::OK,
            body: Bytes::from_static(b"hello"),
            found: Found::Answer,
            said: None,
            made_of: None,
        };
        assert_eq!(tried.judge(&canary), Ok(()));
        tried.body = Bytes::from_static(b"bye");
        let differs = tried.judge(&canary).unwrap_err();
        assert_eq!(differs, "the page does not contain \"hell\"");
        tried.status = StatusCode::SERVICE_UNAVAILABLE;
        tried.found = Found::Nothing(Kind::ComponentFailed);
        tried.said = Some("template a.html line 1".to_owned());
        let failed = tried.judge(&canary).unwrap_err();
        assert_eq!(failed, "status 503 (component-failed), expected 200");
        assert_eq!(
            tried.with_said(failed),
            "status 503 (component-failed), expected 200: template a.html line 1"
        );
    }
}
