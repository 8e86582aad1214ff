//! Looking at what mirrors hold, without changing anything: what a publisher, an operator or a
//! curious third party can check with nothing but the trust files.

mod changed;
mod diff;
mod du;
mod log;
mod present;
mod records;
mod verify;

use std::sync::Arc;

use snapshot::segment::SegmentError;
use snapshot::{Generation, Manifest, Sequence, Store, StoreError, Timestamp, limits};

use crate::build::BuildError;
use crate::mirror::{self, FetchError, Mirrors, Signed};

pub use diff::{CollectionDifference, Difference, KeyChange, Kind};
pub use du::{Cost, ReleaseUsage, Usage, Use};
pub use log::{Changed, ReleaseLine};
pub(crate) use records::NODE_CACHE_BYTES;
pub use records::{CollectionLine, Record};
pub use verify::{Depth, MirrorVerdict, Verdict};

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// No mirror has a release that is believed.
    #[error("no mirror has a release that the trust files accept:{}", .0.iter().map(|l| format!("\n  {l}")).collect::<String>())]
    NoRelease(Vec<String>),
    /// Not there, or not whole, on any mirror.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// No such collection in the release.
    #[error("there is no collection {0}; there are: {1}")]
    NoCollection(String, String),
    /// No such record.
    #[error("collection {0} has no such record")]
    NoRecord(String),
    /// The secret does not open the record.
    #[error("the record does not open: {0}")]
    Sealed(String),
    /// Neither a key nor a secret.
    #[error("name the record: KEY, or --secret for a private one")]
    NoKey,
    /// A directory to work in.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A segment.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// A stack.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A directory to work in.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A blob.
    #[error(transparent)]
    Blob(#[from] snapshot::BlobError),
    /// Something of this program itself.
    #[error("{0}")]
    Internal(String),
}

/// Mirrors being looked at. What is fetched goes into a directory that ends with this.
#[derive(Debug)]
pub struct Inspector {
    pub(crate) mirrors: Mirrors,
    generation: Generation,
    now: Timestamp,
    pub(crate) store: Arc<Store>,
    _dir: tempfile::TempDir,
}

impl Inspector {
    /// Looks at `mirrors`, believing `generation`.
    ///
    /// # Errors
    /// No directory to work in.
    pub fn new(
        mirrors: Mirrors,
        generation: Generation,
        now: Timestamp,
    ) -> Result<Self, InspectError> {
        let dir = tempfile::tempdir()?;
        let store = Arc::new(Store::open_shared(dir.path())?);
        Ok(Self {
            mirrors,
            generation,
            now,
            store,
            _dir: dir,
        })
    }

    /// Release `sequence`, or the newest seen anywhere.
    pub(crate) async fn release(&self, sequence: Option<Sequence>) -> Result<Signed, InspectError> {
        let mut why = Vec::new();
        if let Some(sequence) = sequence {
            let place = edge::sync::layout::Place::retained(&self.mirrors.site, sequence);
            for mirror in self.mirrors.all() {
                match mirror.read(&place, limits::ENVELOPE_BYTES).await {
                    Ok(Some(bytes)) => {
                        let site = &self.mirrors.site;
                        match Signed::judge(bytes, site, &self.generation, self.now) {
                            Ok(signed) => return Ok(signed),
                            Err(refusal) => why.push(format!("{}: {refusal}", mirror.url())),
                        }
                    }
                    Ok(None) => why.push(format!("{}: no release {sequence}", mirror.url())),
                    Err(error) => why.push(error.to_string()),
                }
            }
            return Err(InspectError::NoRelease(why));
        }
        let found = mirror::survey(&self.mirrors, &self.generation, self.now).await;
        match mirror::newest(&found) {
            Some(signed) => Ok(signed.clone()),
            None => {
                for found in found {
                    match found.holds {
                        Ok(holds) => why.extend(holds.refused),
                        Err(error) => why.push(error.to_string()),
                    }
                }
                Err(InspectError::NoRelease(why))
            }
        }
    }

    pub(crate) async fn manifest(&self, signed: &Signed) -> Result<Manifest, InspectError> {
        Ok(mirror::manifest(&self.mirrors, &self.store, &signed.release).await?)
    }
}
