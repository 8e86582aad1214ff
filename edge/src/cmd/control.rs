//! Which running edges a command asks: their control listeners.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use url::Url;

use super::Fault;
use crate::config::Config;
use crate::config::ops::{EdgePlace, Ops, parse_edge};
use crate::serve::Listening;

/// The settings of operators, where none are named.
const OPS_TOML: &str = "ops.toml";
/// The settings of an edge, where none are named.
const EDGE_TOML: &str = "edge.toml";

/// Where to ask. A flag wins over `ops.toml`, and that over an `edge.toml` in this directory.
#[derive(Clone, Debug, Args)]
pub(super) struct At {
    /// An edge's control listener, as in http://127.0.0.1:8081. May be given several times.
    #[arg(long = "edge", value_name = "URL")]
    edges: Vec<String>,
    /// The settings of an edge on this machine, in place of its URL.
    #[arg(long, value_name = "FILE", conflicts_with = "edges")]
    config: Option<PathBuf>,
    /// Settings that name the edges; `ops.toml` beside you is read without being named.
    #[arg(long, value_name = "FILE", env = "HOLDFAST_OPS")]
    ops: Option<PathBuf>,
}

impl At {
    /// The edges: at least one. Of some only the peer listener may be known.
    ///
    /// # Errors
    /// None is named, or a settings file is wrong.
    pub(super) fn edges(&self) -> Result<Vec<EdgePlace>, Fault> {
        let (ops, edge) = (Path::new(OPS_TOML), Path::new(EDGE_TOML));
        let edges = if !self.edges.is_empty() {
            let parsed = self.edges.iter().map(|text| parse_edge(text));
            let urls: Vec<Url> = parsed.collect::<Result<_, _>>().map_err(Fault::usage)?;
            urls.into_iter().map(place).collect()
        } else if let Some(config) = &self.config {
            vec![place(local(config)?)]
        } else if let Some(ops) = &self.ops {
            Ops::load(ops)?.edges
        } else if ops.is_file() {
            Ops::load(ops)?.edges
        } else if edge.is_file() {
            vec![place(local(edge)?)]
        } else {
            Vec::new()
        };
        if edges.is_empty() {
            let fault = Fault::usage("which edge? none is named");
            return Err(fault.hint(
                "give --edge URL, --config edge.toml on its machine, or --ops FILE with `edges`",
            ));
        }
        Ok(edges)
    }

    /// The control listeners: at least one.
    ///
    /// # Errors
    /// None is named, or a settings file is wrong.
    pub(super) fn controls(&self) -> Result<Vec<Url>, Fault> {
        let edges = self.edges()?.into_iter();
        let controls: Vec<Url> = edges.filter_map(|edge| edge.control).collect();
        if controls.is_empty() {
            let fault = Fault::usage("of no edge the control listener is known");
            return Err(
                fault.hint("name it in ops.toml: edges = [{ control = \"URL\", peer = ... }]")
            );
        }
        Ok(controls)
    }
}

fn place(control: Url) -> EdgePlace {
    EdgePlace {
        control: Some(control),
        ..EdgePlace::default()
    }
}

/// The control listener of the edge with these settings: as it wrote it down, else as configured.
fn local(path: &Path) -> Result<Url, Fault> {
    let config = Config::load(path)?;
    let told = Listening::told(&config.data).map(|told| told.control);
    let mut at = told.unwrap_or(config.listen.control);
    if at.ip().is_unspecified() {
        let own: IpAddr = match at {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        at.set_ip(own);
    }
    parse_edge(&format!("http://{at}")).map_err(Fault::failed)
}
