//! The world of one play: a town, its origin, a mirror and two edges, all real processes on
//! loopback, in one folder.

mod folder;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::client::Client;
use crate::ports::free;
use crate::process::{self, Process, wait_for};
use folder::Listeners;

/// The token of the edges among themselves, of a world that ends on this machine.
const TOKEN: &str = "a-token-of-a-world-that-is-only-played";
/// The host name the edges know the site by.
pub const HOST: &str = "dasom.example";
/// How long anything may take to come up: an edge that never ran compiles its components, which takes
/// a slow machine a minute.
pub const COME_UP: Duration = Duration::from_secs(180);

/// Where the built things are.
#[derive(Clone, Debug)]
pub struct Built {
    /// Folder of the binaries `edge`, `origin-sync` and `town`.
    pub binaries: PathBuf,
    /// Folder of the components.
    pub components: PathBuf,
    /// The repository.
    pub root: PathBuf,
}

/// One edge of the world.
#[derive(Debug)]
pub struct Edge {
    /// Its name.
    pub name: &'static str,
    /// Where readers ask.
    pub public: SocketAddr,
    /// Where ops ask.
    pub control: SocketAddr,
    /// Where other edges ask, and orders are brought.
    pub peer: SocketAddr,
    /// Whether readers are sent to it: off while it is being restarted, as a CDN would.
    pub in_service: AtomicBool,
    config: PathBuf,
    process: Option<Process>,
}

impl Edge {
    /// The most memory it held since it was started, bytes.
    ///
    /// # Errors
    /// One that does not run.
    pub fn peak_memory(&self) -> Result<u64> {
        let process = self.process.as_ref();
        process
            .with_context(|| format!("{} does not run", self.name))?
            .peak_memory()
    }
}

/// Everything that runs.
#[derive(Debug)]
pub struct World {
    /// Folder of this play.
    pub dir: PathBuf,
    /// Where the built things are.
    pub built: Built,
    /// The edges.
    pub edges: Vec<Edge>,
    /// Where the origin listens.
    pub origin_at: SocketAddr,
    /// Asks as a reader.
    pub client: Client,
    origin: Option<Process>,
}

impl World {
    /// Lays out the site in `dir`: data, configuration, keys. What an earlier play left there (keys,
    /// mirror, the edges' copies) is used again.
    ///
    /// # Errors
    /// A file that cannot be written, or what `origin-sync init` says.
    pub async fn lay_out(dir: &Path, built: &Built, bind: IpAddr) -> Result<Self> {
        Self::lay_out_of(dir, built, bind, town::Size::default()).await
    }

    /// The same of a town of this size.
    ///
    /// # Errors
    /// As [`World::lay_out`].
    pub async fn lay_out_of(
        dir: &Path,
        built: &Built,
        bind: IpAddr,
        size: town::Size,
    ) -> Result<Self> {
        let site = dir.join("site");
        {
            let (built, site) = (built.clone(), site.clone());
            tokio::task::spawn_blocking(move || folder::lay_out(&built, &site, size)).await??;
        }
        let mut init = Command::new(built.binaries.join("origin-sync"));
        init.arg("init").arg(&site).args(["--site", "dasom"]);
        process::run("origin-sync init", init, &[0]).await?;
        let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
        let origin_at = free(loopback)?;
        folder::more_operators(&site)?;
        fs_err::write(dir.join("fleet.token"), TOKEN)?;
        let mut edges = Vec::new();
        let peers = [free(loopback)?, free(loopback)?];
        for (name, peer, beside) in [
            ("seoul-1", peers[0], peers[1]),
            ("busan-1", peers[1], peers[0]),
        ] {
            let (public, control) = (free(bind)?, free(loopback)?);
            let config = dir.join(format!("{name}.toml"));
            let at = Listeners {
                public,
                control,
                peer,
            };
            fs_err::write(&config, folder::edge_toml(name, at, beside, origin_at))?;
            edges.push(Edge {
                name,
                public,
                control,
                peer,
                in_service: AtomicBool::new(true),
                config,
                process: None,
            });
        }
        let controls: Vec<SocketAddr> = edges.iter().map(|edge| edge.control).collect();
        fs_err::write(dir.join("ops.toml"), folder::ops_toml(&controls))?;
        Ok(Self {
            dir: dir.to_owned(),
            built: built.clone(),
            edges,
            origin_at,
            client: Client::new(HOST),
            origin: None,
        })
    }

    /// The folder the site is published from.
    #[must_use]
    pub fn site(&self) -> PathBuf {
        self.dir.join("site")
    }

    /// The mirror's folder.
    #[must_use]
    pub fn mirror(&self) -> PathBuf {
        self.site().join("mirror")
    }

    /// The origin's database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.site().join("town.db")
    }

    /// Runs `origin-sync publish`; gives what it printed. What an earlier play amended by hand goes.
    ///
    /// # Errors
    /// Any end but "published" and "nothing new".
    pub async fn publish(&self) -> Result<String> {
        let mut publish = Command::new(self.built.binaries.join("origin-sync"));
        publish
            .args(["publish", "--take-source", "--config"])
            .arg(self.site().join("site.toml"));
        process::run("origin-sync publish", publish, &[0, 10]).await
    }

    /// Runs `edge order` with these arguments; gives what it printed.
    ///
    /// # Errors
    /// Any end but "in force everywhere".
    pub async fn order(&self, arguments: &[&str]) -> Result<String> {
        let mut order = Command::new(self.built.binaries.join("edge"));
        order
            .arg("order")
            .args(arguments)
            .arg("--yes")
            .arg("--ops")
            .arg(self.dir.join("ops.toml"));
        process::run("edge order", order, &[0]).await
    }

    /// Starts the origin and waits until it answers.
    ///
    /// # Errors
    /// An origin that does not come up.
    pub async fn start_origin(&mut self) -> Result<()> {
        // One that still runs holds the port.
        self.origin = None;
        let mut town = Command::new(self.built.binaries.join("town"));
        town.arg("origin")
            .arg("--data")
            .arg(self.site())
            .arg("--listen")
            .arg(self.origin_at.to_string());
        self.origin = Some(Process::start(
            "the origin",
            town,
            &self.dir.join("origin.log"),
        )?);
        wait_for("the origin to answer", COME_UP, async || {
            if let Some(origin) = &mut self.origin {
                origin.alive()?;
            }
            Ok(self
                .client
                .get(self.origin_at, "/home/health", "ko")
                .await
                .ok())
        })
        .await?;
        Ok(())
    }

    /// Kills the origin (SIGKILL).
    pub fn kill_origin(&mut self) {
        self.origin = None;
    }

    /// Makes the origin a black hole (SIGSTOP), or wakes it again (SIGCONT).
    ///
    /// # Errors
    /// An origin that does not run.
    pub fn freeze_origin(&self, frozen: bool) -> Result<()> {
        let origin = self.origin.as_ref().context("the origin does not run")?;
        origin.signal(if frozen { Signal::STOP } else { Signal::CONT })
    }

    /// Starts the edge at `at`; it may not answer yet.
    ///
    /// # Errors
    /// A binary that cannot be started.
    pub fn start_edge(&mut self, at: usize) -> Result<()> {
        let edge = self.edges.get_mut(at).context("an edge of that number")?;
        let mut serve = Command::new(self.built.binaries.join("edge"));
        serve.arg("serve").arg("--config").arg(&edge.config);
        edge.process = Some(Process::start(
            edge.name,
            serve,
            &self.dir.join(format!("{}.log", edge.name)),
        )?);
        Ok(())
    }

    /// Makes the edge at `at` stand still (SIGSTOP), or lets it run on (SIGCONT).
    ///
    /// # Errors
    /// An edge that does not run.
    pub fn freeze_edge(&self, at: usize, frozen: bool) -> Result<()> {
        let edge = self.edges.get(at).and_then(|edge| edge.process.as_ref());
        let edge = edge.context("the edge does not run")?;
        edge.signal(if frozen { Signal::STOP } else { Signal::CONT })
    }

    /// Kills the edge at `at` (SIGKILL).
    ///
    /// # Errors
    /// No such edge.
    pub fn kill_edge(&mut self, at: usize) -> Result<()> {
        self.edges
            .get_mut(at)
            .context("an edge of that number")?
            .process = None;
        Ok(())
    }

    /// Waits until every edge says it is ready.
    ///
    /// # Errors
    /// An edge that ended or does not become ready, with the end of its log.
    pub async fn wait_ready(&mut self) -> Result<()> {
        for edge in &mut self.edges {
            let client = self.client.clone();
            wait_for(&format!("{} to be ready", edge.name), COME_UP, async || {
                if let Some(process) = &mut edge.process {
                    process.alive()?;
                }
                let ready = client.get(edge.control, "/readyz", "en").await;
                Ok(ready.ok().filter(|answer| answer.status.is_success()))
            })
            .await?;
        }
        Ok(())
    }

    /// Takes the mirror away, or brings it back.
    ///
    /// # Errors
    /// A folder that cannot be moved.
    pub fn mirror_gone(&self, gone: bool) -> Result<()> {
        let (here, away) = (self.mirror(), self.site().join("mirror.gone"));
        let (from, to) = if gone { (here, away) } else { (away, here) };
        if from.exists() {
            fs_err::rename(from, to)?;
        }
        Ok(())
    }

    /// The edge's `/status` document.
    ///
    /// # Errors
    /// A control listener that does not answer with JSON.
    pub async fn status(&self, edge: &Edge) -> Result<serde_json::Value> {
        let answer = self.client.get(edge.control, "/status", "en").await?;
        serde_json::from_slice(&answer.body).with_context(|| format!("/status of {}", edge.name))
    }

    /// Where readers are sent at the moment.
    #[must_use]
    pub fn in_service(&self) -> Vec<SocketAddr> {
        self.edges
            .iter()
            .filter(|edge| edge.in_service.load(Ordering::Relaxed))
            .map(|edge| edge.public)
            .collect()
    }
}
