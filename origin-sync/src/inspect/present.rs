//! The quick half of `verify`: whether a mirror has what a manifest names, without reading it.

use snapshot::{Digest, Manifest, at_rest};

use super::verify::One;
use crate::mirror;

impl One {
    /// That segments and components are there, as far as that can be told without reading them.
    pub(super) async fn present(&mut self, manifest: &Manifest) {
        for component in &manifest.components {
            let (digest, bytes) = (component.digest, component.bytes);
            let what = format!("component {} ({digest})", component.name);
            let found = self.length(&digest).await;
            self.judge(&what, found.map(|length| (length, length == bytes)));
        }
        for collection in &manifest.collections {
            for entry in &collection.segments {
                let what = format!("segment {} of collection {}", entry.id, collection.name);
                let found = self.length(&entry.id).await;
                let found = match found {
                    Ok(length) if length <= at_rest::limit(entry.bytes) => {
                        let whole = self.ends_well(&entry.id, length).await;
                        whole.map(|whole| (length, whole))
                    }
                    other => other.map(|length| (length, false)),
                };
                self.judge(&what, found);
            }
        }
    }

    fn judge(&mut self, what: &str, found: Result<(u64, bool), String>) {
        match found {
            Ok((_, true)) => self.verdict.objects += 1,
            Ok((length, false)) => {
                self.problem(format!("{what}: {length} bytes that are no whole object"));
            }
            Err(why) => self.problem(format!("{what}: {why}")),
        }
    }

    async fn length(&self, digest: &Digest) -> Result<u64, String> {
        match mirror::length(&self.mirror, self.site(), digest).await {
            Ok(Some(length)) => Ok(length),
            Ok(None) => Err("is not there".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Whether a segment's file of that length may be a whole one.
    async fn ends_well(&self, digest: &Digest, length: u64) -> Result<bool, String> {
        // Not every web server gives a part of a file.
        if !self.mirror.can_list() {
            return Ok(true);
        }
        let end = length.saturating_sub(at_rest::FOOTER_BYTES)..length;
        let end = mirror::part(&self.mirror, self.site(), digest, end).await;
        let end = end.map_err(|error| error.to_string())?;
        Ok(at_rest::may_be_whole(&end, length))
    }
}
