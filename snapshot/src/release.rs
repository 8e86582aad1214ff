//! The signed statement "sequence N of this site is manifest H, true as of T".

use serde::{Deserialize, Serialize};

use crate::{Digest, Sequence, SiteName, Timestamp};

/// What an envelope in the namespace `release@holdfast` carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Format version: [`Release::VERSION`].
    pub version: u16,
    /// The site it speaks of.
    pub site: SiteName,
    /// Its place in the site's history.
    pub sequence: Sequence,
    /// The manifest's digest.
    pub manifest: Digest,
    /// The manifest's length, bytes.
    pub manifest_bytes: u64,
    /// When the sources were known to hold this; age is edge time minus this.
    pub as_of: Timestamp,
    /// How far each source was read: name and opaque position.
    pub positions: Vec<(String, String)>,
    /// When it was signed, by the signer's clock.
    pub signed_at: Timestamp,
}

impl Release {
    /// The one version this code reads and writes.
    pub const VERSION: u16 = 1;

    /// What "newer" compares: sequence, then as-of (a heartbeat), then, for two manifests under
    /// one sequence, the greater digest, so that every edge settles alike.
    #[must_use]
    pub fn rank(&self) -> (Sequence, Digest, Timestamp) {
        (self.sequence, self.manifest, self.as_of)
    }
}
