//! Where things lie on a mirror.
//!
//! ```text
//! <mirror>/<site>/objects/<2 hex>/<hash>   manifests, components, segments, blobs (immutable)
//! <mirror>/<site>/releases/<sequence>      every retained release
//! <mirror>/<site>/release                  the newest, or its newest heartbeat
//! <mirror>/<site>/orders                   the bundle of the newest order of each scope
//! <mirror>/<site>/past/<hash>              each order, by the hash of its signed bytes: the next one names it
//! <mirror>/<site>/trust                    the chain of the newest generations of trust
//! ```

use snapshot::{Digest, Sequence, SiteName};

/// One place on a mirror, relative to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(String);

impl Place {
    /// An object.
    #[must_use]
    pub fn object(site: &SiteName, digest: &Digest) -> Self {
        let name = digest.to_string();
        let shard: String = name.chars().take(2).collect();
        Self(format!("{site}/objects/{shard}/{name}"))
    }

    /// Everything under `objects/`.
    #[must_use]
    pub fn objects(site: &SiteName) -> Self {
        Self(format!("{site}/objects"))
    }

    /// A retained release.
    #[must_use]
    pub fn retained(site: &SiteName, sequence: Sequence) -> Self {
        Self(format!("{site}/releases/{sequence}"))
    }

    /// Everything under `releases/`.
    #[must_use]
    pub fn releases(site: &SiteName) -> Self {
        Self(format!("{site}/releases"))
    }

    /// The pointer.
    #[must_use]
    pub fn release(site: &SiteName) -> Self {
        Self(format!("{site}/release"))
    }

    /// The bundle of orders.
    #[must_use]
    pub fn orders(site: &SiteName) -> Self {
        Self(format!("{site}/orders"))
    }

    /// An order that may be in force no longer, by the hash of its signed bytes.
    #[must_use]
    pub fn past(site: &SiteName, order: &Digest) -> Self {
        Self(format!("{site}/past/{order}"))
    }

    /// The chain of generations of trust.
    #[must_use]
    pub fn trust(site: &SiteName) -> Self {
        Self(format!("{site}/trust"))
    }

    /// A place of the publisher's own, below the site: probes of what a mirror can do.
    ///
    /// `name` is taken as it is.
    #[must_use]
    pub fn other(site: &SiteName, name: &str) -> Self {
        Self(format!("{site}/{name}"))
    }

    /// The path, with `/` between its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
