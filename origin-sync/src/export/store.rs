//! The records, as Spin's own key-value store keeps them: one table of a SQLite file, for all
//! labels together. Its form is what Spin's `crates/key-value-spin/src/store.rs` creates and reads
//! (github.com/spinframework/spin at 94a8fc8a, and the same since Spin 2).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::{Value as Json, json};
use snapshot::{CollectionName, Key, Stack, Store, Value};

use super::ExportError;

/// Longest value that is written, bytes: the longest that Spin hands to a component, which is its
/// `MAX_HOST_BUFFERED_BYTES` of 128 MiB, without what it counts for holding it.
pub const VALUE_BYTES: u64 = (128 << 20) - 24;

const TABLE: &str = "CREATE TABLE spin_key_value (
    store TEXT NOT NULL,
    key   TEXT NOT NULL,
    value BLOB NOT NULL,

    PRIMARY KEY (store, key)
)";

/// What of one collection was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Records.
    pub records: u64,
    /// The bytes of their values.
    pub bytes: u64,
    /// Records that Spin cannot hold: a key that is not UTF-8, a value over [`VALUE_BYTES`].
    pub left_out: u64,
}

impl Filled {
    /// For scripts.
    #[must_use]
    pub fn json(self) -> Json {
        json!({ "records": self.records, "bytes": self.bytes, "left_out": self.left_out })
    }
}

/// Whether Spin can hold a record under `key` of `bytes` bytes.
pub(super) fn fits(key: &Key, bytes: u64) -> bool {
    bytes <= VALUE_BYTES && str::from_utf8(key.as_bytes()).is_ok()
}

/// Writes every record of `stacks` to the new file `path`; blobs come from `objects`.
pub(super) fn fill(
    path: &Path,
    stacks: &BTreeMap<CollectionName, Stack>,
    objects: &Arc<Store>,
) -> Result<BTreeMap<CollectionName, Filled>, ExportError> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let mut connection = Connection::open(path)?;
    connection.execute(TABLE, [])?;
    let all = connection.transaction()?;
    let mut collections = BTreeMap::new();
    {
        let mut insert =
            all.prepare("INSERT INTO spin_key_value (store, key, value) VALUES ($1, $2, $3)")?;
        for (name, stack) in stacks {
            let mut filled = Filled::default();
            for record in stack.iter(..) {
                let (key, value) = record?;
                let text = str::from_utf8(key.as_bytes());
                let (Ok(text), true) = (text, fits(&key, value.bytes())) else {
                    filled.left_out += 1;
                    continue;
                };
                let bytes = match value {
                    Value::Inline(bytes) => bytes,
                    Value::Blob(blob) => objects.blob(&blob)?.read(0..blob.bytes)?,
                };
                insert.execute((name.as_str(), text, &bytes))?;
                filled.records += 1;
                filled.bytes += bytes.len() as u64;
            }
            collections.insert(name.clone(), filled);
        }
    }
    all.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(collections)
}
