//! What a site is at one moment: collections, components, routes, policies, canaries.
//!
//! A manifest is an object like any other, named by its digest; a release signs that digest. It
//! grows with collections and routes, never with records.

mod read;
mod thresholds;

use serde::{Deserialize, Serialize};

use crate::{
    CauseName, CollectionName, ComponentName, Digest, EdgeVersion, Language, LocalText,
    ServiceName, SiteName,
};

pub use read::ManifestError;
#[cfg(test)]
pub(crate) use read::tests;
pub use thresholds::{
    BREAKER_CHANGES, BREAKER_FAILURES, BREAKER_PATHS, BREAKER_PROBE_FIRST_MS,
    BREAKER_PROBE_MOST_MS, BREAKER_SHARE, BREAKER_STEP_MS, BREAKER_VOLUME, BREAKER_WINDOW_MS,
    Thresholds,
};

/// The whole manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format version: [`Manifest::VERSION`].
    pub version: u16,
    /// The site it describes.
    pub site: SiteName,
    /// The site's name for readers.
    pub title: LocalText,
    /// Languages its pages are made in, the default first.
    pub languages: Vec<Language>,
    /// Words for a notice about the whole site, by cause.
    pub presets: Vec<Preset>,
    /// What can fail or be switched on its own.
    pub services: Vec<Service>,
    /// Every collection with its stack.
    pub collections: Vec<Collection>,
    /// Every guest.
    pub components: Vec<Component>,
    /// Every route.
    pub routes: Vec<Route>,
    /// What must answer from the snapshot alone before this may be used.
    pub canaries: Vec<Canary>,
    /// True when the publisher says that fewer records than before are meant.
    pub accepts_shrink: bool,
}

impl Manifest {
    /// The one version this code reads and writes.
    pub const VERSION: u16 = 1;

    /// The least edge that reads this manifest and all that it names, for the release to state.
    /// Whatever an older edge could not read raises it, for the manifests that make use of it and
    /// for no other. There is one version of every format, so nothing does yet.
    #[must_use]
    pub const fn least_edge(&self) -> EdgeVersion {
        EdgeVersion::FIRST
    }

    /// The service of that name.
    #[must_use]
    pub fn service(&self, name: &ServiceName) -> Option<&Service> {
        self.services.iter().find(|service| &service.name == name)
    }

    /// The collection of that name.
    #[must_use]
    pub fn collection(&self, name: &CollectionName) -> Option<&Collection> {
        self.collections
            .iter()
            .find(|collection| &collection.name == name)
    }

    /// The component of that name.
    #[must_use]
    pub fn component(&self, name: &ComponentName) -> Option<&Component> {
        self.components
            .iter()
            .find(|component| &component.name == name)
    }
}

/// A part of the site that can fail or be switched on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name in orders, routes and `data-needs`.
    pub name: ServiceName,
    /// Its name for readers.
    pub title: LocalText,
    /// What still works, or what to use meanwhile, for the banner.
    pub meanwhile: LocalText,
    /// Words for a notice about it, by cause.
    pub presets: Vec<Preset>,
    /// Path on the origin that the active probe asks for.
    pub probe: String,
    /// When its breaker opens and closes.
    pub breaker: Thresholds,
}

/// Words that were written in calm for a notice in a hurry. No page shows them by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preset {
    /// What happened: `fire`.
    pub cause: CauseName,
    /// The words, in each of the site's languages.
    pub text: LocalText,
}

/// A named set of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// Its name; also its key-value store label.
    pub name: CollectionName,
    /// Who may read it at rest.
    pub privacy: Privacy,
    /// True when absence from it proves absence: 404 instead of 503.
    pub complete: bool,
    /// Records a reader can find, tombstones and what they shadow left out.
    pub records: u64,
    /// The stack, newest first.
    pub segments: Vec<SegmentEntry>,
}

/// One segment of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentEntry {
    /// The digest of its root node.
    pub id: Digest,
    /// Length of its nodes, uncompressed, bytes.
    pub bytes: u64,
    /// Where its root node starts, an offset in the uncompressed nodes.
    pub root_at: u64,
    /// Entries, tombstones included.
    pub records: u64,
    /// If merged: the inputs, newest first.
    pub from: Vec<Input>,
    /// If merged: whether the run included the oldest segment, so that tombstones went.
    pub bottom: bool,
}

/// One of the segments that a segment was merged from: as much as it takes to open it, or to know
/// what fetching it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The digest of its root node.
    pub id: Digest,
    /// Length of its nodes, uncompressed, bytes.
    pub bytes: u64,
    /// Where its root node starts, an offset in the uncompressed nodes.
    pub root_at: u64,
    /// Entries, tombstones included.
    pub records: u64,
}

impl From<&SegmentEntry> for Input {
    fn from(entry: &SegmentEntry) -> Self {
        Self {
            id: entry.id,
            bytes: entry.bytes,
            root_at: entry.root_at,
            records: entry.records,
        }
    }
}

impl From<Input> for SegmentEntry {
    /// The input as a segment whose own making is not known.
    fn from(input: Input) -> Self {
        Self {
            id: input.id,
            bytes: input.bytes,
            root_at: input.root_at,
            records: input.records,
            from: Vec::new(),
            bottom: false,
        }
    }
}

/// Who may read a collection at rest. Encoded as 0, 1, 2.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub enum Privacy {
    /// Anyone: plain records.
    #[default]
    Public,
    /// Whoever has the record's unguessable id, from which its name and key are derived.
    Unlisted,
    /// Whoever has a capability, from which its name and key are derived.
    Sealed,
}

/// One guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Its name in routes.
    pub name: ComponentName,
    /// The digest of its bytes, an object like any other.
    pub digest: Digest,
    /// Its length, bytes.
    pub bytes: u64,
}

/// Which requests are answered how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The template: `/i/{id}/`, `/assets/{*path}`. Also what logs and metrics carry.
    pub path: String,
    /// The service it belongs to.
    pub service: ServiceName,
    /// What answers it.
    pub target: Target,
    /// Collections the component may open; the asset's collection for an asset route.
    pub collections: Vec<CollectionName>,
    /// Whether an instance and an answer may serve several requests.
    pub isolation: Isolation,
    /// The path parameter that is a capability: taken out before route, guest, log and metric,
    /// and handed over only where isolation is `single`.
    pub capability: Option<String>,
    /// For a component that renders templates: the key of this route's.
    pub template: Option<String>,
    /// Query parameters the answer depends on; all others are dropped.
    pub query: Vec<String>,
    /// Whether the component is told the minute.
    pub now: bool,
    /// Whether the page is asked of the snapshot in every mode (assets, the notice page).
    pub always: bool,
    /// Whether the page gets the banner and `data-needs` markup is acted on.
    pub rewrite: bool,
    /// Whether it tells of the site's status: its component is told of it in every language, anyone's
    /// script may read it, and no origin is asked for it.
    pub status: bool,
    /// Age at which pages say how old they are, seconds.
    pub stale_after_s: u64,
    /// Age at which the page says it is too old to be used, seconds.
    pub too_old_after_s: Option<u64>,
}

/// What answers a route. Encoded as `[kind, name]`, kind 0 for a component, 1 for assets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(u8, String)", into = "(u8, String)")]
pub enum Target {
    /// A guest.
    Component(ComponentName),
    /// Records that are files, by their path below the route's `{*path}` parameter.
    Assets(CollectionName),
}

/// Whether an instance and an answer may serve several requests. Encoded as 0, 1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub enum Isolation {
    /// One instance a request, never remembered, `private, no-store`.
    #[default]
    Single,
    /// A public page.
    Shared,
}

/// A URL that must answer from the snapshot alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// Path and query. Never one that a private record hides behind: manifests are readable.
    pub path: String,
    /// `Accept-Language` to ask with.
    pub language: Language,
    /// The status it must have.
    pub status: u16,
    /// Text its body must contain.
    pub contains: String,
}

macro_rules! code {
    ($type:ident, $what:literal, $($code:literal => $variant:ident $name:literal),+) => {
        impl $type {
            /// Its name in configuration and status.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The value with that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl From<$type> for u8 {
            fn from(value: $type) -> Self {
                match value {
                    $($type::$variant => $code,)+
                }
            }
        }

        impl TryFrom<u8> for $type {
            type Error = String;

            fn try_from(code: u8) -> Result<Self, Self::Error> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    other => Err(format!(concat!("{} is not ", $what), other)),
                }
            }
        }
    };
}

code!(Privacy, "a privacy", 0 => Public "public", 1 => Unlisted "unlisted", 2 => Sealed "sealed");
code!(Isolation, "an isolation", 0 => Single "single", 1 => Shared "shared");

impl From<Target> for (u8, String) {
    fn from(target: Target) -> Self {
        match target {
            Target::Component(name) => (0, name.into()),
            Target::Assets(name) => (1, name.into()),
        }
    }
}

impl TryFrom<(u8, String)> for Target {
    type Error = String;

    fn try_from((kind, name): (u8, String)) -> Result<Self, Self::Error> {
        let invalid = |e: crate::InvalidName| e.to_string();
        match kind {
            0 => Ok(Self::Component(name.parse().map_err(invalid)?)),
            1 => Ok(Self::Assets(name.parse().map_err(invalid)?)),
            other => Err(format!("{other} is not a kind of target")),
        }
    }
}
