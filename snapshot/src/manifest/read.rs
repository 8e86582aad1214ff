//! Reading a manifest that a release names: its size, its hash, its spelling, and that it does not
//! contradict itself. The numbers at the comments are the steps of `FORMAT.md` section 7.

use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;

use super::{Collection, Manifest, Preset, Target};
use crate::document::{self, DocumentError};
use crate::{CodecError, Digest, Release, SiteName, encode, limits};

/// A manifest that may not be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Another length than the release states.
    #[error("manifest of {got} bytes where the release states {expected}")]
    Length {
        /// The release's word.
        expected: u64,
        /// Bytes there are.
        got: u64,
    },
    /// Other bytes than the release names.
    #[error("manifest {expected}: its bytes hash to {got}")]
    Digest {
        /// The release's word.
        expected: Digest,
        /// The bytes' hash.
        got: Digest,
    },
    /// Too large, of another version, unreadable or not canonical.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A manifest of another site.
    #[error("manifest of site {got} where {expected} is expected")]
    Site {
        /// The release's site.
        expected: SiteName,
        /// The manifest's.
        got: SiteName,
    },
    /// Two things of one name.
    #[error("manifest with two of the {what} {name}")]
    Twice {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A reference to nothing.
    #[error("manifest's route {route} names the {what} {name}, which is not in it")]
    Unresolved {
        /// The route's template.
        route: String,
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Pages without a language.
    #[error("manifest without a language")]
    NoLanguage,
    /// A breaker beyond its bounds.
    #[error("manifest's service {service}: its breaker's {what}")]
    Breaker {
        /// Its name.
        service: String,
        /// Which bound.
        what: String,
    },
    /// More presets than may be.
    #[error("manifest with {got} presets of {of}: at most {most} are allowed", most = limits::PRESETS)]
    Presets {
        /// The site, or a service.
        of: String,
        /// How many.
        got: usize,
    },
    /// A stack that cannot be.
    #[error("manifest's collection {collection}: {what}")]
    Stack {
        /// Its name.
        collection: String,
        /// What is wrong with it.
        what: String,
    },
}

impl Manifest {
    /// The manifest that `release` names, out of `bytes` from anywhere.
    ///
    /// # Errors
    /// See [`ManifestError`].
    pub fn read(bytes: &[u8], release: &Release) -> Result<Self, ManifestError> {
        // 7.1 As long as the release states.
        let got = bytes.len() as u64;
        if got != release.manifest_bytes {
            return Err(ManifestError::Length {
                expected: release.manifest_bytes,
                got,
            });
        }
        // 7.2 The bytes that the release names.
        let got = Digest::of(bytes);
        if got != release.manifest {
            return Err(ManifestError::Digest {
                expected: release.manifest,
                got,
            });
        }
        // 7.3 Within the limit, of a known version, canonical.
        let limit = limits::MANIFEST_BYTES;
        let manifest: Self = document::read("manifest", bytes, limit, Self::VERSION)?;
        // 7.4 Of the release's site.
        if manifest.site != release.site {
            return Err(ManifestError::Site {
                expected: release.site.clone(),
                got: manifest.site,
            });
        }
        manifest.check()?;
        Ok(manifest)
    }

    /// Its bytes; their hash is what a release names.
    ///
    /// # Errors
    /// Text that MessagePack cannot hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        encode(self)
    }

    /// Whether it contradicts itself: checked before it is published and again after it is read.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), ManifestError> {
        // 7.5 A language, and one thing of each name.
        if self.languages.is_empty() {
            return Err(ManifestError::NoLanguage);
        }
        once("language", self.languages.iter())?;
        once("service", self.services.iter().map(|service| &service.name))?;
        once(
            "collection",
            self.collections.iter().map(|collection| &collection.name),
        )?;
        once(
            "component",
            self.components.iter().map(|component| &component.name),
        )?;
        once("route", self.routes.iter().map(|route| &route.path))?;
        check_presets("the site", &self.presets)?;
        for service in &self.services {
            check_presets(service.name.as_str(), &service.presets)?;
        }
        self.check_routes()?;
        self.collections.iter().try_for_each(check_stack)?;
        // 7.8 Breakers within their bounds.
        for service in &self.services {
            let checked = service.breaker.check();
            checked.map_err(|what| ManifestError::Breaker {
                service: service.name.to_string(),
                what,
            })?;
        }
        Ok(())
    }

    fn check_routes(&self) -> Result<(), ManifestError> {
        for route in &self.routes {
            let unresolved = |what, name: &dyn Display| ManifestError::Unresolved {
                route: route.path.clone(),
                what,
                name: name.to_string(),
            };
            // 7.6 Routes name services, components and collections of this manifest.
            if self.service(&route.service).is_none() {
                return Err(unresolved("service", &route.service));
            }
            match &route.target {
                Target::Component(name) if self.component(name).is_none() => {
                    return Err(unresolved("component", name));
                }
                Target::Assets(name) if self.collection(name).is_none() => {
                    return Err(unresolved("collection", name));
                }
                _ => {}
            }
            if let Some(name) = route
                .collections
                .iter()
                .find(|c| self.collection(c).is_none())
            {
                return Err(unresolved("collection", name));
            }
        }
        Ok(())
    }
}

fn check_presets(of: &str, presets: &[Preset]) -> Result<(), ManifestError> {
    // 7.9 Presets within their limit, one for each cause.
    if presets.len() > limits::PRESETS {
        return Err(ManifestError::Presets {
            of: of.to_owned(),
            got: presets.len(),
        });
    }
    once("preset", presets.iter().map(|preset| &preset.cause))
}

fn check_stack(collection: &Collection) -> Result<(), ManifestError> {
    // 7.7 A stack within its limit, of distinct segments with entries, each merged from no more
    // than a stack may hold, only its oldest merged to the bottom, and of no more records than
    // entries.
    let (count, oldest) = (
        collection.segments.len(),
        collection.segments.len().saturating_sub(1),
    );
    let entries = collection.segments.iter().map(|segment| segment.records);
    let entries = entries.fold(0, u64::saturating_add);
    let wrong = if count > limits::STACK_SEGMENTS {
        format!(
            "{count} segments where at most {} are allowed",
            limits::STACK_SEGMENTS
        )
    } else if collection.records > entries {
        format!(
            "{} records in segments of {entries} entries",
            collection.records
        )
    } else if let Some(empty) = collection.segments.iter().find(|s| s.records == 0) {
        format!("segment {} without entries", empty.id)
    } else if let Some(merged) = collection
        .segments
        .iter()
        .find(|segment| segment.from.len() > limits::STACK_SEGMENTS)
    {
        format!(
            "segment {} merged from {} others, at most {} are allowed",
            merged.id,
            merged.from.len(),
            limits::STACK_SEGMENTS
        )
    } else if let Some(middle) = collection
        .segments
        .iter()
        .take(oldest)
        .find(|segment| segment.bottom)
    {
        format!(
            "segment {} is merged to the bottom and not the oldest",
            middle.id
        )
    } else {
        return once(
            "segment",
            collection.segments.iter().map(|segment| &segment.id),
        );
    };
    Err(ManifestError::Stack {
        collection: collection.name.to_string(),
        what: wrong,
    })
}

fn once<T: Display + Eq + Hash>(
    what: &'static str,
    mut names: impl Iterator<Item = T>,
) -> Result<(), ManifestError> {
    let mut seen = HashSet::new();
    let twice = names.find_map(|name| match seen.contains(&name) {
        true => Some(name.to_string()),
        false => {
            seen.insert(name);
            None
        }
    });
    twice.map_or(Ok(()), |name| Err(ManifestError::Twice { what, name }))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::manifest::{
        Component, Isolation, Privacy, Route, SegmentEntry, Service, Thresholds,
    };
    use crate::{LocalText, Sequence, Timestamp};

    /// A small one; also the test vector in `FORMAT.md`.
    pub(crate) fn manifest() -> Manifest {
        let text = |words: &str| LocalText::from_iter([("ko", words), ("en", words)]);
        Manifest {
            version: Manifest::VERSION,
            site: "dasom".parse().unwrap(),
            title: text("Dasom"),
            languages: vec!["ko".into(), "en".into()],
            presets: vec![],
            services: vec![Service {
                name: "pay".parse().unwrap(),
                title: text("Pay"),
                meanwhile: LocalText::default(),
                presets: vec![Preset {
                    cause: "fire".parse().unwrap(),
                    text: text("Pay is down"),
                }],
                probe: "/pay/health".into(),
                breaker: Thresholds::default(),
            }],
            collections: vec![Collection {
                name: "clubs".parse().unwrap(),
                privacy: Privacy::Public,
                complete: true,
                records: 2,
                segments: vec![SegmentEntry {
                    id: Digest::of(b"a segment"),
                    bytes: 300,
                    root_at: 0,
                    records: 3,
                    from: vec![],
                    bottom: false,
                }],
            }],
            components: vec![Component {
                name: "view".parse().unwrap(),
                digest: Digest::of(b"a component"),
                bytes: 11,
            }],
            routes: vec![Route {
                path: "/club/{id}/".into(),
                service: "pay".parse().unwrap(),
                target: Target::Component("view".parse().unwrap()),
                collections: vec!["clubs".parse().unwrap()],
                isolation: Isolation::Shared,
                capability: None,
                template: Some("club.html".into()),
                query: vec![],
                now: false,
                always: false,
                rewrite: true,
                status: false,
                stale_after_s: 600,
                too_old_after_s: None,
            }],
            canaries: vec![],
            accepts_shrink: false,
        }
    }

    /// The release of `bytes`; also the test vector in `FORMAT.md`.
    pub(crate) fn release(bytes: &[u8]) -> Release {
        Release {
            version: Release::VERSION,
            least_edge: crate::EdgeVersion::FIRST,
            site: "dasom".parse().unwrap(),
            sequence: Sequence(7),
            manifest: Digest::of(bytes),
            manifest_bytes: bytes.len() as u64,
            as_of: Timestamp::from_secs(1_760_500_000),
            positions: vec![("clubs".into(), "200".into())],
            signed_at: Timestamp::from_secs(1_760_500_001),
            erased: Sequence(0),
        }
    }

    fn refused(change: impl FnOnce(&mut Manifest)) -> String {
        let mut changed = manifest();
        change(&mut changed);
        let bytes = changed.to_bytes().unwrap();
        Manifest::read(&bytes, &release(&bytes))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn reads_what_a_release_names() {
        let bytes = manifest().to_bytes().unwrap();
        assert_eq!(
            Manifest::read(&bytes, &release(&bytes)).unwrap(),
            manifest()
        );
    }

    #[test]
    fn other_bytes_are_refused() {
        let bytes = manifest().to_bytes().unwrap();
        let named = release(&bytes);
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            let error = Manifest::read(&flipped, &named).unwrap_err();
            assert!(matches!(error, ManifestError::Digest { .. }), "{error}");
        }
        let error = Manifest::read(&bytes[1..], &named).unwrap_err();
        assert!(matches!(error, ManifestError::Length { .. }), "{error}");
        let huge = vec![0; limits::MANIFEST_BYTES + 1];
        let error = Manifest::read(&huge, &release(&huge))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("16777217 bytes where at most 16777216"),
            "{error}"
        );
    }

    #[test]
    fn other_versions_and_sites_are_named() {
        assert_eq!(
            refused(|m| m.version = 2),
            "manifest of version 2: expected 1"
        );
        assert_eq!(
            refused(|m| m.site = "other".parse().unwrap()),
            "manifest of site other where dasom is expected"
        );
    }

    #[test]
    fn contradictions_are_named() {
        assert_eq!(
            refused(|m| m.languages.clear()),
            "manifest without a language"
        );
        let twice = refused(|m| m.services.push(m.services[0].clone()));
        assert_eq!(twice, "manifest with two of the service pay");
        let lost = refused(|m| m.components.clear());
        assert_eq!(
            lost,
            "manifest's route /club/{id}/ names the component view, which is not in it"
        );
        let lost = refused(|m| m.collections.clear());
        assert!(lost.contains("names the collection clubs"), "{lost}");
        let lost = refused(|m| m.services.clear());
        assert!(lost.contains("names the service pay"), "{lost}");
    }

    #[test]
    fn a_breaker_beyond_its_bounds_is_named() {
        assert_eq!(
            refused(|m| m.services[0].breaker.changes = 61),
            "manifest's service pay: its breaker's changes is 61, expected from 4 to 60"
        );
    }

    #[test]
    fn presets_are_few_and_one_for_each_cause() {
        let preset = |cause: String| Preset {
            cause: cause.parse().unwrap(),
            text: LocalText::default(),
        };
        let twice = refused(|m| {
            let again = m.services[0].presets[0].clone();
            m.services[0].presets.push(again);
        });
        assert_eq!(twice, "manifest with two of the preset fire");
        let of = |count: usize| {
            let mut manifest = manifest();
            manifest.presets = (0..count).map(|n| preset(format!("c{n}"))).collect();
            manifest.check().err().map(|error| error.to_string())
        };
        assert_eq!(of(limits::PRESETS), None);
        let many = of(limits::PRESETS + 1).unwrap();
        assert_eq!(
            many,
            "manifest with 65 presets of the site: at most 64 are allowed"
        );
    }

    #[test]
    fn impossible_stacks_are_named() {
        let stack = |change: fn(&mut Collection)| refused(|m| change(&mut m.collections[0]));
        let more = |c: &mut Collection, n: usize| {
            for i in 0..n {
                let id = Digest::of(&i.to_le_bytes());
                c.segments.push(SegmentEntry {
                    id,
                    ..c.segments[0].clone()
                });
            }
        };
        assert!(stack(|c| c.records = 4).contains("4 records in segments of 3 entries"));
        assert!(stack(|c| c.segments[0].records = 0).contains("records in segments of 0"));
        assert!(stack(|c| c.segments.push(c.segments[0].clone())).contains("two of the segment"));
        let many = refused(|m| more(&mut m.collections[0], limits::STACK_SEGMENTS));
        assert!(many.contains("65 segments where at most 64"), "{many}");
        let bottom = refused(|m| {
            more(&mut m.collections[0], 1);
            m.collections[0].segments[0].bottom = true;
        });
        assert!(bottom.contains("not the oldest"), "{bottom}");
        let merged = |inputs: usize| {
            let mut manifest = manifest();
            let segment = &mut manifest.collections[0].segments[0];
            segment.from = vec![(&segment.clone()).into(); inputs];
            manifest.check().err().map(|error| error.to_string())
        };
        assert_eq!(merged(limits::STACK_SEGMENTS), None);
        let wide = merged(limits::STACK_SEGMENTS + 1).unwrap();
        assert!(wide.contains("from 65 others, at most 64"), "{wide}");
    }
}
