//! `site.toml`: what a publisher declares essential.
//!
//! Read into plain structs before anything else happens; every mistake is reported together with
//! its line. Relative paths are relative to the file they stand in.

mod breaker;
mod canary;
mod check;
mod preset;
mod publish;
mod read;
mod retention;
mod route;
mod source;
mod status;

use std::path::{Path, PathBuf};

use edge::settings::{self, Mistakes};
use snapshot::manifest::{Canary, Preset, Privacy, Service};
use snapshot::{CollectionName, ComponentName, EdgeVersion, Language, LocalText, SiteName};

pub use publish::Publish;
pub(crate) use publish::{EDGES, MIRRORS, mirror_url};
pub use retention::Retention;
pub use route::{Route, STALE_AFTER};
pub use source::{RowSource, Source};

/// A whole `site.toml`, checked.
#[derive(Clone, Debug)]
pub struct Site {
    /// The file it was read from.
    pub file: PathBuf,
    /// The site's name.
    pub site: SiteName,
    /// The oldest edge that its owners still run: no release may need a later one.
    pub min_edge: EdgeVersion,
    /// Its name for readers.
    pub title: LocalText,
    /// Its languages, the default first.
    pub languages: Vec<Language>,
    /// Words for a notice about the whole site.
    pub presets: Vec<Preset>,
    /// What can fail on its own.
    pub services: Vec<Service>,
    /// What is published.
    pub collections: Vec<Collection>,
    /// The guests.
    pub components: Vec<Component>,
    /// Which requests are answered how, and which URLs of them to count.
    pub routes: Vec<Route>,
    /// What must answer before a release may be used.
    pub canaries: Vec<Canary>,
    /// Where to, and with which key.
    pub publish: Publish,
    /// Which releases stay there.
    pub retention: Retention,
    /// Allowed, but probably not meant.
    pub warnings: Vec<String>,
}

/// A collection as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Its name.
    pub name: CollectionName,
    /// Where its records come from.
    pub source: Source,
    /// Who may read it at rest.
    pub privacy: Privacy,
    /// For a sealed collection: the field that holds the capability. Left out of the record.
    pub secret: Option<String>,
    /// Whether absence from it proves absence.
    pub complete: bool,
}

/// A guest as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its name in routes.
    pub name: ComponentName,
    /// The file with its bytes.
    pub file: PathBuf,
}

impl Site {
    /// Reads and checks `file`.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load(file: &Path) -> Result<Self, Mistakes> {
        let absent = "`origin-sync init` writes one; --config names another";
        Self::parse(file, &settings::read(file, absent)?)
    }

    /// Checks `text`, the content of `file`.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Mistakes> {
        read::site(file, text)
    }

    /// A site of which nothing but the name is known, with its publisher's files in `dir`.
    ///
    /// # Errors
    /// None that a name could make.
    pub fn bare(name: &SiteName, dir: &Path) -> Result<Self, Mistakes> {
        Self::parse(&dir.join("site.toml"), &format!("site = \"{name}\""))
    }

    /// The collection of that name.
    #[must_use]
    pub fn collection(&self, name: &CollectionName) -> Option<&Collection> {
        self.collections.iter().find(|c| &c.name == name)
    }
}

/// `path` as meant by a file in `dir`.
fn resolve(dir: &Path, path: &str) -> PathBuf {
    dir.join(path)
}

#[cfg(test)]
mod tests;
