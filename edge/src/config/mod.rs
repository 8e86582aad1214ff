//! `edge.toml`: read whole, all mistakes reported together, before any port is bound.
//!
//! What is written and what is meant are different types: the raw ones keep each value's place in
//! the file, the resolved ones hold only values that can be used. Nothing falls back silently: an
//! absent mirror list, an unknown key or an empty trust directory is an error.

mod fleet;
mod keep;
mod lazy;
mod listen;
mod on_change;
pub mod ops;
mod peer;
mod site;
mod sync;
pub mod trust;

use std::path::{Path, PathBuf};

pub use fleet::FleetSettings;
pub use keep::{KEEP, KEEP_GRACE, KEEP_MOST, Keep};
pub use lazy::{LAZY_CACHE, LAZY_CACHE_LEAST, LazySettings};
pub use listen::Listen;
pub use on_change::{OnChange, PROGRAM_TIME, PROGRAM_TIME_MOST, PROGRAM_WORDS, PROGRAMS};
pub use peer::Peer;
pub use site::{HOSTS, Host, MIRRORS, PEERS, POLL, SCRUB, SITES, Site};
pub use sync::{BANDWIDTH_LEAST, Sync};

use crate::settings::{self, Mistakes, Placed, Problems, Section};
use listen::RawListen;
use on_change::RawOnChange;
use peer::RawPeer;
use site::RawSite;

/// Longest name of an edge, bytes.
pub const NAME_BYTES: usize = 64;

/// A usable `edge.toml`.
#[derive(Clone, Debug)]
pub struct Config {
    /// `name`: this edge's name in status, logs and `Cache-Status`. Required.
    pub name: String,
    /// `data`: the directory for copies, compiled guests and state, made with mode 0700. Default
    /// `edge-data` beside the file.
    pub data: PathBuf,
    /// `[listen]`.
    pub listen: Listen,
    /// `[sync]`.
    pub sync: Sync,
    /// `[peer]`.
    pub peer: Peer,
    /// `[[on_change]]`: programs that are run when something changes. Default: none.
    pub on_change: Vec<OnChange>,
    /// `[fleet]`.
    pub fleet: FleetSettings,
    /// `[[site]]`: at least one.
    pub sites: Vec<Site>,
}

impl Config {
    /// Reads `path`. Relative paths in it are relative to it.
    ///
    /// # Errors
    /// All mistakes of the file and of the trust directories it names.
    pub fn load(path: &Path) -> Result<Self, Mistakes> {
        let source = settings::read(path, "--config names another")?;
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let base = absolute.parent().unwrap_or(Path::new("/"));
        Self::parse(path, &source, base)
    }

    /// Reads `source`, the text of `path`, with relative paths meant from `base`.
    ///
    /// # Errors
    /// All mistakes.
    pub fn parse(path: &Path, source: &str, base: &Path) -> Result<Self, Mistakes> {
        let problems = Problems::default();
        let resolved = Section::parse(source, &problems)
            .and_then(|file| Raw::read(file).resolve(base, &problems));
        problems.none_or(resolved, path, source)
    }
}

/// `edge.toml` as written.
#[derive(Debug)]
struct Raw {
    name: Option<Placed<String>>,
    data: Option<Placed<String>>,
    listen: RawListen,
    sync: Sync,
    peer: RawPeer,
    on_change: Vec<RawOnChange>,
    fleet: FleetSettings,
    sites: Vec<RawSite>,
}

impl Raw {
    fn read(mut file: Section<'_, '_>) -> Self {
        let raw = Self {
            name: file.required(
                "name",
                "this edge's name: name = \"seoul-1\"",
                Section::text,
            ),
            data: file.text("data"),
            listen: file
                .section("listen")
                .map(RawListen::read)
                .unwrap_or_default(),
            sync: file.section("sync").map(Sync::read).unwrap_or_default(),
            peer: file.section("peer").map(RawPeer::read).unwrap_or_default(),
            on_change: file
                .list("on_change")
                .into_iter()
                .map(RawOnChange::read)
                .collect(),
            fleet: file
                .section("fleet")
                .map(FleetSettings::read)
                .unwrap_or_default(),
            sites: file.list("site").into_iter().map(RawSite::read).collect(),
        };
        file.finish();
        raw
    }

    fn resolve(self, base: &Path, problems: &Problems) -> Option<Config> {
        let name = self.resolve_name(problems);
        let listen = self.listen.resolve(problems);
        let peer = self.peer.resolve(base, problems);
        if self.sites.is_empty() {
            problems
                .add(None, "no [[site]]: there is nothing to answer for")
                .help("add [[site]] with name, hosts, trust and mirrors");
        }
        if self.sites.len() > SITES {
            let message = format!("{} sites; at most {SITES}", self.sites.len());
            problems.add(None, message);
            return None;
        }
        self.contradictions(listen.as_ref(), problems);
        let resolve = |site: &RawSite| site.resolve(base, peer.as_ref(), problems);
        // Every site is looked at, also behind one that is wrong.
        let sites: Vec<Option<Site>> = self.sites.iter().map(resolve).collect();
        let programs = self.on_change.iter();
        let programs: Vec<Option<OnChange>> = programs
            .map(|program| program.resolve(base, problems))
            .collect();
        if programs.len() > PROGRAMS {
            let message = format!("{} programs; at most {PROGRAMS}", programs.len());
            problems.add(None, message);
        }
        let data = self.data.map_or("edge-data".to_owned(), |data| data.value);
        Some(Config {
            name: name?,
            data: base.join(data),
            listen: listen?,
            sync: self.sync,
            peer: peer?,
            on_change: programs.into_iter().collect::<Option<_>>()?,
            fleet: self.fleet,
            sites: sites.into_iter().collect::<Option<_>>()?,
        })
    }

    fn resolve_name(&self, problems: &Problems) -> Option<String> {
        let name = self.name.as_ref()?;
        let fits = (1..=NAME_BYTES).contains(&name.value.len())
            && name
                .value
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !fits {
            problems
                .add(
                    name.span,
                    format!("`name` does not fit a header: {:?}", name.value),
                )
                .label("expected 1 to 64 of A-Z, a-z, 0-9, -, _ and .");
        }
        fits.then(|| name.value.clone())
    }

    /// What no field shows by itself.
    fn contradictions(&self, listen: Option<&Listen>, problems: &Problems) {
        let mut names: Vec<&Placed<String>> = Vec::new();
        let mut hosts: Vec<(Host, &Placed<String>)> = Vec::new();
        for site in &self.sites {
            if let Some(name) = site.name() {
                if let Some(first) = names.iter().find(|known| known.value == name.value) {
                    let message = format!("two sites are named {}", name.value);
                    problems
                        .add(name.span, message)
                        .label("again here")
                        .also(first.span, "first here");
                }
                names.push(name);
            }
            for (host, text) in site.hosts() {
                if let Some((_, first)) = hosts.iter().find(|(known, _)| *known == host) {
                    let message = format!("host {host} is named twice");
                    problems
                        .add(text.span, message)
                        .label("a host belongs to one site")
                        .also(first.span, "first named here");
                }
                hosts.push((host, text));
            }
            if let (Some(listen), Some(origin)) = (listen, site.origin()) {
                let own = format!("http://{}", listen.public);
                if listen.public.port() != 0 && origin.value.trim_end_matches('/') == own {
                    let message = format!("`origin` is this edge itself: {own}");
                    problems
                        .add(origin.span, message)
                        .label("would ask itself for ever");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
