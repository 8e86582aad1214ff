//! Stock Spin, as far as a guest can see it: HTTP's nouns, its key-value interface over its own
//! SQLite file, the manifest's routes and labels, and nothing else. Written against Spin's
//! interfaces, not against the edge's host, and shares no code with that.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use toml_span::Value;
use wasmtime::component::{
    Accessor, Component, FutureReader, HasData, Linker, Resource, ResourceTable, StreamReader,
};
use wasmtime::{Config, Engine, OptLevel, Store};
use wasmtime_wasi_http::p3::bindings::http::types;
use wasmtime_wasi_http::p3::bindings::{Service, ServicePre};
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, WasiBody, WasiHttp, WasiHttpCtx, WasiHttpCtxView,
    WasiHttpHooks, WasiHttpView,
};

use self::generated::spin::key_value::key_value as kv;

mod generated {
    wasmtime::component::bindgen!({
        inline: "
            package spin:key-value@3.0.0;

            interface key-value {
                resource store {
                    open: static async func(label: string) -> result<store, error>;
                    get: async func(key: string) -> result<option<list<u8>>, error>;
                    set: async func(key: string, value: list<u8>) -> result<_, error>;
                    delete: async func(key: string) -> result<_, error>;
                    exists: async func(key: string) -> result<bool, error>;
                    get-keys: async func() -> tuple<stream<string>, future<result<_, error>>>;
                }

                variant error {
                    store-table-full,
                    no-such-store,
                    access-denied,
                    other(string),
                }
            }

            world spin {
                import key-value;
            }
        ",
        imports: { default: async | store | trappable },
        with: { "spin:key-value/key-value.store": super::Label },
    });
}

/// An exported application, as `spin up` would run it.
pub(crate) struct Spin {
    /// Routes and the components that answer them, in the order of the manifest.
    pub(crate) triggers: Vec<(String, String)>,
    engine: Engine,
    components: BTreeMap<String, Installed>,
}

struct Installed {
    service: ServicePre<State>,
    /// The SQLite file of each label it may open.
    stores: Arc<BTreeMap<String, Arc<Mutex<Connection>>>>,
}

impl Spin {
    /// Reads the application in `dir`.
    pub(crate) fn up(dir: &Path) -> Self {
        let read = |file: &str| fs_err::read_to_string(dir.join(file)).unwrap();
        let (manifest, runtime) = (read("spin.toml"), read("runtime-config.toml"));
        let manifest = toml_span::parse(&manifest).unwrap();
        let runtime = toml_span::parse(&runtime).unwrap();
        let version = manifest.pointer("/spin_manifest_version").unwrap();
        assert_eq!(version.as_integer(), Some(2));

        let mut config = Config::new();
        config
            .wasm_component_model_async(true)
            .cranelift_opt_level(OptLevel::None);
        let engine = Engine::new(&config).unwrap();
        let mut linker = Linker::new(&engine);
        types::add_to_linker::<State, WasiHttp>(&mut linker, State::http).unwrap();
        kv::add_to_linker::<State, KeyValue>(&mut linker, |state| state).unwrap();

        let mut components = BTreeMap::new();
        let declared = manifest.pointer("/component").unwrap().as_table().unwrap();
        for (id, declared) in declared {
            let wasm = dir.join(text(declared, "/source"));
            let component = Component::from_file(&engine, wasm).unwrap();
            let service = linker.instantiate_pre(&component).unwrap();
            let labels = declared.pointer("/key_value_stores").unwrap();
            let labels = labels.as_array().unwrap().iter();
            let stores = labels.map(|label| {
                let label = label.as_str().unwrap().to_owned();
                let store = format!("/key_value_store/{label}");
                let store = runtime.pointer(&store).unwrap();
                assert_eq!(text(store, "/type"), "spin");
                let file = dir.join(text(store, "/path"));
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
                let connection = Connection::open_with_flags(file, flags).unwrap();
                (label, Arc::new(Mutex::new(connection)))
            });
            let installed = Installed {
                service: ServicePre::new(service).unwrap(),
                stores: Arc::new(stores.collect()),
            };
            components.insert(id.name.to_string(), installed);
        }
        let triggers = manifest.pointer("/trigger/http").unwrap();
        let triggers = triggers.as_array().unwrap().iter();
        Self {
            triggers: triggers
                .map(|trigger| (text(trigger, "/route"), text(trigger, "/component")))
                .collect(),
            engine,
            components,
        }
    }

    /// The component that answers `path`: of the routes that match, the one with the most text.
    pub(crate) fn component(&self, path: &str) -> Option<&str> {
        let matching = self.triggers.iter().filter(|(route, _)| {
            let path = path.strip_suffix('/').unwrap_or(path);
            let (mut route, mut path) = (route.split('/'), path.split('/'));
            loop {
                match (route.next(), path.next()) {
                    (Some("..."), _) | (None, None) => return true,
                    (Some(wanted), Some(found)) if wanted == found => {}
                    (Some(wanted), Some(found)) if wanted.starts_with(':') && !found.is_empty() => {
                    }
                    _ => return false,
                }
            }
        });
        let best = matching.max_by_key(|(route, _)| {
            let segments = route.split('/');
            segments.filter(|s| !s.starts_with([':', '.'])).count()
        });
        best.map(|(_, component)| component.as_str())
    }

    /// Asks one instance of `component` for each of `requests` in turn: by default Spin lets an
    /// instance answer many.
    pub(crate) async fn ask(
        &self,
        component: &str,
        requests: Vec<(Uri, HeaderMap)>,
    ) -> Vec<Response<Bytes>> {
        let installed = &self.components[component];
        let state = State {
            table: ResourceTable::new(),
            http: WasiHttpCtx::new(),
            outgoing: Refused,
            stores: Arc::clone(&installed.stores),
        };
        let mut store = Store::new(&self.engine, state);
        let service = installed.service.instantiate_async(&mut store).await;
        let service = service.unwrap();
        let answers = store.run_concurrent(async |host| {
            let mut answers = Vec::new();
            for (uri, headers) in requests {
                answers.push(answer(host, &service, uri, headers).await);
            }
            answers
        });
        answers.await.unwrap()
    }
}

async fn answer(
    host: &Accessor<State>,
    service: &Service,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Bytes> {
    let mut request = Request::new(Empty::<Bytes>::new());
    let at = format!("http://127.0.0.1:3000{uri}");
    *request.uri_mut() = at.parse().unwrap();
    *request.headers_mut() = headers;
    // What Spin adds of its own.
    let full = HeaderValue::from_str(&at).unwrap();
    request.headers_mut().insert("spin-full-url", full);
    for (name, value) in [("host", "127.0.0.1:3000"), ("spin-base-path", "/")] {
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(name, value);
    }
    // The second half tells how reading the body went: there is none.
    let request = host.with(|mut access| {
        let hooks = &mut access.data_mut().outgoing;
        wasmtime_wasi_http::p3::Request::from_http(hooks, request).0
    });
    let response = service.handle(host, request).await.unwrap().unwrap();
    let response = host.with(|access| response.into_http(access, async { Ok(()) }));
    let (head, body) = response.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(head, body)
}

fn text(value: &Value<'_>, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer}")).to_owned()
}

/// An open store: its label, and the file.
#[derive(Clone)]
pub struct Label(String, Arc<Mutex<Connection>>);

struct State {
    table: ResourceTable,
    http: WasiHttpCtx,
    outgoing: Refused,
    stores: Arc<BTreeMap<String, Arc<Mutex<Connection>>>>,
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outgoing,
        }
    }
}

/// The manifest allows no outbound hosts.
struct Refused;

type Sent = (
    Response<WasiBody>,
    Box<dyn Future<Output = Result<(), HttpError>> + Send>,
);

impl WasiHttpHooks for Refused {
    fn send_request(
        &mut self,
        _: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), HttpError>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, HttpError>> + Send> {
        Box::new(std::future::ready(Err(HttpError::HttpRequestDenied)))
    }
}

struct KeyValue;

impl HasData for KeyValue {
    type Data<'a> = &'a mut State;
}

impl kv::Host for &mut State {}
impl kv::HostStore for &mut State {}

type Host = Accessor<State, KeyValue>;

fn label(host: &Host, store: &Resource<Label>) -> wasmtime::Result<Label> {
    host.with(|mut access| Ok(access.get().table.get(store)?.clone()))
}

impl kv::HostStoreWithStore<State> for KeyValue {
    async fn open(
        host: &Host,
        label: String,
    ) -> wasmtime::Result<Result<Resource<Label>, kv::Error>> {
        host.with(|mut access| {
            let state = access.get();
            let Some(file) = state.stores.get(&label) else {
                return Ok(Err(kv::Error::AccessDenied));
            };
            let open = Label(label, Arc::clone(file));
            Ok(Ok(state.table.push(open)?))
        })
    }

    async fn get(
        host: &Host,
        store: Resource<Label>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, kv::Error>> {
        let Label(label, file) = label(host, &store)?;
        // In Spin's own words.
        let found = file.lock().unwrap().query_row(
            "SELECT value FROM spin_key_value WHERE store=$1 AND key=$2",
            [&label, &key],
            |row| row.get(0),
        );
        Ok(found
            .optional()
            .map_err(|error| kv::Error::Other(error.to_string())))
    }

    async fn set(
        _: &Host,
        _: Resource<Label>,
        _: String,
        _: Vec<u8>,
    ) -> wasmtime::Result<Result<(), kv::Error>> {
        panic!("a guest writes")
    }

    async fn delete(
        _: &Host,
        _: Resource<Label>,
        _: String,
    ) -> wasmtime::Result<Result<(), kv::Error>> {
        panic!("a guest deletes")
    }

    async fn exists(
        host: &Host,
        store: Resource<Label>,
        key: String,
    ) -> wasmtime::Result<Result<bool, kv::Error>> {
        let found = Self::get(host, store, key).await?;
        Ok(found.map(|value| value.is_some()))
    }

    async fn get_keys(
        host: &Host,
        store: Resource<Label>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), kv::Error>>)> {
        let Label(label, file) = label(host, &store)?;
        let keys: Vec<String> = {
            let file = file.lock().unwrap();
            let mut all = file.prepare("SELECT key FROM spin_key_value WHERE store=$1")?;
            let keys = all.query_map([&label], |row| row.get(0))?;
            // Spin promises no order.
            let mut keys: Vec<String> = keys.collect::<Result<_, _>>()?;
            keys.reverse();
            keys
        };
        host.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let done = async { wasmtime::error::Ok(Ok(())) };
            Ok((keys, FutureReader::new(&mut access, done)?))
        })
    }

    async fn drop(host: &Host, store: Resource<Label>) -> wasmtime::Result<()> {
        host.with(|mut access| access.get().table.delete(store))?;
        Ok(())
    }
}

/// Status, type and body: what of an answer a reader sees.
pub(crate) fn seen<'a>(
    status: StatusCode,
    headers: &'a HeaderMap,
    body: &'a Bytes,
) -> (StatusCode, Option<&'a HeaderValue>, &'a Bytes) {
    (status, headers.get("content-type"), body)
}
