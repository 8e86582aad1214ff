//! Why a publish did not happen, and what to do next.

use edge::sync::MirrorError;
use snapshot::{
    CollectionName, Digest, EdgeVersion, Key, Refusal, Sequence, SignError, StoreError,
};

use super::guard::GuardError;
use crate::build::{BuildError, key_text};
use crate::erased::ErasedError;
use crate::exit::Exit;
use crate::inspect::InspectError;
use crate::mirror::{FetchError, UploadError};
use crate::source::SourceError;
use crate::sweep::SweepError;

/// Why a publish did not happen. The last release stands after each of them, but after
/// [`PublishError::NotSwept`].
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// No majority of mirrors answers.
    #[error(
        "{reached} of {all} mirrors can be reached, {majority} are needed:{}",
        lines(why)
    )]
    Unreachable {
        /// Mirrors that answered.
        reached: usize,
        /// Mirrors there are.
        all: usize,
        /// How many are needed.
        majority: usize,
        /// What each of the others said.
        why: Vec<String>,
    },
    /// Fewer than a majority took the release.
    #[error(
        "{took} of {all} mirrors took the release, {majority} are needed:{}",
        lines(why)
    )]
    NotCommitted {
        /// Mirrors that took it.
        took: usize,
        /// Mirrors there are.
        all: usize,
        /// How many are needed.
        majority: usize,
        /// What each of the others said.
        why: Vec<String>,
    },
    /// No release, or none of that number.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// Content that was published, and that no mirror has whole any more.
    #[error("release {release} cannot be had whole:{}", lines(why))]
    Lacking {
        /// The release.
        release: Sequence,
        /// What is lacking, and what each mirror said.
        why: Vec<String>,
    },
    /// The release that the next one would be built upon.
    #[error("release {release}, which the next one stands on, cannot be had: {why}")]
    NoBase {
        /// The release.
        release: Sequence,
        /// Why not.
        why: Box<FetchError>,
    },
    /// A mirror that answered before, and does not say all that it holds.
    #[error("which releases hold the record cannot be told: {0}")]
    Unsearched(#[source] MirrorError),
    /// Another publisher has the number.
    #[error(
        "number {sequence} went to another publisher's release, signed by {signers} (manifest {}){}",
        manifest.short(),
        if *was_written {
            ": both were written to mirrors that do not keep two publishers apart, and ours yields"
        } else {
            ": ours is not published"
        }
    )]
    Lost {
        /// The number.
        sequence: Sequence,
        /// Who signed the other.
        signers: String,
        /// The other's manifest.
        manifest: Digest,
        /// Whether ours lay on a mirror for a while.
        was_written: bool,
    },
    /// Edges that the site's owners still run could not read it.
    #[error(
        "the release needs edge {needs} or later, and min_edge in site.toml says that {oldest} is still run"
    )]
    LeavesEdges {
        /// The least edge that reads it.
        needs: EdgeVersion,
        /// The oldest that is run.
        oldest: EdgeVersion,
    },
    /// The mirrors are ahead of this program.
    #[error("{0}")]
    Outgrown(String),
    /// A source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The content cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The result was tried and found wanting.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The publisher's own copy cannot be sent.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// A mirror's URL.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The key signed, and no edge would believe it.
    #[error("no edge would take a release that key {key} signs: {why}")]
    Unbelieved {
        /// The key's fingerprint.
        key: String,
        /// Why not.
        why: String,
    },
    /// The release would be refused for another reason.
    #[error("no edge would take the release: {0}")]
    Refused(#[from] Refusal),
    /// The publisher's own copy.
    #[error("the publisher's own copy: {0}")]
    Store(#[from] StoreError),
    /// No such collection, no release, or no key.
    #[error(
        "there is nothing to erase: site.toml declares no collection {collection}, or no release on any mirror has that key in it"
    )]
    NoRecord {
        /// The collection.
        collection: CollectionName,
    },
    /// A release that would bring it back.
    #[error("it would bring back {collection}/{}, which was erased", key_text(key))]
    BringsBack {
        /// The collection.
        collection: CollectionName,
        /// The record.
        key: Key,
    },
    /// What is remembered of what was erased.
    #[error("what was erased cannot be told: {0}")]
    Erased(#[from] ErasedError),
    /// The release without the record stands, and what held it is not gone.
    #[error("the release without it is published, and what held it is not swept: {0}")]
    NotSwept(Box<SweepError>),
    /// Something of this program itself.
    #[error("{0}")]
    Internal(String),
}

fn lines(why: &[String]) -> String {
    why.iter().map(|line| format!("\n  {line}")).collect()
}

impl PublishError {
    /// The process's exit code.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } | Self::NotCommitted { .. } | Self::Unsearched(_) => {
                Exit::NotCommitted
            }
            Self::NoBase { why, .. } if why.is_own() => Exit::Local,
            Self::Lost { .. } => Exit::Lost,
            Self::Build(BuildError::Shrunk { .. }) | Self::Guard(_) => Exit::GuardRefused,
            Self::Build(BuildError::Amended(_)) => Exit::Amended,
            Self::Build(BuildError::Amend(_)) => Exit::Usage,
            Self::Build(error) if error.is_own_disk() => Exit::Local,
            Self::Upload(_) | Self::Store(_) | Self::Internal(_) => Exit::Local,
            Self::Source(_)
            | Self::Build(_)
            | Self::Lacking { .. }
            | Self::NoBase { .. }
            | Self::Inspect(_) => Exit::BadData,
            Self::LeavesEdges { .. } | Self::Outgrown(_) => Exit::NeedsLater,
            Self::BringsBack { .. } => Exit::GuardRefused,
            Self::Mirror(_) | Self::NoRecord { .. } => Exit::Usage,
            Self::Erased(_) => Exit::Local,
            Self::NotSwept(error) => error.exit(),
            Self::Sign(_) | Self::Unbelieved { .. } | Self::Refused(_) => Exit::KeyRefused,
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => Some(
                "bring the mirrors back, or make the folders that are absent; nothing was changed",
            ),
            Self::BringsBack { .. } => Some(
                "nothing was published; if it is meant, `publish --take-erased`, or take its line out of erased.list",
            ),
            Self::NotSwept(_) => Some("run `origin-sync erase` again to finish"),
            Self::Erased(_) => Some(
                "restore erased.list from a backup; without it a source may bring back what was erased",
            ),
            Self::NotCommitted { .. } => {
                Some("the last release stands; run `origin-sync publish` again to finish")
            }
            Self::Lost { .. } => Some(
                "publish again to put what the sources say now on top of it; what they lack goes",
            ),
            Self::Build(BuildError::Source(_)) | Self::Source(_) => {
                Some("nothing was published; correct the source and publish again")
            }
            Self::Build(BuildError::Shrunk { .. }) => {
                Some("if that is meant, the same command with --accept-shrink")
            }
            Self::Build(BuildError::Amended(_)) => Some(
                "nothing was published; --keep-amended keeps them as they are, --take-source lets the sources count",
            ),
            Self::Build(BuildError::Segment(_)) => Some(
                "the copy in `cache` (.holdfast unless set) is damaged: remove that folder; it is fetched again",
            ),
            Self::Lacking { .. } => Some(
                "nothing was published; another release may be whole: origin-sync verify --deep --all",
            ),
            Self::NoBase { .. } => Some(
                "nothing was published; run it again once the mirrors answer. If that release is lost for good, \
                 `publish --take-source` makes one of what the sources say: what was amended by hand is lost then",
            ),
            Self::Unsearched(_) => Some("nothing was changed; erase again once the mirror answers"),
            Self::LeavesEdges { .. } => Some(
                "nothing was published; update every edge first (`edge --version`, /status), then raise min_edge",
            ),
            Self::Outgrown(_) => Some(
                "nothing was published; update origin-sync to at least the version that made that release",
            ),
            Self::Guard(_) => Some("nothing was published; the last release stands"),
            Self::Sign(_) => Some("--key FILE, --key agent:SHA256:.., or --key env:NAME"),
            Self::Unbelieved { .. } => Some(
                "list the key's person in trust/allowed_signers and give it the role publisher in trust/trust.toml",
            ),
            Self::Store(StoreError::InUse(_)) => {
                Some("another publish of this site is running; wait for it")
            }
            _ => None,
        }
    }
}
