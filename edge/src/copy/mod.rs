//! What an edge holds of a site: one release, loaded and checked.
//!
//! `lacking` says what a release still needs, `manifest` judges what it says, `load` opens it,
//! `canary` tries it, `read` reads it and notes in `damage` what cannot be read. None of it knows mirrors or sync, so that the publisher can load and try a
//! release before it signs it.

mod canary;
mod damage;
mod lacking;
mod lazy;
mod load;
mod manifest;
mod read;

pub use canary::{Canaries, CanaryFailure, try_canaries};
pub use damage::{DAMAGED, Damage, Damaged};
pub use lacking::{Kind, Lacking, Want, is_whole, lacking};
pub use lazy::{Far, Lazy, held_whole};
pub use load::{LoadError, LoadedRelease};
pub use manifest::{ManifestFault, check_counts, check_manifest, read_manifest};
pub use read::{HeldBlob, ReadError};
