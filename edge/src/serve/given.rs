//! What a site is, for whoever decides about it: the releases at hand and their manifests, at the places
//! where they lie on a mirror, and whom and what it obeys, as its peer listener gives it. So `edge order` can
//! show what an order changes with every mirror gone, and builds on what edges obey.

use bytes::Bytes;

use super::edge::Edge;
use crate::sync::Place;

/// The document at `path`; `None` for anything but a release in use, the one before it, their manifests, the
/// orders in force and those before them, and how the generation of trust came to be.
pub(super) fn given(edge: &Edge, path: &str) -> Option<Bytes> {
    let place = path.strip_prefix('/')?;
    let (name, _) = place.split_once('/')?;
    let site = edge.sites.iter().find(|site| site.name.as_str() == name)?;
    let all = site.copy.given();
    if place == Place::orders(&site.name).as_str() {
        return all.orders();
    }
    if place == Place::trust(&site.name).as_str() {
        return all.trust();
    }
    if let Some((_, order)) = place.split_once("/past/") {
        return all.past(order.parse().ok()?);
    }
    let releases = all.releases();
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
