//! What a site is, for whoever decides about it: the releases at hand and their manifests, at the places
//! where they lie on a mirror. So `edge order` can show what an order changes with every mirror gone.

use bytes::Bytes;

use super::edge::Edge;
use crate::sync::Place;

/// The document at `path`; `None` for anything but a release in use, the one before it, and their
/// manifests.
pub(super) fn given(edge: &Edge, path: &str) -> Option<Bytes> {
    let place = path.strip_prefix('/')?;
    let (name, _) = place.split_once('/')?;
    let site = edge.sites.iter().find(|site| site.name.as_str() == name)?;
    let releases = site.copy.given().releases();
    if place == Place::release(&site.name).as_str() {
        return releases.first().map(|release| release.statement.clone());
    }
    releases.into_iter().find_map(|release| {
        if place == Place::retained(&site.name, release.sequence).as_str() {
            return Some(release.statement.clone());
        }
        let is_manifest = place == Place::object(&site.name, &release.digest).as_str();
        let manifest = is_manifest.then(|| release.manifest.to_bytes().ok());
        manifest.flatten().map(Bytes::from)
    })
}
