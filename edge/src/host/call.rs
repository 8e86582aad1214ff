//! One request to one guest: a fresh instance, an answer or a reason, and everything gone again.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use http_body_util::Empty;
use snapshot::manifest::Isolation;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::{Accessor, ResourceTableError};
use wasmtime::{PoolConcurrencyLimitError, Store, Trap};
use wasmtime_wasi_http::p3::bindings::Service;
use wasmtime_wasi_http::p3::{Request, Response};
use wasmtime_wasi_http::{FieldMap, WasiHttpView as _};

use super::answer::{GuestAnswer, check_headers, check_status, collect};
use super::awake::within;
use super::error::GuestError;
use super::guest::Guest;
use super::limits::{HANDED_BYTES, HostLimits, INDICES};
use super::records::Records;
use super::state::{State, Stop};
use super::words::{Words, excerpt};

/// What a component is asked. There is no body: components only answer reads.
#[derive(Clone)]
pub struct GuestRequest {
    /// GET, in all but tests.
    pub method: Method,
    /// Path and declared query; a scheme and authority are passed on if both are there.
    pub uri: Uri,
    /// Only what the route lets through, and the host's own.
    pub headers: HeaderMap,
    /// The route's. Of a `single` one's guest the log repeats nothing.
    pub isolation: Isolation,
}

/// Path and headers can hold what only its reader may know.
impl fmt::Debug for GuestRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestRequest")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

type Outcome = Result<GuestAnswer, GuestError>;

pub(super) async fn call(
    limits: &HostLimits,
    guest: &Guest,
    request: GuestRequest,
    records: Arc<dyn Records>,
    permit: OwnedSemaphorePermit,
) -> Outcome {
    // Outlives the store: the engine drops a store's data before it gives the instance's place
    // back, and whose turn comes in between would find none.
    let turn = Arc::new(permit);
    let mut store = store(limits, guest, records, Arc::clone(&turn));
    // The epoch ends guests that compute; this ends those that wait.
    let ran = within(limits.deadline, run(&mut store, limits, guest, request)).await;
    let stopped = store.data().stopped;
    let outcome = match ran {
        Some(outcome) => outcome.unwrap_or_else(|error| Err(crash(guest, &error))),
        None => Err(GuestError::Deadline),
    };
    // A guest may have caught the error and gone on; what the host noted counts.
    match stopped {
        Some(Stop::Unreadable) => Err(GuestError::Unreadable),
        Some(Stop::Memory) => Err(GuestError::Memory),
        Some(Stop::Deadline) => Err(GuestError::Deadline),
        None => outcome.map(|mut answer| {
            answer.reads = std::mem::take(&mut store.data_mut().reads)
                .into_iter()
                .collect();
            answer
        }),
    }
}

fn store(
    limits: &HostLimits,
    guest: &Guest,
    records: Arc<dyn Records>,
    permit: Arc<OwnedSemaphorePermit>,
) -> Store<State> {
    let engine = guest.service.engine();
    let mut store = Store::new(engine, State::new(limits, records, permit));
    store.limiter(|state| state);
    store.set_hostcall_fuel(HANDED_BYTES);
    store.set_max_component_handles(INDICES);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| store.data_mut().tick());
    store
}

async fn run(
    store: &mut Store<State>,
    limits: &HostLimits,
    guest: &Guest,
    request: GuestRequest,
) -> wasmtime::Result<Outcome> {
    let service = guest.service.instantiate_async(&mut *store).await?;
    store
        .run_concurrent(async |host| answer(host, &service, limits, request).await)
        .await?
}

async fn answer(
    host: &Accessor<State>,
    service: &Service,
    limits: &HostLimits,
    request: GuestRequest,
) -> wasmtime::Result<Outcome> {
    let words = Words::of(request.isolation);
    let request = host.with(|mut access| incoming(access.data_mut(), request));
    let response = match service.handle(host, request).await? {
        Ok(response) => response,
        Err(code) => {
            let reason = words.logged(&code);
            tracing::warn!(reason, "a component reported a failure");
            return Ok(Err(GuestError::Failed));
        }
    };
    let (status, headers, response) = match head(response) {
        Ok(head) => head,
        Err(error) => return Ok(Err(error)),
    };
    let body = host
        .with(|access| response.into_http(access, async { Ok(()) }))?
        .into_body();
    Ok(collect(body, limits.output_bytes, words)
        .await
        .map(|body| GuestAnswer {
            status,
            headers,
            body,
            reads: Vec::new(),
        }))
}

fn incoming(state: &mut State, request: GuestRequest) -> Request {
    let uri = request.uri.into_parts();
    let headers = FieldMap::new_immutable(state.http().hooks, request.headers);
    // The second half tells how reading the body went: there is none.
    let (request, _) = Request::new(
        request.method,
        uri.scheme,
        uri.authority,
        uri.path_and_query,
        headers,
        None,
        Empty::<Bytes>::new(),
    );
    request
}

/// Takes the checked head off a response. Its headers stay behind empty, so that a length the
/// guest claimed is not held against its body.
fn head(mut response: Response) -> Result<(http::StatusCode, HeaderMap, Response), GuestError> {
    let status = check_status(response.status)?;
    let headers = check_headers(std::mem::take(&mut response.headers).into())?;
    Ok((status, headers, response))
}

/// Puts a name to what ended a guest. What the engine says of it goes to the log alone.
fn crash(guest: &Guest, error: &wasmtime::Error) -> GuestError {
    let reason = excerpt(&format!("{error:#}"));
    tracing::warn!(
        component = guest.digest().short(),
        reason,
        "a component crashed"
    );
    if error.is::<PoolConcurrencyLimitError>() {
        return GuestError::Busy;
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return GuestError::Memory;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => GuestError::Deadline,
        Some(trap) => GuestError::Trap(kind(*trap)),
        None => GuestError::Nonsense("it breaks the rules of its interfaces"),
    }
}

fn kind(trap: Trap) -> &'static str {
    match trap {
        Trap::UnreachableCodeReached => "abort",
        Trap::StackOverflow => "stack overflow",
        Trap::MemoryOutOfBounds | Trap::TableOutOfBounds | Trap::ArrayOutOfBounds => {
            "out of bounds"
        }
        Trap::IntegerDivisionByZero | Trap::IntegerOverflow | Trap::BadConversionToInteger => {
            "arithmetic"
        }
        Trap::IndirectCallToNull | Trap::BadSignature | Trap::NullReference => "bad call",
        Trap::NoAsyncResult | Trap::AsyncDeadlock => "no answer",
        _ => "other",
    }
}
