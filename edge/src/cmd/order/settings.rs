//! What `edge order` was told, by `ops.toml` and by flags; a flag wins.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use snapshot::SiteName;
use snapshot::trust::Generation;
use url::Url;

use super::Common;
use crate::cmd::Fault;
use crate::config::ops::{Ops, parse_edge};
use crate::config::trust;
use crate::peer::Fleet;
use crate::signing::KeySource;
use crate::sync::mirror::Shown;
use crate::sync::{Mirror, mirror};

/// Resolved settings.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) site: SiteName,
    /// What orders are read from and brought to: mirrors, then edges.
    pub(super) mirrors: Vec<Mirror>,
    pub(super) edges: Vec<Url>,
    pub(super) generation: Option<Arc<Generation>>,
    pub(super) wait: Duration,
    pub(super) json: bool,
    key: Option<KeySource>,
}

impl Settings {
    pub(super) fn resolve(common: &Common) -> Result<Self, Fault> {
        let ops = match &common.ops {
            Some(path) => Ops::load(path)?,
            None => Ops::default(),
        };
        let site = match &common.site {
            Some(name) => Some(name.parse().map_err(Fault::usage)?),
            None => ops.site,
        };
        let site = site.ok_or_else(|| {
            let fault = Fault::usage("which site? neither --site nor ops.toml says");
            fault.hint("give --ops FILE, or --site, --mirror and --key")
        })?;
        let shown = match &ops.authority {
            None => Shown::default(),
            Some(path) => {
                let fleet = Fleet::read(None, Some(path)).map_err(Fault::usage)?;
                Shown::of(None, Some(&fleet))
            }
        };
        let here = Path::new(".");
        let mirror = |text: &str| mirror::parse_url(text, here);
        let (mirrors, peers) = match (common.via.as_slice(), common.mirrors.as_slice()) {
            ([], []) => (ops.mirrors, ops.peers),
            ([], given) => (parse(given, mirror)?, Vec::new()),
            (given, _) => {
                let all = parse(given, mirror)?.into_iter();
                all.partition(|url| !matches!(url.scheme(), "http" | "https"))
            }
        };
        if mirrors.is_empty() && peers.is_empty() {
            let fault = Fault::usage("no path: neither a mirror nor an edge to bring orders to");
            return Err(fault.hint("give --via URL, or mirrors or peers in ops.toml"));
        }
        let peers = peers.iter().map(|url| Mirror::open(url)?.showing(&shown));
        let paths: Result<Vec<Mirror>, _> = mirrors.iter().map(Mirror::open).chain(peers).collect();
        let edges = match common.edges.as_slice() {
            [] => ops.edges,
            given => parse(given, parse_edge)?,
        };
        let key = match &common.key {
            Some(text) => Some(text.parse().map_err(Fault::usage)?),
            None => ops.key,
        };
        let generation = match common.trust.as_ref().or(ops.trust.as_ref()) {
            None => None,
            Some(dir) => {
                let read = trust::read(dir, &site);
                let read = read.map_err(|mistakes| Fault::usage(mistakes.join("\n")))?;
                Some(Arc::new(read))
            }
        };
        Ok(Self {
            site,
            mirrors: paths.map_err(Fault::usage)?,
            edges,
            generation,
            wait: common.wait,
            json: common.json,
            key,
        })
    }

    /// One mirror, and nothing else told.
    #[cfg(test)]
    pub(super) fn of(site: SiteName, mirror: Mirror) -> Self {
        Self {
            site,
            mirrors: vec![mirror],
            edges: Vec::new(),
            generation: None,
            wait: Duration::ZERO,
            json: false,
            key: None,
        }
    }

    pub(super) fn key(&self) -> Result<&KeySource, Fault> {
        self.key.as_ref().ok_or_else(|| {
            let fault = Fault::usage("no key to sign with");
            fault.hint("give --key FILE, --key agent:FILE.pub, or key in ops.toml")
        })
    }
}

fn parse<E: std::fmt::Display>(
    texts: &[String],
    parse: impl Fn(&str) -> Result<Url, E>,
) -> Result<Vec<Url>, Fault> {
    let each = texts.iter().map(|text| parse(text).map_err(Fault::usage));
    each.collect()
}
