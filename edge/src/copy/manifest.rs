//! Judging a manifest: a rightly signed one may still be unusable.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use snapshot::manifest::{Canary, Collection, Route, Target};
use snapshot::{Digest, Manifest, Release, SiteName, Store, StoreError, limits};

use crate::answer::Routes;

/// Most collections, components, routes, services or canaries of a manifest.
pub const PARTS: usize = 1024;
/// Most languages of a site.
pub const LANGUAGES: usize = 32;
/// A collection may lose this share of its records, percent, unless the manifest accepts more.
pub const SHRINK_PERCENT: u64 = 30;

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestFault {
    /// Not on disk, or not what its name says.
    #[error("manifest {digest}: {source}")]
    Unreadable {
        /// Its name.
        digest: Digest,
        /// What is wrong.
        source: Box<StoreError>,
    },
    /// Larger than any may be.
    #[error("manifest {digest} is stated to have {bytes} bytes: expected 1 to {limit}", limit = limits::MANIFEST_BYTES)]
    TooLarge {
        /// Its name.
        digest: Digest,
        /// The release's claim.
        bytes: u64,
    },
    /// Of another length than the release states.
    #[error("manifest {digest} has {got} bytes: the release states {stated}")]
    Length {
        /// Its name.
        digest: Digest,
        /// Its length.
        got: u64,
        /// The release's claim.
        stated: u64,
    },
    /// Of a version that this code does not read.
    #[error(
        "manifest {digest} has version {got}: this edge reads {}",
        Manifest::VERSION
    )]
    Version {
        /// Its name.
        digest: Digest,
        /// Its version.
        got: u64,
    },
    /// Not a manifest.
    #[error("manifest {digest}: {source}")]
    Malformed {
        /// Its name.
        digest: Digest,
        /// What is wrong.
        source: snapshot::CodecError,
    },
    /// Contradicts itself, or points nowhere.
    #[error("manifest: {0}")]
    Unsound(String),
}

/// Reads and decodes the manifest that `release` states.
///
/// # Errors
/// See [`ManifestFault`].
pub fn read_manifest(store: &Store, release: &Release) -> Result<Manifest, ManifestFault> {
    let digest = release.manifest;
    let stated = release.manifest_bytes;
    if !(1..=limits::MANIFEST_BYTES as u64).contains(&stated) {
        return Err(ManifestFault::TooLarge {
            digest,
            bytes: stated,
        });
    }
    let bytes = store
        .read(&digest, limits::MANIFEST_BYTES)
        .map_err(Box::new)
        .map_err(|source| ManifestFault::Unreadable { digest, source })?;
    if bytes.len() as u64 != stated {
        let got = bytes.len() as u64;
        return Err(ManifestFault::Length {
            digest,
            got,
            stated,
        });
    }
    // The version comes first, so that a future manifest is named as one.
    if let Some(got) = stated_version(&bytes)
        && got != u64::from(Manifest::VERSION)
    {
        return Err(ManifestFault::Version { digest, got });
    }
    snapshot::decode(&bytes, limits::MANIFEST_BYTES)
        .map_err(|source| ManifestFault::Malformed { digest, source })
}

/// The first element of a MessagePack array, if that is a number.
fn stated_version(bytes: &[u8]) -> Option<u64> {
    let (marker, rest) = bytes.split_first()?;
    let rest = match marker {
        0x90..=0x9f => rest,
        0xdc => rest.get(2..)?,
        _ => return None,
    };
    match rest {
        [n @ 0..=0x7f, ..] | [0xcc, n, ..] => Some(u64::from(*n)),
        [0xcd, a, b, ..] => Some(u64::from(u16::from_be_bytes([*a, *b]))),
        _ => None,
    }
}

/// Checks that a manifest is about `site` and makes sense by itself; gives its routes.
///
/// # Errors
/// [`ManifestFault::Unsound`]: the first thing that does not.
pub fn check_manifest(manifest: &Manifest, site: &SiteName) -> Result<Routes, ManifestFault> {
    sound(manifest, site).map_err(ManifestFault::Unsound)?;
    Routes::new(manifest).map_err(|problem| ManifestFault::Unsound(problem.to_string()))
}

fn sound(manifest: &Manifest, site: &SiteName) -> Result<(), String> {
    if &manifest.site != site {
        return Err(format!("about site {}, expected {site}", manifest.site));
    }
    if !(1..=LANGUAGES).contains(&manifest.languages.len()) {
        let n = manifest.languages.len();
        return Err(format!("{n} languages, expected 1 to {LANGUAGES}"));
    }
    distinct("service", manifest.services.iter().map(|s| s.name.as_str()))?;
    distinct(
        "collection",
        manifest.collections.iter().map(|c| c.name.as_str()),
    )?;
    distinct(
        "component",
        manifest.components.iter().map(|c| c.name.as_str()),
    )?;
    distinct("route", manifest.routes.iter().map(|r| r.path.as_str()))?;
    if manifest.canaries.len() > PARTS {
        return Err(format!(
            "{} canaries, at most {PARTS}",
            manifest.canaries.len()
        ));
    }
    for component in &manifest.components {
        if component.bytes > limits::COMPONENT_BYTES as u64 {
            let (name, bytes) = (&component.name, component.bytes);
            let most = limits::COMPONENT_BYTES;
            return Err(format!("component {name} of {bytes} bytes, at most {most}"));
        }
    }
    manifest.collections.iter().try_for_each(sound_collection)?;
    for service in &manifest.services {
        let (name, checked) = (&service.name, service.breaker.check());
        checked.map_err(|what| format!("service {name}: its breaker's {what}"))?;
    }
    for route in &manifest.routes {
        points(manifest, route).map_err(|what| format!("route {}: {what}", route.path))?;
    }
    manifest.canaries.iter().try_for_each(sound_canary)
}

fn sound_collection(collection: &Collection) -> Result<(), String> {
    let name = &collection.name;
    let segments = collection.segments.len();
    if segments > limits::STACK_SEGMENTS {
        let most = limits::STACK_SEGMENTS;
        return Err(format!(
            "collection {name} of {segments} segments, at most {most}"
        ));
    }
    let ids: BTreeSet<Digest> = collection.segments.iter().map(|entry| entry.id).collect();
    if ids.len() != segments {
        return Err(format!("collection {name} names a segment twice"));
    }
    let most = limits::SEGMENT_BYTES;
    if let Some(large) = collection.segments.iter().find(|s| s.bytes > most) {
        let (id, bytes) = (large.id, large.bytes);
        return Err(format!(
            "segment {id} of collection {name} of {bytes} bytes, at most {most}"
        ));
    }
    let most = limits::STACK_SEGMENTS;
    if let Some(merged) = collection.segments.iter().find(|s| s.from.len() > most) {
        let (id, inputs) = (merged.id, merged.from.len());
        return Err(format!(
            "segment {id} of collection {name} merged from {inputs} others, at most {most}"
        ));
    }
    let held = collection
        .segments
        .iter()
        .fold(0u64, |sum, s| sum.saturating_add(s.records));
    if collection.records > held {
        let stated = collection.records;
        return Err(format!(
            "collection {name} states {stated} records, its segments hold {held}"
        ));
    }
    Ok(())
}

/// Whatever a route names exists.
fn points(manifest: &Manifest, route: &Route) -> Result<(), String> {
    if manifest.service(&route.service).is_none() {
        return Err(format!("service {} does not exist", route.service));
    }
    let (component, assets) = match &route.target {
        Target::Component(name) => (Some(name), None),
        Target::Assets(name) => (None, Some(name)),
    };
    if let Some(name) = component.filter(|name| manifest.component(name).is_none()) {
        return Err(format!("component {name} does not exist"));
    }
    let mut named = route.collections.iter().chain(assets);
    match named.find(|name| manifest.collection(name).is_none()) {
        Some(name) => Err(format!("collection {name} does not exist")),
        None => Ok(()),
    }
}

fn sound_canary(canary: &Canary) -> Result<(), String> {
    if canary.path.starts_with('/') && (200..=599).contains(&canary.status) {
        return Ok(());
    }
    // Its path may hold what nobody is to read in a log.
    let (language, status) = (&canary.language, canary.status);
    Err(format!(
        "a canary in {language} with status {status}: expected a path and 200 to 599"
    ))
}

fn distinct<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut known = BTreeSet::new();
    for name in names {
        if !known.insert(name) {
            return Err(format!("{what} {name} is named twice"));
        }
    }
    if known.len() > PARTS {
        return Err(format!("{} times {what}, at most {PARTS}", known.len()));
    }
    Ok(())
}

/// Compares what is stated now with what was stated before.
///
/// # Errors
/// In words: the first collection that lost more than [`SHRINK_PERCENT`], where the manifest does
/// not accept that.
pub fn check_counts(before: &Manifest, now: &Manifest) -> Result<(), String> {
    if now.accepts_shrink {
        return Ok(());
    }
    for old in &before.collections {
        let records = now.collection(&old.name).map_or(0, |new| new.records);
        let least = u128::from(old.records) * u128::from(100 - SHRINK_PERCENT);
        if u128::from(records) * 100 < least {
            return Err(format!(
                "collection {} fell from {} to {records} records: more than {SHRINK_PERCENT} % \
                 is used only if the release says that it is meant",
                old.name, old.records
            ));
        }
    }
    Ok(())
}
