//! What the host keeps for one instance while it lives: one request.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedSemaphorePermit};
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, UpdateDeadline};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use super::limits::{HANDLES, HEADER_BYTES, HostLimits, LISTED_KEYS, TABLE_ELEMENTS};
use super::records::{Read, Records};

/// Why the host ended a guest. Kept beside the error that the engine passes on, because what
/// comes out of a guest's stack is not always what went in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Deadline,
    Memory,
    Unreadable,
}

#[derive(Debug, thiserror::Error)]
#[error("stopped by the host: {0:?}")]
struct Stopped(Stop);

pub(super) struct State {
    pub(super) table: ResourceTable,
    pub(super) records: Arc<dyn Records>,
    pub(super) permit: Arc<OwnedSemaphorePermit>,
    pub(super) reads: BTreeSet<Read>,
    pub(super) calls: usize,
    /// Keys that may still be listed. Listings wait in the host's memory until the guest takes
    /// them, so that together they are bounded, not one by one.
    pub(super) listable: Arc<Mutex<usize>>,
    pub(super) stopped: Option<Stop>,
    http: WasiHttpCtx,
    outgoing: NoOutgoing,
    memory: usize,
    ticks: u64,
}

impl State {
    pub(super) fn new(
        limits: &HostLimits,
        records: Arc<dyn Records>,
        permit: Arc<OwnedSemaphorePermit>,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        let mut http = WasiHttpCtx::new();
        // Twice the limit on answers, so that the answer's own check speaks first.
        http.set_field_size_limit(HEADER_BYTES.saturating_mul(2));
        Self {
            table,
            records,
            permit,
            reads: BTreeSet::new(),
            calls: 0,
            listable: Arc::new(Mutex::new(LISTED_KEYS)),
            stopped: None,
            http,
            outgoing: NoOutgoing,
            memory: limits.memory(),
            ticks: limits.ticks(),
        }
    }

    /// Notes the first reason to end this guest; the error unwinds it.
    pub(super) fn stop(&mut self, why: Stop) -> wasmtime::Error {
        let why = *self.stopped.get_or_insert(why);
        wasmtime::Error::new(Stopped(why))
    }

    /// One tick of running: lets other tasks run, or ends a guest whose time is up.
    pub(super) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        match self.ticks.checked_sub(1) {
            Some(left) => {
                self.ticks = left;
                Ok(UpdateDeadline::Yield(1))
            }
            None => Err(self.stop(Stop::Deadline)),
        }
    }
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.memory {
            return Err(self.stop(Stop::Memory));
        }
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS {
            return Err(self.stop(Stop::Memory));
        }
        Ok(true)
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outgoing,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// A guest has no network. The linker offers no way to ask; this is the second lock.
struct NoOutgoing;

type Sent = (
    http::Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

impl WasiHttpHooks for NoOutgoing {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        Box::new(std::future::ready(Err(Error::HttpRequestDenied)))
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;
    use crate::host::RecordsError;

    struct Nothing;

    impl Records for Nothing {
        fn get(&self, _: &str, _: &str) -> Result<Option<Vec<u8>>, RecordsError> {
            Ok(None)
        }

        fn keys(&self, _: &str, _: usize) -> Result<Vec<String>, RecordsError> {
            Ok(Vec::new())
        }

        fn allows(&self, _: &str) -> bool {
            false
        }
    }

    #[tokio::test]
    async fn memory_and_tables_grow_to_their_limits_and_no_further() {
        let limits = HostLimits::default();
        let turns = Arc::new(Semaphore::new(2));
        let state = async || {
            let permit = Arc::clone(&turns).acquire_owned().await.unwrap();
            State::new(&limits, Arc::new(Nothing), Arc::new(permit))
        };
        let (mut one, mut other) = (state().await, state().await);
        let elements = TABLE_ELEMENTS;
        assert!(one.table_growing(0, elements, None).unwrap());
        assert!(other.memory_growing(0, limits.memory(), None).unwrap());
        assert_eq!((one.stopped, other.stopped), (None, None));
        assert!(one.table_growing(elements, elements + 1, None).is_err());
        assert!(other.memory_growing(0, limits.memory() + 1, None).is_err());
        let memory = Some(Stop::Memory);
        assert_eq!((one.stopped, other.stopped), (memory, memory));
    }
}
