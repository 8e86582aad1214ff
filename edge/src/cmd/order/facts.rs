//! What the newest release says of the site: its services, their pages, its languages. It makes a
//! preview readable and spares people a mistyped name; no order depends on its truth.

use futures::future::join_all;
use snapshot::{Envelope, Manifest, Namespace, Release, Sequence, ServiceName, Timestamp, limits};

use crate::cmd::ops::Settings;
use crate::sync::{Mirror, Place};

/// A release, and what it names.
#[derive(Clone, Debug)]
pub(in crate::cmd) struct SiteFacts {
    pub(super) release: Release,
    pub(in crate::cmd) manifest: Manifest,
}

impl SiteFacts {
    /// The newest that any mirror, any peer that knows us, or any control listener tells.
    pub(in crate::cmd) async fn read(settings: &Settings, now: Timestamp) -> Option<Self> {
        let sources = settings.sources();
        let each = sources.iter().map(async |source| {
            let place = Place::release(&settings.site);
            Self::from(source, &place, settings, now).await
        });
        let found = join_all(each).await.into_iter().flatten();
        found.max_by_key(|facts| facts.release.rank())
    }

    /// The release of that number, from every source that has it.
    pub(super) async fn retained(
        settings: &Settings,
        sequence: Sequence,
        now: Timestamp,
    ) -> Vec<Self> {
        let sources = settings.sources();
        let each = sources.iter().map(async |source| {
            let place = Place::retained(&settings.site, sequence);
            Self::from(source, &place, settings, now).await
        });
        let found = join_all(each).await.into_iter().flatten();
        found
            .filter(|facts| facts.release.sequence == sequence)
            .collect()
    }

    async fn from(
        source: &Mirror,
        place: &Place,
        settings: &Settings,
        now: Timestamp,
    ) -> Option<Self> {
        let site = &settings.site;
        let statement = source.read(place, limits::ENVELOPE_BYTES).await.ok()??;
        let envelope = Envelope::from_bytes(&statement).ok()?;
        let release: Release =
            snapshot::decode(envelope.payload(), limits::STATEMENT_BYTES).ok()?;
        if release.site != *site {
            return None;
        }
        if let Some(generation) = &settings.generation {
            let namespace = Namespace::Release;
            generation
                .verify(&envelope, namespace, site, None, now)
                .ok()?;
        }
        let place = Place::object(site, &release.manifest);
        let bytes = source.read(&place, limits::MANIFEST_BYTES).await.ok()??;
        let manifest = Manifest::read(&bytes, &release).ok()?;
        Some(Self { release, manifest })
    }

    /// The services' names.
    pub(super) fn services(&self) -> impl Iterator<Item = &ServiceName> {
        self.manifest.services.iter().map(|service| &service.name)
    }

    /// The templates of a service's pages, in the manifest's order.
    pub(super) fn pages(&self, service: &ServiceName) -> Vec<&str> {
        let routes = self.manifest.routes.iter();
        let own = routes.filter(|route| route.service == *service);
        own.map(|route| route.path.as_str()).collect()
    }
}
