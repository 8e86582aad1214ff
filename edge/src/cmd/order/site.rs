//! What the newest release on the mirrors says of the site: its services and languages. A hint
//! that spares people a mistyped name; nothing depends on its truth.

use snapshot::{Envelope, Language, Manifest, Release, Sequence, ServiceName, limits};

use crate::cmd::ops::Settings;
use crate::sync::{Mirror, Place};

/// What orders can be about.
#[derive(Clone, Debug)]
pub(super) struct SiteFacts {
    pub(super) sequence: Sequence,
    pub(super) services: Vec<ServiceName>,
    pub(super) languages: Vec<Language>,
}

impl SiteFacts {
    /// From the first mirror that has them.
    pub(super) async fn read(settings: &Settings) -> Option<Self> {
        for mirror in settings.known_paths() {
            if let Some(facts) = Self::from(mirror, settings).await {
                return Some(facts);
            }
        }
        None
    }

    async fn from(mirror: &Mirror, settings: &Settings) -> Option<Self> {
        let site = &settings.site;
        let pointer = mirror
            .read(&Place::release(site), limits::ENVELOPE_BYTES)
            .await
            .ok()??;
        let envelope = Envelope::from_bytes(&pointer).ok()?;
        let release: Release =
            snapshot::decode(envelope.payload(), limits::STATEMENT_BYTES).ok()?;
        let place = Place::object(site, &release.manifest);
        let bytes = mirror.read(&place, limits::MANIFEST_BYTES).await.ok()??;
        if snapshot::Digest::of(&bytes) != release.manifest {
            return None;
        }
        let manifest: Manifest = snapshot::decode(&bytes, limits::MANIFEST_BYTES).ok()?;
        Some(Self {
            sequence: release.sequence,
            services: manifest
                .services
                .into_iter()
                .map(|service| service.name)
                .collect(),
            languages: manifest.languages,
        })
    }
}
