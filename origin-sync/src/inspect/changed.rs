//! What a release has that an earlier one has not: told from the two manifests as far as they can
//! tell it, and read out of what the two do not share where they cannot.

use std::collections::BTreeSet;

use snapshot::manifest::{Collection, SegmentEntry};
use snapshot::{CollectionName, Digest, Entry, Manifest, NodeCache, Sequence};

use super::log::Changed;
use super::records::NODE_CACHE_BYTES;
use super::{InspectError, Inspector};
use crate::{build, mirror};

impl Inspector {
    /// What `now`, the manifest of that name, has that `since` has not.
    ///
    /// # Errors
    /// A segment that only one of the two has cannot be read.
    pub(super) async fn changed(
        &self,
        (digest, now): (Digest, &Manifest),
        since: Option<(Sequence, &Manifest)>,
    ) -> Result<Changed, InspectError> {
        let was = since.map(|(_, manifest)| manifest);
        let old = |name| was.and_then(|was| was.collection(name));
        let mut collections = Vec::new();
        let mut new = BTreeSet::from([digest]);
        for is in &now.collections {
            let was = old(&is.name);
            let added: Vec<&SegmentEntry> = is.segments.iter().filter(|s| !has(was, s)).collect();
            new.extend(added.iter().map(|segment| segment.id));
            if was.is_some() {
                let brings = added.into_iter().filter(|s| !is_merged_from(was, s));
                let brings = brings.cloned().collect();
                new.extend(self.blobs(now, &is.name, brings).await?);
            }
            if !self.says_the_same(now, was, is).await? {
                let before = was.map(|was| was.records);
                collections.push((is.name.clone(), before, Some(is.records)));
            }
        }
        let gone = was.into_iter().flat_map(|was| &was.collections);
        let gone = gone.filter(|was| now.collection(&was.name).is_none());
        collections.extend(gone.map(|was| (was.name.clone(), Some(was.records), None)));
        let held = was.map_or(&[][..], |was| &was.components);
        let components = now.components.iter().filter(|c| !held.contains(c));
        new.extend(components.map(|component| component.digest));
        if was == Some(now) {
            new.clear();
        }
        let (mut bytes, mut missing) = (0, 0);
        for digest in &new {
            match mirror::length_anywhere(&self.mirrors, digest).await {
                Some(length) => bytes += length,
                None => missing += 1,
            }
        }
        Ok(Changed {
            since: since.map(|(sequence, _)| sequence),
            collections,
            objects: new.len() as u64,
            bytes,
            missing,
        })
    }

    /// The blobs that these segments name.
    pub(super) async fn blobs(
        &self,
        manifest: &Manifest,
        name: &CollectionName,
        segments: Vec<SegmentEntry>,
    ) -> Result<BTreeSet<Digest>, InspectError> {
        if segments.is_empty() {
            return Ok(BTreeSet::new());
        }
        mirror::bring_segments(&self.mirrors, &self.store, name, &segments).await?;
        let (store, site) = (std::sync::Arc::clone(&self.store), manifest.site.clone());
        let name = name.clone();
        let work = tokio::task::spawn_blocking(move || {
            let cache = NodeCache::new(NODE_CACHE_BYTES);
            let stack = build::open(&store, &cache, &site, &name, &segments)?;
            let mut blobs = BTreeSet::new();
            for entry in stack.entries(..) {
                if let (_, Entry::Blob(blob)) = entry? {
                    blobs.insert(blob.digest);
                }
            }
            Ok::<_, InspectError>(blobs)
        });
        work.await
            .map_err(|error| InspectError::Internal(error.to_string()))?
    }

    /// Whether a reader finds the same records in both: then nothing but merges lies between.
    async fn says_the_same(
        &self,
        manifest: &Manifest,
        was: Option<&Collection>,
        is: &Collection,
    ) -> Result<bool, InspectError> {
        let Some(was) = was else {
            return Ok(false);
        };
        match told(was, is) {
            Some(same) => Ok(same),
            None => {
                let pair = (Some(was), Some(is));
                let found = self.collection(manifest, &is.name, pair, false).await?;
                Ok(found.records() == 0)
            }
        }
    }
}

fn has(was: Option<&Collection>, segment: &SegmentEntry) -> bool {
    let mut held = was.into_iter().flat_map(|was| &was.segments);
    held.any(|held| held.id == segment.id)
}

/// Whether all that `segment` says was said before.
fn is_merged_from(was: Option<&Collection>, segment: &SegmentEntry) -> bool {
    let held = |input: &Digest| {
        let mut all = was.into_iter().flat_map(|was| &was.segments);
        all.any(|held| held.id == *input)
    };
    !segment.from.is_empty() && segment.from.iter().all(|input| held(&input.id))
}

/// Whether both say the same, if their descriptions alone tell it.
fn told(was: &Collection, is: &Collection) -> Option<bool> {
    if (was.privacy, was.complete, was.records) != (is.privacy, is.complete, is.records) {
        return Some(false);
    }
    let before: Vec<Digest> = was.segments.iter().map(|segment| segment.id).collect();
    let mut parts = Vec::new();
    for segment in &is.segments {
        if is_merged_from(Some(was), segment) && !before.contains(&segment.id) {
            parts.extend(segment.from.iter().map(|input| input.id));
        } else {
            parts.push(segment.id);
        }
    }
    if parts == before {
        return Some(true);
    }
    // One publish puts one segment on top, and only of what differs.
    match parts.split_first() {
        Some((_, rest)) if rest == before => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use snapshot::manifest::{Input, Privacy};

    use super::*;

    fn segment(name: &str, from: &[&str]) -> SegmentEntry {
        let input = |name: &&str| Input {
            id: Digest::of(name.as_bytes()),
            bytes: 1,
            root_at: 0,
            records: 1,
        };
        SegmentEntry {
            id: Digest::of(name.as_bytes()),
            bytes: 1,
            root_at: 0,
            records: 1,
            from: from.iter().map(input).collect(),
            bottom: false,
        }
    }

    fn collection(segments: &[SegmentEntry]) -> Collection {
        Collection {
            name: "rows".parse().unwrap(),
            privacy: Privacy::Public,
            complete: false,
            records: 9,
            segments: segments.to_vec(),
        }
    }

    #[test]
    fn what_was_only_merged_says_the_same() {
        let [a, b, c] = ["a", "b", "c"].map(|name| segment(name, &[]));
        let was = collection(&[a.clone(), b.clone(), c.clone()]);
        let is = collection(&[segment("ab", &["a", "b"]), c.clone()]);
        assert_eq!(told(&was, &was), Some(true));
        assert_eq!(told(&was, &is), Some(true));
        let whole = collection(&[segment("abc", &["a", "b", "c"])]);
        assert_eq!(told(&was, &whole), Some(true));
        // In another order the same segments may say another thing.
        let other = collection(&[b.clone(), a.clone(), c.clone()]);
        assert_eq!(told(&was, &other), None);
    }

    #[test]
    fn what_came_on_top_says_something_new() {
        let [a, b, new] = ["a", "b", "new"].map(|name| segment(name, &[]));
        let was = collection(&[a.clone(), b.clone()]);
        let is = collection(&[new.clone(), a.clone(), b.clone()]);
        assert_eq!(told(&was, &is), Some(false));
        let is = collection(&[new.clone(), segment("ab", &["a", "b"])]);
        assert_eq!(told(&was, &is), Some(false));
        let fewer = Collection {
            records: 8,
            ..was.clone()
        };
        assert_eq!(told(&was, &fewer), Some(false));
        // Two publishes may have taken each other back.
        let is = collection(&[segment("newer", &[]), new.clone(), a, b.clone()]);
        assert_eq!(told(&was, &is), None);
        // And of a merge with what is not known here nobody can tell.
        let is = collection(&[segment("?", &["gone", "a"]), b]);
        assert_eq!(told(&was, &is), None);
    }
}
