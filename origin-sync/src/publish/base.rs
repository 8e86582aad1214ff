//! The release that a publish stands on, in the publisher's own copy.
//!
//! What was published elsewhere is fetched: segments and components always, since the next release is
//! made of them; blobs once, those that the segments name which were fetched, since the canaries may
//! be answered out of them. That this was not finished is remembered.

use std::sync::Arc;

use snapshot::manifest::Collection;
use snapshot::{Manifest, StoreError};

use super::Publisher;
use super::error::PublishError;
use crate::mirror::{self, FetchError, Signed};

/// The state file that says that blobs are still to be fetched.
const FETCHING: &str = "fetching";
/// What it says then.
const UNFINISHED: &[u8] = b"blobs";

impl Publisher {
    /// The last release's manifest, with what it names in the publisher's own copy.
    ///
    /// # Errors
    /// It cannot be had. What was amended by hand in it would be lost without a word, so nothing is
    /// built without it.
    pub(super) async fn base(
        &self,
        last: &Signed,
        warnings: &mut Vec<String>,
    ) -> Result<Arc<Manifest>, PublishError> {
        let base = async {
            let manifest = mirror::manifest(&self.mirrors, &self.store, &last.release).await?;
            self.stand_on(&manifest, warnings).await?;
            Ok(Arc::new(manifest))
        };
        base.await.map_err(|why| PublishError::NoBase {
            release: last.release.sequence,
            why: Box::new(why),
        })
    }

    async fn stand_on(
        &self,
        manifest: &Manifest,
        warnings: &mut Vec<String>,
    ) -> Result<(), FetchError> {
        let fetched = self.to_be_fetched(manifest).await?;
        mirror::bring(&self.mirrors, &self.store, manifest).await?;
        let mut lacking = Vec::new();
        for collection in &fetched {
            let brought = mirror::bring_blobs(&self.mirrors, &self.store, collection).await;
            lacking.extend(brought.err().into_iter().flatten());
        }
        if lacking.is_empty() && !fetched.is_empty() {
            self.note(b"").await?;
        }
        let named = lacking.iter().map(|error| {
            format!("of the last release, which canaries may need and a mirror may lack: {error}")
        });
        warnings.extend(named);
        Ok(())
    }

    /// The collections of which segments, or blobs, are not here, with these segments.
    async fn to_be_fetched(&self, manifest: &Manifest) -> Result<Vec<Collection>, FetchError> {
        let (store, all) = (Arc::clone(&self.store), manifest.collections.clone());
        let work = tokio::task::spawn_blocking(move || {
            if store.read_state(FETCHING, UNFINISHED.len())?.as_deref() == Some(UNFINISHED) {
                return Ok(all);
            }
            let absent = all.into_iter().map(|mut collection| {
                let segments = &mut collection.segments;
                segments.retain(|segment| !store.contains(&segment.id));
                collection
            });
            Ok(absent
                .filter(|collection| !collection.segments.is_empty())
                .collect::<Vec<_>>())
        });
        let own = |error: String| FetchError::Own(error);
        let fetched = work.await.map_err(|error| own(error.to_string()))?;
        let fetched = fetched.map_err(|error: StoreError| own(error.to_string()))?;
        if !fetched.is_empty() {
            self.note(UNFINISHED).await?;
        }
        Ok(fetched)
    }

    async fn note(&self, state: &'static [u8]) -> Result<(), FetchError> {
        let store = Arc::clone(&self.store);
        let work = tokio::task::spawn_blocking(move || store.write_state(FETCHING, state));
        let noted = work
            .await
            .map_err(|error| FetchError::Own(error.to_string()))?;
        noted.map_err(|error| FetchError::Own(error.to_string()))
    }
}
