//! A real edge on a folder of its own, in front of nothing: what it answers comes from its copy.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stage::client::{Answer, Client};
use stage::ports;
use stage::process::{Process, wait_for};

use crate::data;
use crate::site::Site;

const HOST: &str = "country.test";
/// The most that a first fill may take.
const FILL: Duration = Duration::from_secs(1800);

/// A running edge. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Edge {
    public: SocketAddr,
    control: SocketAddr,
    program: PathBuf,
    config: PathBuf,
    client: Client,
    process: Option<Process>,
}

impl Edge {
    /// Starts one that holds nothing yet and follows the mirror at `mirror`.
    pub(crate) fn start(
        dir: &Path,
        binaries: &Path,
        site: &Site,
        mirror: SocketAddr,
    ) -> Result<Self> {
        fs_err::create_dir_all(dir)?;
        let loopback = Ipv4Addr::LOCALHOST.into();
        let (public, control) = (ports::free(loopback)?, ports::free(loopback)?);
        let config = dir.join("edge.toml");
        let trust = site.trust();
        let text = format!(
            "name = \"edge\"\ndata = \"data\"\n\n[listen]\npublic = \"{public}\"\n\
             control = \"{control}\"\n\n[[site]]\nname = \"country\"\nhosts = [\"{HOST}\"]\n\
             trust = {trust:?}\nmirrors = [\"http://{mirror}\"]\npoll = \"200ms\"\n",
        );
        fs_err::write(&config, text)?;
        let mut edge = Self {
            public,
            control,
            program: binaries.join("edge"),
            config,
            client: Client::new(HOST),
            process: None,
        };
        edge.begin()?;
        Ok(edge)
    }

    /// Starts it anew.
    pub(super) fn begin(&mut self) -> Result<()> {
        let mut serve = Command::new(&self.program);
        serve.arg("serve").arg("--config").arg(&self.config);
        let log = self.config.with_file_name("edge.log");
        self.process = Some(Process::start("edge", serve, &log)?);
        Ok(())
    }

    /// Kills it (SIGKILL).
    pub(super) fn kill(&mut self) {
        self.process = None;
    }

    /// Waits until the release `sequence` is in use.
    pub(crate) async fn reaches(&mut self, sequence: u64) -> Result<()> {
        let what = format!("release {sequence} to be in use");
        wait_for(&what, FILL, async || {
            self.alive()?;
            let status = self.status().await.ok();
            let found = status.and_then(|status| status.pointer("/release/sequence")?.as_u64());
            Ok((found == Some(sequence)).then_some(()))
        })
        .await
    }

    /// What `/status` says of the site.
    pub(crate) async fn status(&self) -> Result<Value> {
        let answer = self.client.get(self.control, "/status", "en").await?;
        let status: Value = serde_json::from_slice(&answer.body)?;
        status.pointer("/sites/0").cloned().context("no site")
    }

    /// The page of record `n`, as a reader asks for it.
    pub(super) async fn page(&self, n: u64) -> Result<Answer> {
        let path = format!("/p/{}", data::key(n));
        self.client.get(self.public, &path, "ko").await
    }

    /// Fails with the end of its log if it has ended.
    pub(super) fn alive(&mut self) -> Result<()> {
        self.process.as_mut().map_or(Ok(()), Process::alive)
    }

    /// Its anonymous resident memory, MB.
    pub(super) fn memory(&self) -> Result<f64> {
        let process = self.process.as_ref().context("no edge runs")?;
        Ok(process.anonymous_memory()? as f64 / 1e6)
    }
}

/// The release that an answer is of.
pub(super) fn release(answer: &Answer) -> Result<u64> {
    ensure!(answer.status.is_success(), "an answer is {}", answer.status);
    let release = answer.header("holdfast-release");
    release.parse().context("an answer without a release")
}
