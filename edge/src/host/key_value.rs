//! Spin's key-value interface over the collections of a release: reading only.
//!
//! Reads run on blocking threads: they wait for a disk and hash what they got, and the threads
//! that serve must do neither. (Marking the current thread as blocking instead would save a
//! hand-over of a few microseconds, but needs a multi-threaded runtime, and a release is also
//! tried on a single-threaded one.) A read keeps the permit of its request, so that a disk that
//! hangs makes requests refused as busy instead of filling threads without end.

use std::sync::Arc;

use snapshot::Digest;
use wasmtime::component::{Accessor, FutureReader, HasData, Linker, Resource, StreamReader};

use self::generated::spin::key_value::key_value::{
    Error, Host, HostStore, HostStoreWithStore, add_to_linker as add_generated,
};
use super::limits::{LISTED_KEYS, READS};
use super::records::{Read, Records, RecordsError};
use super::state::{State, Stop};

mod generated {
    wasmtime::component::bindgen!({
        inline: "
            package spin:key-value@3.0.0;

            interface key-value {
                variant error {
                    store-table-full,
                    no-such-store,
                    access-denied,
                    other(string),
                }

                resource store {
                    open: static async func(label: string) -> result<store, error>;
                    get: async func(key: string) -> result<option<list<u8>>, error>;
                    set: async func(key: string, value: list<u8>) -> result<_, error>;
                    delete: async func(key: string) -> result<_, error>;
                    exists: async func(key: string) -> result<bool, error>;
                    get-keys: async func() -> tuple<stream<string>, future<result<_, error>>>;
                }
            }

            world reader {
                import key-value;
            }
        ",
        imports: { default: async | store | trappable },
        with: { "spin:key-value/key-value.store": super::OpenStore },
    });
}

/// A collection that a guest has opened.
#[derive(Clone, Debug)]
pub struct OpenStore(Arc<str>);

struct KeyValue;

impl HasData for KeyValue {
    type Data<'a> = &'a mut State;
}

pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    add_generated::<State, KeyValue>(linker, |state| state)
}

const READ_ONLY: &str = "collections are read-only on an edge";

impl Host for &mut State {}
impl HostStore for &mut State {}

impl HostStoreWithStore<State> for KeyValue {
    async fn open(
        host: &Accessor<State, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, Error>> {
        host.with(|mut access| {
            let state = access.get();
            if !state.records.allows(&label) {
                return Ok(Err(Error::AccessDenied));
            }
            match state.table.push(OpenStore(label.into())) {
                Ok(store) => Ok(Ok(store)),
                Err(_) => Ok(Err(Error::StoreTableFull)),
            }
        })
    }

    async fn get(
        host: &Accessor<State, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        value(host, &store, key).await.map(Ok)
    }

    async fn exists(
        host: &Accessor<State, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        let value = value(host, &store, key).await?;
        Ok(Ok(value.is_some()))
    }

    async fn set(
        _: &Accessor<State, Self>,
        _: Resource<OpenStore>,
        _: String,
        _: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(Err(Error::Other(READ_ONLY.to_owned())))
    }

    async fn delete(
        _: &Accessor<State, Self>,
        _: Resource<OpenStore>,
        _: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(Err(Error::Other(READ_ONLY.to_owned())))
    }

    async fn get_keys(
        host: &Accessor<State, Self>,
        store: Resource<OpenStore>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        // One listing after the other: what one leaves is what the next may hold.
        let left = host.with(|mut access| Arc::clone(&access.get().listable));
        let mut left = left.lock_owned().await;
        let limit = *left;
        let keys = read(
            host,
            &store,
            |store| Read::Keys {
                store: store.to_owned(),
            },
            move |records, store| records.keys(store, limit.saturating_add(1)),
        )
        .await?;
        // What was read counts, also where the guest does not get it.
        *left = limit.saturating_sub(keys.len());
        let (keys, outcome) = if keys.len() > limit {
            let refusal = format!("more than {LISTED_KEYS} keys are not listed in one request");
            (Vec::new(), Err(Error::Other(refusal)))
        } else {
            (keys, Ok(()))
        };
        drop(left);
        host.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let outcome =
                FutureReader::new(&mut access, async move { wasmtime::error::Ok(outcome) })?;
            Ok((keys, outcome))
        })
    }

    async fn drop(
        host: &Accessor<State, Self>,
        store: Resource<OpenStore>,
    ) -> wasmtime::Result<()> {
        host.with(|mut access| access.get().table.delete(store))?;
        Ok(())
    }
}

async fn value(
    host: &Accessor<State, KeyValue>,
    store: &Resource<OpenStore>,
    key: String,
) -> wasmtime::Result<Option<Vec<u8>>> {
    let digest = Digest::of(key.as_bytes());
    read(
        host,
        store,
        |store| Read::Key {
            store: store.to_owned(),
            key: digest,
        },
        move |records, store| records.get(store, &key),
    )
    .await
}

/// Notes what is read, reads it on a blocking thread, and ends the guest if it cannot be read.
async fn read<T: Send + 'static>(
    host: &Accessor<State, KeyValue>,
    store: &Resource<OpenStore>,
    note: impl FnOnce(&str) -> Read,
    run: impl FnOnce(&dyn Records, &str) -> Result<T, RecordsError> + Send + 'static,
) -> wasmtime::Result<T> {
    let (store, records, permit) = host.with(|mut access| {
        let state = access.get();
        let OpenStore(store) = state.table.get(store)?.clone();
        state.calls = state.calls.saturating_add(1);
        if state.calls > READS {
            return Err(state.stop(Stop::Deadline));
        }
        state.reads.insert(note(&store));
        Ok((store, Arc::clone(&state.records), Arc::clone(&state.permit)))
    })?;
    let outcome = tokio::task::spawn_blocking(move || {
        let outcome = run(&*records, &store);
        drop(permit);
        outcome
    })
    .await;
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(RecordsError::Unreadable(reason))) => {
            tracing::warn!(reason, "a component asked for a record that cannot be read");
            Err(host.with(|mut access| access.get().stop(Stop::Unreadable)))
        }
        Err(_) => Err(host.with(|mut access| access.get().stop(Stop::Unreadable))),
    }
}
