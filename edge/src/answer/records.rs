//! The collections of a release as one route's component may read them.

use snapshot::manifest::Route;
use snapshot::{CollectionName, Key, Value};

use crate::copy::LoadedRelease;
use crate::host::{Records, RecordsError};

/// Largest value that a component gets, bytes. Larger ones are files, and have asset routes.
pub const VALUE_BYTES: u64 = 1 << 20;

/// What one route declares.
pub(super) struct RouteRecords {
    release: LoadedRelease,
    declared: Vec<CollectionName>,
}

impl RouteRecords {
    pub(super) fn new(release: &LoadedRelease, route: &Route) -> Self {
        Self {
            release: release.clone(),
            declared: route.collections.clone(),
        }
    }

    fn collection(&self, store: &str) -> Result<&CollectionName, RecordsError> {
        let name = self.declared.iter().find(|name| name.as_str() == store);
        name.ok_or_else(|| unreadable(store, "the route does not declare it"))
    }
}

impl Records for RouteRecords {
    fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, RecordsError> {
        // What cannot be a key is proven absent.
        let Ok(key) = Key::new(key) else {
            return Ok(None);
        };
        let collection = self.collection(store)?;
        let found = self.release.get(collection, &key);
        found
            .map_err(|e| unreadable(store, e))?
            .map(|value| whole(&self.release, collection, value))
            .transpose()
            .map_err(|e| unreadable(store, e))
    }

    fn keys(&self, store: &str, limit: usize) -> Result<Vec<String>, RecordsError> {
        let keys = self.release.keys(self.collection(store)?, limit);
        let keys = keys.map_err(|e| unreadable(store, e))?;
        // Keys are UTF-8 by the store's interface; a file's name may be anything.
        let texts = keys.iter().map(|key| str::from_utf8(key.as_bytes()));
        Ok(texts.flatten().map(str::to_owned).collect())
    }

    fn allows(&self, store: &str) -> bool {
        self.declared.iter().any(|name| name.as_str() == store)
    }
}

fn whole(
    release: &LoadedRelease,
    collection: &CollectionName,
    value: Value,
) -> Result<Vec<u8>, String> {
    match value {
        Value::Inline(bytes) => Ok(bytes),
        Value::Blob(entry) if entry.bytes > VALUE_BYTES => Err(format!(
            "a value of {} bytes: a component gets at most {VALUE_BYTES}",
            entry.bytes
        )),
        Value::Blob(entry) => {
            let blob = release
                .blob(collection, &entry)
                .map_err(|e| e.to_string())?;
            blob.whole().map_err(|e| e.to_string())
        }
    }
}

fn unreadable(store: &str, why: impl std::fmt::Display) -> RecordsError {
    RecordsError::Unreadable(format!("collection {store}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_value_beyond_the_limit_is_unreadable_and_the_next_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let longest = "x".repeat(usize::try_from(VALUE_BYTES).unwrap());
        let longer = format!("{longest}x");
        let mut route = fixture::component("/", "view");
        route.collections = vec!["files".parse().unwrap()];
        let files = [("a", "a"), ("longer", &longer), ("longest", &longest)];
        let release = fixture::loaded(dir.path(), vec![route.clone()], &files, Default::default());
        let records = RouteRecords::new(&release, &route);
        let RecordsError::Unreadable(why) = records.get("files", "longer").unwrap_err();
        assert!(why.contains("at most 1048576"), "{why}");
        for (key, value) in [("longest", longest.as_str()), ("a", "a")] {
            let read = records.get("files", key).unwrap().unwrap();
            assert!(read == value.as_bytes(), "{key}");
        }
        // It is whole, only long.
        assert!(release.damage.is_empty());
    }
}
