//! `inspect ls` and `inspect cat`: collections, keys, values.

use serde_json::{Value as Json, json};
use snapshot::manifest::{Collection, Privacy};
use snapshot::segment::NodeCache;
use snapshot::{CollectionName, Key, Manifest, Sequence, Stack, Value};

use super::{InspectError, Inspector};
use crate::{build, mirror};

/// One collection of a release.
#[derive(Clone, Debug)]
pub struct CollectionLine {
    /// Its name.
    pub name: CollectionName,
    /// Who may read it at rest.
    pub privacy: Privacy,
    /// Its records.
    pub records: u64,
    /// The segments of its stack.
    pub segments: usize,
    /// Their bytes, uncompressed, blobs left out.
    pub bytes: u64,
}

/// One record: its key at rest and the length of its value, bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its key at rest.
    pub key: Key,
    /// The length of its value at rest, bytes.
    pub bytes: u64,
}

impl Record {
    /// For scripts.
    #[must_use]
    pub fn json(&self) -> Json {
        json!({ "key": self.key.to_string(), "bytes": self.bytes })
    }
}

impl CollectionLine {
    fn of(collection: &Collection) -> Self {
        Self {
            name: collection.name.clone(),
            privacy: collection.privacy,
            records: collection.records,
            segments: collection.segments.len(),
            bytes: collection.segments.iter().map(|s| s.bytes).sum(),
        }
    }

    /// For scripts.
    #[must_use]
    pub fn json(&self) -> Json {
        json!({
            "collection": self.name.as_str(),
            "privacy": self.privacy.as_str(),
            "records": self.records,
            "segments": self.segments,
            "bytes": self.bytes,
        })
    }
}

impl Inspector {
    /// The collections of a release.
    ///
    /// # Errors
    /// No such release, or no mirror has it whole.
    pub async fn collections(
        &self,
        sequence: Option<Sequence>,
    ) -> Result<Vec<CollectionLine>, InspectError> {
        let signed = self.release(sequence).await?;
        let manifest = self.manifest(&signed).await?;
        Ok(manifest
            .collections
            .iter()
            .map(CollectionLine::of)
            .collect())
    }

    /// The records of one collection, in key order.
    ///
    /// # Errors
    /// No such release or collection, or no mirror has it whole.
    pub async fn records(
        &self,
        collection: &str,
        sequence: Option<Sequence>,
    ) -> Result<Vec<Record>, InspectError> {
        let (_, stack) = self.stack(collection, sequence).await?;
        let work = tokio::task::spawn_blocking(move || {
            let all = stack.iter(..).map(|record| {
                let (key, value) = record?;
                let bytes = value.bytes();
                Ok(Record { key, bytes })
            });
            all.collect::<Result<Vec<_>, InspectError>>()
        });
        work.await
            .map_err(|error| InspectError::Internal(error.to_string()))?
    }

    /// The value of one record, opened if `secret` is given: then the key follows from it.
    ///
    /// # Errors
    /// No such release, collection or record; not whole; not opened by this secret.
    pub async fn value(
        &self,
        collection: &str,
        key: Option<&str>,
        secret: Option<&str>,
        sequence: Option<Sequence>,
    ) -> Result<Vec<u8>, InspectError> {
        let (manifest, stack) = self.stack(collection, sequence).await?;
        let site = manifest.site.as_str().to_owned();
        let key = match (key, secret) {
            (_, Some(secret)) => seal::record_name(&site, collection, secret),
            (Some(key), None) => key.to_owned(),
            (None, None) => return Err(InspectError::NoKey),
        };
        let absent = || InspectError::NoRecord(collection.to_owned());
        let key = Key::new(key).map_err(|_| absent())?;
        let found = tokio::task::spawn_blocking(move || stack.get(&key))
            .await
            .map_err(|error| InspectError::Internal(error.to_string()))??;
        let bytes = match found.ok_or_else(absent)? {
            Value::Inline(bytes) => bytes,
            Value::Blob(blob) => {
                mirror::bring_blob(&self.mirrors, &self.store, &blob).await?;
                let store = std::sync::Arc::clone(&self.store);
                let read = tokio::task::spawn_blocking(move || {
                    Ok::<_, InspectError>(store.blob(&blob)?.read(0..blob.bytes)?)
                });
                read.await
                    .map_err(|error| InspectError::Internal(error.to_string()))??
            }
        };
        match secret {
            None => Ok(bytes),
            Some(secret) => seal::open(&site, collection, secret, &bytes)
                .map_err(|error| InspectError::Sealed(error.to_string())),
        }
    }

    async fn stack(
        &self,
        collection: &str,
        sequence: Option<Sequence>,
    ) -> Result<(Manifest, Stack), InspectError> {
        let signed = self.release(sequence).await?;
        let manifest = self.manifest(&signed).await?;
        let wanted = manifest
            .collections
            .iter()
            .find(|found| found.name.as_str() == collection);
        let Some(wanted) = wanted.cloned() else {
            let names: Vec<&str> = manifest
                .collections
                .iter()
                .map(|c| c.name.as_str())
                .collect();
            return Err(InspectError::NoCollection(
                collection.chars().take(80).collect(),
                names.join(", "),
            ));
        };
        let only = Manifest {
            collections: vec![wanted.clone()],
            components: Vec::new(),
            ..manifest.clone()
        };
        mirror::bring(&self.mirrors, &self.store, &only).await?;
        let cache = NodeCache::new(NODE_CACHE_BYTES);
        let (store, site) = (&self.store, &manifest.site);
        let stack = build::open(store, &cache, site, &wanted.name, &wanted.segments)?;
        Ok((manifest, stack))
    }
}

/// Memory for verified inner nodes, bytes.
pub(crate) const NODE_CACHE_BYTES: u64 = 16 << 20;
