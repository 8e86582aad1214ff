//! The component host, held against a guest that misbehaves on request.
//!
//! A behaviour is a file of `tests/guests/src`, run by a request for its name; what the host must
//! make of it is the test of that name in [`behaviours`].

mod behaviours;
mod compiled;
mod loading;
mod reads;
mod turns;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use bytes::Bytes;
use edge::host::{
    Guest, GuestAnswer, GuestError, GuestRequest, Host, HostLimits, Records, RecordsError,
};
use http::{HeaderMap, Method};
use snapshot::Digest;
use snapshot::manifest::Isolation;

use crate::scene::{compiled_cache, component};

/// The collection `records`, and what to do when it is read.
#[derive(Default)]
struct Town {
    records: BTreeMap<String, String>,
    unreadable: Option<String>,
    asked: AtomicUsize,
    listed: AtomicUsize,
    hangs: Option<Arc<Barrier>>,
}

impl Town {
    fn new() -> Arc<Self> {
        let records = [("a", "apple"), ("b", "배")];
        Arc::new(Self {
            records: records.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            ..Self::default()
        })
    }

    /// So many records.
    fn crowd(count: usize) -> Arc<Self> {
        let records = (0..count).map(|number| (format!("{number:05}"), String::new()));
        Arc::new(Self {
            records: records.collect(),
            ..Self::default()
        })
    }

    /// Nothing in it, and each look-up waits at `barrier`.
    fn hanging(barrier: &Arc<Barrier>) -> Arc<Self> {
        Arc::new(Self {
            hangs: Some(Arc::clone(barrier)),
            ..Self::default()
        })
    }
}

impl Records for Town {
    fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, RecordsError> {
        assert_eq!(store, "records");
        self.asked.fetch_add(1, Ordering::Relaxed);
        if let Some(barrier) = &self.hangs {
            barrier.wait();
        }
        if self.unreadable.as_deref() == Some(key) {
            return Err(RecordsError::Unreadable("bad sector".to_owned()));
        }
        Ok(self
            .records
            .get(key)
            .map(|value| value.clone().into_bytes()))
    }

    fn keys(&self, store: &str, limit: usize) -> Result<Vec<String>, RecordsError> {
        assert_eq!(store, "records");
        let keys: Vec<String> = self.records.keys().take(limit).cloned().collect();
        self.listed.fetch_add(keys.len(), Ordering::Relaxed);
        Ok(keys)
    }

    fn allows(&self, store: &str) -> bool {
        store == "records"
    }
}

struct Stage {
    host: Host,
    guest: Arc<Guest>,
}

impl Stage {
    async fn new(limits: HostLimits) -> Self {
        // The first test compiles, the others wait for it and take what it kept.
        static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let _turn = TURN.lock().await;
        Self::with_cache(limits, &compiled_cache()).await
    }

    async fn with_cache(limits: HostLimits, cache: &Path) -> Self {
        let host = Host::new(limits, cache).unwrap();
        let (digest, wasm) = hostile();
        let guest = host.load(&digest, wasm).await.unwrap();
        Self { host, guest }
    }

    async fn get(&self, path: &str) -> Result<GuestAnswer, GuestError> {
        self.get_from(path, Town::new()).await
    }

    async fn get_from(
        &self,
        path: &str,
        records: Arc<dyn Records>,
    ) -> Result<GuestAnswer, GuestError> {
        self.host.call(&self.guest, request(path), records).await
    }

    /// Whatever the last request did, the next one is answered.
    async fn still_answers(&self) {
        let next = self.get("fine").await.unwrap();
        assert_eq!(next.body, Bytes::from_static(b"fine"));
    }
}

fn request(path: &str) -> GuestRequest {
    GuestRequest {
        method: Method::GET,
        uri: format!("/{path}").parse().unwrap(),
        headers: HeaderMap::new(),
        isolation: Isolation::Shared,
    }
}

fn hostile() -> (Digest, Vec<u8>) {
    let wasm = component("hostile");
    (Digest::of(&wasm), wasm)
}

/// Short enough for a test that waits for it, long enough for a slow machine to compute honestly.
fn limits() -> HostLimits {
    HostLimits {
        running: Duration::from_millis(700),
        deadline: Duration::from_millis(700),
        ..HostLimits::default()
    }
}
