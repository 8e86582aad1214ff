//! Why nothing was built.

use std::fmt;
use std::path::PathBuf;

use snapshot::segment::{BuildError as SegmentBuildError, SegmentError};
use snapshot::stack::MergeError;
use snapshot::{CodecError, CollectionName, StoreError, limits};

use super::amend::AmendError;
use super::marks::AmendedKey;
use super::shrink::Shrunk;
use crate::source::SourceError;

/// Why nothing was built. What was built so far stays in the publisher's own copy and harms nobody.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Changes, and no release that holds the collection as it is declared now.
    #[error(
        "collection {0}: there is no release to change; publish its whole source once, without --changes"
    )]
    NothingBefore(CollectionName),
    /// What was remembered of a source is not what was held: it has to be read afresh.
    #[error("collection {0}: what is remembered of its last dump does not fit")]
    Miscounted(CollectionName),
    /// Records that were amended by hand, of which the sources say otherwise.
    #[error(
        "{} records were amended by hand, and the sources say otherwise:{}",
        .0.len(),
        listed(.0)
    )]
    Amended(Vec<AmendedKey>),
    /// A mark of the release before that is none.
    #[error("the release before: {0:?} of its collection `amended` is no mark of this program")]
    Mark(String),
    /// What cannot be amended.
    #[error(transparent)]
    Amend(#[from] AmendError),
    /// A file that was another a moment ago.
    #[error("{} changed while it was read: publish again", .0.display())]
    Changed(PathBuf),
    /// A file that cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A component that is no component, or too large.
    #[error("component {}: {why}", file.display())]
    Component {
        /// Its file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The publisher's own copy.
    #[error("the publisher's own copy: {0}")]
    Store(#[from] StoreError),
    /// A segment of the publisher's own copy.
    #[error("the publisher's own copy: {0}")]
    Segment(#[from] SegmentError),
    /// A segment that cannot be built.
    #[error("collection {collection}: {source}")]
    Build {
        /// The collection.
        collection: CollectionName,
        /// What the builder says.
        source: SegmentBuildError,
    },
    /// A stack that cannot be merged.
    #[error("collection {collection}: {source}")]
    Merge {
        /// The collection.
        collection: CollectionName,
        /// What the merge says.
        source: MergeError,
    },
    /// A manifest that cannot be encoded.
    #[error("the manifest: {0}")]
    Codec(#[from] CodecError),
    /// A manifest that nobody would read.
    #[error("the manifest would have {0} bytes where at most {limit} are allowed", limit = limits::MANIFEST_BYTES)]
    ManifestTooLarge(usize),
    /// A manifest that no edge would take.
    #[error("no edge would take this site: {0}")]
    Unsound(#[from] edge::copy::ManifestFault),
    /// Far fewer records than before, and nobody said that this is meant.
    #[error("{first}{}", if *more > 0 { format!("; {more} more collections fell likewise") } else { String::new() })]
    Shrunk {
        /// The first collection that fell.
        first: Shrunk,
        /// How many more.
        more: usize,
    },
}

/// Most records that are named in an error; `--json` names all that were amended.
const LISTED: usize = 20;

/// A line for each, as far as a person reads.
pub(super) fn listed(all: &[impl fmt::Display]) -> String {
    let lines = all.iter().take(LISTED).map(|one| format!("\n  {one}"));
    let mut text: String = lines.collect();
    if all.len() > LISTED {
        text.push_str(&format!("\n  and {} more", all.len() - LISTED));
    }
    text
}

impl BuildError {
    /// Whether the publisher's own disk failed, or what lies on it: the sources are not to blame.
    #[must_use]
    pub const fn is_own_disk(&self) -> bool {
        matches!(
            self,
            Self::Store(_)
                | Self::Segment(_)
                | Self::Source(SourceError::Sorting(_))
                | Self::Build {
                    source: SegmentBuildError::Io(_),
                    ..
                }
                | Self::Merge {
                    source: MergeError::Read(_) | MergeError::Build(SegmentBuildError::Io(_)),
                    ..
                }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_records_the_first_are_named() {
        let all: Vec<String> = (0..LISTED + 3).map(|n| format!("pages/{n}")).collect();
        let told = listed(&all);
        assert_eq!(told.lines().count(), 1 + LISTED + 1);
        assert!(told.ends_with("\n  pages/19\n  and 3 more"), "{told}");
        assert_eq!(listed(&all[..1]), "\n  pages/0");
    }
}
