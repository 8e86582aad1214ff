//! A release for stock Spin: the same components over the same records, on a host that is not ours.
//!
//! Everything is fetched and verified as an edge would before the directory is touched; then come
//! the components, the filled store and, last, `spin.toml`. Without that file there is no
//! application, so one that was killed on the way cannot be taken for a whole one.

mod application;
mod route;
mod store;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use snapshot::{
    BlobRef, CollectionName, Digest, Manifest, NodeCache, Release, SegmentError, Sequence, Stack,
    Store, StoreError, Value, limits,
};

use crate::build::{self, BuildError};
use crate::inspect::{InspectError, Inspector, NODE_CACHE_BYTES};
use crate::mirror::{self, FetchError};

pub use store::{Filled, VALUE_BYTES};

/// Spin's manifest.
pub const MANIFEST: &str = "spin.toml";
/// What tells Spin where each label's records are.
pub const RUNTIME_CONFIG: &str = "runtime-config.toml";
/// The records: where Spin itself keeps the store `default`.
pub const STORE: &str = ".spin/sqlite_key_value.db";
/// The folder of the components.
pub const COMPONENTS: &str = "components";

/// Spin's manifest until it is whole.
const PARTIAL: &str = "spin.toml.partial";

/// Why there is no application.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The release.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// An object of the release.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A directory with something in it.
    #[error("{} is not empty: expected a directory that is, or none", .0.display())]
    NotEmpty(PathBuf),
    /// A name that Spin has no place for.
    #[error(
        "Spin cannot name the {what} {name}: expected words of a-z and 0-9 that start with a \
         letter, with one - between them"
    )]
    Name {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A record's value, or a component.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A blob.
    #[error(transparent)]
    Blob(#[from] snapshot::BlobError),
    /// A segment.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// A stack.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The directory.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file of records.
    #[error("the file of records: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Something of this program itself.
    #[error("{0}")]
    Internal(String),
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The release it is.
    pub release: Release,
    /// Components.
    pub components: usize,
    /// Routes that Spin answers.
    pub routes: usize,
    /// Templates of routes that Spin does not answer, and why.
    pub left_out: Vec<(String, String)>,
    /// Records of each collection.
    pub collections: BTreeMap<CollectionName, Filled>,
}

impl Exported {
    /// For scripts.
    #[must_use]
    pub fn json(&self) -> Json {
        let left_out = self.left_out.iter();
        let collections = self.collections.iter();
        json!({
            "site": self.release.site.as_str(),
            "sequence": self.release.sequence.0,
            "manifest": self.release.manifest.to_string(),
            "as_of_ms": self.release.as_of.0,
            "components": self.components,
            "routes": self.routes,
            "left_out": left_out
                .map(|(route, why)| json!({ "route": route, "why": why }))
                .collect::<Vec<_>>(),
            "collections": collections
                .map(|(name, filled)| (name.to_string(), filled.json()))
                .collect::<serde_json::Map<_, _>>(),
        })
    }
}

/// Writes release `sequence`, or the newest, as a Spin application into `dir`, which is made if it
/// is missing.
///
/// # Errors
/// See [`ExportError`]; what was written is taken away again.
pub async fn spin(
    inspector: &Inspector,
    dir: &Path,
    sequence: Option<Sequence>,
) -> Result<Exported, ExportError> {
    let empty = dir.to_owned();
    blocking(move || check_empty(&empty)).await?;
    let signed = inspector.release(sequence).await?;
    let manifest = inspector.manifest(&signed).await?;
    check_names(&manifest)?;
    let whole = Whole::bring(inspector, manifest).await?;
    let dir = dir.to_owned();
    blocking(move || {
        fs_err::create_dir_all(&dir)?;
        // Fetching took its time: what came here meanwhile is somebody else's.
        check_empty(&dir)?;
        let written = whole.write(&dir, signed.release);
        if written.is_err() {
            wipe(&dir);
        }
        written
    })
    .await
}

fn check_empty(dir: &Path) -> Result<(), ExportError> {
    match fs_err::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            Some(_) => Err(ExportError::NotEmpty(dir.to_owned())),
            None => Ok(()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Spin names components and stores as the component model does.
fn check_names(manifest: &Manifest) -> Result<(), ExportError> {
    let components = manifest.components.iter();
    let components = components.map(|component| ("component", component.name.as_str()));
    let collections = manifest.collections.iter();
    let collections = collections.map(|collection| ("collection", collection.name.as_str()));
    for (what, name) in components.chain(collections) {
        let is_word = |word: &str| word.starts_with(|c: char| c.is_ascii_lowercase());
        if !name.split('-').all(is_word) {
            let name = name.to_owned();
            return Err(ExportError::Name { what, name });
        }
    }
    Ok(())
}

/// A release, all of it on this disk.
struct Whole {
    manifest: Manifest,
    stacks: BTreeMap<CollectionName, Stack>,
    store: Arc<Store>,
}

impl Whole {
    async fn bring(inspector: &Inspector, manifest: Manifest) -> Result<Self, ExportError> {
        let store = Arc::clone(&inspector.store);
        mirror::bring(&inspector.mirrors, &store, &manifest).await?;
        let cache = NodeCache::new(NODE_CACHE_BYTES);
        let mut stacks = BTreeMap::new();
        for collection in &manifest.collections {
            let (name, entries) = (&collection.name, &collection.segments);
            let stack = build::open(&store, &cache, &manifest.site, name, entries)?;
            stacks.insert(name.clone(), stack);
        }
        let all = stacks.clone();
        for blob in blocking(move || blobs(&all)).await?.into_values() {
            mirror::bring_blob(&inspector.mirrors, &store, &blob).await?;
        }
        Ok(Self {
            manifest,
            stacks,
            store,
        })
    }

    fn write(&self, dir: &Path, release: Release) -> Result<Exported, ExportError> {
        fs_err::create_dir(dir.join(COMPONENTS))?;
        for component in &self.manifest.components {
            let wasm = self
                .store
                .read(&component.digest, limits::COMPONENT_BYTES)?;
            let file = format!("{COMPONENTS}/{}.wasm", component.name);
            fs_err::write(dir.join(file), wasm)?;
        }
        let collections = store::fill(&dir.join(STORE), &self.stacks, &self.store)?;
        let labels = self.stacks.keys();
        fs_err::write(
            dir.join(RUNTIME_CONFIG),
            application::runtime_config(labels),
        )?;
        let routes = route::routes(&self.manifest);
        let text = application::manifest(&release, &self.manifest, &routes);
        let partial = dir.join(PARTIAL);
        fs_err::write(&partial, text)?;
        fs_err::rename(partial, dir.join(MANIFEST))?;
        let (mut answered, mut left_out) = (0, Vec::new());
        for told in routes {
            match told.spin {
                Ok(_) => answered += 1,
                Err(why) => left_out.push((told.route.path.clone(), why)),
            }
        }
        Ok(Exported {
            release,
            components: self.manifest.components.len(),
            routes: answered,
            left_out,
            collections,
        })
    }
}

/// Every blob that the application will hold.
fn blobs(
    stacks: &BTreeMap<CollectionName, Stack>,
) -> Result<BTreeMap<Digest, BlobRef>, ExportError> {
    let mut blobs = BTreeMap::new();
    for stack in stacks.values() {
        for record in stack.iter(..) {
            if let (key, Value::Blob(blob)) = record?
                && store::fits(&key, blob.bytes)
            {
                blobs.insert(blob.digest, blob);
            }
        }
    }
    Ok(blobs)
}

/// The directory was empty: whatever is there now is ours.
fn wipe(dir: &Path) {
    for folder in [COMPONENTS, ".spin"] {
        fs_err::remove_dir_all(dir.join(folder)).ok();
    }
    for file in [RUNTIME_CONFIG, PARTIAL] {
        fs_err::remove_file(dir.join(file)).ok();
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ExportError> + Send + 'static,
) -> Result<T, ExportError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ExportError::Internal(error.to_string()))?
}

#[cfg(test)]
mod tests;
