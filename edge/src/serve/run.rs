//! A whole edge: listeners first, then what the disk holds, then answers; sync beside them; an
//! orderly end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use snapshot::NodeCache;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::control;
use super::edge::Edge;
use super::limits::{ControlLimits, ServeLimits};
use super::listen::{self, Drained};
use super::metrics::Metrics;
use super::record::record;
use super::rehearsal::Rehearsals;
use super::site::{Site, Sites};
use crate::alarm::{self, Look};
use crate::answer::Rehearsal;
use crate::config::{self, Config};
use crate::copy::Canaries;
use crate::fleet::Fleet;
use crate::host::{Host, HostError, HostLimits};
use crate::log::{Event, Log};
use crate::origin::{NotAnOrigin, Origin, OriginLimits};
use crate::peer::{self, Room};
use crate::sync::{Follower, OpenError, Pace, wall_clock};

/// Verified inner nodes kept in memory, bytes, all sites together.
pub const NODE_CACHE_BYTES: u64 = 128 << 20;
/// The file in the data directory that names the bound addresses.
pub const LISTENING: &str = "listening.json";
/// How often what readers were shown is noted in the log.
const PAGE_TURN: Duration = Duration::from_secs(60);

/// Why an edge does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The data directory cannot be used.
    #[error("cannot use the data directory {path}: {source}")]
    Data {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The component host does not start.
    #[error("the component host does not start")]
    Host(#[from] HostError),
    /// A site's copy cannot be opened.
    #[error("a site's copy cannot be opened")]
    Site(#[source] Box<OpenError>),
    /// An origin that cannot be asked.
    #[error(transparent)]
    Origin(#[from] NotAnOrigin),
    /// The runtime is going down.
    #[error("stopped while starting")]
    Stopped,
}

/// The addresses an edge is bound to; port 0 has become a real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// For readers.
    pub public: SocketAddr,
    /// For ops.
    pub control: SocketAddr,
    /// For other edges, if there is one.
    #[serde(default)]
    pub peer: Option<SocketAddr>,
}

impl Listening {
    /// What the edge that runs over `data`, or last did, wrote down. Blocks.
    #[must_use]
    pub fn told(data: &Path) -> Option<Self> {
        let text = fs_err::read(data.join(LISTENING)).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// Runs the edge that `config` describes until `stop`. `ready` is called once it answers.
///
/// # Errors
/// Why it does not start; once it answers nothing ends it but `stop`.
pub async fn run(
    config: Config,
    stop: CancellationToken,
    ready: impl FnOnce(Listening),
) -> Result<Drained, StartError> {
    // Bound first: readers who come while the copy is opened wait in the kernel's queue.
    let public = bind(config.listen.public).await?;
    let control = bind(config.listen.control).await?;
    let peer = match config.peer.listen {
        Some(address) => Some((bind(address).await?, address)),
        None => None,
    };
    let at = peer
        .as_ref()
        .map(|(listener, address)| local(listener, *address));
    let listening = Listening {
        public: local(&public, config.listen.public)?,
        control: local(&control, config.listen.control)?,
        peer: at.transpose()?,
    };
    let host = open_data(&config.data).await?;
    let cache = NodeCache::new(NODE_CACHE_BYTES);
    let log = Log::telling(&config.data, config.on_change.clone(), &config.name);
    log.note(wall_clock(), None, started(&config.name));
    let opening = config.sites.iter().map(|site| {
        let (host, cache) = (Arc::clone(&host), cache.clone());
        Follower::open(site, &config.data, host, cache, log.clone())
    });
    let followers = try_join_all(opening).await;
    let mut followers = followers.map_err(|error| StartError::Site(Box::new(error)))?;

    let mut sites = Sites::default();
    let mut tasks = Vec::new();
    for (settings, follower) in config.sites.iter().zip(&mut followers) {
        let origin = settings.origin.as_ref();
        let origin = origin.map(|url| Origin::new(url, OriginLimits::default()));
        let origin = origin.transpose()?.map(Arc::new);
        let (state, modes) = (follower.state(), follower.take_modes());
        let site = Arc::new(Site::new(state, origin, probe_host(settings), modes));
        let recording = record(&site);
        tasks.push(AbortOnDropHandle::new(tokio::spawn(recording)));
        tasks.push(AbortOnDropHandle::new(tokio::spawn(site.follow())));
        let looking = alarm::look(Look {
            site: follower.state(),
            alarms: Arc::clone(&site.alarms),
            data: config.data.clone(),
            log: log.clone(),
            certificates: config.peer.ends(),
            age: settings.age_alarm,
        });
        tasks.push(AbortOnDropHandle::new(tokio::spawn(looking)));
        sites.add(&site, &settings.status_hosts);
    }
    if let Some((listener, _)) = peer {
        let room = Room {
            shelves: followers
                .iter()
                .map(|follower| Arc::new(follower.shelf()))
                .collect(),
            token: config.peer.token.clone(),
            fleet: config.peer.fleet.clone(),
            limits: config.peer.limits,
        };
        let giving = peer::serve(Arc::new(room), listener);
        tasks.push(AbortOnDropHandle::new(tokio::spawn(giving)));
    }
    let edge = Arc::new(Edge {
        name: config.name.clone(),
        sites,
        host: Arc::clone(&host),
        metrics: Metrics::default(),
        log: log.clone(),
        rehearsals: Rehearsals::default(),
        certificates: config.peer.ends(),
        fleet: Fleet::of(config.fleet.edges),
    });
    recall(&edge).await?;
    let counting = Arc::clone(&edge);
    tasks.push(AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            tokio::time::sleep(PAGE_TURN).await;
            counting.turn_page();
        }
    })));

    let following = TaskTracker::new();
    let canaries: Arc<dyn Canaries> = Arc::new(Rehearsal::new(host));
    let pace = Arc::new(Pace::new(config.sync.bandwidth));
    for follower in followers {
        let follower = follower.at_pace(Arc::clone(&pace));
        following.spawn(follower.run(Arc::clone(&canaries), stop.clone()));
    }
    following.close();
    let limits = ControlLimits::default();
    let controlling = control::serve(Arc::clone(&edge), control, limits, stop.clone());
    tasks.push(AbortOnDropHandle::new(tokio::spawn(controlling)));
    tell(&config.data, listening).await?;
    ready(listening);

    let grace = config.listen.drain;
    let serving = listen::serve(
        Arc::clone(&edge),
        public,
        ServeLimits::default(),
        stop,
        grace,
    );
    let drained = serving.await;
    following.wait().await;
    edge.turn_page();
    let name = config.name;
    log.note(wall_clock(), None, Event::EdgeStopped { name });
    log.end().await;
    Ok(drained)
}

fn started(name: &str) -> Event {
    Event::EdgeStarted {
        name: name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| StartError::Bind { address, source })
}

fn local(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, StartError> {
    let local = listener.local_addr();
    local.map_err(|source| StartError::Bind { address, source })
}

/// Makes the data directory, for this user alone, and starts the component host over it.
pub(crate) async fn open_data(data: &Path) -> Result<Arc<Host>, StartError> {
    let path = data.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        make_private(&path).map_err(|source| StartError::Data {
            path: path.clone(),
            source,
        })?;
        Ok(Host::new(HostLimits::default(), &path.join("compiled"))?)
    });
    let host = opened.await.map_err(|_| StartError::Stopped)?;
    host.map(Arc::new)
}

fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::create_dir_all(path)?;
    // A read-only disk takes no change, and mostly needs none.
    if fs_err::metadata(path)?.permissions().mode() & 0o777 == 0o700 {
        return Ok(());
    }
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

/// Takes in how the last rehearsals went.
async fn recall(edge: &Arc<Edge>) -> Result<(), StartError> {
    let edge = Arc::clone(edge);
    let read = tokio::task::spawn_blocking(move || {
        for site in edge.sites.iter() {
            if let Some(release) = site.copy.current() {
                edge.rehearsals.recall(&site.name, &release.store);
            }
        }
    });
    read.await.map_err(|_| StartError::Stopped)
}

/// Writes the addresses down. A disk that takes nothing keeps no reader from being answered.
async fn tell(data: &Path, listening: Listening) -> Result<(), StartError> {
    let path = data.join(LISTENING);
    let written = tokio::task::spawn_blocking(move || {
        let json = serde_json::to_vec(&listening)?;
        snapshot::durable::write(&path, &json)
    });
    let written = written.await.map_err(|_| StartError::Stopped)?;
    if let Err(error) = written {
        tracing::error!(%error, "{LISTENING} does not name the addresses");
    }
    Ok(())
}

/// What a site's probes name as their host: the first it answers for.
fn probe_host(site: &config::Site) -> String {
    let named = site.hosts.iter().find_map(|host| match host {
        config::Host::Name(name) => Some(name.clone()),
        config::Host::Any => None,
    });
    named.unwrap_or_else(|| "localhost".to_owned())
}
