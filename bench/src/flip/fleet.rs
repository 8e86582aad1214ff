//! Fifty real edges that know some of each other, each with sockets and state of its own.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::Value;
use stage::client::Client;
use stage::ports;
use stage::process::{Process, wait_for};

use super::given::Given;
use super::nginx::Nginx;
use super::origin::Origin;
use super::{HOST, PEERS};
use crate::data::{self, Draws};
use crate::options::Options;
use crate::site::Site;

/// The token that they show each other.
const TOKEN: &str = "the-token-of-this-fleet";
/// The most that a fleet may take to hold the release.
const FILL: Duration = Duration::from_secs(300);
/// The most that an order may take to be obeyed, before the bench gives up.
const OBEY: Duration = Duration::from_secs(30);

/// A running fleet. Killed when dropped.
#[derive(Debug)]
pub(super) struct Fleet {
    edges: Vec<Edge>,
    client: Client,
}

#[derive(Debug)]
struct Edge {
    public: SocketAddr,
    control: SocketAddr,
    peer: SocketAddr,
    process: Process,
}

/// Where an edge is before it runs.
struct Place {
    dir: PathBuf,
    public: SocketAddr,
    control: SocketAddr,
    peer: SocketAddr,
}

impl Fleet {
    /// Starts them and waits until each holds the release and knows that the origin is well.
    pub(super) async fn start(
        dir: &Path,
        site: &Site,
        options: &Options,
        mirror: &Nginx,
        origin: &Origin,
    ) -> Result<Self> {
        fs_err::create_dir_all(dir)?;
        fs_err::write(dir.join("fleet.token"), TOKEN)?;
        let free = || ports::free(Ipv4Addr::LOCALHOST.into());
        let place = |n: usize| {
            anyhow::Ok(Place {
                dir: dir.join(format!("edge-{n}")),
                public: free()?,
                control: free()?,
                peer: free()?,
            })
        };
        let places: Vec<Place> = (0..options.edges).map(place).collect::<Result<_>>()?;
        let mut draws = Draws::new(data::SEED);
        for (n, place) in places.iter().enumerate() {
            let next = peers(n, options.edges, &mut draws);
            let next = next.iter().filter_map(|at| places.get(*at));
            place.lay_out(n, next, site, mirror, origin)?;
        }
        let mut fleet = Self {
            edges: Vec::new(),
            client: Client::new(HOST),
        };
        let (first, others) = places.split_first().context("no edges")?;
        fleet.edges.push(first.begin(options)?);
        fleet.holds_release(0).await?;
        // Each would compile the same component: what one holds at rest is given to the others.
        fleet.edges.clear();
        for other in others {
            copy(&first.dir.join("data"), &other.dir.join("data"))?;
        }
        for place in &places {
            fleet.edges.push(place.begin(options)?);
        }
        for n in 0..options.edges {
            fleet.holds_release(n).await?;
        }
        Ok(fleet)
    }

    /// Where readers ask.
    pub(super) fn publics(&self) -> impl Iterator<Item = SocketAddr> {
        self.edges.iter().map(|edge| edge.public)
    }

    /// The peer listeners.
    pub(super) fn peers(&self) -> impl Iterator<Item = SocketAddr> {
        self.edges.iter().map(|edge| edge.peer)
    }

    /// Waits until every edge answers as `given` orders; gives how long after its signing each did,
    /// milliseconds. Every edge says itself since when: who asks more often would only be in the way.
    pub(super) async fn obeys(&self, given: &Given) -> Result<Vec<f64>> {
        self.becomes(given.state, given.signed_at_ms, OBEY).await
    }

    /// Waits until every edge is in this state, at most for `limit`; gives how long after `from_ms` each
    /// was, milliseconds.
    pub(super) async fn becomes(
        &self,
        state: &str,
        from_ms: u64,
        limit: Duration,
    ) -> Result<Vec<f64>> {
        try_join_all((0..self.edges.len()).map(|n| async move {
            let what = format!("edge-{n} to be {state}");
            let since = wait_for(&what, limit, async || {
                tokio::time::sleep(Duration::from_millis(500)).await;
                let site = self.site(n).await?;
                let service = site.pointer("/services/0").context("no service")?;
                let is_so = service.get("state").and_then(Value::as_str) == Some(state);
                let since = service.get("since_ms").and_then(Value::as_u64);
                Ok(since.filter(|since| is_so && *since >= from_ms))
            })
            .await?;
            Ok((since - from_ms) as f64)
        }))
        .await
    }

    async fn holds_release(&mut self, n: usize) -> Result<()> {
        wait_for(&format!("edge-{n} to hold the release"), FILL, async || {
            self.edges
                .get_mut(n)
                .map_or(Ok(()), |edge| edge.process.alive())?;
            let site = self.site(n).await.ok();
            let held = site.and_then(|site| site.pointer("/release/sequence")?.as_u64());
            Ok(held.map(drop))
        })
        .await
    }

    async fn site(&self, n: usize) -> Result<Value> {
        let edge = self.edges.get(n).context("no such edge")?;
        let answer = self.client.get(edge.control, "/status", "en").await?;
        let status: Value = serde_json::from_slice(&answer.body)?;
        status.pointer("/sites/0").cloned().context("no site")
    }
}

impl Place {
    fn lay_out<'p>(
        &self,
        n: usize,
        next: impl Iterator<Item = &'p Self>,
        site: &Site,
        mirror: &Nginx,
        origin: &Origin,
    ) -> Result<()> {
        fs_err::create_dir_all(&self.dir)?;
        let next: Vec<String> = next
            .map(|next| format!("\"http://{}\"", next.peer))
            .collect();
        let text = format!(
            "name = \"edge-{n}\"\ndata = \"data\"\n\n[listen]\npublic = \"{public}\"\n\
             control = \"{control}\"\n\n[peer]\nlisten = \"{peer}\"\n\
             token_file = \"../fleet.token\"\n\n[[site]]\nname = \"country\"\n\
             hosts = [\"country.test\"]\ntrust = {trust:?}\nmirrors = [\"http://{mirror}\"]\n\
             peers = [{next}]\norigin = \"http://{origin}\"\npoll = \"1s\"\n",
            public = self.public,
            control = self.control,
            peer = self.peer,
            trust = site.trust(),
            mirror = mirror.at,
            origin = origin.at,
            next = next.join(", "),
        );
        Ok(fs_err::write(self.dir.join("edge.toml"), text)?)
    }

    fn begin(&self, options: &Options) -> Result<Edge> {
        let mut serve = Command::new(options.binaries.join("edge"));
        serve
            .arg("serve")
            .arg("--config")
            .arg(self.dir.join("edge.toml"));
        Ok(Edge {
            public: self.public,
            control: self.control,
            peer: self.peer,
            process: Process::start("edge", serve, &self.dir.join("edge.log"))?,
        })
    }
}

/// The edges that edge `n` knows: the next one, so that all are joined, and others by lot.
fn peers(n: usize, edges: usize, draws: &mut Draws) -> BTreeSet<usize> {
    let mut peers = BTreeSet::from([(n + 1) % edges]);
    while peers.len() < PEERS.min(edges - 1) {
        let drawn = draws.below(edges as u64) as usize;
        if drawn != n {
            peers.insert(drawn);
        }
    }
    peers
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::create_dir_all(to)?;
    let mode = fs_err::metadata(from)?.permissions().mode();
    fs_err::set_permissions(to, std::fs::Permissions::from_mode(mode))?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs_err::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
