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
        let found = answer.found;
        let (head, body) = answer.finish(&reader).await.into_parts();
        Ok(Rehearsed {
            status: head.status,
            body: body.collect().await?.to_bytes(),
            found,
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
            judge(canary, &tried.map_err(|e| e.to_string())?)
        })
    }
}

fn judge(canary: &Canary, tried: &Rehearsed) -> Result<(), String> {
    let status = tried.status.as_u16();
    if status != canary.status {
        return Err(match tried.found {
            Found::Nothing(kind) => format!(
                "status {status} ({}), expected {}",
                kind.as_str(),
                canary.status
            ),
            _ => format!("status {status}, expected {}", canary.status),
        });
    }
    if String::from_utf8_lossy(&tried.body).contains(&canary.contains) {
        return Ok(());
    }
    Err(format!("the page does not contain {:?}", canary.contains))
}
