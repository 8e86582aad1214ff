//! The component host: runs a site's components over a release, one fresh instance a request.
//!
//! A guest is handed its request and read-only collections, and nothing else: no clock, no
//! randomness, no network, no files. Memory, time, output and number are bounded; whatever a
//! guest does costs its own request only.

mod answer;
mod awake;
mod call;
mod compiled;
mod engine;
mod error;
mod guest;
mod key_value;
mod limits;
mod records;
mod state;
mod words;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use snapshot::Digest;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

pub use self::answer::GuestAnswer;
pub use self::call::GuestRequest;
pub use self::error::{GuestError, HostError};
pub use self::guest::Guest;
pub use self::limits::HostLimits;
pub use self::records::{Read, Records, RecordsError};

use self::awake::within;
use self::compiled::Compiled;
use self::engine::Ticker;
use self::limits::COMPONENT_BYTES;
use self::state::State;

/// Compiles, keeps and runs components. One for a whole process.
pub struct Host {
    shared: Arc<Shared>,
    turns: Arc<Semaphore>,
    limits: HostLimits,
    _ticker: Ticker,
}

struct Shared {
    engine: Engine,
    linker: Linker<State>,
    compiled: Compiled,
    /// Components in use, so that two releases or two sites with the same one share it.
    loaded: Mutex<HashMap<Digest, Weak<Guest>>>,
}

impl Host {
    /// Starts the engine. `cache` is the directory of compiled components, made (0700) if it is
    /// missing. Blocking, a few milliseconds.
    ///
    /// # Errors
    /// When the engine does not start or the directory is not ours alone.
    pub fn new(limits: HostLimits, cache: &Path) -> Result<Self, HostError> {
        let engine = engine::engine(&limits).map_err(HostError::Engine)?;
        let linker = guest::linker(&engine).map_err(HostError::Engine)?;
        let compiled = Compiled::open(cache, &engine)?;
        let ticker = Ticker::start(&engine)?;
        Ok(Self {
            shared: Arc::new(Shared {
                engine,
                linker,
                compiled,
                loaded: Mutex::default(),
            }),
            turns: Arc::new(Semaphore::new(limits.concurrency as usize)),
            limits,
            _ticker: ticker,
        })
    }

    /// Takes a component in: from memory, from the cache of compiled ones, or by compiling it.
    ///
    /// # Errors
    /// When the bytes are not those named, are no component, or want more than this host offers.
    pub async fn load(&self, digest: &Digest, wasm: Vec<u8>) -> Result<Arc<Guest>, HostError> {
        let shared = Arc::clone(&self.shared);
        let digest = *digest;
        tokio::task::spawn_blocking(move || shared.load(digest, &wasm))
            .await
            .unwrap_or(Err(HostError::Stopping { digest }))
    }

    /// Asks a component for one answer.
    ///
    /// # Errors
    /// Whatever the guest did instead of answering; see [`GuestError`].
    pub async fn call(
        &self,
        guest: &Guest,
        request: GuestRequest,
        records: Arc<dyn Records>,
    ) -> Result<GuestAnswer, GuestError> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let Some(Ok(permit)) = within(self.limits.patience, turn).await else {
            return Err(GuestError::Busy);
        };
        call::call(&self.limits, guest, request, records, permit).await
    }

    /// The limits this host runs under.
    #[must_use]
    pub const fn limits(&self) -> &HostLimits {
        &self.limits
    }
}

impl Shared {
    fn load(&self, digest: Digest, wasm: &[u8]) -> Result<Arc<Guest>, HostError> {
        if wasm.len() > COMPONENT_BYTES {
            return Err(HostError::TooLarge {
                digest,
                bytes: wasm.len(),
                limit: COMPONENT_BYTES,
            });
        }
        let found = Digest::of(wasm);
        if found != digest {
            return Err(HostError::Digest {
                expected: digest,
                found,
            });
        }
        if let Some(guest) = self.remembered(&digest) {
            return Ok(guest);
        }
        let guest = match self.compiled.load(&self.engine, &digest) {
            Some(component) => Guest::new(&self.linker, digest, &component)?,
            None => {
                let component = Component::from_binary(&self.engine, wasm)
                    .map_err(|source| HostError::Compile { digest, source })?;
                let guest = Guest::new(&self.linker, digest, &component)?;
                self.compiled.keep(&digest, &component);
                guest
            }
        };
        let guest = Arc::new(guest);
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.retain(|_, guest| guest.strong_count() > 0);
        loaded.insert(digest, Arc::downgrade(&guest));
        Ok(guest)
    }

    fn remembered(&self, digest: &Digest) -> Option<Arc<Guest>> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.get(digest).and_then(Weak::upgrade)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
