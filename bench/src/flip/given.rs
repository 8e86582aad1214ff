//! Orders, given by the real command.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;
use stage::process;

use crate::options::Options;
use crate::site::Site;

/// An order that was given.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// What the service is to be.
    pub(super) state: &'static str,
    /// When it was signed, milliseconds since 1970.
    pub(super) signed_at_ms: u64,
}

/// Who gives orders, and from where.
#[derive(Debug)]
pub(super) struct Ops {
    edge: PathBuf,
    mirror: PathBuf,
    key: PathBuf,
    file: PathBuf,
}

impl Ops {
    /// The operator of `site`; its `ops.toml` lies in `work`.
    pub(super) fn new(work: &Path, site: &Site, options: &Options) -> Self {
        Self {
            edge: options.binaries.join("edge"),
            mirror: site.mirror(),
            key: site.operator(),
            file: work.join("ops.toml"),
        }
    }

    /// Puts order `turn` on the mirror.
    pub(super) async fn by_mirror(&self, turn: usize) -> Result<Given> {
        self.give(turn, &format!("mirrors = [{:?}]\n", self.mirror))
            .await
    }

    /// Tells order `turn` to these edges and nobody else.
    pub(super) async fn by_peers(
        &self,
        turn: usize,
        peers: impl Iterator<Item = SocketAddr>,
    ) -> Result<Given> {
        let peers: Vec<String> = peers.map(|at| format!("\"http://{at}\"")).collect();
        self.give(turn, &format!("peers = [{}]\n", peers.join(", ")))
            .await
    }

    async fn give(&self, turn: usize, paths: &str) -> Result<Given> {
        let (verb, state) = match turn % 2 {
            0 => ("degrade", "degraded"),
            _ => ("recover", "normal"),
        };
        fs_err::write(
            &self.file,
            format!("site = \"country\"\nkey = {:?}\n{paths}", self.key),
        )?;
        let mut order = Command::new(&self.edge);
        order.args([
            "order", verb, "home", "--yes", "--json", "--wait", "0s", "--ops",
        ]);
        order.arg(&self.file);
        let said = process::run("edge order", order, &[0]).await?;
        let said: Value = serde_json::from_str(said.trim()).context("no JSON")?;
        let signed = said.get("signed_at_ms").and_then(Value::as_u64);
        Ok(Given {
            state,
            signed_at_ms: signed.context("it does not say when it was signed")?,
        })
    }
}
