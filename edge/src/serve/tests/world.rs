//! An edge with a small site: three files, a service `pay` for all of them, and an origin.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use snapshot::order::{Mode, Notice};
use snapshot::{EdgeTime, Epoch, LocalText, Order, Scope, SiteName};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::origin::BreakableOrigin;
use crate::config;
use crate::copy::LoadedRelease;
use crate::fixture;
use crate::fleet::Fleet;
use crate::host::{Host, HostLimits};
use crate::log::Log;
use crate::mode::{ModeMemory, ServiceMode};
use crate::orders::Orders;
use crate::origin::{Origin, OriginLimits};
use crate::serve::metrics::Metrics;
use crate::serve::rehearsal::Rehearsals;
use crate::serve::{ControlLimits, Drained, Edge, ServeLimits, Site, Sites, control, listen};
use crate::sync::{SiteState, wall_clock};

/// What the copy says where the origin says something else.
pub(super) const COPY: &str = "from the copy";

/// What an edge is run under.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) serve: ServeLimits,
    pub(super) control: ControlLimits,
    pub(super) origin: OriginLimits,
    pub(super) grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            serve: ServeLimits::default(),
            control: ControlLimits::default(),
            origin: OriginLimits {
                connect: FIRST_BYTE,
                first_byte: FIRST_BYTE,
                whole: Duration::from_secs(3),
                probe: FIRST_BYTE / 2,
                write: FIRST_BYTE,
                body_bytes: 1 << 20,
                ..OriginLimits::default()
            },
            grace: Duration::from_secs(5),
        }
    }
}

/// Short, so that tests are; long enough for a busy machine.
pub(super) const FIRST_BYTE: Duration = Duration::from_millis(700);

/// Files of the copy, all named so that the origin has them as well.
const FILES: [&str; 11] = [
    "a.txt",
    "b.txt",
    "c.txt",
    "broken.txt",
    "fields.txt",
    "head.txt",
    "halting.txt",
    "nonsense.txt",
    "500.txt",
    "503.txt",
    "slow.txt",
];

static HOST: LazyLock<(TempDir, Arc<Host>)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("compiled");
    let host = Host::new(HostLimits::default(), &cache).unwrap();
    (dir, Arc::new(host))
});

pub(super) struct World {
    pub(super) origin: BreakableOrigin,
    pub(super) public: SocketAddr,
    pub(super) control: SocketAddr,
    pub(super) edge: Arc<Edge>,
    pub(super) stop: CancellationToken,
    pub(super) served: JoinHandle<Drained>,
    client: Client<HttpConnector, Empty<Bytes>>,
    _tasks: Vec<AbortOnDropHandle<()>>,
    _data: TempDir,
}

/// An answer, whole.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Got {
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn is_copy(&self) -> bool {
        self.headers.contains_key("holdfast-as-of")
    }
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(super) async fn with(limits: Limits) -> Self {
        let origin = BreakableOrigin::start().await;
        let url = Url::parse(&format!("http://{}", origin.address)).unwrap();
        let data = tempfile::tempdir().unwrap();
        let hosts = vec![config::Host::Name("dasom.example".to_owned())];
        let name: SiteName = "dasom".parse().unwrap();
        let state = SiteState::new(name, hosts, EdgeTime::default(), Orders::default());
        state.switch(Arc::new(release(&data)));
        let living = Arc::new(Origin::new(&url, limits.origin).unwrap());
        let host = "dasom.example".to_owned();
        let site = Arc::new(Site::new(
            Arc::new(state),
            Some(living),
            host,
            ModeMemory::default(),
        ));
        let mut sites = Sites::default();
        sites.add(&site, &["status.dasom.example".to_owned()]);
        let edge = Arc::new(Edge {
            name: "test-1".to_owned(),
            sites,
            host: Arc::clone(&HOST.1),
            metrics: Metrics::default(),
            log: Log::none(),
            rehearsals: Rehearsals::default(),
            fleet: Fleet::default(),
            certificates: Vec::new(),
        });
        let public = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ops = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (public_at, control_at) = (public.local_addr().unwrap(), ops.local_addr().unwrap());
        let stop = CancellationToken::new();
        let controlling = control::serve(Arc::clone(&edge), ops, limits.control, stop.clone());
        let tasks = vec![
            AbortOnDropHandle::new(tokio::spawn(site.follow())),
            AbortOnDropHandle::new(tokio::spawn(controlling)),
        ];
        let (serve, grace) = (limits.serve, limits.grace);
        let served = listen::serve(Arc::clone(&edge), public, serve, stop.clone(), grace);
        Self {
            origin,
            public: public_at,
            control: control_at,
            edge,
            served: tokio::spawn(served),
            stop,
            client: Client::builder(TokioExecutor::new()).build_http(),
            _tasks: tasks,
            _data: data,
        }
    }

    pub(super) async fn get(&self, path: &str) -> Got {
        self.ask(Method::GET, path, &[]).await
    }

    pub(super) async fn ask(&self, method: Method, path: &str, fields: &[(&str, &str)]) -> Got {
        let mut request = Request::new(Empty::new());
        *request.method_mut() = method;
        *request.uri_mut() = format!("http://{}{path}", self.public).parse().unwrap();
        let headers = request.headers_mut();
        headers.insert("host", "dasom.example".parse().unwrap());
        for (name, value) in fields {
            let name: http::HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        self.send(request).await
    }

    pub(super) async fn ask_control(&self, path: &str) -> Got {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = format!("http://{}{path}", self.control).parse().unwrap();
        self.send(request).await
    }

    async fn send(&self, request: Request<Empty<Bytes>>) -> Got {
        let (head, body) = self.client.request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Got {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(super) fn site(&self) -> &Arc<Site> {
        self.edge.sites.iter().next().unwrap()
    }

    /// Orders a mode for `pay`, with a notice.
    pub(super) fn give(&self, mode: Mode) {
        let now = wall_clock();
        let order = Order {
            version: Order::VERSION,
            site: self.site().name.clone(),
            scope: Scope::Service("pay".parse().unwrap()),
            epoch: Epoch(1),
            predecessor: None,
            mode,
            insists: false,
            notices: vec![Notice {
                at: now,
                text: LocalText::from_iter([("ko", "점검 중"), ("en", "under repair")]),
            }],
            pin: None,
            back: None,
            who: "mina@dasom.example".to_owned(),
            why: "a test".to_owned(),
            ends_at: None,
            signed_at: now,
        };
        self.site().copy.order(Orders::in_force([order]));
    }

    /// Orders a mode for `pay`, with a notice, and waits until it is in force.
    pub(super) async fn order(&self, mode: Mode) {
        self.give(mode);
        let name = if mode == Mode::Degraded {
            "degraded"
        } else {
            "normal"
        };
        self.until(name).await;
    }

    /// Waits until `pay` is in the state of that name.
    pub(super) async fn until(&self, state: &str) -> ServiceMode {
        let gate = self.site().gates.of(Some(&"pay".parse().unwrap()));
        let mut mode = gate.watch();
        let reached = mode.wait_for(|mode| mode.effective.as_str() == state);
        let reached = tokio::time::timeout(Duration::from_secs(30), reached).await;
        *reached.expect("the state is reached").unwrap()
    }
}

fn release(data: &TempDir) -> LoadedRelease {
    let mut files = FILES.map(|file| (file, COPY)).to_vec();
    files.push(("page.html", super::origin::PAGE));
    let routes = vec![
        fixture::assets("/f/{*path}", "files"),
        fixture::assets("/{*path}", "files"),
    ];
    fixture::loaded(data.path(), routes, &files, wall_clock())
}
