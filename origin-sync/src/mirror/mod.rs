//! Mirrors: several places that hold a site's objects, none of them trusted.
//!
//! Objects go to every mirror and are read back. Then `releases/N` is created, create-only: on a
//! majority of the mirrors, that is the commit. The pointer `release` comes last and is a hint.
//! A publisher killed anywhere leaves the last release standing, and the next run finishes: what
//! is there already is verified instead of written.

mod commit;
mod fetch;
mod lengths;
pub mod listing;
mod object;
mod probe;
mod survey;
mod upload;
mod whole;

use std::path::Path;

use edge::sync::{Mirror, MirrorError, mirror as opening};
use snapshot::SiteName;

pub use commit::{Commit, Created};
pub use fetch::{
    FetchError, bring, bring_blob, bring_component, bring_segments, bring_stacks, download,
    manifest, manifest_of,
};
pub use lengths::{length, length_anywhere, lengths, part};
pub use object::{Kind, Object, of_manifest};
pub use probe::{Abilities, Condition, probe};
pub use survey::{Found, Holds, Signed, elsewhere, filed, newest, survey};
pub use upload::{Sent, Upload, UploadError, confirm, put_back, upload};
pub use whole::{bring_blobs, bring_whole};

/// A site's mirrors, in their configured order.
#[derive(Clone, Debug)]
pub struct Mirrors {
    /// The site on them.
    pub site: SiteName,
    all: Vec<Mirror>,
}

impl Mirrors {
    /// Opens every one of `urls`, without asking anything of them.
    ///
    /// # Errors
    /// A URL that cannot name a mirror.
    pub fn open(site: &SiteName, urls: &[String]) -> Result<Self, MirrorError> {
        let open = |url: &String| Mirror::open(&opening::parse_url(url, Path::new("/"))?);
        Ok(Self {
            site: site.clone(),
            all: urls.iter().map(open).collect::<Result<_, _>>()?,
        })
    }

    /// Takes mirrors that are open already.
    #[must_use]
    pub const fn of(site: SiteName, all: Vec<Mirror>) -> Self {
        Self { site, all }
    }

    /// Each of them.
    #[must_use]
    pub fn all(&self) -> &[Mirror] {
        &self.all
    }

    /// How many must have a release for it to be committed: more than half.
    #[must_use]
    pub fn majority(&self) -> usize {
        self.all.len() / 2 + 1
    }
}
